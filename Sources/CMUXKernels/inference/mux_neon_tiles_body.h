// SPDX-License-Identifier: Apache-2.0
// Register tiles of the dense products for NEON; included by mux_tile_body.h. Products take a lane of a
// register, so a load of four numbers does for four pixels that lie side by side, or for four inputs of a
// pixel: a third fewer instructions than with a load for each. What is added up, and in which order, is the
// same.

/// The sums of a tile: [half of a block][pixel].
typedef struct {
  float32x4_t sums[4][12];
} MUX_TYPE(neon_tile);

MUX_INLINE void MUX_NAME(neon_begin)(MUX_TYPE(neon_tile) *tile, int pixels, int blocks,
                                     const float *bias) {
  MUX_UNROLL
  for (int h = 0; h < 2 * blocks; ++h) {
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) tile->sums[h][i] = vld1q_f32(bias + 4 * h);
  }
}

/// Adds the products of one input of each pixel, in all lanes of `x`.
MUX_INLINE void MUX_NAME(neon_add)(MUX_TYPE(neon_tile) *tile, int pixels, int blocks,
                                   const float *weights, const float *beside,
                                   const float32x4_t *x) {
  const float32x4_t weight[2] = {vld1q_f32(weights), vld1q_f32(weights + 4)};
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    MUX_UNROLL
    for (int h = 0; h < 2; ++h) {
      tile->sums[h][i] = vfmaq_f32(tile->sums[h][i], weight[h], x[i]);
    }
  }
  if (blocks == 1) return;
  const float32x4_t other[2] = {vld1q_f32(beside), vld1q_f32(beside + 4)};
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    MUX_UNROLL
    for (int h = 0; h < 2; ++h) {
      tile->sums[2 + h][i] = vfmaq_f32(tile->sums[2 + h][i], other[h], x[i]);
    }
  }
}

MUX_INLINE void MUX_NAME(neon_end)(const MUX_TYPE(neon_tile) *tile, int pixels, int blocks,
                                   float low, float high, float *out, float *second,
                                   ptrdiff_t pitch) {
  const float32x4_t least = vdupq_n_f32(low), most = vdupq_n_f32(high);
  MUX_UNROLL
  for (int h = 0; h < 2 * blocks; ++h) {
    float *to = (h < 2 ? out : second) + h % 2 * 4;
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) {
      vst1q_f32(to + i * pitch, vminq_f32(vmaxq_f32(tile->sums[h][i], least), most));
    }
  }
}

/// Pixels side by side.
MUX_INLINE void MUX_NAME(neon_one)(int pixels, int blocks, const float *x, const int32_t *offsets,
                                   ptrdiff_t inner, const float *weights, const float *bias,
                                   float low, float high, float *out, float *second,
                                   ptrdiff_t pitch) {
  MUX_TYPE(neon_tile) tile;
  MUX_NAME(neon_begin)(&tile, pixels, blocks, bias);
  const float *beside = weights + inner * MUX_LANES;
  __asm__("" : "+r"(beside));  // an address of its own, not worked out for each input
  const int fours = pixels / 4 * 4, twos = pixels / 2 * 2;
  for (ptrdiff_t k = 0; k < inner; ++k, weights += MUX_LANES, beside += MUX_LANES) {
    const float *from = x + offsets[k];
    float32x4_t splats[12];
    MUX_UNROLL
    for (int i = 0; i < fours; ++i) splats[i] = vdupq_n_f32(vld1q_f32(from + i / 4 * 4)[i % 4]);
    MUX_UNROLL
    for (int i = fours; i < twos; ++i) {
      splats[i] = vdupq_n_f32(vld1_f32(from + i / 2 * 2)[i % 2]);
    }
    if (twos < pixels) splats[twos] = vdupq_n_f32(from[twos]);
    MUX_NAME(neon_add)(&tile, pixels, blocks, weights, beside, splats);
  }
  MUX_NAME(neon_end)(&tile, pixels, blocks, low, high, out, second, pitch);
}

/// Pixels of a blocked tensor, of whose inputs each four lie side by side.
MUX_INLINE void MUX_NAME(neon_quads)(int pixels, int blocks, const float *x, const int32_t *offsets,
                                     ptrdiff_t inner, const float *weights, const float *bias,
                                     float low, float high, float *out, float *second,
                                     ptrdiff_t pitch) {
  MUX_TYPE(neon_tile) tile;
  MUX_NAME(neon_begin)(&tile, pixels, blocks, bias);
  const float *beside = weights + inner * MUX_LANES;
  __asm__("" : "+r"(beside));
  ptrdiff_t k = 0;
  for (; k + 4 <= inner; k += 4, weights += 4 * MUX_LANES, beside += 4 * MUX_LANES) {
    const float *from = x + offsets[k];
    float32x4_t four[12];
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) four[i] = vld1q_f32(from + i * MUX_LANES);
    MUX_UNROLL
    for (int j = 0; j < 4; ++j) {
      float32x4_t splats[12];
      MUX_UNROLL
      for (int i = 0; i < pixels; ++i) splats[i] = vdupq_n_f32(four[i][j]);
      MUX_NAME(neon_add)(&tile, pixels, blocks, weights + j * MUX_LANES, beside + j * MUX_LANES,
                         splats);
    }
  }
  for (; k < inner; ++k, weights += MUX_LANES, beside += MUX_LANES) {
    float32x4_t splats[12];
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) splats[i] = vdupq_n_f32(x[offsets[k] + i * MUX_LANES]);
    MUX_NAME(neon_add)(&tile, pixels, blocks, weights, beside, splats);
  }
  MUX_NAME(neon_end)(&tile, pixels, blocks, low, high, out, second, pitch);
}

/// Whether of the inputs each four lie side by side, but for a rest of less.
MUX_INLINE bool MUX_NAME(are_quads)(const int32_t *offsets, ptrdiff_t inner) {
  int32_t apart = 0;
  for (ptrdiff_t k = 0; k + 4 <= inner; k += 4) {
    for (int j = 1; j < 4; ++j) apart |= offsets[k + j] - offsets[k] - j;
  }
  return apart == 0;
}

#define MUX_NEON_TILE(NAME, PIXELS, STEP)                                                      \
  static void MUX_NAME(tile_##NAME##_##PIXELS)(                                                \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,           \
      const float *bias, float low, float high, ptrdiff_t step, float *out, ptrdiff_t pitch) { \
    (void)step;                                                                                \
    MUX_NAME(neon_##NAME)(PIXELS, 1, x, offsets, inner, weights, bias, low, high, out, out,    \
                          pitch);                                                              \
  }

#define MUX_NEON_PAIR_TILE(NAME, PIXELS, STEP)                                                 \
  static void MUX_NAME(pair_##NAME##_##PIXELS)(                                                \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,           \
      const float *bias, float low, float high, ptrdiff_t step, float *out, float *second,     \
      ptrdiff_t pitch) {                                                                       \
    (void)step;                                                                                \
    MUX_NAME(neon_##NAME)(PIXELS, 2, x, offsets, inner, weights, bias, low, high, out, second, \
                          pitch);                                                              \
  }
