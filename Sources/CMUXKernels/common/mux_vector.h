// SPDX-License-Identifier: Apache-2.0
// Vector helpers of one instruction set; included by mux_each_isa.h, without include guard. The
// short names are macros that expand to the variant's functions.

#ifndef MUX_VECTOR_NAMES
#define MUX_VECTOR_NAMES
#define vf MUX_NAME(vf)
#define vi MUX_NAME(vi)
#define vfu MUX_NAME(vfu)
#define v_load MUX_NAME(v_load)
#define v_store MUX_NAME(v_store)
#define v_load_first MUX_NAME(v_load_first)
#define v_store_first MUX_NAME(v_store_first)
#define v_splat MUX_NAME(v_splat)
#define v_fma MUX_NAME(v_fma)
#define v_min MUX_NAME(v_min)
#define v_max MUX_NAME(v_max)
#define v_select MUX_NAME(v_select)
#define v_exp MUX_NAME(v_exp)
#define v_inverse MUX_NAME(v_inverse)
#define v_sigmoid MUX_NAME(v_sigmoid)
#define v_activate MUX_NAME(v_activate)
#define v_derivative MUX_NAME(v_derivative)
#define v_activate_both MUX_NAME(v_activate_both)
#define v_add_double MUX_NAME(v_add_double)
#endif

typedef float vf __attribute__((vector_size(MUX_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(MUX_LANES * 4)));
typedef float vfu __attribute__((vector_size(MUX_LANES * 4), aligned(4)));

/// Any address.
MUX_INLINE vf v_load(const float *p) { return *(const vfu *)p; }
MUX_INLINE void v_store(float *p, vf x) { *(vfu *)p = x; }

MUX_INLINE vf v_splat(float x) { return (vf){0} + x; }

#if defined(MUX_IS_NEON)
/// The first n < 4 floats of a register, zeros in the rest; touches no others.
MUX_INLINE float32x4_t MUX_NAME(v_load_few)(const float *p, int n) {
  float32x4_t x = vdupq_n_f32(0);
  if (n >= 2) {
    x = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    if (n == 3) x = vld1q_lane_f32(p + 2, x, 2);
  } else if (n == 1) {
    x = vld1q_lane_f32(p, x, 0);
  }
  return x;
}

MUX_INLINE void MUX_NAME(v_store_few)(float *p, float32x4_t x, int n) {
  if (n >= 2) {
    vst1_f32(p, vget_low_f32(x));
    if (n == 3) vst1q_lane_f32(p + 2, x, 2);
  } else if (n == 1) {
    vst1q_lane_f32(p, x, 0);
  }
}
#endif

/// The first n of MUX_LANES floats (0 < n <= MUX_LANES), zeros in the rest; touches no others.
MUX_INLINE vf v_load_first(const float *p, int n) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(MUX_IS_AVX2)
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return (vf)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
#elif defined(MUX_IS_NEON)
  if (n == MUX_LANES) return v_load(p);
  const float32x4_t low = n >= 4 ? vld1q_f32(p) : MUX_NAME(v_load_few)(p, n);
  const float32x4_t high = n > 4 ? MUX_NAME(v_load_few)(p + 4, n - 4) : vdupq_n_f32(0);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  vf x = {0};
  for (int i = 0; i < n; ++i) x[i] = p[i];
  return x;
#endif
}

MUX_INLINE void v_store_first(float *p, vf x, int n) {
#if defined(MUX_IS_AVX512)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#elif defined(MUX_IS_AVX2)
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane), (__m256)x);
#elif defined(MUX_IS_NEON)
  const float32x4_t low = __builtin_shufflevector(x, x, 0, 1, 2, 3);
  const float32x4_t high = __builtin_shufflevector(x, x, 4, 5, 6, 7);
  if (n >= 4) {
    vst1q_f32(p, low);
    if (n == MUX_LANES) {
      vst1q_f32(p + 4, high);
    } else {
      MUX_NAME(v_store_few)(p + 4, high, n - 4);
    }
  } else {
    MUX_NAME(v_store_few)(p, low, n);
  }
#else
  for (int i = 0; i < n; ++i) p[i] = x[i];
#endif
}

/// a · b + c, fused where the instruction set has it.
MUX_INLINE vf v_fma(vf a, vf b, vf c) {
#if defined(MUX_IS_AVX512) || defined(MUX_IS_AVX2) || defined(__ARM_FEATURE_FMA)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// NaN in x comes through: a diverging run must not look healthy.
MUX_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
MUX_INLINE vf v_min(vf x, vf limit) { return v_select(x > limit, limit, x); }
MUX_INLINE vf v_max(vf x, vf limit) { return v_select(x < limit, limit, x); }

/// e^x, within 2 units in the last place for |x| <= 87, clamped beyond (so neither it nor its
/// inverse is ever 0 or infinite). x = n·ln 2 + r with |r| <= ln(2)/2; e^r by a polynomial with
/// the least relative error (2e-9); the exponent gets n added.
MUX_INLINE vf v_exp(vf x) {
  x = v_max(v_min(x, v_splat(87.0f)), v_splat(-87.0f));
  const vf magic = v_splat(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  vf shifted = v_fma(x, v_splat(1.44269504f), magic);
  vf n = shifted - magic;
#if defined(MUX_IS_GENERIC) && !defined(__ARM_FEATURE_FMA)
  // Without fused multiply-add the product must be exact: ln 2 in two parts.
  vf r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
#else
  vf r = v_fma(n, v_splat(-0.693147181f), x);
#endif
  vf p = v_splat(0.00138368353f);
  p = v_fma(p, r, v_splat(0.00837482419f));
  p = v_fma(p, r, v_splat(0.0416682251f));
  p = v_fma(p, r, v_splat(0.166664198f));
  p = v_fma(p, r, v_splat(0.499999911f));
  p = v_fma(p, r, v_splat(1.0f));
  p = v_fma(p, r, v_splat(1.0f));
  return (vf)((vi)p + ((vi)shifted << 23));
}

/// 1 / x within 2 units in the last place, for normal x whose inverse is normal. The processor's
/// division would take as long as the rest of a sigmoid.
MUX_INLINE vf v_inverse(vf x) {
#if defined(MUX_IS_AVX512)
  vf y = (vf)_mm512_rcp14_ps((__m512)x);
#elif defined(MUX_IS_AVX2)
  vf y = (vf)_mm256_rcp_ps((__m256)x);
#else
  return 1.0f / x;
#endif
#if defined(MUX_IS_AVX512) || defined(MUX_IS_AVX2)
  // Newton's step doubles the 14 or 12 valid bits.
  return v_fma(v_fma(-x, y, v_splat(1)), y, y);
#endif
}

MUX_INLINE vf v_sigmoid(vf x) { return v_inverse(1.0f + v_exp(-x)); }

/// Value; `activation` should be a constant where this is inlined.
MUX_INLINE vf v_activate(mux_activation activation, vf x) {
  const vf zero = {0};
  switch (activation.kind) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return v_max(x, zero);
  case MUX_RELU6: return v_min(v_max(x, zero), v_splat(6));
  case MUX_SWISH: return x * v_sigmoid(x);
  case MUX_HARD_SWISH: return x * v_min(v_max(x + 3.0f, zero), v_splat(6)) * (1.0f / 6);
  case MUX_SIGMOID: return v_sigmoid(x);
  case MUX_HARD_SIGMOID: {
    const float a = activation.alpha;
    return v_min(v_max(x + activation.beta / a, zero), v_splat(1 / a)) * a;
  }
  }
  return x;
}

/// Value and derivative together: they share the exponential.
MUX_INLINE vf v_activate_both(mux_activation activation, vf x, vf *derivative) {
  const vf zero = {0}, one = v_splat(1);
  switch (activation.kind) {
  case MUX_IDENTITY: *derivative = one; return x;
  case MUX_RELU: *derivative = v_select(x > zero, one, zero); return v_max(x, zero);
  case MUX_RELU6:
    *derivative = v_select((x > zero) & (x < 6.0f), one, zero);
    return v_min(v_max(x, zero), v_splat(6));
  case MUX_SWISH: {
    vf s = v_sigmoid(x), value = x * s;
    *derivative = v_fma(value, one - s, s);
    return value;
  }
  case MUX_HARD_SWISH: {
    vf s = v_min(v_max(x + 3.0f, zero), v_splat(6)) * (1.0f / 6);
    vf inside = v_fma(x, v_splat(1.0f / 3), v_splat(0.5f));
    *derivative = v_select(x <= -3.0f, zero, v_select(x >= 3.0f, one, inside));
    return x * s;
  }
  case MUX_SIGMOID: {
    vf s = v_sigmoid(x);
    *derivative = s * (one - s);
    return s;
  }
  case MUX_HARD_SIGMOID: {
    const float a = activation.alpha, low = activation.beta / a;
    *derivative = v_select((x > -low) & (x < 1 / a - low), v_splat(a), zero);
    return v_min(v_max(x + low, zero), v_splat(1 / a)) * a;
  }
  }
  *derivative = one;
  return x;
}

MUX_INLINE vf v_derivative(mux_activation activation, vf x) {
  vf derivative;
  (void)v_activate_both(activation, x, &derivative);
  return derivative;
}

/// p[i] += x[i] for the first n lanes.
MUX_INLINE void v_add_double(double *p, vf x, int n) {
  typedef double vd __attribute__((vector_size(MUX_LANES * 8), aligned(8)));
  if (n == MUX_LANES) {
    typedef double vda __attribute__((vector_size(MUX_LANES * 8)));
    *(vd *)p += __builtin_convertvector(x, vda);
  } else {
    for (int i = 0; i < n; ++i) p[i] += (double)x[i];
  }
}
