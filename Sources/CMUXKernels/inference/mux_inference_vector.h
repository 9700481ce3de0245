// SPDX-License-Identifier: Apache-2.0
// More vector helpers of one instruction set: what inference wants faster than training.

#ifndef MUX_UNROLL
#define MUX_UNROLL _Pragma("clang loop unroll(full)")
#endif

/// A splat that folds into a broadcast operand (x − 0 is x even for −0).
MUX_INLINE vf MUX_NAME(i_splat)(float x) { return x - (vf){0}; }

/// max(low, x) and min(high, x) in one instruction each; NaN in x comes through.
MUX_INLINE vf MUX_NAME(i_max)(float low, vf x) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_max_ps((__m512)MUX_NAME(i_splat)(low), (__m512)x);
#elif defined(MUX_IS_AVX2)
  return (vf)_mm256_max_ps((__m256)MUX_NAME(i_splat)(low), (__m256)x);
#else
  return v_max(x, v_splat(low));
#endif
}

MUX_INLINE vf MUX_NAME(i_min)(float high, vf x) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_min_ps((__m512)MUX_NAME(i_splat)(high), (__m512)x);
#elif defined(MUX_IS_AVX2)
  return (vf)_mm256_min_ps((__m256)MUX_NAME(i_splat)(high), (__m256)x);
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
  const vi table = {
      0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532,
      0x3f75fed7, 0x3f75583f, 0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c,
      0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};
  const vf magic = SPLAT(786432.0f), slope = SPLAT(-1.44269504f);
  const vf shifted = v_fma(x, slope, magic);
  const vf f = v_fma(x, slope, magic - shifted);
  vf p = v_fma(SPLAT(2.4021946e-1f), f, SPLAT(6.9318784e-1f));
  p = v_fma(p, f, SPLAT(1.0f));
  const vi power = (vi)_mm512_permutexvar_epi32((__m512i)shifted, (__m512i)table) +
                   ((vi)shifted << 19);
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

MUX_INLINE vf MUX_NAME(i_sigmoid)(vf x) {
  return MUX_NAME(i_splat)(1.0f) / MUX_NAME(i_one_plus_exp)(MUX_NAME(i_bounded)(x));
}

MUX_INLINE vf MUX_NAME(i_activate)(mux_activation activation, vf x) {
  switch (activation) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return MUX_NAME(i_max)(0, x);
  case MUX_RELU6: return MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x));
  case MUX_SWISH: return MUX_NAME(i_swish)(x);
  case MUX_HARD_SWISH:
    return x * (MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x + 3.0f)) * (1.0f / 6));
  case MUX_SIGMOID: return MUX_NAME(i_sigmoid)(x);
  case MUX_HARD_SIGMOID: return MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x + 3.0f)) * (1.0f / 6);
  }
  return x;
}

/// Activates `count` vectors, `pitch` floats apart, in place; adds them to `sum` if not NULL.
MUX_INLINE void MUX_NAME(activate_sum)(
    mux_activation activation, float *x, ptrdiff_t pitch, ptrdiff_t count, float *sum) {
  vf total = {0};
  for (ptrdiff_t i = 0; i < count; ++i) {
    vf y = MUX_NAME(i_activate)(activation, v_load(x + i * pitch));
    total += y;
    v_store(x + i * pitch, y);
  }
  if (sum) v_store(sum, v_load(sum) + total);
}

static __attribute__((unused)) void MUX_NAME(activate_line)(
    mux_activation activation, float *x, ptrdiff_t pitch, ptrdiff_t count, float *sum) {
  switch (activation) {
  case MUX_IDENTITY:
    if (sum) MUX_NAME(activate_sum)(MUX_IDENTITY, x, pitch, count, sum);
    break;
  case MUX_RELU: MUX_NAME(activate_sum)(MUX_RELU, x, pitch, count, sum); break;
  case MUX_RELU6: MUX_NAME(activate_sum)(MUX_RELU6, x, pitch, count, sum); break;
  case MUX_SWISH: MUX_NAME(activate_sum)(MUX_SWISH, x, pitch, count, sum); break;
  case MUX_HARD_SWISH: MUX_NAME(activate_sum)(MUX_HARD_SWISH, x, pitch, count, sum); break;
  case MUX_SIGMOID: MUX_NAME(activate_sum)(MUX_SIGMOID, x, pitch, count, sum); break;
  case MUX_HARD_SIGMOID: MUX_NAME(activate_sum)(MUX_HARD_SIGMOID, x, pitch, count, sum); break;
  }
}

/// Rows become columns: lane j of x[i] is exchanged with lane i of x[j].
MUX_INLINE void MUX_NAME(transpose)(vf *x) {
#if MUX_LANES == 16
#define MUX_STAGE(D, l)                                                                        \
  ((l) & (D)) ? 16 + (l) - (D) : (l)
#define MUX_STAGE_HIGH(D, l) ((l) & (D)) ? 16 + (l) : (l) + (D)
#define MUX_ALL(M, D)                                                                          \
  M(D, 0), M(D, 1), M(D, 2), M(D, 3), M(D, 4), M(D, 5), M(D, 6), M(D, 7), M(D, 8), M(D, 9),    \
      M(D, 10), M(D, 11), M(D, 12), M(D, 13), M(D, 14), M(D, 15)
#else
#define MUX_STAGE(D, l) ((l) & (D)) ? 8 + (l) - (D) : (l)
#define MUX_STAGE_HIGH(D, l) ((l) & (D)) ? 8 + (l) : (l) + (D)
#define MUX_ALL(M, D)                                                                          \
  M(D, 0), M(D, 1), M(D, 2), M(D, 3), M(D, 4), M(D, 5), M(D, 6), M(D, 7)
#endif
#define MUX_EXCHANGE(D)                                                                        \
  MUX_UNROLL                                                                                   \
  for (int i = 0; i < MUX_LANES; ++i) {                                                        \
    if ((i & D) == 0) {                                                                        \
      vf a = x[i], b = x[i + D];                                                               \
      x[i] = __builtin_shufflevector(a, b, MUX_ALL(MUX_STAGE, D));                             \
      x[i + D] = __builtin_shufflevector(a, b, MUX_ALL(MUX_STAGE_HIGH, D));                    \
    }                                                                                          \
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
