// SPDX-License-Identifier: Apache-2.0
// Register tiles of dense products of cells for NEON; included by mux_cell_tiles_body.h. As with floats
// (mux_neon_tiles_body.h), products take a lane of a register that was loaded with several pixels, or with
// several inputs of a pixel.

/// How the cells of a tile lie: pixels side by side; a fixed step apart, of which one cell is read, or all
/// that a block has of a pixel.
enum { CELL(beside), CELL(apart), CELL(grouped) };

/// The cells that a block has of a pixel.
enum { CELL(group) = MUX_LANES / MUX_CELL };

/// The cells of a group of each pixel, in as few registers as hold them.
MUX_INLINE void CELL(load_groups)(int pixels, const char *from, int32x4_t *groups) {
#if MUX_CELL == 2
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) groups[i] = MUX_NAME(four_cells)(from + 16 * i);
#else
  MUX_UNROLL
  for (int i = 0; i < pixels / 2; ++i) groups[i] = MUX_NAME(four_cells)(from + 16 * i);
  if (pixels % 2 == 1) groups[pixels / 2] = MUX_NAME(two_cells)(from + 8 * (pixels - 1));
#endif
}

#if defined(MUX_ZIPS)
#include "mux_neon_matrix_body.h"
#else
/// Cells of `pixels` pixels, `step` bytes apart, each in all lanes: one each.
MUX_INLINE void CELL(splat_pixels)(int how, int pixels, const char *from, ptrdiff_t step,
                                   vi *splats) {
  const int fours = how == CELL(beside) ? pixels / 4 * 4 : 0;
  MUX_UNROLL
  for (int i = 0; i < fours; i += 4) {
    const int32x4_t four = MUX_NAME(four_cells)(from + 4 * i);
    MUX_UNROLL
    for (int j = 0; j < 4; ++j) splats[i + j] = (vi){0} + four[j];
  }
  const int twos = how == CELL(beside) ? pixels / 2 * 2 : 0;
  MUX_UNROLL
  for (int i = fours; i < twos; i += 2) {
    const int32x4_t two = MUX_NAME(two_cells)(from + 4 * i);
    MUX_UNROLL
    for (int j = 0; j < 2; ++j) splats[i + j] = (vi){0} + two[j];
  }
  MUX_UNROLL
  for (int i = twos; i < pixels; ++i) {
    splats[i] = (vi){0} + MUX_NAME(one_cell)(from + i * step)[0];
  }
}

/// Cell `k` of each.
MUX_INLINE void CELL(splat_group)(int pixels, const int32x4_t *groups, int k, vi *splats) {
  enum { EACH = 4 / CELL(group) };
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    splats[i] = (vi){0} + groups[i / EACH][i % EACH * CELL(group) + k];
  }
}

MUX_INLINE void CELL(add_products)(int pixels, int blocks, const int32_t *weights,
                                   const int32_t *beside, const vi *x, CELL_TYPE(sum) *sum,
                                   CELL_TYPE(sum) *next) {
  const vi weight = MUX_NAME(load_cells)(weights);
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = CELL(dot)(x[i], weight, sum[i]);
  if (blocks == 1) return;
  const vi other = MUX_NAME(load_cells)(beside);
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) next[i] = CELL(dot)(x[i], other, next[i]);
}

/// A tile of one block or two; offsets count `unit` bytes.
MUX_INLINE void CELL(neon_tile)(int how, int pixels, int blocks, int unit, const char *x,
                                const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,
                                const float *scale, const float *bias, ptrdiff_t step,
                                const CELL_TYPE(sink) *sink, const CELL_TYPE(sink) *second) {
  CELL_TYPE(sum) sum[8], next[8];
  (void)second;
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    sum[i] = MUX_FIRST_SUM;
    if (blocks == 2) next[i] = MUX_SECOND_SUM;
  }
  const int32_t *beside = weights + cells * MUX_LANES;
  __asm__("" : "+r"(beside));  // an address of its own, not worked out for each cell
  vi splats[8];
  ptrdiff_t k = 0;
  if (how == CELL(grouped)) {
    enum { G = CELL(group) };
    for (; k + G <= cells; k += G, weights += G * MUX_LANES, beside += G * MUX_LANES) {
      int32x4_t groups[8];
      CELL(load_groups)(pixels, x + (ptrdiff_t)offsets[k] * unit, groups);
      MUX_UNROLL
      for (int j = 0; j < G; ++j) {
        CELL(splat_group)(pixels, groups, j, splats);
        CELL(add_products)(pixels, blocks, weights + j * MUX_LANES, beside + j * MUX_LANES, splats,
                           sum, next);
      }
    }
  }
  for (; k < cells; ++k, weights += MUX_LANES, beside += MUX_LANES) {
    CELL(splat_pixels)(how, pixels, x + (ptrdiff_t)offsets[k] * unit, step, splats);
    CELL(add_products)(pixels, blocks, weights, beside, splats, sum, next);
  }
  CELL(store_sums)(sink, sum, pixels, false, pixels, scale, bias, 1);
  if (blocks == 1) return;
  CELL(store_sums)(second, next, pixels, false, pixels, scale ? scale + MUX_LANES : NULL,
                   bias + MUX_LANES, 1);
}
#endif

/// Whether all cells that a block has of a pixel are read one after the other, but for a rest of less.
MUX_INLINE bool CELL(are_grouped)(const int32_t *offsets, ptrdiff_t cells) {
  int32_t apart = 0;
  for (ptrdiff_t k = 0; k + CELL(group) <= cells; k += CELL(group)) {
    for (int j = 1; j < CELL(group); ++j) apart |= offsets[k + j] - offsets[k] - j;
  }
  return apart == 0;
}

#define MUX_HOW_one CELL(beside)
#define MUX_HOW_block CELL(apart)
#define MUX_HOW_bytes CELL(apart)
#define MUX_HOW_second CELL(apart)
#define MUX_HOW_group CELL(grouped)
#define MUX_CELL_TILE(NAME, UNIT, PIXELS, STEP)                                               \
  static void CELL(tile_##NAME##_##PIXELS)(                                                   \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,      \
      const float *scale, const float *bias, ptrdiff_t step, const CELL_TYPE(sink) *sink) {   \
    (void)step;                                                                               \
    CELL(neon_tile)(MUX_HOW_##NAME, PIXELS, 1, sizeof(UNIT), (const char *)x, offsets, cells, \
                    weights, scale, bias, (STEP) * (ptrdiff_t)sizeof(UNIT), sink, sink);      \
  }
#define MUX_CELL_PAIR(NAME, UNIT, PIXELS, STEP)                                               \
  static void CELL(pair_##NAME##_##PIXELS)(                                                   \
      const int32_t *x, const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,      \
      const float *scale, const float *bias, ptrdiff_t step, const CELL_TYPE(sink) *sink,     \
      const CELL_TYPE(sink) *second) {                                                        \
    (void)step;                                                                               \
    CELL(neon_tile)(MUX_HOW_##NAME, PIXELS, 2, sizeof(UNIT), (const char *)x, offsets, cells, \
                    weights, scale, bias, (STEP) * (ptrdiff_t)sizeof(UNIT), sink, second);    \
  }
