// SPDX-License-Identifier: Apache-2.0
// Register tiles of dense products of cells; included by mux_cells_body.h.

/// `pixels` outputs of a block: Σ over the cells, times scale, plus bias, to the sink.
typedef void (*CELL(tile_function))(const int32_t *x, const int32_t *offsets, ptrdiff_t cells,
                                    const int32_t *weights, const float *scale, const float *bias,
                                    ptrdiff_t step, const CELL_TYPE(sink) *sink);

#if MUX_CELL == 2
#define MUX_FIRST_SUM v_load(bias)
#define MUX_TILE_RESULT(sum) (sum)
#else
#if defined(MUX_LIFTS)
#define MUX_FIRST_SUM MUX_NAME(load_cells)(sink->first)
#else
#define MUX_FIRST_SUM ((vi){0})
#endif
#define MUX_TILE_RESULT(sum) v_fma(__builtin_convertvector(sum, vf), v_load(scale), v_load(bias))
#endif

/// The same for two blocks, whose weights lie one behind the other.
typedef void (*CELL(pair_function))(const int32_t *x, const int32_t *offsets, ptrdiff_t cells,
                                    const int32_t *weights, const float *scale, const float *bias,
                                    ptrdiff_t step, const CELL_TYPE(sink) *sink,
                                    const CELL_TYPE(sink) *second);

#if MUX_CELL == 2
#define MUX_SECOND_SUM v_load(bias + MUX_LANES)
#elif defined(MUX_LIFTS)
#define MUX_SECOND_SUM MUX_NAME(load_cells)(second->first)
#else
#define MUX_SECOND_SUM ((vi){0})
#endif

#if defined(MUX_IS_NEON)
#include "mux_neon_cell_tiles_body.h"
#else
// UNIT: what the offsets count. STEP: from pixel to pixel, in the same.
#define MUX_CELL_TILE(NAME, UNIT, PIXELS, STEP)                                             \
  static void CELL(tile_##NAME##_##PIXELS)(                                                 \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,    \
      const float *scale, const float *bias, ptrdiff_t step, const CELL_TYPE(sink) *sink) { \
    CELL_TYPE(sum) sum[PIXELS];                                                             \
    (void)step;                                                                             \
    MUX_UNROLL                                                                              \
    for (int i = 0; i < PIXELS; ++i) sum[i] = MUX_FIRST_SUM;                                \
    for (ptrdiff_t k = 0; k < cells; ++k) {                                                 \
      const UNIT *from = (const UNIT *)x + offsets[k];                                      \
      const vi weight = MUX_NAME(load_cells)(weights + k * MUX_LANES);                      \
      MUX_UNROLL                                                                            \
      for (int i = 0; i < PIXELS; ++i) {                                                    \
        int32_t cell;                                                                       \
        memcpy(&cell, from + i * (STEP), sizeof cell);                                      \
        sum[i] = CELL(dot)((vi){0} + cell, weight, sum[i]);                                 \
      }                                                                                     \
    }                                                                                       \
    CELL(store_sums)(sink, sum, PIXELS, false, PIXELS, scale, bias, 1);                     \
  }

#define MUX_CELL_PAIR(NAME, UNIT, PIXELS, STEP)                                             \
  static void CELL(pair_##NAME##_##PIXELS)(                                                 \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,    \
      const float *scale, const float *bias, ptrdiff_t step, const CELL_TYPE(sink) *sink,   \
      const CELL_TYPE(sink) *second) {                                                      \
    CELL_TYPE(sum) sum[PIXELS], next[PIXELS];                                               \
    (void)step;                                                                             \
    MUX_UNROLL                                                                              \
    for (int i = 0; i < PIXELS; ++i) sum[i] = MUX_FIRST_SUM, next[i] = MUX_SECOND_SUM;      \
    for (ptrdiff_t k = 0; k < cells; ++k) {                                                 \
      const UNIT *from = (const UNIT *)x + offsets[k];                                      \
      const vi weight = MUX_NAME(load_cells)(weights + k * MUX_LANES);                      \
      const vi beside = MUX_NAME(load_cells)(weights + (cells + k) * MUX_LANES);            \
      MUX_UNROLL                                                                            \
      for (int i = 0; i < PIXELS; ++i) {                                                    \
        int32_t cell;                                                                       \
        memcpy(&cell, from + i * (STEP), sizeof cell);                                      \
        const vi pixel = (vi){0} + cell;                                                    \
        sum[i] = CELL(dot)(pixel, weight, sum[i]);                                          \
        next[i] = CELL(dot)(pixel, beside, next[i]);                                        \
      }                                                                                     \
    }                                                                                       \
    CELL(store_sums)(sink, sum, PIXELS, false, PIXELS, scale, bias, 1);                     \
    CELL(store_sums)(second, next, PIXELS, false, PIXELS, scale ? scale + MUX_LANES : NULL, \
                     bias + MUX_LANES, 1);                                                  \
  }
#endif

#if MUX_MOST_PAIRED_CELLS > 0
// clang-format off
#if MUX_MOST_PAIRED_CELLS == 6
#define MUX_CELL_PAIRS(NAME, UNIT, STEP)                                                       \
  MUX_CELL_PAIR(NAME, UNIT, 1, STEP) MUX_CELL_PAIR(NAME, UNIT, 2, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 3, STEP) MUX_CELL_PAIR(NAME, UNIT, 4, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 5, STEP) MUX_CELL_PAIR(NAME, UNIT, 6, STEP)
#define MUX_PAIR_CELL_NAMES(NAME)                                                              \
  {CELL(pair_##NAME##_1), CELL(pair_##NAME##_2), CELL(pair_##NAME##_3), CELL(pair_##NAME##_4), \
   CELL(pair_##NAME##_5), CELL(pair_##NAME##_6)}
#else
#define MUX_CELL_PAIRS(NAME, UNIT, STEP)                                                       \
  MUX_CELL_PAIR(NAME, UNIT, 1, STEP) MUX_CELL_PAIR(NAME, UNIT, 2, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 3, STEP) MUX_CELL_PAIR(NAME, UNIT, 4, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 5, STEP) MUX_CELL_PAIR(NAME, UNIT, 6, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 7, STEP) MUX_CELL_PAIR(NAME, UNIT, 8, STEP)                        \
  MUX_CELL_PAIR(NAME, UNIT, 9, STEP) MUX_CELL_PAIR(NAME, UNIT, 10, STEP)                       \
  MUX_CELL_PAIR(NAME, UNIT, 11, STEP) MUX_CELL_PAIR(NAME, UNIT, 12, STEP)                      \
  MUX_CELL_PAIR(NAME, UNIT, 13, STEP) MUX_CELL_PAIR(NAME, UNIT, 14, STEP)
// clang-format on
#define MUX_PAIR_CELL_NAMES(NAME)                                                                  \
  {CELL(pair_##NAME##_1),  CELL(pair_##NAME##_2),  CELL(pair_##NAME##_3),  CELL(pair_##NAME##_4),  \
   CELL(pair_##NAME##_5),  CELL(pair_##NAME##_6),  CELL(pair_##NAME##_7),  CELL(pair_##NAME##_8),  \
   CELL(pair_##NAME##_9),  CELL(pair_##NAME##_10), CELL(pair_##NAME##_11), CELL(pair_##NAME##_12), \
   CELL(pair_##NAME##_13), CELL(pair_##NAME##_14)}
#endif
#if defined(MUX_IS_NEON)
MUX_CELL_PAIRS(group, int32_t, MUX_LANES / MUX_CELL)
#endif
MUX_CELL_PAIRS(one, int32_t, 1)
MUX_CELL_PAIRS(block, int32_t, MUX_LANES / MUX_CELL)
MUX_CELL_PAIRS(bytes, char, step)
MUX_CELL_PAIRS(second, char, 2 * (4 / MUX_CELL))
static const CELL_TYPE(pair_function) CELL(pairs)[MUX_NAME(tile_kinds)][MUX_MOST_PAIRED_CELLS] = {
    MUX_PAIR_CELL_NAMES(one),   MUX_PAIR_CELL_NAMES(block),
    MUX_PAIR_CELL_NAMES(bytes), MUX_PAIR_CELL_NAMES(second),
#if defined(MUX_IS_NEON)
    MUX_PAIR_CELL_NAMES(group),
#endif
};
#endif
#undef MUX_SECOND_SUM
#undef MUX_CELL_PAIR
#undef MUX_CELL_PAIRS
#undef MUX_PAIR_CELL_NAMES

#if MUX_MOST_CELLS == 16
// clang-format off
#define MUX_CELL_SIZES(M, NAME, UNIT, STEP)                                                    \
  M(NAME, UNIT, 1, STEP) M(NAME, UNIT, 2, STEP) M(NAME, UNIT, 3, STEP) M(NAME, UNIT, 4, STEP)  \
  M(NAME, UNIT, 5, STEP) M(NAME, UNIT, 6, STEP) M(NAME, UNIT, 7, STEP) M(NAME, UNIT, 8, STEP)  \
  M(NAME, UNIT, 9, STEP) M(NAME, UNIT, 10, STEP) M(NAME, UNIT, 11, STEP)                       \
  M(NAME, UNIT, 12, STEP) M(NAME, UNIT, 13, STEP) M(NAME, UNIT, 14, STEP)                      \
  M(NAME, UNIT, 15, STEP) M(NAME, UNIT, 16, STEP)
// clang-format on
#define MUX_CELL_NAMES(NAME)                                                                       \
  {CELL(tile_##NAME##_1),  CELL(tile_##NAME##_2),  CELL(tile_##NAME##_3),  CELL(tile_##NAME##_4),  \
   CELL(tile_##NAME##_5),  CELL(tile_##NAME##_6),  CELL(tile_##NAME##_7),  CELL(tile_##NAME##_8),  \
   CELL(tile_##NAME##_9),  CELL(tile_##NAME##_10), CELL(tile_##NAME##_11), CELL(tile_##NAME##_12), \
   CELL(tile_##NAME##_13), CELL(tile_##NAME##_14), CELL(tile_##NAME##_15), CELL(tile_##NAME##_16)}
#elif MUX_MOST_CELLS == 8
// clang-format off
#define MUX_CELL_SIZES(M, NAME, UNIT, STEP)                                                    \
  M(NAME, UNIT, 1, STEP) M(NAME, UNIT, 2, STEP) M(NAME, UNIT, 3, STEP) M(NAME, UNIT, 4, STEP)  \
  M(NAME, UNIT, 5, STEP) M(NAME, UNIT, 6, STEP) M(NAME, UNIT, 7, STEP) M(NAME, UNIT, 8, STEP)
// clang-format on
#define MUX_CELL_NAMES(NAME)                                                                   \
  {CELL(tile_##NAME##_1), CELL(tile_##NAME##_2), CELL(tile_##NAME##_3), CELL(tile_##NAME##_4), \
   CELL(tile_##NAME##_5), CELL(tile_##NAME##_6), CELL(tile_##NAME##_7), CELL(tile_##NAME##_8)}
#else
#define MUX_CELL_SIZES(M, NAME, UNIT, STEP) M(NAME, UNIT, 1, STEP) M(NAME, UNIT, 2, STEP)
#define MUX_CELL_NAMES(NAME) {CELL(tile_##NAME##_1), CELL(tile_##NAME##_2)}
#endif
MUX_CELL_SIZES(MUX_CELL_TILE, one, int32_t, 1)
MUX_CELL_SIZES(MUX_CELL_TILE, block, int32_t, MUX_LANES / MUX_CELL)
MUX_CELL_SIZES(MUX_CELL_TILE, bytes, char, step)
MUX_CELL_SIZES(MUX_CELL_TILE, second, char, 2 * (4 / MUX_CELL))
#if defined(MUX_IS_NEON)
MUX_CELL_SIZES(MUX_CELL_TILE, group, int32_t, MUX_LANES / MUX_CELL)
#endif
static const CELL_TYPE(tile_function) CELL(tiles)[MUX_NAME(tile_kinds)][16] = {
    MUX_CELL_NAMES(one),   MUX_CELL_NAMES(block), MUX_CELL_NAMES(bytes), MUX_CELL_NAMES(second),
#if defined(MUX_IS_NEON)
    MUX_CELL_NAMES(group),
#endif
};

/// Where the cells of a step lie: 0 pixel by pixel, 1 in a blocked tensor, 2 under windows, 3 under
/// windows of stride 2. (With a step that is not known addresses take longer than products.) 4 in a blocked
/// tensor, all cells of a pixel one after the other, where that makes a difference.
MUX_INLINE int CELL(tile_kind)(bool is_window, bool is_blocked, ptrdiff_t stride,
                               const int32_t *offsets, ptrdiff_t cells) {
#if defined(MUX_IS_NEON)
  if (!is_window && is_blocked && CELL(are_grouped)(offsets, cells)) return 4;
#else
  (void)offsets, (void)cells;
#endif
  return is_window ? (stride == 2 ? 3 : 2) : is_blocked;
}

/// Whether steps between pixels are in bytes.
MUX_INLINE bool CELL(is_in_bytes)(int kind) {
#if defined(MUX_IS_NEON)
  return kind == 2 || kind == 3;
#else
  return kind >= 2;
#endif
}

#if MUX_MOST_PAIRED_CELLS > 0
/// Pixels of the largest tile of one block or two.
MUX_INLINE ptrdiff_t CELL(most_pixels)(int kind, bool is_pair) {
  (void)kind;
  if (!is_pair) return MUX_MOST_CELLS;
#if defined(MUX_ZIPS)
  // Where rows are made of cells of one pixel each, those take registers before they are rows.
  return kind == 0 ? MUX_MOST_PAIRED_CELLS : 4;
#elif defined(MUX_IS_NEON) && MUX_CELL == 2
  // Products of floats are of the halves of a cell, so each pixel takes a register.
  return 4;
#else
  return MUX_MOST_PAIRED_CELLS;
#endif
}
#endif

MUX_INLINE void CELL(advance)(CELL_TYPE(sink) *sink, ptrdiff_t pixels) {
  if (sink->before) {
    sink->before += pixels * MUX_LANES;
    sink->cells += pixels * MUX_LANES;
  } else {
    sink->floats += pixels * MUX_LANES;
  }
}

/// Runs tiles over `pixels` pixels of a block; of two blocks if there is a sink for the `second`.
static void CELL(run_tiles)(int kind, const int32_t *x, const int32_t *offsets, ptrdiff_t cells,
                            const int32_t *weights, const float *scale, const float *bias,
                            ptrdiff_t step, ptrdiff_t pixels, CELL_TYPE(sink) sink,
                            const CELL_TYPE(sink) *second) {
#if MUX_MOST_PAIRED_CELLS > 0
  CELL_TYPE(sink) other = second ? *second : sink;
  const ptrdiff_t most = CELL(most_pixels)(kind, second != NULL);
#else
  const ptrdiff_t most = MUX_MOST_CELLS;
#endif
  const ptrdiff_t count = mux_ceil_div(pixels, most);
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
#if defined(MUX_ZIPS)
    // Pixels are multiplied by two.
    const ptrdiff_t even = mux_ceil_div(pixels - done, 2) / (count - t) * 2;
    const ptrdiff_t now = even < pixels - done ? even : pixels - done;
#else
    const ptrdiff_t now = (pixels - done) / (count - t);
#endif
    const int32_t *from = CELL(is_in_bytes)(kind) ? (const int32_t *)((const char *)x + done * step)
                                                  : x + done * step;
#if MUX_MOST_PAIRED_CELLS > 0
    if (second) {
      CELL(pairs)[kind][now - 1](from, offsets, cells, weights, scale, bias, step, &sink, &other);
      CELL(advance)(&other, now);
    } else
#endif
      CELL(tiles)[kind][now - 1](from, offsets, cells, weights, scale, bias, step, &sink);
    CELL(advance)(&sink, now);
    done += now;
  }
#if MUX_MOST_PAIRED_CELLS == 0
  if (second) {
    CELL(run_tiles)(kind, x, offsets, cells, weights + cells * MUX_LANES,
                    scale ? scale + MUX_LANES : NULL, bias + MUX_LANES, step, pixels, *second,
                    NULL);
  }
#endif
}
