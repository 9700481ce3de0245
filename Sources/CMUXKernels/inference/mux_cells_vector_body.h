// SPDX-License-Identifier: Apache-2.0
// Vector helpers of the kernels in reduced precision.

typedef uint32_t MUX_TYPE(vu) __attribute__((vector_size(MUX_LANES * 4)));
typedef int32_t MUX_TYPE(viu) __attribute__((vector_size(MUX_LANES * 4), aligned(4)));

MUX_INLINE vi MUX_NAME(load_cells)(const int32_t *p) { return *(const MUX_TYPE(viu) *)p; }
MUX_INLINE void MUX_NAME(store_cells)(int32_t *p, vi x) { *(MUX_TYPE(viu) *)p = x; }

/// 0…255 to the nearest integer, as cells have it (MUX_BYTE_FLIP).
MUX_INLINE vi MUX_NAME(to_integer)(vf x) {
#if defined(MUX_IS_AVX512)
  return (vi)_mm512_cvtps_epi32((__m512)x);
#else
  // Adding 2²³ rounds, and leaves the integer in the low bits; 128 more turns the highest of the 8.
  return (vi)(x + MUX_NAME(i_splat)(8388608.0f + MUX_BYTE_FLIP)) & 255;
#endif
}

#if defined(MUX_IS_NEON)
/// Four cells, two or one at any address, in the first lanes of a register. The compiler must not know where
/// they come from: it would load each of them into all lanes, at an address of its own.
MUX_INLINE int32x4_t MUX_NAME(four_cells)(const char *from) {
  int32x4_t cells = vreinterpretq_s32_u8(vld1q_u8((const uint8_t *)from));
  __asm__("" : "+w"(cells));
  return cells;
}
MUX_INLINE int32x4_t MUX_NAME(two_cells)(const char *from) {
  double bits;
  memcpy(&bits, from, sizeof bits);
  float64x2_t cells = {bits, 0};
  __asm__("" : "+w"(cells));
  return vreinterpretq_s32_f64(cells);
}
MUX_INLINE int32x4_t MUX_NAME(one_cell)(const char *from) {
  float bits;
  memcpy(&bits, from, sizeof bits);
  float32x4_t cells = {bits, 0, 0, 0};
  __asm__("" : "+w"(cells));
  return vreinterpretq_s32_f32(cells);
}
#endif

/// Exchanges the lower half of the lanes with the upper half; the lower half of `a` with the upper
/// half of `b`.
#if MUX_LANES == 16
MUX_INLINE vi MUX_NAME(swap_halves)(vi x) {
  return __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}
MUX_INLINE vi MUX_NAME(join_halves)(vi a, vi b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31);
}
#else
MUX_INLINE vi MUX_NAME(swap_halves)(vi x) {
  return __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
}
MUX_INLINE vi MUX_NAME(join_halves)(vi a, vi b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 12, 13, 14, 15);
}
#endif

/// Stores a vector in bfloat16, and loads it.
MUX_INLINE void MUX_NAME(keep)(char *to, vf x) {
#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512)
  _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)x));
#else
  typedef uint16_t half __attribute__((vector_size(MUX_LANES * 2), aligned(2)));
  *(half *)to = __builtin_convertvector(((MUX_TYPE(vu))x + 0x8000) >> 16, half);
#endif
}

MUX_INLINE vf MUX_NAME(load_kept)(const char *p) {
  typedef uint16_t half __attribute__((vector_size(MUX_LANES * 2), aligned(2)));
  return (vf)(__builtin_convertvector(*(const half *)p, MUX_TYPE(vu)) << 16);
}

/// Widens the range observed[0]…observed[1] to the activated values [pixel][lane].
static void MUX_NAME(observe_values)(mux_activation activation, const float *x, ptrdiff_t count,
                                     float *observed) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    float y[MUX_LANES];
    v_store(y, MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES)));
    for (int l = 0; l < MUX_LANES; ++l) {
      if (y[l] < observed[0]) observed[0] = y[l];
      if (y[l] > observed[1]) observed[1] = y[l];
    }
  }
}

/// The same for plain values.
static void MUX_NAME(observe_floats)(const float *x, ptrdiff_t count, float *observed) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    if (x[i] < observed[0]) observed[0] = x[i];
    if (x[i] > observed[1]) observed[1] = x[i];
  }
}
