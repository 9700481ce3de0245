// SPDX-License-Identifier: Apache-2.0
// More vector helpers of one instruction set: what inference wants faster than training.

#ifndef MUX_UNROLL
#define MUX_UNROLL _Pragma("clang loop unroll(full)")
#endif

#if defined(MUX_IS_NEON)
/// The registers that a vector lies in, and a vector of two.
#define MUX_LOW(x) __builtin_shufflevector(x, x, 0, 1, 2, 3)
#define MUX_HIGH(x) __builtin_shufflevector(x, x, 4, 5, 6, 7)
#define MUX_JOIN(low, high) __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7)
#endif

/// A splat that folds into a broadcast operand (x − 0 is x even for −0).
MUX_INLINE vf MUX_NAME(i_splat)(float x) { return x - (vf){0}; }

/// max(low, x) and min(high, x) in one instruction each; NaN in x comes through.
MUX_INLINE vf MUX_NAME(i_max)(float low, vf x) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_max_ps((__m512)MUX_NAME(i_splat)(low), (__m512)x);
#elif defined(MUX_IS_AVX2)
  return (vf)_mm256_max_ps((__m256)MUX_NAME(i_splat)(low), (__m256)x);
#elif defined(MUX_IS_NEON)
  const float32x4_t bound = vdupq_n_f32(low);
  return MUX_JOIN(vmaxq_f32(MUX_LOW(x), bound), vmaxq_f32(MUX_HIGH(x), bound));
#else
  return v_max(x, v_splat(low));
#endif
}

MUX_INLINE vf MUX_NAME(i_min)(float high, vf x) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_min_ps((__m512)MUX_NAME(i_splat)(high), (__m512)x);
#elif defined(MUX_IS_AVX2)
  return (vf)_mm256_min_ps((__m256)MUX_NAME(i_splat)(high), (__m256)x);
#elif defined(MUX_IS_NEON)
  const float32x4_t bound = vdupq_n_f32(high);
  return MUX_JOIN(vminq_f32(MUX_LOW(x), bound), vminq_f32(MUX_HIGH(x), bound));
#else
  return v_min(x, v_splat(high));
#endif
}

/// x between −86 and 86, where neither e^x nor e^−x overflows.
MUX_INLINE vf MUX_NAME(i_bounded)(vf x) {
  return MUX_NAME(i_min)(86.0f, MUX_NAME(i_max)(-86.0f, x));
}

/// 1 + e^−x for |x| ≤ 86, within 5e-7 relative but for the rounding of x · log₂ e.
#if defined(MUX_IS_AVX512)
/// 2^t is 2^⌊t⌋ · 2^(j / 16) · 2^f with f in [−1/32, 1/32]: j takes 2^(j / 16) from a table in a
/// register, 2^f is a polynomial of degree 2 (minimax of the relative error, 4.2e-7). j lies in the
/// low bits of t + 1.5 · 2¹⁹; ⌊t⌋ is added to the exponent together with it, so that the table has
/// (j << 19) taken off.
MUX_INLINE vf MUX_NAME(i_one_plus_exp)(vf x) {
#define SPLAT MUX_NAME(i_splat)
  const vi table = {0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532,
                    0x3f75fed7, 0x3f75583f, 0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c,
                    0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};
  const vf magic = SPLAT(786432.0f), slope = SPLAT(-1.44269504f);
  const vf shifted = v_fma(x, slope, magic);
  const vf f = v_fma(x, slope, magic - shifted);
  vf p = v_fma(SPLAT(2.4021946e-1f), f, SPLAT(6.9318784e-1f));
  p = v_fma(p, f, SPLAT(1.0f));
  const vi power =
      (vi)_mm512_permutexvar_epi32((__m512i)shifted, (__m512i)table) + ((vi)shifted << 19);
  return v_fma(p, (vf)power, SPLAT(1.0f));
#undef SPLAT
}
#else
/// 2^f on [−½, ½] by a polynomial of degree 5 (minimax of the relative error, 7.5e-8).
MUX_INLINE vf MUX_NAME(i_one_plus_exp)(vf x) {
#define SPLAT MUX_NAME(i_splat)
  const vf t = x * SPLAT(-1.44269504f);
  const vf magic = SPLAT(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  vf shifted = t + magic;
  vf f = t - (shifted - magic);
  vf p = SPLAT(1.3276470686e-3f);
  p = v_fma(p, f, SPLAT(9.6755413240e-3f));
  p = v_fma(p, f, SPLAT(5.5507132775e-2f));
  p = v_fma(p, f, SPLAT(2.4022119724e-1f));
  p = v_fma(p, f, SPLAT(6.9314696706e-1f));
  p = v_fma(p, f, SPLAT(1.0000000717f));
  return (vf)((vi)p + ((vi)shifted << 23)) + SPLAT(1.0f);
#undef SPLAT
}
#endif

#if defined(MUX_HAS_CELL_INSTRUCTIONS) && defined(MUX_IS_AVX512)
/// x / (1 + e^−x) within 4.8e-4 · |x|, which is a quarter of a unit in the last place of bfloat16: of
/// steps that write cells, a tenth of the time is swish. x · σ(x) is x / 2 + |x| · (σ(|x|) − ½), and
/// σ − ½ a line on each of 32 intervals of length 9/32 around their multiples (minimax of the absolute
/// error; ½ from 8.58 on), whose two numbers come from tables in registers.
MUX_INLINE vf MUX_NAME(i_swish)(vf x) {
#define SPLAT MUX_NAME(i_splat)
  const vf values[2] = {
      {1.1119881e-05f, 8.5151452e-04f, 6.8218862e-03f, 2.1555636e-02f, 4.6379741e-02f,
       8.0355421e-02f, 1.2098985e-01f, 1.6516584e-01f, 2.0991690e-01f, 2.5288385e-01f,
       2.9246855e-01f, 3.2778421e-01f, 3.5850796e-01f, 3.8471133e-01f, 4.0670970e-01f,
       4.2494637e-01f},
      {4.3991166e-01f, 4.5209128e-01f, 4.6193674e-01f, 4.6985078e-01f, 4.7618240e-01f,
       4.8122793e-01f, 4.8523495e-01f, 4.8840788e-01f, 4.9091393e-01f, 4.9288881e-01f,
       4.9444199e-01f, 4.9566132e-01f, 4.9661705e-01f, 4.9736503e-01f, 4.9794966e-01f, 0.5f}};
  const vf slopes[2] = {
      {2.4958882e-01f, 2.4474098e-01f, 2.3092772e-01f, 2.1011622e-01f, 1.8495093e-01f,
       1.5811209e-01f, 1.3182679e-01f, 1.0763676e-01f, 8.6394913e-02f, 6.8397865e-02f,
       5.3562552e-02f, 4.1587904e-02f, 3.2076519e-02f, 2.4613881e-02f, 1.8813208e-02f,
       1.4336325e-02f},
      {1.0899735e-02f, 8.2724830e-03f, 6.2701851e-03f, 4.7477572e-03f, 3.5922478e-03f,
       2.7164021e-03f, 2.0532070e-03f, 1.5514169e-03f, 1.1719695e-03f, 8.8516151e-04f,
       6.6844723e-04f, 5.0473702e-04f, 3.8109047e-04f, 2.8771634e-04f, 2.1721053e-04f, 0}};
  // In one instruction: the smaller of |x| and 8.85. (NaN comes through in the sum.)
  const vf size = (vf)_mm512_range_ps((__m512)x, (__m512)SPLAT(8.85f), 10);
  // Adding 1.5 · 2²³ rounds to an integer, which then lies in the low bits.
  const __m512i index = (__m512i)v_fma(size, SPLAT(32.0f / 9), SPLAT(12582912.0f));
  const vf value = (vf)_mm512_permutex2var_ps((__m512)values[0], index, (__m512)values[1]);
  const vf slope = (vf)_mm512_permutex2var_ps((__m512)slopes[0], index, (__m512)slopes[1]);
  return v_fma((vf)_mm512_abs_ps((__m512)x), v_fma(size, slope, value), x * SPLAT(0.5f));
#undef SPLAT
}
#else
/// x / (1 + e^−x). A division takes no longer than a reciprocal with a step of Newton's.
MUX_INLINE vf MUX_NAME(i_swish)(vf x) {
#if defined(MUX_IS_AVX512)
  // In one instruction: the smaller of |x| and 86 with the sign of x. (NaN comes through in the
  // numerator.)
  const vf bounded = (vf)_mm512_range_ps((__m512)x, (__m512)MUX_NAME(i_splat)(86.0f), 2);
#else
  const vf bounded = MUX_NAME(i_bounded)(x);
#endif
  return x / MUX_NAME(i_one_plus_exp)(bounded);
}
#endif

MUX_INLINE vf MUX_NAME(i_sigmoid)(vf x) {
  return MUX_NAME(i_splat)(1.0f) / MUX_NAME(i_one_plus_exp)(MUX_NAME(i_bounded)(x));
}

MUX_INLINE vf MUX_NAME(i_activate)(mux_activation activation, vf x) {
  switch (activation.kind) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return MUX_NAME(i_max)(0, x);
  case MUX_RELU6: return MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x));
  case MUX_SWISH: return MUX_NAME(i_swish)(x);
  case MUX_HARD_SWISH: return x * (MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x + 3.0f)) * (1.0f / 6));
  case MUX_SIGMOID: return MUX_NAME(i_sigmoid)(x);
  case MUX_HARD_SIGMOID: {
    const float a = activation.alpha;
    return MUX_NAME(i_min)(1 / a, MUX_NAME(i_max)(0, x + activation.beta / a)) * a;
  }
  }
  return x;
}

/// Activates `count` vectors, `pitch` floats apart, in place; adds them to `sum` if not NULL.
MUX_INLINE void MUX_NAME(activate_sum)(mux_activation activation, float *x, ptrdiff_t pitch,
                                       ptrdiff_t count, float *sum) {
  vf total = {0};
  for (ptrdiff_t i = 0; i < count; ++i) {
    vf y = MUX_NAME(i_activate)(activation, v_load(x + i * pitch));
    total += y;
    v_store(x + i * pitch, y);
  }
  if (sum) v_store(sum, v_load(sum) + total);
}

static __attribute__((unused)) void MUX_NAME(activate_line)(mux_activation activation, float *x,
                                                            ptrdiff_t pitch, ptrdiff_t count,
                                                            float *sum) {
  if (activation.kind == MUX_IDENTITY && !sum) return;
#define MUX_DO(A) MUX_NAME(activate_sum)(A, x, pitch, count, sum)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// Rows become columns: lane j of x[i] is exchanged with lane i of x[j].
MUX_INLINE void MUX_NAME(transpose)(vf *x) {
#if MUX_LANES == 16
#define MUX_STAGE(D, l) ((l) & (D)) ? 16 + (l) - (D) : (l)
#define MUX_STAGE_HIGH(D, l) ((l) & (D)) ? 16 + (l) : (l) + (D)
#define MUX_ALL(M, D)                                                                       \
  M(D, 0), M(D, 1), M(D, 2), M(D, 3), M(D, 4), M(D, 5), M(D, 6), M(D, 7), M(D, 8), M(D, 9), \
      M(D, 10), M(D, 11), M(D, 12), M(D, 13), M(D, 14), M(D, 15)
#else
#define MUX_STAGE(D, l) ((l) & (D)) ? 8 + (l) - (D) : (l)
#define MUX_STAGE_HIGH(D, l) ((l) & (D)) ? 8 + (l) : (l) + (D)
#define MUX_ALL(M, D) M(D, 0), M(D, 1), M(D, 2), M(D, 3), M(D, 4), M(D, 5), M(D, 6), M(D, 7)
#endif
#define MUX_EXCHANGE(D)                                                     \
  MUX_UNROLL                                                                \
  for (int i = 0; i < MUX_LANES; ++i) {                                     \
    if ((i & D) == 0) {                                                     \
      vf a = x[i], b = x[i + D];                                            \
      x[i] = __builtin_shufflevector(a, b, MUX_ALL(MUX_STAGE, D));          \
      x[i + D] = __builtin_shufflevector(a, b, MUX_ALL(MUX_STAGE_HIGH, D)); \
    }                                                                       \
  }
  MUX_EXCHANGE(1)
  MUX_EXCHANGE(2)
  MUX_EXCHANGE(4)
#if MUX_LANES == 16
  MUX_EXCHANGE(8)
#endif
#undef MUX_EXCHANGE
#undef MUX_ALL
#undef MUX_STAGE
#undef MUX_STAGE_HIGH
}
