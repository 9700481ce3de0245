// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "reference.h"

/// Input `k`: a sum over bands, scaled.
static approx linear_input(const mux_linear *s, const reference_context *c, ptrdiff_t k) {
  const float *from = c->arena + (s->offsets ? s->offsets[k] : s->input + k);
  approx_sum sum = {0};
  for (ptrdiff_t band = 0; band < s->bands; ++band) {
    add_product(&sum, exactly(from[band * s->band_stride]), exactly(s->scale));
  }
  return s->bands == 1 && s->scale == 1 ? exactly(sum.value) : rounded_sum(&sum);
}

/// With weights of 8 bits the inputs are rounded to 65535 steps from the least to the greatest.
static void round_inputs(approx *x, ptrdiff_t count, int lanes) {
  double low = x[0].value, high = x[0].value;
  for (ptrdiff_t k = 0; k < count; ++k) {
    low = fmin(low, x[k].value);
    high = fmax(high, x[k].value);
  }
  // (Zeros that fill the last vector may widen the range.)
  if (count % lanes != 0) low = fmin(low, 0), high = fmax(high, 0);
  const double unit = high > low ? (high - low) / 65535 : 1;
  for (ptrdiff_t k = 0; k < count; ++k) {
    const double steps = (x[k].value - low) / unit;
    // Single precision has 24 bits for 16 of steps; near halves either neighbour will do.
    const double doubt = 0.02 + x[k].error / unit;
    const double one = floor(steps + 0.5 - doubt), other = floor(steps + 0.5 + doubt);
    x[k].value = low + unit * (one + other) / 2;
    x[k].error = unit * (other - one) / 2 + 4 * ROUNDING * (fabs(low) + fabs(high));
  }
}

void reference_linear(const mux_linear *s, const reference_context *c, sheet *sheet) {
  const ptrdiff_t lanes = c->lanes;
  approx *x = malloc((size_t)s->inner * sizeof(approx));
  for (ptrdiff_t k = 0; k < s->inner; ++k) x[k] = linear_input(s, c, k);
  if (s->cells) round_inputs(x, s->inner, c->lanes);
  for (ptrdiff_t o = 0; o < s->outer; ++o) {
    const ptrdiff_t block = o / lanes, lane = o % lanes;
    approx_sum sum = {0};
    for (ptrdiff_t k = 0; k < s->inner; ++k) {
      const ptrdiff_t at = (block * s->inner + k) * lanes + lane;
      double weight;
      if (s->cells) {
        const int32_t cell = s->cells[(block * (s->inner / 4) + k / 4) * lanes + lane];
        weight = cell_weight(MUX_INT8, cell, (int)(k % 4)) * s->cell_scale[o];
      } else {
        weight = s->short_weights ? from_bfloat16(s->short_weights[at]) : s->weights[at];
      }
      add_product(&sum, x[k], exactly(weight));
    }
    add_term(&sum, exactly(s->bias[o]));
    approx total = rounded_sum(&sum);
    // Sums of integers are exact; what is rounded is their worth, a few times.
    if (s->cells) total.error = sum.error + 16 * ROUNDING * sum.size;
    expect_float(sheet, s->output + o, approximate_activation(c, s->activation, total));
  }
  free(x);
}
