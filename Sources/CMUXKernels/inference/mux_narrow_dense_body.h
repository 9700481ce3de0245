// SPDX-License-Identifier: Apache-2.0
// Projections of blocked channels to at most half a block of planes, such as those of MUX blocks,
// which leave channels out. A vector of outputs would be half empty, so vectors are of pixels here:
// blocks are transposed on the way in instead of results on the way out. The results are the same
// to the bit. (Of 48 channels to 8 over 56×56 pixels on a Zen 5 core: 13.5 µs instead of 22.1.)

MUX_INLINE bool MUX_NAME(is_narrow_dense)(const mux_dense *s) {
  return s->outer <= MUX_LANES / 2 && s->has_half_block && s->step == MUX_LANES &&
         s->window.kernel == 0 && s->outputs && !s->has_blocked_residual;
}

/// Two vectors of pixels from `pixel` on, `left` of which are there: all if `is_whole`.
MUX_INLINE void MUX_NAME(narrow_dense_tile)(const mux_dense *s, const float *weights,
                                            ptrdiff_t pixel, bool is_whole, ptrdiff_t left,
                                            float *arena) {
  enum { OUTPUTS = MUX_LANES / 2 };
  // [vector][lane of a block][pixel]
  float columns[2][MUX_LANES * MUX_LANES] __attribute__((aligned(64)));
  vf first[OUTPUTS], second[OUTPUTS];
  MUX_UNROLL
  for (int o = 0; o < OUTPUTS; ++o) first[o] = second[o] = MUX_NAME(i_splat)(s->bias[o]);
  for (ptrdiff_t k = 0; k < s->inner;) {
    const ptrdiff_t block = s->offsets[k] / MUX_LANES;
    const float *from = arena + (block + pixel) * MUX_LANES;
    for (int n = 0; n < 2; ++n) {
      vf x[MUX_LANES];
      MUX_UNROLL
      for (int i = 0; i < MUX_LANES; ++i) {
        const int at = n * MUX_LANES + i;
        x[i] = is_whole || at < left ? v_load(from + at * MUX_LANES) : (vf){0};
      }
      MUX_NAME(transpose)(x);
      MUX_UNROLL
      for (int i = 0; i < MUX_LANES; ++i) v_store(columns[n] + i * MUX_LANES, x[i]);
    }
    for (; k < s->inner && s->offsets[k] / MUX_LANES == block; ++k) {
      const ptrdiff_t lane = s->offsets[k] % MUX_LANES * MUX_LANES;
      const vf x = v_load(columns[0] + lane), y = v_load(columns[1] + lane);
      MUX_UNROLL
      for (int o = 0; o < OUTPUTS; ++o) {
        const vf weight = MUX_NAME(i_splat)(weights[k * OUTPUTS + o]);
        first[o] = v_fma(x, weight, first[o]);
        second[o] = v_fma(y, weight, second[o]);
      }
    }
  }
  MUX_UNROLL
  for (int o = 0; o < OUTPUTS; ++o) {
    if (o < s->outer) {
      for (int n = 0; n < 2; ++n) {
        const ptrdiff_t at = pixel + n * MUX_LANES, rest = left - n * MUX_LANES;
        if (!is_whole && rest <= 0) break;
        const int count = is_whole || rest > MUX_LANES ? MUX_LANES : (int)rest;
        vf y = MUX_NAME(i_activate)(s->activation, n == 0 ? first[o] : second[o]);
        if (s->residuals) {
          y += v_load_first(arena + s->residuals[o] + at, count);
          y = MUX_NAME(i_activate)(s->final_activation, y);
        }
        v_store_first(arena + s->outputs[o] + at, y, count);
      }
    }
  }
}

/// Pixels `first` to before `end`.
static void MUX_NAME(narrow_dense)(const mux_dense *s, const float *weights, ptrdiff_t first,
                                   ptrdiff_t end, float *arena) {
  enum { WIDTH = 2 * MUX_LANES };
  ptrdiff_t pixel = first;
  for (; pixel + WIDTH <= end; pixel += WIDTH) {
    MUX_NAME(narrow_dense_tile)(s, weights, pixel, true, WIDTH, arena);
  }
  if (pixel < end) MUX_NAME(narrow_dense_tile)(s, weights, pixel, false, end - pixel, arena);
}
