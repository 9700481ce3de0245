// SPDX-License-Identifier: Apache-2.0
// Vector helpers of the kernels with less than single precision.

typedef uint32_t MUX_NAME(vu) __attribute__((vector_size(MUX_LANES * 4)));
typedef int32_t MUX_NAME(viu) __attribute__((vector_size(MUX_LANES * 4), aligned(4)));

MUX_INLINE vi MUX_NAME(load_cells)(const int32_t *p) { return *(const MUX_NAME(viu) *)p; }
MUX_INLINE void MUX_NAME(store_cells)(int32_t *p, vi x) { *(MUX_NAME(viu) *)p = x; }

/// 0…255 to the nearest integer.
MUX_INLINE vi MUX_NAME(to_integer)(vf x) {
#if defined(MUX_IS_AVX512)
  return (vi)_mm512_cvtps_epi32((__m512)x);
#else
  // Adding 2²³ rounds, and leaves the integer in the low bits.
  return (vi)(x + MUX_NAME(i_splat)(8388608.0f)) & 255;
#endif
}

/// Activations with an error far below a step of bfloat16: 2^f on [0, 1) by a polynomial of
/// degree 3 (minimax of the relative error, 7.5e-5), the reciprocal with 14 bits.
MUX_INLINE vf MUX_NAME(c_activate)(mux_activation activation, vf x) {
#if defined(MUX_IS_AVX512)
  if (activation == MUX_SWISH || activation == MUX_SIGMOID) {
    const vf t = x * MUX_NAME(i_splat)(-1.44269504f);
    const vf f = (vf)_mm512_reduce_ps((__m512)t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    vf p = MUX_NAME(i_splat)(7.802450651e-2f);
    p = v_fma(p, f, MUX_NAME(i_splat)(2.260671784e-1f));
    p = v_fma(p, f, MUX_NAME(i_splat)(6.958335326e-1f));
    p = v_fma(p, f, MUX_NAME(i_splat)(9.999252189e-1f));
    // The exponent of scalef is rounded down: p · 2^⌊t⌋.
    const vf d = (vf)_mm512_scalef_ps((__m512)p, (__m512)t) + MUX_NAME(i_splat)(1.0f);
    const vf r = (vf)_mm512_rcp14_ps((__m512)d);
    return activation == MUX_SWISH ? x * r : r;
  }
#endif
  return MUX_NAME(i_activate)(activation, x);
}

/// Widens the range observed[0]…observed[1] to the activated values [pixel][lane].
static void MUX_NAME(observe_values)(
    mux_activation activation, const float *x, ptrdiff_t count, float *observed) {
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

/// Activates values [pixel][lane] in place.
static void MUX_NAME(c_activate_values)(mux_activation activation, float *x, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    v_store(x + i * MUX_LANES,
            activation == MUX_SWISH
                ? MUX_NAME(c_activate)(MUX_SWISH, v_load(x + i * MUX_LANES))
                : MUX_NAME(i_activate)(activation, v_load(x + i * MUX_LANES)));
  }
}
