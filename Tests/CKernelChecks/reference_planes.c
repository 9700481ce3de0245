// SPDX-License-Identifier: Apache-2.0
// The steps that work plane by plane.
#include "reference.h"

void reference_elementwise(const mux_elementwise *s, const reference_context *c, sheet *sheet) {
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    for (ptrdiff_t i = 0; i < s->pixels; ++i) {
      const double a = c->arena[s->a[n] + i];
      approx y = exactly(a);
      switch (s->mode) {
      case MUX_ELEMENTWISE_UNARY:
        if (s->scale) {
          y.value = a * s->scale[n] + s->shift[n];
          y.error = 2 * ROUNDING * (fabs(a * s->scale[n]) + fabs(s->shift[n]));
        }
        break;
      case MUX_ELEMENTWISE_ADD:
        y.value = a + c->arena[s->b[n] + i];
        y.error = ROUNDING * fabs(y.value);
        break;
      case MUX_ELEMENTWISE_MULTIPLY:
        y.value = a * c->arena[s->b[n] + i];
        y.error = ROUNDING * fabs(y.value);
        break;
      case MUX_ELEMENTWISE_GATE:
        y.value = a * c->arena[s->b[n]];
        y.error = ROUNDING * fabs(y.value);
        break;
      }
      expect_float(sheet, s->outputs[n] + i, approximate_activation(c, s->activation, y));
    }
  }
}

void reference_unblock(const mux_unblock *s, const reference_context *c, sheet *sheet) {
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    const ptrdiff_t block = s->positions[n] / c->lanes, lane = s->positions[n] % c->lanes;
    for (ptrdiff_t i = 0; i < s->pixels; ++i) {
      expect_float(sheet, s->outputs[n] + i,
                   exactly(c->arena[s->input + (block * s->pixels + i) * c->lanes + lane]));
    }
  }
}

/// One window of a pool, from (top, left) to before (bottom, right), which may lie outside the plane.
static approx window_of(const mux_pool_step *s, const float *plane, ptrdiff_t top, ptrdiff_t left,
                        ptrdiff_t bottom, ptrdiff_t right) {
  approx_sum sum = {0};
  double greatest = -INFINITY;
  for (ptrdiff_t i = top; i < bottom; ++i) {
    for (ptrdiff_t j = left; j < right; ++j) {
      if (i < 0 || i >= s->in_height || j < 0 || j >= s->in_width) continue;
      const double x = plane[i * s->in_width + j];
      add_term(&sum, exactly(x));
      greatest = fmax(greatest, x);
    }
  }
  if (!s->is_average) return exactly(greatest);
  // Padding counts up to one padding beyond the plane.
  const ptrdiff_t below = s->in_height + s->padding, beside = s->in_width + s->padding;
  const ptrdiff_t rows = (bottom < below ? bottom : below) - top;
  const ptrdiff_t columns = (right < beside ? right : beside) - left;
  const double area = s->counts_padding ? (double)(rows * columns) : (double)sum.count;
  approx mean = rounded_sum(&sum);
  mean.value /= area;
  mean.error = mean.error / area + ROUNDING * fabs(mean.value);
  return mean;
}

void reference_pool(const mux_pool_step *s, const reference_context *c, sheet *sheet) {
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    const float *plane = c->arena + s->inputs[n];
    if (s->kernel == 0) {
      mux_pool_step whole = *s;
      whole.is_average = 1;
      whole.counts_padding = 0;
      expect_float(sheet, s->outputs[n], window_of(&whole, plane, 0, 0, s->in_height, s->in_width));
      continue;
    }
    for (ptrdiff_t y = 0; y < s->out_height; ++y) {
      for (ptrdiff_t x = 0; x < s->out_width; ++x) {
        const ptrdiff_t top = y * s->stride - s->padding, left = x * s->stride - s->padding;
        expect_float(sheet, s->outputs[n] + y * s->out_width + x,
                     window_of(s, plane, top, left, top + s->kernel, left + s->kernel));
      }
    }
  }
}

void reference_adaptive_pool(const mux_adaptive_pool *s, const reference_context *c, sheet *sheet) {
  const double down = (double)s->in_height / (double)s->out_height;
  const double across = (double)s->in_width / (double)s->out_width;
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    for (ptrdiff_t y = 0; y < s->out_height; ++y) {
      for (ptrdiff_t x = 0; x < s->out_width; ++x) {
        approx_sum sum = {0};
        for (ptrdiff_t i = 0; i < s->in_height; ++i) {
          for (ptrdiff_t j = 0; j < s->in_width; ++j) {
            // A pixel is under the window if it overlaps with the window's part of the plane.
            const bool is_inside = (double)(i + 1) > (double)y * down + 1e-9 &&
                                   (double)i < (double)(y + 1) * down - 1e-9 &&
                                   (double)(j + 1) > (double)x * across + 1e-9 &&
                                   (double)j < (double)(x + 1) * across - 1e-9;
            if (is_inside) add_term(&sum, exactly(c->arena[s->inputs[n] + i * s->in_width + j]));
          }
        }
        approx mean = rounded_sum(&sum);
        mean.value /= (double)sum.count;
        mean.error = mean.error / (double)sum.count + ROUNDING * fabs(mean.value);
        expect_float(sheet, s->outputs[n] + y * s->out_width + x, mean);
      }
    }
  }
}

void reference_pad(const mux_pad *s, const reference_context *c, sheet *sheet) {
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    for (ptrdiff_t y = 0; y < s->out_height; ++y) {
      for (ptrdiff_t x = 0; x < s->out_width; ++x) {
        const ptrdiff_t i = y - s->top, j = x - s->left;
        const bool is_inside = i >= 0 && i < s->in_height && j >= 0 && j < s->in_width;
        expect_float(sheet, s->outputs[n] + y * s->out_width + x,
                     exactly(is_inside ? c->arena[s->inputs[n] + i * s->in_width + j] : 0));
      }
    }
  }
}

void reference_l2_norm(const mux_l2_norm *s, const reference_context *c, sheet *sheet) {
  for (ptrdiff_t i = 0; i < s->pixels; ++i) {
    double squares = 0;
    for (ptrdiff_t n = 0; n < s->planes; ++n) squares += pow(c->arena[s->inputs[n] + i], 2);
    const double norm = fmax(sqrt(squares), s->epsilon);
    for (ptrdiff_t n = 0; n < s->planes; ++n) {
      const double y = c->arena[s->inputs[n] + i] / norm * s->scale[n];
      expect_float(sheet, s->outputs[n] + i,
                   (approx){y, (double)(s->planes + 6) * ROUNDING * fabs(y)});
    }
  }
}

void reference_multiplex(const mux_multiplex *s, const reference_context *c, sheet *sheet) {
  const ptrdiff_t r = s->factor, coarse_height = (s->height + r - 1) / r;
  const ptrdiff_t coarse_width = (s->width + r - 1) / r;
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    for (ptrdiff_t y = 0; y < coarse_height * r; ++y) {
      for (ptrdiff_t x = 0; x < coarse_width * r; ++x) {
        const bool is_inside = y < s->height && x < s->width;
        const ptrdiff_t coarse = (y % r * r + x % r) * s->planes + n;
        const ptrdiff_t coarse_pixel = y / r * coarse_width + x / r, fine_pixel = y * s->width + x;
        if (s->to_channels) {
          expect_float(sheet, s->outputs[coarse] + coarse_pixel,
                       exactly(is_inside ? c->arena[s->inputs[n] + fine_pixel] : 0));
        } else if (is_inside) {
          expect_float(sheet, s->outputs[n] + fine_pixel,
                       exactly(c->arena[s->inputs[coarse] + coarse_pixel]));
        }
      }
    }
  }
}

void reference_pack(const mux_pack *s, const reference_context *c, sheet *sheet) {
  const int values = values_of(s->precision);
  value_range range = empty_range();
  for (ptrdiff_t n = 0; n < s->planes; ++n) {
    for (ptrdiff_t i = 0; i < s->pixels; ++i) {
      const approx x = exactly(c->arena[s->inputs[n] + i]);
      expect_value(sheet, s->precision, s->output + n / values * s->pixels + i, n % values,
                   encoded(s->precision, x, s->quantization));
      widen_range(&range, x, true);
    }
  }
  if (s->observed >= 0) expect_range(sheet, s->observed, range);
}
