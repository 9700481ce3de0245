// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "reference.h"

/// A spatial step while it is worked out.
typedef struct {
  const mux_spatial_step *step;
  const reference_context *context;
  /// [block][row][column][lane]: what the convolutions read, encoded where they have cells, and whether a
  /// window of some unit lies over it.
  approx *middle;
  bool *is_read;
} spatial_work;

static ptrdiff_t middle_at(const spatial_work *work, ptrdiff_t block, ptrdiff_t row,
                           ptrdiff_t column, ptrdiff_t lane) {
  const mux_spatial_step *s = work->step;
  return ((block * s->in_height + row) * s->in_width + column) * work->context->lanes + lane;
}

/// What the convolutions read at a place, which may lie outside the image.
static approx read_middle(const spatial_work *work, ptrdiff_t block, ptrdiff_t row,
                          ptrdiff_t column, ptrdiff_t lane) {
  const mux_spatial_step *s = work->step;
  if (row < 0 || row >= s->in_height || column < 0 || column >= s->in_width) {
    return exactly(s->precision == MUX_INT8 ? (int)s->middle.zero : 0);
  }
  const ptrdiff_t at = middle_at(work, block, row, column, lane);
  work->is_read[at] = true;
  return work->middle[at];
}

// --- The expansion --------------------------------------------------------------------------------

static approx expanded_floats(const mux_spatial_step *s, const reference_context *c,
                              ptrdiff_t block, ptrdiff_t pixel, ptrdiff_t lane) {
  approx_sum sum = {0};
  add_term(&sum, exactly(s->bias[block * c->lanes + lane]));
  for (ptrdiff_t k = 0; k < s->inner; ++k) {
    const double x = s->window.kernel > 0
                         ? reference_window_input(&s->window, c->arena, s->offsets[k],
                                                  pixel / s->in_width, pixel % s->in_width)
                         : c->arena[s->offsets[k] + pixel * s->pitch];
    add_product(&sum, exactly(x), exactly(s->weights[(block * s->inner + k) * c->lanes + lane]));
  }
  return approximate_activation(c, s->producer_activation, rounded_sum(&sum));
}

static approx expanded_cells(const mux_spatial_step *s, const reference_context *c, ptrdiff_t block,
                             ptrdiff_t pixel, ptrdiff_t lane) {
  const int32_t *weights = (const int32_t *)s->weights;
  approx_sum sum = {0};
  for (ptrdiff_t k = 0; k < s->inner; ++k) {
    for (int j = 0; j < values_of(s->precision); ++j) {
      approx x;
      if (s->window.kernel > 0) {
        x = reference_window_value(&s->window, c->arena, s->precision, s->gathered, s->offsets[k],
                                   j, pixel / s->in_width, pixel % s->in_width);
      } else {
        int32_t cell;
        memcpy(&cell, c->arena + s->offsets[k] + pixel, sizeof cell);
        x = exactly(cell_value(s->precision, cell, j));
      }
      const int32_t weight = weights[(block * s->inner + k) * c->lanes + lane];
      add_product(&sum, x, exactly(cell_weight(s->precision, weight, j)));
    }
  }
  const approx y = reference_scaled(s->precision, &sum, s->scale, s->bias, block * c->lanes + lane);
  return approximate_activation(c, s->producer_activation, y);
}

/// What is expanded, or copied, at a place: in single precision.
static approx expanded(const mux_spatial_step *s, const reference_context *c, ptrdiff_t block,
                       ptrdiff_t pixel, ptrdiff_t lane) {
  if (!s->weights) {
    const int32_t plane = s->offsets[block * c->lanes + lane];
    return approximate_activation(c, s->producer_activation,
                                  exactly(plane < 0 ? 0 : c->arena[plane + pixel * s->pitch]));
  }
  return s->precision == MUX_FLOAT32 ? expanded_floats(s, c, block, pixel, lane)
                                     : expanded_cells(s, c, block, pixel, lane);
}

// --- The convolutions -----------------------------------------------------------------------------

/// The weight of a row and a tap of a unit, whose rows number `rows` and have `taps` taps; `outer` is an
/// output block or a phase, `inner` an input block.
static double unit_weight(const mux_spatial_step *s, const mux_spatial_unit *u, int lanes,
                          ptrdiff_t outer, ptrdiff_t inner, ptrdiff_t rows, ptrdiff_t taps,
                          ptrdiff_t row, ptrdiff_t tap, ptrdiff_t lane) {
  const ptrdiff_t place = outer * (u->mode == MUX_SPATIAL_PLAIN ? u->in_count : 1) + inner;
  if (s->precision == MUX_FLOAT32) {
    return u->weights[((place * rows + row) * taps + tap) * lanes + lane];
  }
  // The last rows first, the last row in the highest bits.
  const int values = values_of(s->precision);
  const ptrdiff_t cell_rows = (rows + values - 1) / values;
  const ptrdiff_t padded = row + cell_rows * values - rows;
  const int32_t *cells = (const int32_t *)u->weights;
  const ptrdiff_t cell = cell_rows - 1 - padded / values;
  return cell_weight(s->precision, cells[((place * cell_rows + cell) * taps + tap) * lanes + lane],
                     (int)(padded % values));
}

/// Sums of windows over what was expanded, for output block `o` of a unit.
static void plain_sum(const spatial_work *work, const mux_spatial_unit *u, ptrdiff_t o, ptrdiff_t y,
                      ptrdiff_t x, ptrdiff_t lane, approx_sum *sum) {
  const ptrdiff_t kernel = u->kernel;
  for (ptrdiff_t j = 0; j < u->in_count; ++j) {
    for (ptrdiff_t row = 0; row < kernel; ++row) {
      for (ptrdiff_t tap = 0; tap < kernel; ++tap) {
        const double weight =
            unit_weight(work->step, u, work->context->lanes, o, j, kernel, kernel, row, tap, lane);
        add_product(sum, exactly(weight),
                    read_middle(work, u->first_in + j, y * u->stride - u->top + row * u->dilation,
                                x * u->stride - u->left + tap * u->dilation, lane));
      }
    }
  }
}

static void subpixel_sum(const spatial_work *work, const mux_spatial_unit *u, ptrdiff_t y,
                         ptrdiff_t x, ptrdiff_t lane, approx_sum *sum) {
  const ptrdiff_t kernel = u->kernel, r = u->factor, phase = y % r * r + x % r;
  for (ptrdiff_t row = 0; row < kernel; ++row) {
    for (ptrdiff_t tap = 0; tap < kernel; ++tap) {
      const double weight = unit_weight(work->step, u, work->context->lanes, phase, 0, kernel,
                                        kernel, row, tap, lane);
      add_product(sum, exactly(weight),
                  read_middle(work, u->first_in, y + r * (row * u->dilation - u->top),
                              x + r * (tap * u->dilation - u->left), lane));
    }
  }
}

static ptrdiff_t quotient(ptrdiff_t a, ptrdiff_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static void superpixel_sum(const spatial_work *work, const mux_spatial_unit *u, ptrdiff_t phase,
                           ptrdiff_t y, ptrdiff_t x, ptrdiff_t lane, approx_sum *sum) {
  const ptrdiff_t kernel = u->kernel, r = u->factor;
  for (ptrdiff_t row = 0; row < kernel; ++row) {
    for (ptrdiff_t tap = 0; tap < kernel; ++tap) {
      const ptrdiff_t i = y * r + phase / r + row * u->dilation - u->top;
      const ptrdiff_t j = x * r + phase % r + tap * u->dilation - u->left;
      const ptrdiff_t coarse_row = quotient(i, r), coarse_column = quotient(j, r);
      const ptrdiff_t block = (i - coarse_row * r) * r + j - coarse_column * r;
      const double weight = unit_weight(work->step, u, work->context->lanes, phase, 0, kernel,
                                        kernel, row, tap, lane);
      add_product(sum, exactly(weight),
                  read_middle(work, u->first_in + block, coarse_row, coarse_column, lane));
    }
  }
}

static void narrow_sum(const spatial_work *work, const mux_spatial_unit *u, ptrdiff_t y,
                       ptrdiff_t x, ptrdiff_t lane, approx_sum *sum) {
  const ptrdiff_t lanes = work->context->lanes, quarter = lanes / 4;
  const ptrdiff_t around = (u->kernel / 2 + 1) / 2, columns = 4 * around + 2;
  for (ptrdiff_t row = 0; row <= u->kernel; ++row) {
    for (ptrdiff_t column = 0; column < columns; ++column) {
      const ptrdiff_t i = 2 * y + row - u->top, j = 2 * (x - around) + column;
      const ptrdiff_t coarse_row = quotient(i, 2), coarse_column = quotient(j, 2);
      const ptrdiff_t phase = (i - 2 * coarse_row) * 2 + j - 2 * coarse_column;
      const double weight =
          unit_weight(work->step, u, (int)lanes, 0, 0, u->kernel + 1, columns, row, column, lane);
      add_product(sum, exactly(weight),
                  read_middle(work, u->first_in, coarse_row, coarse_column,
                              phase * quarter + lane % quarter));
    }
  }
}

/// Output (y, x) of a unit's output block `o` in a lane, activated.
static approx unit_output(const spatial_work *work, const mux_spatial_unit *u, ptrdiff_t o,
                          ptrdiff_t y, ptrdiff_t x, ptrdiff_t lane) {
  const mux_spatial_step *s = work->step;
  const ptrdiff_t lanes = work->context->lanes;
  // What bias and scale belong to: an output block, or a phase.
  ptrdiff_t part = o;
  approx_sum sum = {0};
  switch (u->mode) {
  case MUX_SPATIAL_PLAIN: plain_sum(work, u, o, y, x, lane, &sum); break;
  case MUX_SPATIAL_SUBPIXEL:
    part = y % u->factor * u->factor + x % u->factor;
    subpixel_sum(work, u, y, x, lane, &sum);
    break;
  case MUX_SPATIAL_SUPERPIXEL: superpixel_sum(work, u, o, y, x, lane, &sum); break;
  case MUX_SPATIAL_SUPERPIXEL_NARROW: narrow_sum(work, u, y, x, lane, &sum); break;
  }
  approx result;
  if (s->precision == MUX_FLOAT32) {
    add_term(&sum, exactly(u->bias[part * lanes + lane]));
    result = rounded_sum(&sum);
  } else {
    result = reference_scaled(s->precision, &sum, u->scale, u->bias, part * lanes + lane);
  }
  return approximate_activation(work->context, s->activation, result);
}

/// The same number as far as its encoding can hold it, with what is lost as an error: sums are taken
/// before or after.
static approx perhaps_clamped(mux_precision precision, approx y, mux_quantization quantization) {
  if (precision != MUX_INT8) return y;
  const double low = -quantization.zero / quantization.inverse;
  const double high = (255 - quantization.zero) / quantization.inverse;
  y.error += fabs(y.value - fmin(fmax(y.value, low), high)) + 4 * ROUNDING * (high - low);
  return y;
}

void reference_spatial(const mux_spatial_step *s, const reference_context *c, sheet *sheet) {
  const ptrdiff_t lanes = c->lanes, plane = s->in_height * s->in_width * lanes;
  ptrdiff_t in_blocks = 0;
  for (int32_t n = 0; n < s->unit_count; ++n) {
    const ptrdiff_t end = s->units[n].first_in + s->units[n].in_count;
    if (end > in_blocks) in_blocks = end;
  }
  spatial_work work = {s, c, malloc((size_t)(in_blocks * plane) * sizeof(approx)),
                       calloc((size_t)(in_blocks * plane), 1)};
  approx *values = malloc((size_t)(in_blocks * plane) * sizeof(approx));
  for (ptrdiff_t i = 0; i < in_blocks * plane; ++i) {
    values[i] = expanded(s, c, i / plane, i % plane / lanes, i % lanes);
    work.middle[i] =
        s->precision == MUX_FLOAT32 ? values[i] : encoded(s->precision, values[i], s->middle);
    if (!s->keeps) continue;
    if (s->precision == MUX_FLOAT32) {
      expect_float(sheet, s->kept + i, values[i]);
    } else {
      approx kept = values[i];
      kept.error += ROUNDING * fabs(kept.value) + 1e-37;
      expect_value(sheet, MUX_BFLOAT16, s->kept, i, encoded(MUX_BFLOAT16, kept, s->middle));
    }
  }
  const mux_precision precision = s->precision != MUX_FLOAT32 ? s->precision : s->result_precision;
  const ptrdiff_t bands = (s->out_height + s->rows_per_task - 1) / s->rows_per_task;
  approx_sum *sums = calloc((size_t)(bands * s->out_blocks * lanes), sizeof(approx_sum));
  value_range results = empty_range();
  for (int32_t n = 0; n < s->unit_count; ++n) {
    const mux_spatial_unit *u = &s->units[n];
    for (ptrdiff_t i = 0; i < u->out_count * s->out_height * s->out_width * lanes; ++i) {
      const ptrdiff_t lane = i % lanes, x = i / lanes % s->out_width;
      const ptrdiff_t y = i / lanes / s->out_width % s->out_height;
      const ptrdiff_t o = i / lanes / s->out_width / s->out_height, block = u->first_out + o;
      const approx result = unit_output(&work, u, o, y, x, lane);
      const ptrdiff_t at = ((block * s->out_height + y) * s->out_width + x) * lanes + lane;
      if (precision == MUX_FLOAT32) {
        expect_float(sheet, s->out + at, result);
      } else {
        expect_value(sheet, precision, s->out, at, encoded(precision, result, s->result));
      }
      widen_range(&results, result, true);
      add_term(
          &sums[(y / s->rows_per_task * s->out_blocks + block) * lanes + lane],
          s->precision == MUX_FLOAT32 ? result : perhaps_clamped(precision, result, s->result));
    }
  }
  for (ptrdiff_t i = 0; s->sums >= 0 && i < bands * s->out_blocks * lanes; ++i) {
    // (A line's sum is added to the others' after it.)
    sums[i].count += s->out_height + 4;
    expect_float(sheet, s->sums + i, rounded_sum(&sums[i]));
  }
  if (s->observed >= 0 && s->precision == MUX_FLOAT32) expect_range(sheet, s->observed, results);
  if (s->observed >= 0 && s->precision != MUX_FLOAT32) {
    value_range gathered = empty_range(), middle = empty_range();
    const mux_window *w = &s->window;
    for (ptrdiff_t k = 0; w->kernel > 0 && k < w->input_count; ++k) {
      widen_range(&gathered, exactly(0), true);
      for (ptrdiff_t i = 0; i < w->in_height * w->in_width; ++i) {
        widen_range(&gathered, exactly(c->arena[w->inputs[k] + i]), false);
      }
    }
    for (ptrdiff_t i = 0; i < in_blocks * plane; ++i)
      widen_range(&middle, values[i], work.is_read[i]);
    if (w->kernel > 0) expect_range(sheet, s->observed, gathered);
    expect_range(sheet, s->observed + 2, middle);
    expect_range(sheet, s->observed + 4, results);
  }
  free(work.middle);
  free(work.is_read);
  free(values);
  free(sums);
}
