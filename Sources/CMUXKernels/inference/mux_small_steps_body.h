// SPDX-License-Identifier: Apache-2.0
// Fully connected layers and what works plane by plane.

#ifndef MUX_PREFETCH_FLOATS
#define MUX_PREFETCH_FLOATS 1024
#endif

/// bfloat16 to single precision.
MUX_INLINE vf MUX_NAME(widen)(const uint16_t *p) {
  typedef uint16_t narrow __attribute__((vector_size(MUX_LANES * 2), aligned(2)));
  return (vf)(__builtin_convertvector(*(const narrow *)p, vi) << 16);
}

static size_t MUX_NAME(linear_scratch)(const mux_linear *s) { return (size_t)s->inner; }

/// The inputs one after the other: where they are, or gathered in the scratch memory.
static const float *MUX_NAME(linear_inputs)(const mux_linear *s, const float *arena,
                                            float *scratch) {
  if (!s->offsets && s->bands == 1 && s->scale == 1) return arena + s->input;
  for (ptrdiff_t k = 0; k < s->inner; ++k) {
    const float *from = arena + (s->offsets ? s->offsets[k] : s->input + k);
    float sum = 0;
    for (ptrdiff_t b = 0; b < s->bands; ++b) sum += from[b * s->band_stride];
    scratch[k] = sum * s->scale;
  }
  return scratch;
}

static void MUX_NAME(linear_task)(const mux_linear *s, int32_t task, float *arena, float *scratch) {
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES), inner = s->inner;
  ptrdiff_t first, end;
  mux_band(blocks, s->tasks, task, &first, &end);
  const float *x = MUX_NAME(linear_inputs)(s, arena, scratch);
  for (ptrdiff_t b = first; b < end; ++b) {
    const float *weights = s->weights + b * inner * MUX_LANES;
    vf sum[8] = {v_load(s->bias + b * MUX_LANES)};
    ptrdiff_t k = 0;
    if (s->short_weights) {
      const uint16_t *narrow = s->short_weights + b * inner * MUX_LANES;
      for (; k + 8 <= inner; k += 8) {
        MUX_UNROLL
        for (int i = 0; i < 8; ++i) {
          if ((i * MUX_LANES) % 32 == 0) {
            __builtin_prefetch(narrow + (k + i) * MUX_LANES + 2 * MUX_PREFETCH_FLOATS);
          }
          sum[i] = v_fma(MUX_NAME(i_splat)(x[k + i]), MUX_NAME(widen)(narrow + (k + i) * MUX_LANES),
                         sum[i]);
        }
      }
      for (; k < inner; ++k) {
        sum[0] = v_fma(MUX_NAME(i_splat)(x[k]), MUX_NAME(widen)(narrow + k * MUX_LANES), sum[0]);
      }
    }
    for (; k + 8 <= inner; k += 8) {
      MUX_UNROLL
      for (int i = 0; i < 8; ++i) {
        // Weights are read once: what limits is how early they are asked for.
        if ((i * MUX_LANES) % 16 == 0) {
          __builtin_prefetch(weights + (k + i) * MUX_LANES + MUX_PREFETCH_FLOATS);
        }
        sum[i] = v_fma(MUX_NAME(i_splat)(x[k + i]), v_load(weights + (k + i) * MUX_LANES), sum[i]);
      }
    }
    for (; k < inner; ++k) {
      sum[0] = v_fma(MUX_NAME(i_splat)(x[k]), v_load(weights + k * MUX_LANES), sum[0]);
    }
    vf total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    const ptrdiff_t left = s->outer - b * MUX_LANES;
    v_store_first(arena + s->output + b * MUX_LANES, MUX_NAME(i_activate)(s->activation, total),
                  (int)(left < MUX_LANES ? left : MUX_LANES));
  }
}

/// One vector of an operation value by value; `mode` and the activation's kind are constants after inlining.
MUX_INLINE vf MUX_NAME(elementwise_value)(mux_elementwise_mode mode, mux_activation activation,
                                          vf x, vf b, vf scale, vf shift) {
  switch (mode) {
  case MUX_ELEMENTWISE_UNARY: x = v_fma(x, scale, shift); break;
  case MUX_ELEMENTWISE_ADD: x += b; break;
  case MUX_ELEMENTWISE_MULTIPLY:
  case MUX_ELEMENTWISE_GATE: x *= b; break;
  }
  return MUX_NAME(i_activate)(activation, x);
}

MUX_INLINE void MUX_NAME(elementwise_plane)(const mux_elementwise *s, mux_elementwise_mode mode,
                                            mux_activation activation, bool scales, ptrdiff_t c,
                                            float *arena) {
  const float *a = arena + s->a[c];
  const float *b = s->b ? arena + s->b[c] : a;
  float *out = arena + s->outputs[c];
  const vf scale = MUX_NAME(i_splat)(scales ? s->scale[c] : 1);
  const vf shift = MUX_NAME(i_splat)(scales ? s->shift[c] : 0);
  const bool is_gate = mode == MUX_ELEMENTWISE_GATE;
  const bool is_binary = mode == MUX_ELEMENTWISE_ADD || mode == MUX_ELEMENTWISE_MULTIPLY;
  const vf gate = MUX_NAME(i_splat)(is_gate ? *b : 0);
  const bool plain = mode == MUX_ELEMENTWISE_UNARY && !scales;
  ptrdiff_t i = 0;
  for (; i + MUX_LANES <= s->pixels; i += MUX_LANES) {
    const vf x = v_load(a + i), other = is_binary ? v_load(b + i) : gate;
    v_store(out + i, plain ? MUX_NAME(i_activate)(activation, x)
                           : MUX_NAME(elementwise_value)(mode, activation, x, other, scale, shift));
  }
  if (i == s->pixels) return;
  const int left = (int)(s->pixels - i);
  const vf x = v_load_first(a + i, left), other = is_binary ? v_load_first(b + i, left) : gate;
  v_store_first(out + i,
                plain ? MUX_NAME(i_activate)(activation, x)
                      : MUX_NAME(elementwise_value)(mode, activation, x, other, scale, shift),
                left);
}

static void MUX_NAME(elementwise_task)(const mux_elementwise *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  mux_band(s->planes, s->tasks, task, &first, &end);
#define MUX_PLANES(MODE, A, SCALES) \
  for (ptrdiff_t c = first; c < end; ++c) MUX_NAME(elementwise_plane)(s, MODE, A, SCALES, c, arena)
#define MUX_DO(A)                                                                       \
  switch (s->mode) {                                                                    \
  case MUX_ELEMENTWISE_UNARY:                                                           \
    if (s->scale) {                                                                     \
      MUX_PLANES(MUX_ELEMENTWISE_UNARY, A, true);                                       \
    } else {                                                                            \
      MUX_PLANES(MUX_ELEMENTWISE_UNARY, A, false);                                      \
    }                                                                                   \
    break;                                                                              \
  case MUX_ELEMENTWISE_ADD: MUX_PLANES(MUX_ELEMENTWISE_ADD, A, false); break;           \
  case MUX_ELEMENTWISE_MULTIPLY: MUX_PLANES(MUX_ELEMENTWISE_MULTIPLY, A, false); break; \
  case MUX_ELEMENTWISE_GATE: MUX_PLANES(MUX_ELEMENTWISE_GATE, A, false); break;         \
  }
  MUX_SWITCH(s->activation)
#undef MUX_DO
#undef MUX_PLANES
}

static void MUX_NAME(unblock_task)(const mux_unblock *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  mux_band(s->planes, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    const ptrdiff_t block = s->positions[c] / MUX_LANES, lane = s->positions[c] % MUX_LANES;
    const float *from = arena + s->input + block * s->pixels * MUX_LANES + lane;
    float *to = arena + s->outputs[c];
    for (ptrdiff_t i = 0; i < s->pixels; ++i) to[i] = from[i * MUX_LANES];
  }
}

static void MUX_NAME(multiplex_task)(const mux_multiplex *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  const ptrdiff_t r = s->factor, width = s->width;
  const ptrdiff_t coarse_height = mux_ceil_div(s->height, r), coarse_width = mux_ceil_div(width, r);
  mux_band(s->planes, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    for (ptrdiff_t phase = 0; phase < r * r; ++phase) {
      const ptrdiff_t top = phase / r, left = phase % r, coarse = phase * s->planes + c;
      const float *in = arena + s->inputs[s->to_channels ? c : coarse];
      float *out = arena + s->outputs[s->to_channels ? coarse : c];
      for (ptrdiff_t y = 0; y < coarse_height; ++y) {
        for (ptrdiff_t x = 0; x < coarse_width; ++x) {
          const ptrdiff_t row = y * r + top, column = x * r + left;
          const bool inside = row < s->height && column < width;
          if (s->to_channels) {
            out[y * coarse_width + x] = inside ? in[row * width + column] : 0;
          } else if (inside) {
            out[row * width + column] = in[y * coarse_width + x];
          }
        }
      }
    }
  }
}
