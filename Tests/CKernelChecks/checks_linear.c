// SPDX-License-Identifier: Apache-2.0
// Fully connected layers: inputs in a row or here and there, in bands, with weights of all precisions.
#include "bench.h"

static const struct {
  int inner, outer, bands;
  bool is_scattered;
  float scale;
} shapes[] = {
    {1, 1, 1, false, 1},  {3, 17, 1, false, 1},   {8, 8, 1, true, 1},   {17, 31, 3, false, 0.25f},
    {40, 5, 1, false, 1}, {9, 33, 2, true, 0.5f}, {96, 16, 1, true, 1}, {31, 64, 1, false, 2},
};

enum { SHAPES = sizeof shapes / sizeof *shapes, KINDS = 3 };

int32_t checks_of_linear(void) { return SHAPES * KINDS * 3; }

void build_linear(bench *b, int32_t index, mux_linear *s) {
  const int n = index % SHAPES, kind = index / SHAPES % KINDS;
  s->inner = shapes[n].inner;
  s->outer = shapes[n].outer;
  s->bands = shapes[n].bands;
  s->scale = shapes[n].scale;
  // Cells have four values.
  if (kind == 2) s->inner = (s->inner + 3) / 4 * 4;
  if (index % 2 == 1) s->output = bench_take(b, s->outer);
  if (shapes[n].is_scattered) {
    s->band_stride = 2;
    s->offsets = bench_planes(b, s->inner, 2 * s->bands);
  } else {
    s->band_stride = s->inner + 1;
    s->input = bench_take(b, s->band_stride * s->bands);
  }
  if (index % 2 == 0) s->output = bench_take(b, s->outer);
  const ptrdiff_t blocks = (s->outer + b->lanes - 1) / b->lanes;
  s->bias = bench_bias(b, s->outer);
  if (kind == 2) {
    s->cells = bench_cell_weights(b, MUX_INT8, s->outer, 1, s->inner);
    float *sums = bench_floats(b, blocks * b->lanes, 0), *scale = bench_bias(b, s->outer);
    for (ptrdiff_t i = 0; i < blocks * b->lanes * (s->inner / 4); ++i) {
      const ptrdiff_t o = i / b->lanes / (s->inner / 4) * b->lanes + i % b->lanes;
      for (int j = 0; j < 4; ++j) sums[o] += (float)cell_weight(MUX_INT8, s->cells[i], j);
    }
    for (ptrdiff_t o = 0; o < s->outer; ++o) scale[o] = (1.5f + scale[o]) / 127;
    s->cell_sums = sums;
    s->cell_scale = scale;
  } else {
    s->weights = bench_dense_weights(b, s->outer, s->inner, false);
  }
  if (kind == 1) {
    const ptrdiff_t count = blocks * b->lanes * s->inner;
    uint16_t *narrow = bench_memory(b, (size_t)count * sizeof(uint16_t));
    for (ptrdiff_t i = 0; i < count; ++i) narrow[i] = to_bfloat16(s->weights[i]);
    s->short_weights = narrow;
  }
  s->activation = bench_activation(index % BENCH_ACTIVATIONS);
  s->tasks = 1 + index % 3;
  bench_note(b, " %td to %td, %td bands, weights %d, %d tasks, activation %d", s->inner, s->outer,
             s->bands, kind, s->tasks, s->activation.kind);
}
