// SPDX-License-Identifier: Apache-2.0
// Lines of cells: pushed onto the row before, convolved, and encoded; included by mux_cells_body.h.

MUX_INLINE void CELL(push_values)(mux_activation activation, bool has_phases, const float *x,
                                  ptrdiff_t count, mux_quantization quantization,
                                  const int32_t *before, int32_t *to, char *kept) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    const vf y = MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES));
    if (kept) MUX_NAME(keep)(kept + i * 2 * MUX_LANES, y);
    const vi cells = MUX_NAME(load_cells)(before + i * MUX_LANES);
    const vi value = CELL(encode)(y, quantization);
    MUX_NAME(store_cells)(to + i * MUX_LANES,
                          has_phases ? CELL(push_phases)(cells, value) : CELL(push)(cells, value));
  }
}

/// Activates values [pixel][lane] and pushes them onto the cells of the row before; stores them in
/// bfloat16 at `kept`, too, if that is not NULL.
static void CELL(push_line)(mux_activation activation, bool has_phases, const float *x,
                            ptrdiff_t count, mux_quantization quantization, const int32_t *before,
                            int32_t *to, char *kept) {
  if (has_phases) {
#define MUX_DO(A) CELL(push_values)(A, true, x, count, quantization, before, to, kept)
    MUX_SWITCH(activation)
#undef MUX_DO
  } else {
#define MUX_DO(A) CELL(push_values)(A, false, x, count, quantization, before, to, kept)
    MUX_SWITCH(activation)
#undef MUX_DO
  }
}

MUX_INLINE void CELL(emit_values)(mux_activation activation, const float *x, ptrdiff_t count,
                                  mux_quantization quantization, ptrdiff_t spread, char *to,
                                  float *sums) {
  vf total = {0};
  for (ptrdiff_t i = 0; i < count; ++i) {
    const vf y = MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES));
    total += y;
    CELL(write)(to + i * spread * (MUX_LANES * 4 / MUX_CELL), CELL(encode)(y, quantization));
  }
  if (sums) v_store(sums, v_load(sums) + total);
}

/// Activates values [pixel][lane], adds them to `sums` if not NULL, and writes them blocked, `spread`
/// pixels apart.
static void CELL(emit_line)(mux_activation activation, const float *x, ptrdiff_t count,
                            mux_quantization quantization, ptrdiff_t spread, char *to,
                            float *sums) {
#define MUX_DO(A) CELL(emit_values)(A, x, count, quantization, spread, to, sums)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// `pixels` outputs of a line from `index` on, `spread` pixels apart as are the taps. Rows have their
/// padding, so nothing is clipped.
MUX_INLINE void CELL(line_tile)(const MUX_TYPE(line) *s, const float *scale, int taps, int stride,
                                int spread, int pixels, ptrdiff_t index, bool partial,
                                ptrdiff_t stored, const CELL_TYPE(sink) *sink) {
  CELL_TYPE(sum) sum[16];
  const float *bias = s->bias;
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = MUX_FIRST_SUM;
  for (int a = 0; a < s->row_count; ++a) {
    const int32_t *x = (const int32_t *)s->rows[a] + index * stride * spread * MUX_LANES;
    const int32_t *weights = (const int32_t *)s->weights[a];
    vi weight[16];
    MUX_UNROLL
    for (int t = 0; t < taps; ++t) weight[t] = MUX_NAME(load_cells)(weights + t * MUX_LANES);
    MUX_UNROLL
    for (int q = 0; q < (pixels - 1) * stride + taps; ++q) {
      const vi value = MUX_NAME(load_cells)(x + q * spread * MUX_LANES);
      MUX_UNROLL
      for (int t = 0; t < taps; ++t) {
        if (q - t >= 0 && (q - t) % stride == 0 && (q - t) / stride < pixels) {
          sum[(q - t) / stride] = CELL(dot)(value, weight[t], sum[(q - t) / stride]);
        }
      }
    }
  }
  CELL(store_sums)(sink, sum, pixels, partial, stored, scale, bias, spread);
}

/// The same for a block with all phases of a superpixel branch. A row starts at the lanes of its fine
/// row; each column gives two fine columns, as in narrow_tile.
MUX_INLINE void CELL(narrow_tile)(const MUX_TYPE(line) *s, const float *scale, int kernel,
                                  int pixels, ptrdiff_t index, bool partial, ptrdiff_t stored,
                                  const CELL_TYPE(sink) *sink) {
  const int reach = kernel / 2, columns = 2 * ((reach + 1) / 2) + 1;
  CELL_TYPE(sum) sum[16];
  const float *bias = s->bias;
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = MUX_FIRST_SUM;
  for (int a = 0; a < s->row_count; ++a) {
    const float *x = s->rows[a] + index * MUX_LANES;
    const int32_t *weights = (const int32_t *)s->weights[a];
    vi weight[16];
    MUX_UNROLL
    for (int t = 0; t < 2 * columns; ++t) {
      weight[t] = MUX_NAME(load_cells)(weights + t * MUX_LANES);
    }
    MUX_UNROLL
    for (int q = 0; q < pixels + columns - 1; ++q, x += MUX_LANES) {
      const vi even = (vi)MUX_NAME(load_quarter)(x);
      const vi odd = (vi)MUX_NAME(load_quarter)(x + MUX_LANES / 4);
      MUX_UNROLL
      for (int t = 0; t < columns; ++t) {
        if (q - t >= 0 && q - t < pixels) {
          if (t > 0 || reach % 2 == 0) {
            sum[q - t] = CELL(dot)(even, weight[2 * t], sum[q - t]);
          }
          if (t < columns - 1 || reach % 2 == 0) {
            sum[q - t] = CELL(dot)(odd, weight[2 * t + 1], sum[q - t]);
          }
        }
      }
    }
  }
  CELL(store_sums)(sink, sum, pixels, partial, stored, scale, bias, 1);
}

/// What is done with the values of a line.
typedef struct {
  mux_activation activation;
  mux_quantization quantization;
  const float *scale;
  char *to;
  /// Pixels from one output, or tap, to the next.
  int spread;
  float *sums;
  float *observed;
} CELL_TYPE(target);

MUX_INLINE void CELL(finish)(const CELL_TYPE(target) *target, const float *values, ptrdiff_t index,
                             ptrdiff_t count) {
  if (target->observed) {
    MUX_NAME(observe_values)(target->activation, values, count, target->observed);
  }
  CELL(emit_line)(target->activation, values, count, target->quantization, target->spread,
                  target->to + index * target->spread * (MUX_LANES * 4 / MUX_CELL), target->sums);
}

/// Sinks of the tiles of a line: straight to where the values go, unless they are measured or
/// their activation is not one of those that a sink has.
MUX_INLINE CELL_TYPE(sink) CELL(line_sink)(const CELL_TYPE(target) *target, float *floats) {
  CELL_TYPE(sink) sink = CELL(sink_for)(target->activation, target->quantization);
  if (target->observed) sink.mode = CELL(to_floats);
  sink.floats = floats;
  sink.values = target->to;
  sink.sums = target->sums;
  return sink;
}

#if defined(MUX_LIFTS)
/// What the sums of a line begin with; `taps` of each row's weights are used, from tap `first` on.
static void CELL(lift_rows)(const MUX_TYPE(line) *s, int first, int taps, int32_t *to) {
  vi sum = {0};
  for (int a = 0; a < s->row_count; ++a) {
    const int32_t *weights = (const int32_t *)s->weights[a];
    for (int t = first; t < first + taps; ++t) {
      sum = CELL(lowered)(weights + t * MUX_LANES, sum);
    }
  }
  MUX_NAME(store_cells)(to, -sum);
}
#define MUX_LIFT_LINE(FIRST, TAPS)       \
  int32_t lift[MUX_LANES];               \
  CELL(lift_rows)(s, FIRST, TAPS, lift); \
  sink.first = lift;
#else
#define MUX_LIFT_LINE(FIRST, TAPS)
#endif

// TILE: the function of a tile; what follows are its constants. FIRST and COUNT: which taps it uses.
#define MUX_CELL_LINE_TILE(TILE, PIXELS, ...)                                   \
  if (left >= PIXELS) {                                                         \
    CELL(TILE)(s, target->scale, __VA_ARGS__, PIXELS, i, false, PIXELS, &sink); \
  } else {                                                                      \
    CELL(TILE)(s, target->scale, __VA_ARGS__, PIXELS, i, true, left, &sink);    \
  }

#define MUX_CELL_LINE(NAME, SPREAD, FIRST, COUNT, TILE, ...)                         \
  static void CELL(NAME)(const MUX_TYPE(line) *s, const CELL_TYPE(target) *target) { \
    enum { W = MUX_CELL_WIDTH };                                                     \
    float floats[W * MUX_LANES] __attribute__((aligned(64)));                        \
    CELL_TYPE(sink) sink = CELL(line_sink)(target, floats);                          \
    MUX_LIFT_LINE(FIRST, COUNT)                                                      \
    for (ptrdiff_t i = 0; i < s->count;) {                                           \
      const ptrdiff_t left = s->count - i, now = left > 7 ? W : 7;                   \
      if (left > 7 && W > 7) {                                                       \
        MUX_CELL_LINE_TILE(TILE, W, __VA_ARGS__)                                     \
      } else {                                                                       \
        MUX_CELL_LINE_TILE(TILE, 7, __VA_ARGS__)                                     \
      }                                                                              \
      if (sink.mode == CELL(to_floats)) {                                            \
        CELL(finish)(target, floats, i, now < left ? now : left);                    \
      }                                                                              \
      sink.values += now * SPREAD * (MUX_LANES * 4 / MUX_CELL);                      \
      i += now;                                                                      \
    }                                                                                \
  }

#if MUX_MOST_PAIRED_CELLS > 0
MUX_CELL_LINE(line_3_1, 1, 0, 3, line_tile, 3, 1, 1)
MUX_CELL_LINE(line_5_1, 1, 0, 5, line_tile, 5, 1, 1)
MUX_CELL_LINE(line_7_1, 1, 0, 7, line_tile, 7, 1, 1)
MUX_CELL_LINE(line_9_1, 1, 0, 9, line_tile, 9, 1, 1)
MUX_CELL_LINE(line_11_1, 1, 0, 11, line_tile, 11, 1, 1)
MUX_CELL_LINE(line_3_2, 1, 0, 3, line_tile, 3, 2, 1)
MUX_CELL_LINE(line_5_2, 1, 0, 5, line_tile, 5, 2, 1)
MUX_CELL_LINE(line_7_2, 1, 0, 7, line_tile, 7, 2, 1)
MUX_CELL_LINE(line_9_2, 1, 0, 9, line_tile, 9, 2, 1)
MUX_CELL_LINE(line_11_2, 1, 0, 11, line_tile, 11, 2, 1)
MUX_CELL_LINE(spread_3, 2, 0, 3, line_tile, 3, 1, 2)
MUX_CELL_LINE(spread_5, 2, 0, 5, line_tile, 5, 1, 2)
MUX_CELL_LINE(spread_7, 2, 0, 7, line_tile, 7, 1, 2)
#endif
MUX_CELL_LINE(narrow_3, 1, 1, 4, narrow_tile, 3)
MUX_CELL_LINE(narrow_5, 1, 0, 6, narrow_tile, 5)
MUX_CELL_LINE(narrow_7, 1, 1, 8, narrow_tile, 7)

/// Any number of taps and any stride.
static void CELL(line_any)(const MUX_TYPE(line) *s, const CELL_TYPE(target) *target) {
  float values[MUX_LANES] __attribute__((aligned(64)));
  for (ptrdiff_t i = 0; i < s->count; ++i) {
    const float *scale = target->scale, *bias = s->bias;
    (void)scale, (void)bias;
#if defined(MUX_LIFTS)
    int32_t lift[MUX_LANES];
    CELL(lift_rows)(s, 0, s->taps, lift);
    const CELL_TYPE(sink) begin = {.first = lift}, *sink = &begin;
#endif
    CELL_TYPE(sum) sum = MUX_FIRST_SUM;
    for (int a = 0; a < s->row_count; ++a) {
      const ptrdiff_t pitch = target->spread * MUX_LANES;
      const int32_t *x = (const int32_t *)s->rows[a] + i * s->stride * pitch;
      const int32_t *weights = (const int32_t *)s->weights[a];
      for (int t = 0; t < s->taps; ++t) {
        sum = CELL(dot)(MUX_NAME(load_cells)(x + t * pitch),
                        MUX_NAME(load_cells)(weights + t * MUX_LANES), sum);
      }
    }
    v_store(values, MUX_TILE_RESULT(sum));
    CELL(finish)(target, values, i, 1);
  }
}

static void CELL(run_line)(const MUX_TYPE(line) *s, const CELL_TYPE(target) *target) {
#if MUX_MOST_PAIRED_CELLS > 0
  static void (*const lines[5][2])(const MUX_TYPE(line) *, const CELL_TYPE(target) *) = {
      {CELL(line_3_1), CELL(line_3_2)},   {CELL(line_5_1), CELL(line_5_2)},
      {CELL(line_7_1), CELL(line_7_2)},   {CELL(line_9_1), CELL(line_9_2)},
      {CELL(line_11_1), CELL(line_11_2)},
  };
  const bool is_odd = s->taps >= 3 && s->taps % 2 == 1;
  if (target->spread == 1 && is_odd && s->taps <= 11 && s->stride <= 2) {
    lines[s->taps / 2 - 1][s->stride - 1](s, target);
    return;
  }
  static void (*const spread[3])(const MUX_TYPE(line) *, const CELL_TYPE(target) *) = {
      CELL(spread_3), CELL(spread_5), CELL(spread_7)};
  if (target->spread == 2 && is_odd && s->taps <= 7 && s->stride == 1) {
    spread[s->taps / 2 - 1](s, target);
    return;
  }
#endif
  CELL(line_any)(s, target);
}

static void CELL(run_narrow)(const MUX_TYPE(line) *s, int kernel, const CELL_TYPE(target) *target) {
  switch (kernel) {
  case 3: CELL(narrow_3)(s, target); break;
  case 5: CELL(narrow_5)(s, target); break;
  default: CELL(narrow_7)(s, target); break;
  }
}
