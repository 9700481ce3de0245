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

/// 1 / (1 + e^−x) within 4e-7 relative. 2^f on [−½, ½] by a polynomial of degree 5 (minimax of
/// the relative error, 7.5e-8).
MUX_INLINE vf MUX_NAME(i_sigmoid)(vf x) {
#define SPLAT MUX_NAME(i_splat)
  vf t = MUX_NAME(i_min)(125.0f, x * SPLAT(-1.44269504f));
#if defined(MUX_IS_AVX512)
  vf n = (vf)_mm512_roundscale_ps((__m512)t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  t = MUX_NAME(i_max)(-125.0f, t);
  const vf magic = SPLAT(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  vf shifted = t + magic;
  vf n = shifted - magic;
#endif
  vf f = t - n;
  vf p = SPLAT(1.3276470686e-3f);
  p = v_fma(p, f, SPLAT(9.6755413240e-3f));
  p = v_fma(p, f, SPLAT(5.5507132775e-2f));
  p = v_fma(p, f, SPLAT(2.4022119724e-1f));
  p = v_fma(p, f, SPLAT(6.9314696706e-1f));
  p = v_fma(p, f, SPLAT(1.0000000717f));
#if defined(MUX_IS_AVX512)
  vf d = (vf)_mm512_scalef_ps((__m512)p, (__m512)n) + SPLAT(1.0f);
  vf r = (vf)_mm512_rcp14_ps((__m512)d);
  return r * v_fma(-d, r, SPLAT(2.0f));
#else
  vf d = (vf)((vi)p + ((vi)shifted << 23)) + SPLAT(1.0f);
  return SPLAT(1.0f) / d;
#endif
#undef SPLAT
}

MUX_INLINE vf MUX_NAME(i_activate)(mux_activation activation, vf x) {
  switch (activation) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return MUX_NAME(i_max)(0, x);
  case MUX_RELU6: return MUX_NAME(i_min)(6, MUX_NAME(i_max)(0, x));
  case MUX_SWISH: return x * MUX_NAME(i_sigmoid)(x);
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
