// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "reference.h"

static const int32_t *cells_of(const float *weights) { return (const int32_t *)weights; }

/// The cell at an offset of the arena.
static int32_t cell_at(const float *arena, ptrdiff_t offset) {
  int32_t cell;
  memcpy(&cell, arena + offset, sizeof cell);
  return cell;
}

/// Output `o` of a pixel before the bias, in single precision.
static approx float_sum(const mux_dense *s, const reference_context *c, ptrdiff_t o,
                        ptrdiff_t pixel) {
  const ptrdiff_t lanes = c->lanes, block = o / lanes;
  const bool is_half = s->has_half_block && block == (s->outer - 1) / lanes;
  const ptrdiff_t width = is_half ? lanes / 2 : lanes;
  approx_sum sum = {0};
  add_term(&sum, exactly(s->bias[o]));
  for (ptrdiff_t k = 0; k < s->inner; ++k) {
    double x = s->window.kernel > 0 ? reference_window_input(&s->window, c->arena, s->offsets[k],
                                                             pixel / s->window.out_width,
                                                             pixel % s->window.out_width)
                                    : c->arena[s->offsets[k] + pixel * s->step];
    if (s->gate >= 0) x *= c->arena[s->gate + k];
    add_product(&sum, exactly(x),
                exactly(s->weights[block * s->inner * lanes + k * width + o % lanes]));
  }
  // A gate is one operation more for each product.
  if (s->gate >= 0) sum.count += 1;
  return rounded_sum(&sum);
}

ptrdiff_t dense_plain_weights(const mux_dense *s, ptrdiff_t lanes, bool has_half_block) {
  const ptrdiff_t blocks = (s->outer + lanes - 1) / lanes;
  return (blocks * lanes - (has_half_block ? lanes / 2 : 0)) * 9 * s->inner;
}

/// The same of a step by Winograd's tiles, of the weights that those of the tiles are made of.
static approx tiled_sum(const mux_dense *s, const reference_context *c, ptrdiff_t o,
                        ptrdiff_t pixel) {
  const ptrdiff_t lanes = c->lanes, block = o / lanes, rest = s->outer % lanes;
  const bool has_half = lanes == 16 && rest > 0 && rest <= lanes / 2;
  const ptrdiff_t width = has_half && block == (s->outer - 1) / lanes ? lanes / 2 : lanes;
  const float *weights = s->weights - dense_plain_weights(s, lanes, has_half);
  const mux_window *w = &s->window;
  double sum = s->bias[o], size = fabs(s->bias[o]);
  for (ptrdiff_t k = 0; k < 9 * s->inner; ++k) {
    const double weight = weights[block * 9 * s->inner * lanes + k * width + o % lanes];
    // Other inputs of the tile, at most 2, are multiplied as well, and cancel.
    size += 2 * fabs(weight);
    const ptrdiff_t y = pixel / w->out_width - w->top + k % 9 / 3;
    const ptrdiff_t x = pixel % w->out_width - w->left + k % 3;
    if (y < 0 || y >= w->in_height || x < 0 || x >= w->in_width) continue;
    sum += weight * (double)c->arena[w->inputs[k / 9] + (y * w->in_width + x) * s->step];
  }
  return (approx){sum, 4 * (double)(s->inner + 10) * ROUNDING * size};
}

/// The gates of a step with cells of 8 bits as factors of 16 bits, and the greatest.
typedef struct {
  double greatest;
  approx *factors;
} gate_factors;

static gate_factors factors_of(const mux_dense *s, const reference_context *c) {
  gate_factors gate = {1, NULL};
  if (s->gate < 0 || s->precision != MUX_INT8) return gate;
  const ptrdiff_t count = s->cells * 4;
  gate.greatest = 1e-20f;
  gate.factors = malloc((size_t)count * sizeof(approx));
  for (ptrdiff_t k = 0; k < count; ++k) {
    gate.greatest = fmax(gate.greatest, fabs(c->arena[s->gate + k]));
  }
  for (ptrdiff_t k = 0; k < count; ++k) {
    const double factor = c->arena[s->gate + k] / gate.greatest * 32767;
    const double low = rint(factor - 0.01), high = rint(factor + 0.01);
    gate.factors[k] = (approx){(low + high) / 2, (high - low) / 2};
  }
  return gate;
}

/// Value `j` of cell `k` of the weights of an output, with its gate.
static approx weight_of(const mux_dense *s, const reference_context *c, const gate_factors *gate,
                        ptrdiff_t o, ptrdiff_t k, int j) {
  const ptrdiff_t at = (o / c->lanes * s->cells + k) * c->lanes + o % c->lanes;
  const double weight = cell_weight(s->precision, cells_of(s->weights)[at], j);
  const ptrdiff_t input = k * values_of(s->precision) + j;
  if (s->gate < 0) return exactly(weight);
  if (s->precision == MUX_BFLOAT16) {
    const double product = weight * c->arena[s->gate + input];
    return encoded(MUX_BFLOAT16, (approx){product, ROUNDING * fabs(product)}, s->quantization);
  }
  const approx factor = gate->factors[input];
  const double one = floor((weight * (factor.value - factor.error) + 0x4000) / 0x8000);
  const double other = floor((weight * (factor.value + factor.error) + 0x4000) / 0x8000);
  return (approx){(one + other) / 2, fabs(one - other) / 2};
}

/// Value `j` of cell `k` of a step whose cells hold one tap of several channels.
static approx joined_value(const mux_dense *s, const reference_context *c, ptrdiff_t k, int j,
                           ptrdiff_t pixel) {
  const mux_window *w = &s->window;
  const ptrdiff_t taps = (ptrdiff_t)w->kernel * w->kernel;
  const ptrdiff_t channel = k / taps * values_of(s->precision) + j;
  const ptrdiff_t last = w->input_count - 1;
  const double x = reference_window_pixel(w, c->arena, pixel / w->out_width, pixel % w->out_width,
                                          channel < last ? channel : last, k % taps / w->kernel,
                                          k % w->kernel * w->dilation);
  return encoded(s->precision, exactly(x), s->quantization);
}

/// Output `o` of a pixel, in cells, with its bias.
static approx cell_sum(const mux_dense *s, const reference_context *c, const gate_factors *gate,
                       ptrdiff_t o, ptrdiff_t pixel) {
  approx_sum sum = {0}, weights = {0};
  for (ptrdiff_t k = 0; k < s->cells; ++k) {
    for (int j = 0; j < values_of(s->precision); ++j) {
      const approx x =
          s->joins_channels ? joined_value(s, c, k, j, pixel)
          : s->window.kernel > 0
              ? reference_window_value(&s->window, c->arena, s->precision, s->quantization,
                                       s->offsets[k], j, pixel / s->window.out_width,
                                       pixel % s->window.out_width)
              : exactly(cell_value(s->precision, cell_at(c->arena, s->offsets[k] + pixel * s->step),
                                   j));
      const approx weight = weight_of(s, c, gate, o, k, j);
      add_product(&sum, x, weight);
      add_term(&weights, weight);
    }
  }
  if (s->gate < 0 || s->precision == MUX_BFLOAT16) {
    return reference_scaled(s->precision, &sum, s->scale, s->bias, o);
  }
  // The bias has the zero of the input only here, since it depends on the gate.
  const double unit = s->scale[o] * gate->greatest, zero = s->quantization.zero;
  const double product = sum.value * unit, shift = weights.value * unit * zero;
  return (approx){product + s->bias[o] - shift,
                  fabs(unit) * (sum.error + zero * weights.error) +
                      8 * ROUNDING * (fabs(product) + fabs(shift) + fabs(s->bias[o]))};
}

/// What is added in blocks.
static approx blocked_residual(const mux_dense *s, const reference_context *c, ptrdiff_t at) {
  if (s->blocked_residual_precision == MUX_FLOAT32)
    return exactly(c->arena[s->blocked_residual + at]);
  const int32_t cell = cell_at(c->arena, s->blocked_residual + at / 2);
  return exactly(cell_value(MUX_BFLOAT16, cell, (int)(at % 2)));
}

/// The sum of two numbers, rounded.
static approx added(approx a, approx b) {
  const double value = a.value + b.value;
  return (approx){value, a.error + b.error + ROUNDING * fabs(value)};
}

void reference_dense(const mux_dense *s, const reference_context *c, sheet *sheet) {
  const ptrdiff_t lanes = c->lanes, blocks = (s->outer + lanes - 1) / lanes;
  gate_factors gate = factors_of(s, c);
  for (ptrdiff_t o = 0; o < s->outer; ++o) {
    approx_sum mean = {0};
    for (ptrdiff_t pixel = 0; pixel < s->pixels; ++pixel) {
      approx y = s->winograd                   ? tiled_sum(s, c, o, pixel)
                 : s->precision == MUX_FLOAT32 ? float_sum(s, c, o, pixel)
                                               : cell_sum(s, c, &gate, o, pixel);
      const ptrdiff_t at = (o / lanes * s->pixels + pixel) * lanes + o % lanes;
      if (s->has_blocked_residual) y = added(y, blocked_residual(s, c, at));
      y = approximate_activation(c, s->activation, y);
      if (s->is_blocked) {
        expect_float(sheet, s->blocked + at, y);
      } else if (s->packs) {
        const int values = values_of(s->precision);
        expect_value(sheet, s->precision, s->packed + (o / values * s->pixels + pixel), o % values,
                     encoded(s->precision, y, s->packed_quantization));
      } else if (s->outputs) {
        if (s->residuals) {
          y = added(y, exactly(c->arena[s->residuals[o] + pixel]));
          y = approximate_activation(c, s->final_activation, y);
        }
        expect_float(sheet, s->outputs[o] + pixel, y);
      } else {
        add_term(&mean, y);
      }
    }
    if (!s->outputs && !s->is_blocked && !s->packs) {
      approx total = rounded_sum(&mean);
      total.value /= (double)s->pixels;
      total.error = total.error / (double)s->pixels + 2 * ROUNDING * fabs(total.value);
      expect_float(sheet, s->means + o, total);
    }
  }
  // The lanes of a last block that no channel has.
  for (ptrdiff_t o = s->outer; s->is_blocked && o < blocks * lanes; ++o) {
    for (ptrdiff_t pixel = 0; pixel < s->pixels; ++pixel) {
      expect_anything(sheet, s->blocked + (o / lanes * s->pixels + pixel) * lanes + o % lanes);
    }
  }
  if (s->observed >= 0) {
    const mux_window *w = &s->window;
    value_range range = empty_range();
    widen_range(&range, exactly(0), true);
    for (ptrdiff_t n = 0; n < w->input_count; ++n) {
      for (ptrdiff_t i = 0; i < w->in_height * w->in_width; ++i) {
        // Rows and columns beyond the last window need not be looked at.
        const ptrdiff_t row = i / w->in_width, column = i % w->in_width;
        widen_range(&range, exactly(c->arena[w->inputs[n] + i]),
                    row <= (w->out_height - 1) * w->stride - w->top + w->kernel - 1 &&
                        column <= (w->out_width - 1) * w->stride - w->left + w->kernel - 1 &&
                        w->stride <= w->kernel);
      }
    }
    expect_range(sheet, s->observed, range);
  }
  free(gate.factors);
}
