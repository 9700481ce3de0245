// SPDX-License-Identifier: Apache-2.0
// Register tiles of dense products of cells by matrix instructions (SMMLA, BFMMLA); included by
// mux_neon_cell_tiles_body.h. One of them multiplies two rows of 8 bytes (or 4 of bfloat16) with two columns
// as long, and adds to four sums: as many products as two SDOT or BFDOT. A row is two cells of a pixel, a
// column two cells of a lane. Packed weights have a cell of every lane before the next cell, so they are
// zipped, once for all pixels of a line; cells of pixels are zipped as they are loaded, unless a blocked
// tensor has them side by side. Sums are the same to the bit as without: those of bytes are exact, and BFMMLA
// is defined as two BFDOT, the lower half of a row first.

#if MUX_CELL == 2
typedef float32x4_t CELL(square);
#else
typedef int32x4_t CELL(square);
#endif

/// The sums of a tile: [block][two pixels][two lanes], in each [pixel][lane].
typedef struct {
  CELL_TYPE(square) sums[2][4][MUX_LANES / 2];
} CELL_TYPE(squares);

#define MUX_FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define MUX_SECOND_HALVES(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)

/// The first halves of both, in one instruction: the compiler would copy `a` and put `b` into the copy.
MUX_INLINE int32x4_t CELL(first_halves)(int32x4_t a, int32x4_t b) {
  int32x4_t halves;
  __asm__("zip1 %0.2d, %1.2d, %2.2d" : "=w"(halves) : "w"(a), "w"(b));
  return halves;
}

/// sum + the products of two rows and two columns.
MUX_INLINE CELL_TYPE(square) CELL(multiply)(int32x4_t x, int32x4_t weight, CELL_TYPE(square) sum) {
#if MUX_CELL == 2
  return vbfmmlaq_f32(sum, (bfloat16x8_t)x, (bfloat16x8_t)weight);
#else
  return vmmlaq_s32(sum, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(weight));
#endif
}

/// A block's weights [cell][lane] as columns [two cells][lane][cell]; an odd one has zeros beside it. `to`
/// may be where they are.
static void CELL(zip)(const int32_t *weights, ptrdiff_t cells, int32_t *to) {
  for (ptrdiff_t k = 0; k < cells; k += 2, weights += 2 * MUX_LANES, to += 2 * MUX_LANES) {
    const bool is_last = k + 1 == cells;
    int32x4_t first[2], second[2];
    MUX_UNROLL
    for (int h = 0; h < 2; ++h) {
      first[h] = vld1q_s32(weights + 4 * h);
      second[h] = is_last ? vdupq_n_s32(0) : vld1q_s32(weights + MUX_LANES + 4 * h);
    }
    MUX_UNROLL
    for (int h = 0; h < 2; ++h) {
      vst1q_s32(to + 8 * h, vzip1q_s32(first[h], second[h]));
      vst1q_s32(to + 8 * h + 4, vzip2q_s32(first[h], second[h]));
    }
  }
}

/// Rows of two cells of each pixel, those of two pixels in a register; zeros instead of the second cell if
/// there `is_one`. The second half of the last register is of no account if the number of pixels is odd.
MUX_INLINE void CELL(load_rows)(int how, bool is_one, int pixels, const char *from,
                                const char *second, ptrdiff_t step, int32x4_t *rows) {
  const int32x4_t none = vdupq_n_s32(0);
  const int fours = how == CELL(beside) ? pixels / 4 * 4 : 0;
  MUX_UNROLL
  for (int i = 0; i < fours; i += 4) {
    const int32x4_t a = MUX_NAME(four_cells)(from + 4 * i);
    const int32x4_t b = is_one ? none : MUX_NAME(four_cells)(second + 4 * i);
    rows[i / 2] = vzip1q_s32(a, b);
    rows[i / 2 + 1] = vzip2q_s32(a, b);
  }
  const int twos = how == CELL(beside) ? pixels / 2 * 2 : 0;
  MUX_UNROLL
  for (int i = fours; i < twos; i += 2) {
    rows[i / 2] = vzip1q_s32(MUX_NAME(two_cells)(from + 4 * i),
                             is_one ? none : MUX_NAME(two_cells)(second + 4 * i));
  }
  MUX_UNROLL
  for (int i = twos; i < pixels; ++i) {
    const int32x4_t row = vzip1q_s32(MUX_NAME(one_cell)(from + i * step),
                                     is_one ? none : MUX_NAME(one_cell)(second + i * step));
    rows[i / 2] = i % 2 == 0 ? row : MUX_FIRST_HALVES(rows[i / 2], row);
  }
}

/// Adds the products of two cells.
MUX_INLINE void CELL(add_squares)(int pixels, int blocks, const int32_t *weights,
                                  const int32_t *beside, const int32x4_t *rows,
                                  CELL_TYPE(squares) *tile) {
  MUX_UNROLL
  for (int b = 0; b < blocks; ++b) {
    MUX_UNROLL
    for (int l = 0; l < MUX_LANES / 2; ++l) {
      const int32x4_t weight = vld1q_s32((b == 0 ? weights : beside) + 4 * l);
      MUX_UNROLL
      for (int i = 0; i < (pixels + 1) / 2; ++i) {
        tile->sums[b][i][l] = CELL(multiply)(rows[i], weight, tile->sums[b][i][l]);
      }
    }
  }
}

MUX_INLINE void CELL(begin_squares)(int pixels, int block, CELL_TYPE(sum) first,
                                    CELL_TYPE(squares) *tile) {
  MUX_UNROLL
  for (int h = 0; h < 2; ++h) {
    const CELL_TYPE(square) half = h == 0 ? MUX_LOW(first) : MUX_HIGH(first);
    MUX_UNROLL
    for (int i = 0; i < (pixels + 1) / 2; ++i) {
      tile->sums[block][i][2 * h] = MUX_FIRST_HALVES(half, half);
      tile->sums[block][i][2 * h + 1] = MUX_SECOND_HALVES(half, half);
    }
  }
}

/// The sums of a block's pixels, each in the order of lanes.
MUX_INLINE void CELL(end_squares)(int pixels, const CELL_TYPE(square) sums[4][MUX_LANES / 2],
                                  CELL_TYPE(sum) *to) {
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    const CELL_TYPE(square) *four = sums[i / 2];
    to[i] =
        i % 2 == 0
            ? MUX_JOIN(MUX_FIRST_HALVES(four[0], four[1]), MUX_FIRST_HALVES(four[2], four[3]))
            : MUX_JOIN(MUX_SECOND_HALVES(four[0], four[1]), MUX_SECOND_HALVES(four[2], four[3]));
  }
}

/// A tile of one block or two; offsets count `unit` bytes. Weights are as `zip` makes them.
MUX_INLINE void CELL(neon_tile)(int how, int pixels, int blocks, int unit, const char *x,
                                const int32_t *offsets, ptrdiff_t cells, const int32_t *weights,
                                const float *scale, const float *bias, ptrdiff_t step,
                                const CELL_TYPE(sink) *sink, const CELL_TYPE(sink) *second) {
  CELL_TYPE(squares) tile;
  (void)second;
  CELL(begin_squares)(pixels, 0, MUX_FIRST_SUM, &tile);
  if (blocks == 2) CELL(begin_squares)(pixels, 1, MUX_SECOND_SUM, &tile);
  enum { G = CELL(group), TWO = 2 * MUX_LANES };
  const int32_t *beside = weights + CELL(weight_pitch)(cells);
  __asm__("" : "+r"(beside));  // an address of its own, not worked out for each cell
  int32x4_t rows[4];
  const int32_t *const end = offsets + cells;
  if (how == CELL(grouped)) {
    const int32_t *const last = offsets + cells / G * G;
    for (; offsets != last; offsets += G, weights += G * MUX_LANES, beside += G * MUX_LANES) {
      int32x4_t groups[8];
      CELL(load_groups)(pixels, x + (ptrdiff_t)offsets[0] * unit, groups);
#if MUX_CELL == 2
      // A register has two rows of one pixel.
      MUX_UNROLL
      for (int h = 0; h < 2; ++h) {
        MUX_UNROLL
        for (int i = 0; i < pixels; i += 2) {
          const int32x4_t next = groups[i + 1 < pixels ? i + 1 : i];
          rows[i / 2] =
              h == 0 ? CELL(first_halves)(groups[i], next) : MUX_SECOND_HALVES(groups[i], next);
        }
        CELL(add_squares)(pixels, blocks, weights + h * TWO, beside + h * TWO, rows, &tile);
      }
#else
      CELL(add_squares)(pixels, blocks, weights, beside, groups, &tile);
#endif
    }
  }
  const int32_t *const last = offsets + (end - offsets) / 2 * 2;
  for (; offsets != last; offsets += 2, weights += TWO, beside += TWO) {
    CELL(load_rows)(how, false, pixels, x + (ptrdiff_t)offsets[0] * unit,
                    x + (ptrdiff_t)offsets[1] * unit, step, rows);
    CELL(add_squares)(pixels, blocks, weights, beside, rows, &tile);
  }
  if (offsets != end) {
    CELL(load_rows)(how, true, pixels, x + (ptrdiff_t)offsets[0] * unit, NULL, step, rows);
    CELL(add_squares)(pixels, blocks, weights, beside, rows, &tile);
  }
  CELL_TYPE(sum) sum[8];
  CELL(end_squares)(pixels, tile.sums[0], sum);
  CELL(store_sums)(sink, sum, pixels, false, pixels, scale, bias, 1);
  if (blocks == 1) return;
  CELL(end_squares)(pixels, tile.sums[1], sum);
  CELL(store_sums)(second, sum, pixels, false, pixels, scale ? scale + MUX_LANES : NULL,
                   bias + MUX_LANES, 1);
}

#undef MUX_FIRST_HALVES
#undef MUX_SECOND_HALVES
