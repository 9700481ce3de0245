// SPDX-License-Identifier: Apache-2.0
// Lines of cells: pushed onto the row before, convolved, and encoded; included by mux_cells_body.h.

MUX_INLINE void CELL(push_values)(
    mux_activation activation, const float *x, ptrdiff_t count, mux_quantization quantization,
    const int32_t *before, int32_t *to, char *kept) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    const vf y = MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES));
    if (kept) MUX_NAME(keep)(kept + i * 2 * MUX_LANES, y);
    MUX_NAME(store_cells)(
        to + i * MUX_LANES, CELL(push)(MUX_NAME(load_cells)(before + i * MUX_LANES),
                                       CELL(encode)(y, quantization)));
  }
}

/// Activates values [pixel][lane] and pushes them onto the cells of the row before; stores them in
/// bfloat16 at `kept`, too, if that is not NULL.
static void CELL(push_line)(
    mux_activation activation, const float *x, ptrdiff_t count, mux_quantization quantization,
    const int32_t *before, int32_t *to, char *kept) {
#define MUX_DO(A) CELL(push_values)(A, x, count, quantization, before, to, kept)
  MUX_SWITCH(activation)
#undef MUX_DO
}

MUX_INLINE void CELL(emit_values)(
    mux_activation activation, const float *x, ptrdiff_t count, mux_quantization quantization,
    char *to, float *sums) {
  vf total = {0};
  for (ptrdiff_t i = 0; i < count; ++i) {
    const vf y = MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES));
    total += y;
    CELL(write)(to + i * (MUX_LANES * 4 / MUX_CELL), CELL(encode)(y, quantization));
  }
  if (sums) v_store(sums, v_load(sums) + total);
}

/// Activates values [pixel][lane], adds them to `sums` if not NULL, and writes them blocked.
static void CELL(emit_line)(
    mux_activation activation, const float *x, ptrdiff_t count, mux_quantization quantization,
    char *to, float *sums) {
#define MUX_DO(A) CELL(emit_values)(A, x, count, quantization, to, sums)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// `pixels` outputs of a line from `index` on. Rows have their padding, so nothing is clipped.
MUX_INLINE void CELL(line_tile)(
    const MUX_NAME(line) *s, const float *scale, int taps, int stride, int pixels,
    ptrdiff_t index, bool partial, ptrdiff_t stored, const CELL(sink) *sink) {
  CELL(sum) sum[16];
  const float *bias = s->bias;
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = MUX_FIRST_SUM;
  for (int a = 0; a < s->row_count; ++a) {
    const int32_t *x = (const int32_t *)s->rows[a] + index * stride * MUX_LANES;
    const int32_t *weights = (const int32_t *)s->weights[a];
    vi weight[16];
    MUX_UNROLL
    for (int t = 0; t < taps; ++t) weight[t] = MUX_NAME(load_cells)(weights + t * MUX_LANES);
    MUX_UNROLL
    for (int q = 0; q < (pixels - 1) * stride + taps; ++q) {
      const vi value = MUX_NAME(load_cells)(x + q * MUX_LANES);
      MUX_UNROLL
      for (int t = 0; t < taps; ++t) {
        if (q - t >= 0 && (q - t) % stride == 0 && (q - t) / stride < pixels) {
          sum[(q - t) / stride] = CELL(dot)(value, weight[t], sum[(q - t) / stride]);
        }
      }
    }
  }
  CELL(pour)(sink, sum, pixels, partial, stored, scale, bias);
}

/// What is done with the values of a line.
typedef struct {
  mux_activation activation;
  mux_quantization quantization;
  const float *scale;
  char *to;
  float *sums;
  float *observed;
} CELL(target);

MUX_INLINE void CELL(finish)(
    const CELL(target) *target, const float *values, ptrdiff_t index, ptrdiff_t count) {
  if (target->observed) {
    MUX_NAME(observe_values)(target->activation, values, count, target->observed);
  }
  CELL(emit_line)(target->activation, values, count, target->quantization,
                  target->to + index * (MUX_LANES * 4 / MUX_CELL), target->sums);
}

/// Sinks of the tiles of a line: straight to where the values go, unless they are measured or
/// their activation is not one of those that a sink has.
MUX_INLINE CELL(sink) CELL(line_sink)(const CELL(target) *target, float *floats) {
  CELL(sink) sink = CELL(sink_for)(target->activation, target->quantization);
  if (target->observed) sink.mode = CELL(to_floats);
  sink.floats = floats;
  sink.values = target->to;
  sink.sums = target->sums;
  return sink;
}

#define MUX_CELL_TILES(TAPS, STRIDE, PIXELS)                                                   \
  if (left >= PIXELS) {                                                                        \
    CELL(line_tile)(s, target->scale, TAPS, STRIDE, PIXELS, i, false, PIXELS, &sink);          \
  } else {                                                                                     \
    CELL(line_tile)(s, target->scale, TAPS, STRIDE, PIXELS, i, true, left, &sink);             \
  }

#define MUX_CELL_LINE(TAPS, STRIDE)                                                            \
  static void CELL(line_##TAPS##_##STRIDE)(                                                    \
      const MUX_NAME(line) *s, const CELL(target) *target) {                                   \
    float floats[14 * MUX_LANES] __attribute__((aligned(64)));                                 \
    CELL(sink) sink = CELL(line_sink)(target, floats);                                         \
    for (ptrdiff_t i = 0; i < s->count;) {                                                     \
      const ptrdiff_t left = s->count - i, now = left > 7 ? 14 : 7;                            \
      if (left > 7) {                                                                          \
        MUX_CELL_TILES(TAPS, STRIDE, 14)                                                       \
      } else {                                                                                 \
        MUX_CELL_TILES(TAPS, STRIDE, 7)                                                        \
      }                                                                                        \
      if (sink.mode == CELL(to_floats)) {                                                      \
        CELL(finish)(target, floats, i, now < left ? now : left);                              \
      }                                                                                        \
      sink.values += now * (MUX_LANES * 4 / MUX_CELL);                                         \
      i += now;                                                                                \
    }                                                                                          \
  }

#if defined(MUX_HAS_CELL_INSTRUCTIONS)
MUX_CELL_LINE(3, 1)
MUX_CELL_LINE(5, 1)
MUX_CELL_LINE(7, 1)
MUX_CELL_LINE(9, 1)
MUX_CELL_LINE(11, 1)
MUX_CELL_LINE(3, 2)
MUX_CELL_LINE(5, 2)
MUX_CELL_LINE(7, 2)
MUX_CELL_LINE(9, 2)
MUX_CELL_LINE(11, 2)
#endif

/// Any number of taps and any stride.
static void CELL(line_any)(const MUX_NAME(line) *s, const CELL(target) *target) {
  float values[MUX_LANES] __attribute__((aligned(64)));
  for (ptrdiff_t i = 0; i < s->count; ++i) {
    const float *scale = target->scale, *bias = s->bias;
    (void)scale, (void)bias;
    CELL(sum) sum = MUX_FIRST_SUM;
    for (int a = 0; a < s->row_count; ++a) {
      const int32_t *x = (const int32_t *)s->rows[a] + i * s->stride * MUX_LANES;
      const int32_t *weights = (const int32_t *)s->weights[a];
      for (int t = 0; t < s->taps; ++t) {
        sum = CELL(dot)(MUX_NAME(load_cells)(x + t * MUX_LANES),
                        MUX_NAME(load_cells)(weights + t * MUX_LANES), sum);
      }
    }
    v_store(values, MUX_TILE_RESULT(sum));
    CELL(finish)(target, values, i, 1);
  }
}

static void CELL(run_line)(const MUX_NAME(line) *s, const CELL(target) *target) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS)
  static void (*const lines[5][2])(const MUX_NAME(line) *, const CELL(target) *) = {
      {CELL(line_3_1), CELL(line_3_2)},   {CELL(line_5_1), CELL(line_5_2)},
      {CELL(line_7_1), CELL(line_7_2)},   {CELL(line_9_1), CELL(line_9_2)},
      {CELL(line_11_1), CELL(line_11_2)},
  };
  if (s->taps >= 3 && s->taps <= 11 && s->taps % 2 == 1 && s->stride <= 2) {
    lines[s->taps / 2 - 1][s->stride - 1](s, target);
    return;
  }
#endif
  CELL(line_any)(s, target);
}
