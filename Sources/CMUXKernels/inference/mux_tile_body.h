// SPDX-License-Identifier: Apache-2.0
// Register tiles of the dense products: up to 16 pixels times one block of output channels.

typedef float MUX_TYPE(vh) __attribute__((vector_size(MUX_LANES * 2)));
typedef float MUX_TYPE(vhu) __attribute__((vector_size(MUX_LANES * 2), aligned(4)));

/// `pixels` outputs of one block: bias + Σ over k of x[offsets[k] + pixel · step] · weights[k],
/// clamped to low…high, stored `pitch` floats apart.
typedef void (*MUX_NAME(tile_function))(const float *x, const int32_t *offsets, ptrdiff_t inner,
                                        const float *weights, const float *bias, float low,
                                        float high, ptrdiff_t step, float *out, ptrdiff_t pitch);

#define MUX_TILE(NAME, PIXELS, STEP)                                                           \
  static void MUX_NAME(tile_##NAME##_##PIXELS)(                                                \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,           \
      const float *bias, float low, float high, ptrdiff_t step, float *out, ptrdiff_t pitch) { \
    vf sum[PIXELS];                                                                            \
    const vf first = v_load(bias);                                                             \
    (void)step;                                                                                \
    MUX_UNROLL                                                                                 \
    for (int i = 0; i < PIXELS; ++i) sum[i] = first;                                           \
    for (ptrdiff_t k = 0; k < inner; ++k) {                                                    \
      const float *from = x + offsets[k];                                                      \
      const vf weight = v_load(weights + k * MUX_LANES);                                       \
      MUX_UNROLL                                                                               \
      for (int i = 0; i < PIXELS; ++i) {                                                       \
        sum[i] = v_fma(MUX_NAME(i_splat)(from[i * (STEP)]), weight, sum[i]);                   \
      }                                                                                        \
    }                                                                                          \
    MUX_UNROLL                                                                                 \
    for (int i = 0; i < PIXELS; ++i) {                                                         \
      v_store(out + i * pitch, MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, sum[i])));           \
    }                                                                                          \
  }

/// The same for a block of half the width; only the lower half of each output is written.
#define MUX_HALF_TILE(NAME, PIXELS, STEP)                                                         \
  static void MUX_NAME(half_##NAME##_##PIXELS)(                                                   \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,              \
      const float *bias, float low, float high, ptrdiff_t step, float *out, ptrdiff_t pitch) {    \
    MUX_TYPE(vh) sum[PIXELS];                                                                     \
    const MUX_TYPE(vh) first = *(const MUX_TYPE(vhu) *)bias;                                      \
    (void)step, (void)low, (void)high;                                                            \
    MUX_UNROLL                                                                                    \
    for (int i = 0; i < PIXELS; ++i) sum[i] = first;                                              \
    for (ptrdiff_t k = 0; k < inner; ++k) {                                                       \
      const float *from = x + offsets[k];                                                         \
      const MUX_TYPE(vh) weight = *(const MUX_TYPE(vhu) *)(weights + k * (MUX_LANES / 2));        \
      MUX_UNROLL                                                                                  \
      for (int i = 0; i < PIXELS; ++i) {                                                          \
        sum[i] = __builtin_elementwise_fma(from[i * (STEP)] - (MUX_TYPE(vh)){0}, weight, sum[i]); \
      }                                                                                           \
    }                                                                                             \
    MUX_UNROLL                                                                                    \
    for (int i = 0; i < PIXELS; ++i) *(MUX_TYPE(vhu) *)(out + i * pitch) = sum[i];                \
  }

/// The same for two blocks side by side, whose weights lie one behind the other: a pixel is loaded
/// once for both. (With a load for each product, loads limit.) The second block goes to `second`.
typedef void (*MUX_NAME(pair_function))(const float *x, const int32_t *offsets, ptrdiff_t inner,
                                        const float *weights, const float *bias, float low,
                                        float high, ptrdiff_t step, float *out, float *second,
                                        ptrdiff_t pitch);

#define MUX_PAIR_TILE(NAME, PIXELS, STEP)                                                  \
  static void MUX_NAME(pair_##NAME##_##PIXELS)(                                            \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,       \
      const float *bias, float low, float high, ptrdiff_t step, float *out, float *second, \
      ptrdiff_t pitch) {                                                                   \
    vf sum[PIXELS], next[PIXELS];                                                          \
    const vf first = v_load(bias), other = v_load(bias + MUX_LANES);                       \
    (void)step;                                                                            \
    MUX_UNROLL                                                                             \
    for (int i = 0; i < PIXELS; ++i) sum[i] = first, next[i] = other;                      \
    for (ptrdiff_t k = 0; k < inner; ++k) {                                                \
      const float *from = x + offsets[k];                                                  \
      const vf weight = v_load(weights + k * MUX_LANES);                                   \
      const vf beside = v_load(weights + (inner + k) * MUX_LANES);                         \
      MUX_UNROLL                                                                           \
      for (int i = 0; i < PIXELS; ++i) {                                                   \
        const vf pixel = MUX_NAME(i_splat)(from[i * (STEP)]);                              \
        sum[i] = v_fma(pixel, weight, sum[i]);                                             \
        next[i] = v_fma(pixel, beside, next[i]);                                           \
      }                                                                                    \
    }                                                                                      \
    MUX_UNROLL                                                                             \
    for (int i = 0; i < PIXELS; ++i) {                                                     \
      v_store(out + i * pitch, MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, sum[i])));       \
      v_store(second + i * pitch, MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, next[i])));   \
    }                                                                                      \
  }

/// Two blocks, the second of half the width; nothing is clamped.
#define MUX_HALF_PAIR_TILE(NAME, PIXELS, STEP)                                                \
  static void MUX_NAME(half_pair_##NAME##_##PIXELS)(                                          \
      const float *x, const int32_t *offsets, ptrdiff_t inner, const float *weights,          \
      const float *bias, float low, float high, ptrdiff_t step, float *out, float *second,    \
      ptrdiff_t pitch) {                                                                      \
    vf sum[PIXELS];                                                                           \
    MUX_TYPE(vh) next[PIXELS];                                                                \
    const vf first = v_load(bias);                                                            \
    const MUX_TYPE(vh) other = *(const MUX_TYPE(vhu) *)(bias + MUX_LANES);                    \
    const float *half = weights + inner * MUX_LANES;                                          \
    (void)step, (void)low, (void)high;                                                        \
    MUX_UNROLL                                                                                \
    for (int i = 0; i < PIXELS; ++i) sum[i] = first, next[i] = other;                         \
    for (ptrdiff_t k = 0; k < inner; ++k) {                                                   \
      const float *from = x + offsets[k];                                                     \
      const vf weight = v_load(weights + k * MUX_LANES);                                      \
      const MUX_TYPE(vh) beside = *(const MUX_TYPE(vhu) *)(half + k * (MUX_LANES / 2));       \
      MUX_UNROLL                                                                              \
      for (int i = 0; i < PIXELS; ++i) {                                                      \
        sum[i] = v_fma(MUX_NAME(i_splat)(from[i * (STEP)]), weight, sum[i]);                  \
        next[i] =                                                                             \
            __builtin_elementwise_fma(from[i * (STEP)] - (MUX_TYPE(vh)){0}, beside, next[i]); \
      }                                                                                       \
    }                                                                                         \
    MUX_UNROLL                                                                                \
    for (int i = 0; i < PIXELS; ++i) {                                                        \
      v_store(out + i * pitch, sum[i]);                                                       \
      *(MUX_TYPE(vhu) *)(second + i * pitch) = next[i];                                       \
    }                                                                                         \
  }

// clang-format off
#define MUX_PAIR_TILES(M, NAME, STEP)                                                          \
  M(NAME, 1, STEP) M(NAME, 2, STEP) M(NAME, 3, STEP) M(NAME, 4, STEP) M(NAME, 5, STEP)         \
  M(NAME, 6, STEP)
#define MUX_WIDE_PAIR_TILES(M, NAME, STEP)                                                     \
  M(NAME, 7, STEP) M(NAME, 8, STEP) M(NAME, 9, STEP) M(NAME, 10, STEP) M(NAME, 11, STEP)       \
  M(NAME, 12, STEP) M(NAME, 13, STEP) M(NAME, 14, STEP)
#define MUX_PAIR_NAMES(KIND, NAME)                                                             \
  MUX_NAME(KIND##_##NAME##_1), MUX_NAME(KIND##_##NAME##_2), MUX_NAME(KIND##_##NAME##_3),       \
      MUX_NAME(KIND##_##NAME##_4), MUX_NAME(KIND##_##NAME##_5), MUX_NAME(KIND##_##NAME##_6)
#define MUX_WIDE_PAIR_NAMES(KIND, NAME)                                                        \
  MUX_NAME(KIND##_##NAME##_7), MUX_NAME(KIND##_##NAME##_8), MUX_NAME(KIND##_##NAME##_9),       \
      MUX_NAME(KIND##_##NAME##_10), MUX_NAME(KIND##_##NAME##_11), MUX_NAME(KIND##_##NAME##_12), \
      MUX_NAME(KIND##_##NAME##_13), MUX_NAME(KIND##_##NAME##_14)

#define MUX_TILES(M, NAME, STEP)                                                               \
  M(NAME, 1, STEP) M(NAME, 2, STEP) M(NAME, 3, STEP) M(NAME, 4, STEP) M(NAME, 5, STEP)         \
  M(NAME, 6, STEP) M(NAME, 7, STEP) M(NAME, 8, STEP) M(NAME, 9, STEP) M(NAME, 10, STEP)        \
  M(NAME, 11, STEP) M(NAME, 12, STEP)
#define MUX_WIDE_TILES(M, NAME, STEP)                                                          \
  M(NAME, 13, STEP) M(NAME, 14, STEP) M(NAME, 15, STEP) M(NAME, 16, STEP)

#define MUX_TILE_NAMES(KIND, NAME)                                                             \
  MUX_NAME(KIND##_##NAME##_1), MUX_NAME(KIND##_##NAME##_2), MUX_NAME(KIND##_##NAME##_3),       \
      MUX_NAME(KIND##_##NAME##_4), MUX_NAME(KIND##_##NAME##_5), MUX_NAME(KIND##_##NAME##_6),   \
      MUX_NAME(KIND##_##NAME##_7), MUX_NAME(KIND##_##NAME##_8), MUX_NAME(KIND##_##NAME##_9),   \
      MUX_NAME(KIND##_##NAME##_10), MUX_NAME(KIND##_##NAME##_11), MUX_NAME(KIND##_##NAME##_12)
#define MUX_WIDE_TILE_NAMES(KIND, NAME)                                                        \
  MUX_NAME(KIND##_##NAME##_13), MUX_NAME(KIND##_##NAME##_14), MUX_NAME(KIND##_##NAME##_15),    \
      MUX_NAME(KIND##_##NAME##_16)
// clang-format on

// Names: steps of 1, 2, a block, any.
#if defined(MUX_IS_NEON)
#include "mux_neon_tiles_body.h"
MUX_TILES(MUX_NEON_TILE, one, 1)
MUX_PAIR_TILES(MUX_NEON_PAIR_TILE, one, 1)
// As many pixels as there are registers for.
MUX_NEON_TILE(quads, 1, )
MUX_NEON_TILE(quads, 2, )
MUX_NEON_TILE(quads, 3, )
MUX_NEON_TILE(quads, 4, )
MUX_NEON_TILE(quads, 5, )
MUX_NEON_TILE(quads, 6, )
MUX_NEON_TILE(quads, 7, )
MUX_NEON_TILE(quads, 8, )
MUX_NEON_PAIR_TILE(quads, 1, )
MUX_NEON_PAIR_TILE(quads, 2, )
MUX_NEON_PAIR_TILE(quads, 3, )
MUX_NEON_PAIR_TILE(quads, 4, )
MUX_NEON_PAIR_TILE(quads, 5, )
#undef MUX_NEON_TILE
#undef MUX_NEON_PAIR_TILE
#else
MUX_TILES(MUX_TILE, one, 1)
MUX_PAIR_TILES(MUX_PAIR_TILE, one, 1)
#endif
MUX_TILES(MUX_TILE, two, 2)
MUX_TILES(MUX_TILE, block, MUX_LANES)
MUX_TILES(MUX_TILE, any, step)
MUX_PAIR_TILES(MUX_PAIR_TILE, two, 2)
MUX_PAIR_TILES(MUX_PAIR_TILE, block, MUX_LANES)
MUX_PAIR_TILES(MUX_PAIR_TILE, any, step)

#if MUX_LANES == 16
enum { MUX_NAME(most_pixels) = 16, MUX_NAME(most_paired) = 14 };
MUX_WIDE_TILES(MUX_TILE, one, 1)
MUX_WIDE_TILES(MUX_TILE, two, 2)
MUX_WIDE_TILES(MUX_TILE, block, MUX_LANES)
MUX_WIDE_TILES(MUX_TILE, any, step)
MUX_TILES(MUX_HALF_TILE, one, 1)
MUX_TILES(MUX_HALF_TILE, two, 2)
MUX_TILES(MUX_HALF_TILE, block, MUX_LANES)
MUX_TILES(MUX_HALF_TILE, any, step)
MUX_WIDE_TILES(MUX_HALF_TILE, one, 1)
MUX_WIDE_TILES(MUX_HALF_TILE, two, 2)
MUX_WIDE_TILES(MUX_HALF_TILE, block, MUX_LANES)
MUX_WIDE_TILES(MUX_HALF_TILE, any, step)
MUX_WIDE_PAIR_TILES(MUX_PAIR_TILE, one, 1)
MUX_WIDE_PAIR_TILES(MUX_PAIR_TILE, two, 2)
MUX_WIDE_PAIR_TILES(MUX_PAIR_TILE, block, MUX_LANES)
MUX_WIDE_PAIR_TILES(MUX_PAIR_TILE, any, step)
MUX_PAIR_TILES(MUX_HALF_PAIR_TILE, one, 1)
MUX_PAIR_TILES(MUX_HALF_PAIR_TILE, two, 2)
MUX_PAIR_TILES(MUX_HALF_PAIR_TILE, block, MUX_LANES)
MUX_PAIR_TILES(MUX_HALF_PAIR_TILE, any, step)
MUX_WIDE_PAIR_TILES(MUX_HALF_PAIR_TILE, one, 1)
MUX_WIDE_PAIR_TILES(MUX_HALF_PAIR_TILE, two, 2)
MUX_WIDE_PAIR_TILES(MUX_HALF_PAIR_TILE, block, MUX_LANES)
MUX_WIDE_PAIR_TILES(MUX_HALF_PAIR_TILE, any, step)
#define MUX_EVERY_PAIR(KIND, NAME) {MUX_PAIR_NAMES(KIND, NAME), MUX_WIDE_PAIR_NAMES(KIND, NAME)}
#define MUX_EVERY_TILE(KIND, NAME) {MUX_TILE_NAMES(KIND, NAME), MUX_WIDE_TILE_NAMES(KIND, NAME)}
#else
enum { MUX_NAME(most_pixels) = 12, MUX_NAME(most_paired) = 6 };
#define MUX_EVERY_TILE(KIND, NAME) {MUX_TILE_NAMES(KIND, NAME)}
#define MUX_EVERY_PAIR(KIND, NAME) {MUX_PAIR_NAMES(KIND, NAME)}
#endif

/// How inputs may lie (tile_kind).
#if defined(MUX_IS_NEON)
enum { MUX_NAME(tile_kinds) = 5 };
#else
enum { MUX_NAME(tile_kinds) = 4 };
#endif

static const MUX_TYPE(tile_function) MUX_NAME(tiles)[2][MUX_NAME(tile_kinds)][16] = {
    {MUX_EVERY_TILE(tile, one),
     MUX_EVERY_TILE(tile, two),
     MUX_EVERY_TILE(tile, block),
     MUX_EVERY_TILE(tile, any),
#if defined(MUX_IS_NEON)
     {MUX_NAME(tile_quads_1), MUX_NAME(tile_quads_2), MUX_NAME(tile_quads_3),
      MUX_NAME(tile_quads_4), MUX_NAME(tile_quads_5), MUX_NAME(tile_quads_6),
      MUX_NAME(tile_quads_7), MUX_NAME(tile_quads_8), MUX_NAME(tile_block_9),
      MUX_NAME(tile_block_10), MUX_NAME(tile_block_11), MUX_NAME(tile_block_12)}
#endif
    },
#if MUX_LANES == 16
    {MUX_EVERY_TILE(half, one), MUX_EVERY_TILE(half, two), MUX_EVERY_TILE(half, block),
     MUX_EVERY_TILE(half, any)},
#endif
};

static const MUX_TYPE(pair_function) MUX_NAME(pairs)[2][MUX_NAME(tile_kinds)][14] = {
    {MUX_EVERY_PAIR(pair, one),
     MUX_EVERY_PAIR(pair, two),
     MUX_EVERY_PAIR(pair, block),
     MUX_EVERY_PAIR(pair, any),
#if defined(MUX_IS_NEON)
     {MUX_NAME(pair_quads_1), MUX_NAME(pair_quads_2), MUX_NAME(pair_quads_3),
      MUX_NAME(pair_quads_4), MUX_NAME(pair_quads_5), MUX_NAME(pair_block_6)}
#endif
    },
#if MUX_LANES == 16
    {MUX_EVERY_PAIR(half_pair, one), MUX_EVERY_PAIR(half_pair, two),
     MUX_EVERY_PAIR(half_pair, block), MUX_EVERY_PAIR(half_pair, any)},
#endif
};

MUX_INLINE int MUX_NAME(tile_kind)(ptrdiff_t step, const int32_t *offsets, ptrdiff_t inner) {
#if defined(MUX_IS_NEON)
  if (step == MUX_LANES && MUX_NAME(are_quads)(offsets, inner)) return 4;
#else
  (void)offsets, (void)inner;
#endif
  return step == 1 ? 0 : step == 2 ? 1 : step == MUX_LANES ? 2 : 3;
}

/// The tiles of a step between pixels, and of inputs at these offsets; indexed by pixels − 1.
MUX_INLINE const MUX_TYPE(tile_function) *MUX_NAME(tiles_for)(int half, ptrdiff_t step,
                                                              const int32_t *offsets,
                                                              ptrdiff_t inner) {
  return MUX_NAME(tiles)[half][MUX_NAME(tile_kind)(step, offsets, inner)];
}

MUX_INLINE const MUX_TYPE(pair_function) *MUX_NAME(pairs_for)(int half, ptrdiff_t step,
                                                              const int32_t *offsets,
                                                              ptrdiff_t inner) {
  return MUX_NAME(pairs)[half][MUX_NAME(tile_kind)(step, offsets, inner)];
}

/// Pixels of the largest tile of a kind that is worth having.
MUX_INLINE ptrdiff_t MUX_NAME(most_for)(bool paired, ptrdiff_t step, const int32_t *offsets,
                                        ptrdiff_t inner) {
#if defined(MUX_IS_NEON)
  if (MUX_NAME(tile_kind)(step, offsets, inner) == 4) return paired ? 5 : 8;
#else
  (void)step, (void)offsets, (void)inner;
#endif
  return paired ? MUX_NAME(most_paired) : MUX_NAME(most_pixels);
}

/// Bounds that do what an activation does, where clamping is all that it does.
MUX_INLINE bool MUX_NAME(clamp_of)(mux_activation activation, float *low, float *high) {
  *low = activation.kind == MUX_RELU || activation.kind == MUX_RELU6 ? 0 : -__builtin_inff();
  *high = activation.kind == MUX_RELU6 ? 6 : __builtin_inff();
  return activation.kind == MUX_IDENTITY || activation.kind == MUX_RELU ||
         activation.kind == MUX_RELU6;
}

#undef MUX_EVERY_TILE
#undef MUX_TILE
#undef MUX_HALF_TILE
#undef MUX_TILES
#undef MUX_WIDE_TILES
#undef MUX_TILE_NAMES
#undef MUX_WIDE_TILE_NAMES
#undef MUX_EVERY_PAIR
#undef MUX_PAIR_TILE
#undef MUX_HALF_PAIR_TILE
#undef MUX_PAIR_TILES
#undef MUX_WIDE_PAIR_TILES
#undef MUX_PAIR_NAMES
#undef MUX_WIDE_PAIR_NAMES
