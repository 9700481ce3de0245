// SPDX-License-Identifier: Apache-2.0
// Products of cells: 32 bits with MUX_CELL values each (2: bfloat16; 4: 8 bits). Included once for
// each kind in each variant, without include guard. CELL(x) is x with both suffixes.

#if MUX_CELL == 2
#define CELL(x) MUX_PASTE(MUX_NAME(x), bf16)
typedef vf CELL(sum);
#else
#define CELL(x) MUX_PASTE(MUX_NAME(x), int8)
typedef vi CELL(sum);
#endif

/// sum + the products of the values of both cells, lane by lane.
MUX_INLINE CELL(sum) CELL(dot)(vi x, vi weight, CELL(sum) sum) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && MUX_CELL == 2
  return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)weight, (__m512bh)x);
#elif defined(MUX_HAS_CELL_INSTRUCTIONS)
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)weight);
#elif MUX_CELL == 2
  const vi high = (vi){0} + (int32_t)0xffff0000u;
  sum = v_fma((vf)(weight << 16), (vf)(x << 16), sum);
  return v_fma((vf)(weight & high), (vf)(x & high), sum);
#else
  sum += (x & 255) * (weight << 24 >> 24);
  sum += (x >> 8 & 255) * (weight << 16 >> 24);
  sum += (x >> 16 & 255) * (weight << 8 >> 24);
  return sum + (x >> 24 & 255) * (weight >> 24);
#endif
}

/// The bits of a value: bfloat16 in the upper half, or 0…255.
MUX_INLINE vi CELL(encode)(vf x, mux_quantization quantization) {
#if MUX_CELL == 2
  (void)quantization;
  return ((vi)x + 0x8000) & (int32_t)0xffff0000u;
#else
  x = v_fma(x, MUX_NAME(i_splat)(quantization.inverse), MUX_NAME(i_splat)(quantization.zero));
  return MUX_NAME(to_integer)(MUX_NAME(i_min)(255, MUX_NAME(i_max)(0, x)));
#endif
}

/// The cell that follows `before` when one more value (encoded) comes in at the top.
MUX_INLINE vi CELL(push)(vi before, vi value) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && MUX_CELL == 4
  return (vi)_mm512_shrdi_epi32((__m512i)before, (__m512i)value, 8);
#elif MUX_CELL == 2
  return (vi)((MUX_NAME(vu))before >> 16) | value;
#else
  return (vi)((MUX_NAME(vu))before >> 8) | value << 24;
#endif
}

/// Writes a vector of values one after the other, in 2 bytes or 1 each.
MUX_INLINE void CELL(write)(char *to, vi value) {
#if MUX_CELL == 2
  typedef uint16_t narrow __attribute__((vector_size(MUX_LANES * 2), aligned(2)));
  *(narrow *)to = __builtin_convertvector((MUX_NAME(vu))value >> 16, narrow);
#else
  typedef uint8_t narrow __attribute__((vector_size(MUX_LANES), aligned(1)));
  *(narrow *)to = __builtin_convertvector(value, narrow);
#endif
}

/// A cell of zeros, as the quantisation has them.
MUX_INLINE int32_t CELL(zero)(mux_quantization quantization) {
#if MUX_CELL == 2
  (void)quantization;
  return 0;
#else
  return (int32_t)((uint32_t)quantization.zero * 0x01010101u);
#endif
}

/// What becomes of the sums of a tile.
typedef struct {
  enum { CELL(to_floats), CELL(to_clamped) } mode;
  /// Floats [pixel][lane].
  float *floats;
  /// Else clamped, encoded, and pushed onto the cells `before` if that is not NULL, or written one
  /// after the other to `values`.
  float low, high;
  mux_quantization quantization;
  const int32_t *before;
  int32_t *cells;
  char *values;
  /// The sums of what is written, or NULL.
  float *sums;
} CELL(sink);

/// A sink for an activation; floats if that is not clamping. (Swish takes so many registers that it
/// is faster in a pass of its own over the values of a line.)
static CELL(sink) CELL(sink_for)(mux_activation activation, mux_quantization quantization) {
  CELL(sink) sink = {.mode = CELL(to_floats), .quantization = quantization};
  if (MUX_NAME(clamp_of)(activation, &sink.low, &sink.high)) sink.mode = CELL(to_clamped);
  return sink;
}

/// Takes the sums of a tile, `stored` of which are wanted: `pixels` unless `partial`.
MUX_INLINE void CELL(pour)(
    const CELL(sink) *sink, const CELL(sum) *sum, int pixels, bool partial, ptrdiff_t stored,
    const float *scale, const float *bias) {
  (void)scale, (void)bias;
#if MUX_CELL == 4
  vf unit = v_load(scale), shift = v_load(bias);
#define MUX_POURED(i) v_fma(__builtin_convertvector(sum[i], vf), unit, shift)
#else
#define MUX_POURED(i) sum[i]
#endif
  if (sink->mode == CELL(to_floats)) {
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) v_store(sink->floats + i * MUX_LANES, MUX_POURED(i));
    return;
  }
  float low = sink->low, high = sink->high;
#if MUX_CELL == 4
  // Clamping and quantising are one linear step and one clamp.
  const float inverse = sink->quantization.inverse, zero = sink->quantization.zero;
  unit *= MUX_NAME(i_splat)(inverse);
  shift = v_fma(shift, MUX_NAME(i_splat)(inverse), MUX_NAME(i_splat)(zero));
  low = low * inverse + zero > 0 ? low * inverse + zero : 0;
  high = high * inverse + zero < 255 ? high * inverse + zero : 255;
#define MUX_POURED_VALUE(y) MUX_NAME(to_integer)(y)
#else
#define MUX_POURED_VALUE(y) CELL(encode)(y, sink->quantization)
#endif
  if (sink->before) {
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) {
      if (!partial || i < stored) {
        const vf y = MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, MUX_POURED(i)));
        const vi before = MUX_NAME(load_cells)(sink->before + i * MUX_LANES);
        MUX_NAME(store_cells)(sink->cells + i * MUX_LANES,
                              CELL(push)(before, MUX_POURED_VALUE(y)));
      }
    }
    return;
  }
  vf total = {0};
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    if (!partial || i < stored) {
      const vf y = MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, MUX_POURED(i)));
      total += y;
      CELL(write)(sink->values + i * (MUX_LANES * 4 / MUX_CELL), MUX_POURED_VALUE(y));
    }
  }
#if MUX_CELL == 4
  // The values were in steps of the quantisation.
  total = (total - (float)(partial ? stored : pixels) * zero) / inverse;
#endif
  if (sink->sums) v_store(sink->sums, v_load(sink->sums) + total);
#undef MUX_POURED
#undef MUX_POURED_VALUE
}

/// `pixels` outputs of a block: Σ over the cells, times scale, plus bias, to the sink.
typedef void (*CELL(tile_function))(
    const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,
    const float *scale, const float *bias, ptrdiff_t step, const CELL(sink) *sink);

#if MUX_CELL == 2
#define MUX_FIRST_SUM v_load(bias)
#define MUX_TILE_RESULT(sum) (sum)
#else
#define MUX_FIRST_SUM ((vi){0})
#define MUX_TILE_RESULT(sum)                                                                   \
  v_fma(__builtin_convertvector(sum, vf), v_load(scale), v_load(bias))
#endif

// UNIT: what the offsets count. STEP: from pixel to pixel, in the same.
#define MUX_CELL_TILE(NAME, UNIT, PIXELS, STEP)                                                \
  static void CELL(tile_##NAME##_##PIXELS)(                                                    \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,       \
      const float *scale, const float *bias, ptrdiff_t step, const CELL(sink) *sink) {         \
    CELL(sum) sum[PIXELS];                                                                     \
    (void)step;                                                                                \
    MUX_UNROLL                                                                                 \
    for (int i = 0; i < PIXELS; ++i) sum[i] = MUX_FIRST_SUM;                                   \
    for (ptrdiff_t k = 0; k < cells; ++k) {                                                    \
      const UNIT *from = (const UNIT *)x + offsets[k];                                         \
      const vi weight = MUX_NAME(load_cells)(weights + k * MUX_LANES);                         \
      MUX_UNROLL                                                                               \
      for (int i = 0; i < PIXELS; ++i) {                                                       \
        int32_t cell;                                                                          \
        memcpy(&cell, from + i * (STEP), sizeof cell);                                         \
        sum[i] = CELL(dot)((vi){0} + cell, weight, sum[i]);                                    \
      }                                                                                        \
    }                                                                                          \
    CELL(pour)(sink, sum, PIXELS, false, PIXELS, scale, bias);                                 \
  }

#if defined(MUX_HAS_CELL_INSTRUCTIONS)
/// The same for two blocks, whose weights lie one behind the other.
typedef void (*CELL(pair_function))(
    const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,
    const float *scale, const float *bias, ptrdiff_t step, const CELL(sink) *sink,
    const CELL(sink) *second);

#if MUX_CELL == 2
#define MUX_SECOND_SUM v_load(bias + MUX_LANES)
#else
#define MUX_SECOND_SUM ((vi){0})
#endif
#define MUX_CELL_PAIR(NAME, UNIT, PIXELS, STEP)                                                \
  static void CELL(pair_##NAME##_##PIXELS)(                                                    \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,       \
      const float *scale, const float *bias, ptrdiff_t step, const CELL(sink) *sink,           \
      const CELL(sink) *second) {                                                              \
    CELL(sum) sum[PIXELS], next[PIXELS];                                                       \
    (void)step;                                                                                \
    MUX_UNROLL                                                                                 \
    for (int i = 0; i < PIXELS; ++i) sum[i] = MUX_FIRST_SUM, next[i] = MUX_SECOND_SUM;         \
    for (ptrdiff_t k = 0; k < cells; ++k) {                                                    \
      const UNIT *from = (const UNIT *)x + offsets[k];                                         \
      const vi weight = MUX_NAME(load_cells)(weights + k * MUX_LANES);                         \
      const vi beside = MUX_NAME(load_cells)(weights + (cells + k) * MUX_LANES);               \
      MUX_UNROLL                                                                               \
      for (int i = 0; i < PIXELS; ++i) {                                                       \
        int32_t cell;                                                                          \
        memcpy(&cell, from + i * (STEP), sizeof cell);                                         \
        const vi pixel = (vi){0} + cell;                                                       \
        sum[i] = CELL(dot)(pixel, weight, sum[i]);                                             \
        next[i] = CELL(dot)(pixel, beside, next[i]);                                           \
      }                                                                                        \
    }                                                                                          \
    CELL(pour)(sink, sum, PIXELS, false, PIXELS, scale, bias);                                 \
    CELL(pour)(second, next, PIXELS, false, PIXELS, scale ? scale + MUX_LANES : NULL,          \
               bias + MUX_LANES);                                                              \
  }
#define MUX_CELL_PAIRS(NAME, UNIT, STEP)                                                       \
  MUX_CELL_PAIR(NAME, UNIT, 1, STEP) MUX_CELL_PAIR(NAME, UNIT, 2, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 3, STEP) MUX_CELL_PAIR(NAME, UNIT, 4, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 5, STEP) MUX_CELL_PAIR(NAME, UNIT, 6, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 7, STEP) MUX_CELL_PAIR(NAME, UNIT, 8, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 9, STEP) MUX_CELL_PAIR(NAME, UNIT, 10, STEP)                       \
  MUX_CELL_PAIR(NAME, UNIT, 11, STEP) MUX_CELL_PAIR(NAME, UNIT, 12, STEP)                      \
  MUX_CELL_PAIR(NAME, UNIT, 13, STEP) MUX_CELL_PAIR(NAME, UNIT, 14, STEP)
#define MUX_PAIR_CELL_NAMES(NAME)                                                              \
  {CELL(pair_##NAME##_1), CELL(pair_##NAME##_2), CELL(pair_##NAME##_3), CELL(pair_##NAME##_4), \
   CELL(pair_##NAME##_5), CELL(pair_##NAME##_6), CELL(pair_##NAME##_7), CELL(pair_##NAME##_8), \
   CELL(pair_##NAME##_9), CELL(pair_##NAME##_10), CELL(pair_##NAME##_11),                      \
   CELL(pair_##NAME##_12), CELL(pair_##NAME##_13), CELL(pair_##NAME##_14)}
MUX_CELL_PAIRS(one, int32_t, 1)
MUX_CELL_PAIRS(block, int32_t, MUX_LANES / MUX_CELL)
MUX_CELL_PAIRS(bytes, char, step)
MUX_CELL_PAIRS(second, char, 2 * (4 / MUX_CELL))
static const CELL(pair_function) CELL(pairs)[4][14] = {
    MUX_PAIR_CELL_NAMES(one), MUX_PAIR_CELL_NAMES(block), MUX_PAIR_CELL_NAMES(bytes),
    MUX_PAIR_CELL_NAMES(second)};
#undef MUX_SECOND_SUM
#undef MUX_CELL_PAIR
#undef MUX_CELL_PAIRS
#undef MUX_PAIR_CELL_NAMES

#define MUX_CELL_SIZES(M, NAME, UNIT, STEP)                                                    \
  M(NAME, UNIT, 1, STEP) M(NAME, UNIT, 2, STEP) M(NAME, UNIT, 3, STEP) M(NAME, UNIT, 4, STEP)  \
  M(NAME, UNIT, 5, STEP) M(NAME, UNIT, 6, STEP) M(NAME, UNIT, 7, STEP) M(NAME, UNIT, 8, STEP)  \
  M(NAME, UNIT, 9, STEP) M(NAME, UNIT, 10, STEP) M(NAME, UNIT, 11, STEP)                       \
  M(NAME, UNIT, 12, STEP) M(NAME, UNIT, 13, STEP) M(NAME, UNIT, 14, STEP)                      \
  M(NAME, UNIT, 15, STEP) M(NAME, UNIT, 16, STEP)
#define MUX_CELL_NAMES(NAME)                                                                   \
  {CELL(tile_##NAME##_1), CELL(tile_##NAME##_2), CELL(tile_##NAME##_3), CELL(tile_##NAME##_4), \
   CELL(tile_##NAME##_5), CELL(tile_##NAME##_6), CELL(tile_##NAME##_7), CELL(tile_##NAME##_8), \
   CELL(tile_##NAME##_9), CELL(tile_##NAME##_10), CELL(tile_##NAME##_11),                      \
   CELL(tile_##NAME##_12), CELL(tile_##NAME##_13), CELL(tile_##NAME##_14),                     \
   CELL(tile_##NAME##_15), CELL(tile_##NAME##_16)}
enum { CELL(most) = 16 };
#else
#define MUX_CELL_SIZES(M, NAME, UNIT, STEP) M(NAME, UNIT, 1, STEP) M(NAME, UNIT, 2, STEP)
#define MUX_CELL_NAMES(NAME) {CELL(tile_##NAME##_1), CELL(tile_##NAME##_2)}
enum { CELL(most) = 2 };
#endif

MUX_CELL_SIZES(MUX_CELL_TILE, one, int32_t, 1)
MUX_CELL_SIZES(MUX_CELL_TILE, block, int32_t, MUX_LANES / MUX_CELL)
MUX_CELL_SIZES(MUX_CELL_TILE, bytes, char, step)
MUX_CELL_SIZES(MUX_CELL_TILE, second, char, 2 * (4 / MUX_CELL))
static const CELL(tile_function) CELL(tiles)[4][16] = {
    MUX_CELL_NAMES(one), MUX_CELL_NAMES(block), MUX_CELL_NAMES(bytes), MUX_CELL_NAMES(second)};

/// Where the cells of a step lie: 0 pixel by pixel, 1 in a blocked tensor, 2 under windows, 3 under
/// windows of stride 2. (With a step that is not known addresses take longer than products.)
MUX_INLINE int CELL(tile_kind)(bool is_window, bool is_blocked, ptrdiff_t stride) {
  return is_window ? (stride == 2 ? 3 : 2) : is_blocked;
}

MUX_INLINE void CELL(advance)(CELL(sink) *sink, ptrdiff_t pixels) {
  if (sink->before) {
    sink->before += pixels * MUX_LANES;
    sink->cells += pixels * MUX_LANES;
  } else {
    sink->floats += pixels * MUX_LANES;
  }
}

/// Runs tiles over `pixels` pixels of a block; of two blocks if there is a sink for the `second`.
static void CELL(run_tiles)(
    int kind, const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,
    const float *scale, const float *bias, ptrdiff_t step, ptrdiff_t pixels, CELL(sink) sink,
    const CELL(sink) *second) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS)
  CELL(sink) other = second ? *second : sink;
  const ptrdiff_t most = second ? 14 : CELL(most);
#else
  const ptrdiff_t most = CELL(most);
#endif
  const ptrdiff_t count = mux_ceil_div(pixels, most);
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
    const ptrdiff_t now = (pixels - done) / (count - t);
    const int32_t *from =
        kind >= 2 ? (const int32_t *)((const char *)x + done * step) : x + done * step;
#if defined(MUX_HAS_CELL_INSTRUCTIONS)
    if (second) {
      CELL(pairs)[kind][now - 1](from, offsets, cells, weights, scale, bias, step, &sink, &other);
      CELL(advance)(&other, now);
    } else
#endif
      CELL(tiles)[kind][now - 1](from, offsets, cells, weights, scale, bias, step, &sink);
    CELL(advance)(&sink, now);
    done += now;
  }
#if !defined(MUX_HAS_CELL_INSTRUCTIONS)
  if (second) {
    CELL(run_tiles)(kind, x, offsets, cells, weights + cells * MUX_LANES,
                    scale ? scale + MUX_LANES : NULL, bias + MUX_LANES, step, pixels, *second,
                    NULL);
  }
#endif
}

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

#include "mux_cell_steps_body.h"

#undef MUX_FIRST_SUM
#undef MUX_TILE_RESULT
#undef MUX_CELL_TILE
#undef MUX_CELL_SIZES
#undef MUX_CELL_NAMES
#undef MUX_CELL_LINE
#undef MUX_CELL_TILES
#undef CELL
