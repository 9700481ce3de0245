// SPDX-License-Identifier: Apache-2.0
// Products of cells: 32 bits with MUX_CELL values each (2: bfloat16; 4: 8 bits). Included once for
// each kind in each variant, without include guard. CELL(x) is x with both suffixes, and so is
// CELL_TYPE(x), for types.

#if MUX_CELL == 2
#define CELL(x) MUX_PASTE(MUX_NAME(x), bf16)
typedef vf CELL(sum);
#else
#define CELL(x) MUX_PASTE(MUX_NAME(x), int8)
typedef vi CELL(sum);
#endif
#define CELL_TYPE(x) CELL(x)

// Pixels of the largest register tiles, of one block and of two, and of a line: as many sums as there are
// registers for. Without instructions for cells a product needs most registers itself.
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512)
#define MUX_MOST_CELLS 16
#define MUX_MOST_PAIRED_CELLS 14
#define MUX_CELL_WIDTH 14
#elif defined(MUX_IS_NEON)
#define MUX_MOST_CELLS 8
#define MUX_MOST_PAIRED_CELLS 6
#define MUX_CELL_WIDTH 7
#elif defined(MUX_IS_AVX2) || defined(MUX_IS_AVX512)
#define MUX_MOST_CELLS 8
#define MUX_MOST_PAIRED_CELLS 0
#define MUX_CELL_WIDTH 14
#else
#define MUX_MOST_CELLS 2
#define MUX_MOST_PAIRED_CELLS 0
#define MUX_CELL_WIDTH 14
#endif

#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_NEON)
/// Whether dense products are of matrices, for which two cells of a lane of weights lie side by side.
#define MUX_ZIPS 1
#endif

/// Numbers from a block's weights to the next one's, as tiles read them.
MUX_INLINE ptrdiff_t CELL(weight_pitch)(ptrdiff_t cells) {
#if defined(MUX_ZIPS)
  cells = mux_ceil_div(cells, 2) * 2;
#endif
  return cells * MUX_LANES;
}

#if MUX_CELL == 4 && defined(MUX_IS_NEON)
/// The same for four lanes of signed bytes.
MUX_INLINE int32x4_t MUX_NAME(dot_bytes)(int8x16_t x, int8x16_t weight, int32x4_t sum) {
#if defined(MUX_HAS_DOT)
  return vdotq_s32(sum, weight, x);
#else
  // Weights are at least −127, so that two products fit into 16 bits.
  const int16x8_t low = vmull_s8(vget_low_s8(weight), vget_low_s8(x));
  const int16x8_t high = vmull_high_s8(weight, x);
  return vpadalq_s16(sum, vpaddq_s16(low, high));
#endif
}
#endif

/// sum + the products of the values of both cells, lane by lane.
MUX_INLINE CELL_TYPE(sum) CELL(dot)(vi x, vi weight, CELL_TYPE(sum) sum) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512) && MUX_CELL == 2
  return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)weight, (__m512bh)x);
#elif defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512)
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)weight);
#elif defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_NEON) && MUX_CELL == 2
  return MUX_JOIN(
      vbfdotq_f32(MUX_LOW(sum), (bfloat16x8_t)MUX_LOW(weight), (bfloat16x8_t)MUX_LOW(x)),
      vbfdotq_f32(MUX_HIGH(sum), (bfloat16x8_t)MUX_HIGH(weight), (bfloat16x8_t)MUX_HIGH(x)));
#elif defined(MUX_IS_NEON) && MUX_CELL == 4
  return MUX_JOIN(
      MUX_NAME(dot_bytes)((int8x16_t)MUX_LOW(x), (int8x16_t)MUX_LOW(weight), MUX_LOW(sum)),
      MUX_NAME(dot_bytes)((int8x16_t)MUX_HIGH(x), (int8x16_t)MUX_HIGH(weight), MUX_HIGH(sum)));
#elif MUX_CELL == 2
  const vi high = (vi){0} + (int32_t)0xffff0000u;
  sum = v_fma((vf)(weight << 16), (vf)(x << 16), sum);
  return v_fma((vf)(weight & high), (vf)(x & high), sum);
#elif defined(MUX_IS_AVX2) || defined(MUX_IS_AVX512)
  // Bytes 0 and 2, then 1 and 3, as numbers of 16 bits, whose products are added in pairs. (Products of bytes
  // would be added in 16 bits, where two of them do not fit.) What is made of the weights serves a whole tile.
  typedef int16_t words __attribute__((vector_size(MUX_LANES * 4)));
  typedef uint16_t unsigned_words __attribute__((vector_size(MUX_LANES * 4)));
  const vi even = x & 0x00ff00ff, odd = (vi)((unsigned_words)x >> 8);
  const vi even_weight = (vi)((words)weight << 8 >> 8), odd_weight = (vi)((words)weight >> 8);
#if defined(MUX_IS_AVX512)
  sum += (vi)_mm512_madd_epi16((__m512i)even, (__m512i)even_weight);
  return sum + (vi)_mm512_madd_epi16((__m512i)odd, (__m512i)odd_weight);
#else
  sum += (vi)_mm256_madd_epi16((__m256i)even, (__m256i)even_weight);
  return sum + (vi)_mm256_madd_epi16((__m256i)odd, (__m256i)odd_weight);
#endif
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
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512) && MUX_CELL == 4
  return (vi)_mm512_shrdi_epi32((__m512i)before, (__m512i)value, 8);
#elif MUX_CELL == 2
  return (vi)((MUX_TYPE(vu))before >> 16) | value;
#else
  return (vi)((MUX_TYPE(vu))before >> 8) | value << 24;
#endif
}

/// The same for a block with all phases of a superpixel branch, whose halves are two rows of the fine
/// grid: the upper half of `before`, then the lower half of `value`, then its upper half.
MUX_INLINE vi CELL(push_phases)(vi before, vi value) {
  const vi even = CELL(push)(MUX_NAME(swap_halves)(before), value);
  const vi odd = CELL(push)(MUX_NAME(swap_halves)(even), value);
  return MUX_NAME(join_halves)(even, odd);
}

/// Writes a vector of values one after the other, in 2 bytes or 1 each.
MUX_INLINE void CELL(write)(char *to, vi value) {
#if MUX_CELL == 2
  typedef uint16_t narrow __attribute__((vector_size(MUX_LANES * 2), aligned(2)));
  *(narrow *)to = __builtin_convertvector((MUX_TYPE(vu))value >> 16, narrow);
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
  return (int32_t)(((uint32_t)quantization.zero ^ MUX_BYTE_FLIP) * 0x01010101u);
#endif
}

#if MUX_CELL == 4 && defined(MUX_IS_NEON)
/// Whether bytes are signed, so that sums must begin with what was taken off the inputs.
#define MUX_LIFTS 1

/// Adds −128 · weight to the sums, for each byte of a cell of weights: by so much products are too small.
MUX_INLINE vi CELL(lowered)(const int32_t *weights, vi sum) {
  const vi flip = (vi){0} + (int32_t)(MUX_BYTE_FLIP * 0x01010101u);
  return CELL(dot)(flip, MUX_NAME(load_cells)(weights), sum);
}

/// What the sums of a block begin with; `weights` is [cell][lane].
static void CELL(lift)(const int32_t *weights, ptrdiff_t cells, int32_t *to) {
  vi sum = {0};
  for (ptrdiff_t k = 0; k < cells; ++k) sum = CELL(lowered)(weights + k * MUX_LANES, sum);
  MUX_NAME(store_cells)(to, -sum);
}
#define MUX_BEGIN(lift) , .first = lift
#else
#define MUX_BEGIN(lift)
#endif

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
#if defined(MUX_LIFTS)
  /// What the sums of products begin with.
  const int32_t *first;
#endif
} CELL_TYPE(sink);

/// A sink for an activation; floats if that is not clamping. (Swish takes so many registers that it
/// is faster in a pass of its own over the values of a line.)
static CELL_TYPE(sink) CELL(sink_for)(mux_activation activation, mux_quantization quantization) {
  CELL_TYPE(sink) sink = {.mode = CELL(to_floats), .quantization = quantization};
  if (MUX_NAME(clamp_of)(activation, &sink.low, &sink.high)) sink.mode = CELL(to_clamped);
  return sink;
}

/// Scales, activates and stores the sums of a tile; `stored` of them are wanted: `pixels` unless
/// `partial`. Values are written `spread` pixels apart.
MUX_INLINE void CELL(store_sums)(const CELL_TYPE(sink) *sink, const CELL_TYPE(sum) *sum, int pixels,
                                 bool partial, ptrdiff_t stored, const float *scale,
                                 const float *bias, int spread) {
  (void)scale, (void)bias;
#if MUX_CELL == 4
  vf unit = v_load(scale), shift = v_load(bias);
#define MUX_RESULT(i) v_fma(__builtin_convertvector(sum[i], vf), unit, shift)
#else
#define MUX_RESULT(i) sum[i]
#endif
  if (sink->mode == CELL(to_floats)) {
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) v_store(sink->floats + i * MUX_LANES, MUX_RESULT(i));
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
#define MUX_ENCODED(y) MUX_NAME(to_integer)(y)
#else
#define MUX_ENCODED(y) CELL(encode)(y, sink->quantization)
#endif
  if (sink->before) {
    MUX_UNROLL
    for (int i = 0; i < pixels; ++i) {
      if (!partial || i < stored) {
        const vf y = MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, MUX_RESULT(i)));
        const vi before = MUX_NAME(load_cells)(sink->before + i * MUX_LANES);
        MUX_NAME(store_cells)(sink->cells + i * MUX_LANES, CELL(push)(before, MUX_ENCODED(y)));
      }
    }
    return;
  }
  vf total = {0};
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    if (!partial || i < stored) {
      const vf y = MUX_NAME(i_min)(high, MUX_NAME(i_max)(low, MUX_RESULT(i)));
      total += y;
      CELL(write)(sink->values + i * spread * (MUX_LANES * 4 / MUX_CELL), MUX_ENCODED(y));
    }
  }
#if MUX_CELL == 4
  // The values were in steps of the quantisation.
  total = (total - (float)(partial ? stored : pixels) * zero) / inverse;
#endif
  if (sink->sums) v_store(sink->sums, v_load(sink->sums) + total);
#undef MUX_RESULT
#undef MUX_ENCODED
}

#include "mux_cell_tiles_body.h"
#include "mux_cell_lines_body.h"
#include "mux_cell_gather_body.h"
#include "mux_cell_rings_body.h"
#include "mux_cell_producer_body.h"
#include "mux_cell_spatial_body.h"
#include "mux_cell_steps_body.h"

#undef MUX_MOST_CELLS
#undef MUX_MOST_PAIRED_CELLS
#undef MUX_CELL_WIDTH
#undef MUX_LIFT_LINE
#undef MUX_HOW_one
#undef MUX_HOW_block
#undef MUX_HOW_bytes
#undef MUX_HOW_second
#undef MUX_HOW_group
#undef MUX_LIFTS
#undef MUX_ZIPS
#undef MUX_BEGIN
#undef MUX_FIRST_SUM
#undef MUX_TILE_RESULT
#undef MUX_CELL_TILE
#undef MUX_CELL_SIZES
#undef MUX_CELL_NAMES
#undef MUX_CELL_LINE
#undef MUX_CELL_LINE_TILE
#undef CELL_TYPE
#undef CELL
