// SPDX-License-Identifier: Apache-2.0
// The inner kernels: one line of one tile of channels, for one instruction set. They see rows of
// [pixel][lane]; the caller has put zeros around them and points each row at the first output's
// first tap.

/// x with lane c holding lane c xor j. Groups of 2, 4 and 8 channels are aligned to lanes, so
/// this brings each channel its partners; j must be a constant after inlining.
MUX_INLINE vf MUX_NAME(partner)(vf x, int j) {
#if MUX_LANES == 16
#define MUX_XOR(j)                                                                             \
  __builtin_shufflevector(x, x, 0 ^ j, 1 ^ j, 2 ^ j, 3 ^ j, 4 ^ j, 5 ^ j, 6 ^ j, 7 ^ j, 8 ^ j, \
                          9 ^ j, 10 ^ j, 11 ^ j, 12 ^ j, 13 ^ j, 14 ^ j, 15 ^ j)
#else
#define MUX_XOR(j) \
  __builtin_shufflevector(x, x, 0 ^ j, 1 ^ j, 2 ^ j, 3 ^ j, 4 ^ j, 5 ^ j, 6 ^ j, 7 ^ j)
#endif
  switch (j) {
  case 1: return MUX_XOR(1);
  case 2: return MUX_XOR(2);
  case 3: return MUX_XOR(3);
  case 4: return MUX_XOR(4);
  case 5: return MUX_XOR(5);
  case 6: return MUX_XOR(6);
  case 7: return MUX_XOR(7);
  default: return x;
  }
#undef MUX_XOR
}

#define MUX_UNROLL _Pragma("clang loop unroll(full)")

/// `pixels` outputs: out[i] = Σ over rows, partners and taps of weight · row[i · step + tap].
/// All sizes but the number of rows are constants after inlining.
MUX_INLINE void MUX_NAME(block)(int taps, int partners, int step, int pixels,
                                const float *const *rows, const float *const *weights,
                                int row_count, ptrdiff_t offset, float *out) {
  vf sum[8];
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = (vf){0};
  for (int a = 0; a < row_count; ++a) {
    const float *row = rows[a] + offset;
    MUX_UNROLL
    for (int j = 0; j < partners; ++j) {
      vf weight[16];
      MUX_UNROLL
      for (int t = 0; t < taps; ++t) {
        weight[t] = v_load(weights[a] + (j * taps + t) * MUX_LANES);
      }
      if (step == 1) {
        MUX_UNROLL
        for (int q = 0; q < pixels + taps - 1; ++q) {
          vf x = MUX_NAME(partner)(v_load(row + q * MUX_LANES), j);
          MUX_UNROLL
          for (int t = 0; t < taps; ++t) {
            if (q - t >= 0 && q - t < pixels) sum[q - t] = v_fma(weight[t], x, sum[q - t]);
          }
        }
      } else {
        MUX_UNROLL
        for (int t = 0; t < taps; ++t) {
          MUX_UNROLL
          for (int i = 0; i < pixels; ++i) {
            vf x = MUX_NAME(partner)(v_load(row + (i * step + t) * MUX_LANES), j);
            sum[i] = v_fma(weight[t], x, sum[i]);
          }
        }
      }
    }
  }
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) v_store(out + i * MUX_LANES, sum[i]);
}

/// The same for any number of taps: four outputs at a time, nothing kept between taps.
MUX_INLINE void MUX_NAME(block_any)(int taps, int partners, int step, const float *const *rows,
                                    const float *const *weights, int row_count, ptrdiff_t offset,
                                    float *out) {
  vf sum[4] = {{0}, {0}, {0}, {0}};
  for (int a = 0; a < row_count; ++a) {
    const float *row = rows[a] + offset;
    for (int t = 0; t < taps; ++t) {
      MUX_UNROLL
      for (int j = 0; j < partners; ++j) {
        vf weight = v_load(weights[a] + (j * taps + t) * MUX_LANES);
        MUX_UNROLL
        for (int i = 0; i < 4; ++i) {
          vf x = MUX_NAME(partner)(v_load(row + (i * step + t) * MUX_LANES), j);
          sum[i] = v_fma(weight, x, sum[i]);
        }
      }
    }
  }
  MUX_UNROLL
  for (int i = 0; i < 4; ++i) v_store(out + i * MUX_LANES, sum[i]);
}

typedef void (*MUX_NAME(line_function))(int taps, const float *const *rows,
                                        const float *const *weights, int row_count, float *out,
                                        int count);

/// A line of `count` outputs; up to three more are computed and written.
#define MUX_LINE(TAPS, PARTNERS, STEP)                                                            \
  static void MUX_NAME(line_##TAPS##_##PARTNERS##_##STEP)(int taps, const float *const *rows,     \
                                                          const float *const *weights,            \
                                                          int row_count, float *out, int count) { \
    (void)taps;                                                                                   \
    for (int i = 0; i < count;) {                                                                 \
      int left = count - i;                                                                       \
      ptrdiff_t offset = (ptrdiff_t)i * (STEP * MUX_LANES);                                       \
      float *to = out + (ptrdiff_t)i * MUX_LANES;                                                 \
      if (left % 7 == 0 && left % 8 != 0 ? 0 : left >= 8) {                                       \
        MUX_NAME(block)(TAPS, PARTNERS, STEP, 8, rows, weights, row_count, offset, to);           \
        i += 8;                                                                                   \
      } else if (left >= 5) {                                                                     \
        MUX_NAME(block)(TAPS, PARTNERS, STEP, 7, rows, weights, row_count, offset, to);           \
        i += 7;                                                                                   \
      } else {                                                                                    \
        MUX_NAME(block)(TAPS, PARTNERS, STEP, 4, rows, weights, row_count, offset, to);           \
        i += 4;                                                                                   \
      }                                                                                           \
    }                                                                                             \
  }

#define MUX_LINE_ANY(PARTNERS, STEP)                                                             \
  static void MUX_NAME(line_any_##PARTNERS##_##STEP)(int taps, const float *const *rows,         \
                                                     const float *const *weights, int row_count, \
                                                     float *out, int count) {                    \
    for (int i = 0; i < count; i += 4) {                                                         \
      MUX_NAME(block_any)                                                                        \
      (taps, PARTNERS, STEP, rows, weights, row_count, (ptrdiff_t)i * (STEP * MUX_LANES),        \
       out + (ptrdiff_t)i * MUX_LANES);                                                          \
    }                                                                                            \
  }

/// Weight gradients of one line: gradient[tap] += Σ over i of x[i] · row[i + tap], with the
/// partners of the row's channels. x has zeros after its end. A sweep does two at once, so that
/// the additions do not wait for each other: two partners of one row, or one of two rows.
MUX_INLINE void MUX_NAME(weight_sweep)(int taps, int partner, bool two_partners, bool two_rows,
                                       const float *x, const float *row, const float *row1,
                                       float *gradient, float *gradient1, int count) {
  vf sum0[16], sum1[16];
  MUX_UNROLL
  for (int t = 0; t < taps; ++t) sum0[t] = sum1[t] = (vf){0};
  for (int i = 0; i < count; i += 4) {
    vf value[4];
    MUX_UNROLL
    for (int n = 0; n < 4; ++n) value[n] = v_load(x + n * MUX_LANES);
    MUX_UNROLL
    for (int q = 0; q < taps + 3; ++q) {
      vf loaded = v_load(row + q * MUX_LANES), g0 = MUX_NAME(partner)(loaded, partner), g1 = g0;
      if (two_partners) g1 = MUX_NAME(partner)(loaded, partner + 1);
      if (two_rows) g1 = MUX_NAME(partner)(v_load(row1 + q * MUX_LANES), partner);
      MUX_UNROLL
      for (int t = 0; t < taps; ++t) {
        if (q - t >= 0 && q - t < 4) {
          sum0[t] = v_fma(g0, value[q - t], sum0[t]);
          if (two_partners || two_rows) sum1[t] = v_fma(g1, value[q - t], sum1[t]);
        }
      }
    }
    x += 4 * MUX_LANES;
    row += 4 * MUX_LANES;
    if (two_rows) row1 += 4 * MUX_LANES;
  }
  gradient += partner * taps * MUX_LANES;
  if (two_partners) gradient1 = gradient + taps * MUX_LANES;
  MUX_UNROLL
  for (int t = 0; t < taps; ++t) {
    float *to = gradient + t * MUX_LANES;
    v_store(to, v_load(to) + sum0[t]);
    if (two_partners || two_rows) {
      to = gradient1 + t * MUX_LANES;
      v_store(to, v_load(to) + sum1[t]);
    }
  }
}

typedef void (*MUX_NAME(weight_function))(int taps, const float *x, const float *const *rows,
                                          float *const *gradients, int row_count, int count);

#define MUX_WEIGHT(TAPS, PARTNERS)                                                                \
  static void MUX_NAME(weight_##TAPS##_##PARTNERS)(                                               \
      int taps, const float *x, const float *const *rows, float *const *gradients, int row_count, \
      int count) {                                                                                \
    (void)taps;                                                                                   \
    int a = 0;                                                                                    \
    for (; PARTNERS == 1 && TAPS <= 5 && a + 2 <= row_count; a += 2) {                            \
      MUX_NAME(weight_sweep)                                                                      \
      (TAPS, 0, false, true, x, rows[a], rows[a + 1], gradients[a], gradients[a + 1], count);     \
    }                                                                                             \
    for (; a < row_count; ++a) {                                                                  \
      MUX_UNROLL                                                                                  \
      for (int j = 0; j < PARTNERS; j += 2) {                                                     \
        MUX_NAME(weight_sweep)                                                                    \
        (TAPS, j, PARTNERS > 1, false, x, rows[a], NULL, gradients[a], NULL, count);              \
      }                                                                                           \
    }                                                                                             \
  }

#define MUX_WEIGHT_ANY(PARTNERS)                                                                   \
  static void MUX_NAME(weight_any_##PARTNERS)(int taps, const float *x, const float *const *rows,  \
                                              float *const *gradients, int row_count, int count) { \
    for (int a = 0; a < row_count; ++a) {                                                          \
      for (int t = 0; t < taps; ++t) {                                                             \
        MUX_UNROLL                                                                                 \
        for (int j = 0; j < PARTNERS; ++j) {                                                       \
          vf sum = {0};                                                                            \
          for (int i = 0; i < count; ++i) {                                                        \
            vf g = MUX_NAME(partner)(v_load(rows[a] + (ptrdiff_t)(i + t) * MUX_LANES), j);         \
            sum = v_fma(g, v_load(x + (ptrdiff_t)i * MUX_LANES), sum);                             \
          }                                                                                        \
          float *to = gradients[a] + (j * taps + t) * MUX_LANES;                                   \
          v_store(to, v_load(to) + sum);                                                           \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
  }

// clang-format off
MUX_LINE(1, 1, 1) MUX_LINE(2, 1, 1) MUX_LINE(3, 1, 1) MUX_LINE(4, 1, 1) MUX_LINE(5, 1, 1)
MUX_LINE(6, 1, 1) MUX_LINE(7, 1, 1) MUX_LINE(9, 1, 1) MUX_LINE(11, 1, 1)
MUX_LINE(3, 1, 2) MUX_LINE(5, 1, 2) MUX_LINE(7, 1, 2) MUX_LINE(9, 1, 2) MUX_LINE(11, 1, 2)
MUX_LINE(3, 2, 1) MUX_LINE(5, 2, 1) MUX_LINE(7, 2, 1)
MUX_LINE(3, 4, 1) MUX_LINE(5, 4, 1) MUX_LINE(3, 8, 1) MUX_LINE(5, 8, 1)
MUX_LINE_ANY(1, 1) MUX_LINE_ANY(2, 1) MUX_LINE_ANY(4, 1) MUX_LINE_ANY(8, 1)
MUX_LINE_ANY(1, 2) MUX_LINE_ANY(2, 2) MUX_LINE_ANY(4, 2) MUX_LINE_ANY(8, 2)
MUX_WEIGHT(1, 1) MUX_WEIGHT(2, 1) MUX_WEIGHT(3, 1) MUX_WEIGHT(4, 1) MUX_WEIGHT(5, 1)
MUX_WEIGHT(6, 1) MUX_WEIGHT(7, 1) MUX_WEIGHT(9, 1) MUX_WEIGHT(11, 1)
MUX_WEIGHT(3, 2) MUX_WEIGHT(5, 2) MUX_WEIGHT(7, 2)
MUX_WEIGHT(3, 4) MUX_WEIGHT(5, 4) MUX_WEIGHT(3, 8) MUX_WEIGHT(5, 8)
MUX_WEIGHT_ANY(1) MUX_WEIGHT_ANY(2) MUX_WEIGHT_ANY(4) MUX_WEIGHT_ANY(8)
// clang-format on

#define MUX_CASE(TAPS, PARTNERS, STEP) \
  case (TAPS * 16 + PARTNERS) * 4 + STEP: return MUX_NAME(line_##TAPS##_##PARTNERS##_##STEP);
#define MUX_CASE_ANY(PARTNERS, STEP) \
  case PARTNERS * 4 + STEP: return MUX_NAME(line_any_##PARTNERS##_##STEP);

    // clang-format off
static MUX_TYPE(line_function) MUX_NAME(choose_line)(int taps, int partners, int step) {
  switch ((taps * 16 + partners) * 4 + step) {
  MUX_CASE(1, 1, 1) MUX_CASE(2, 1, 1) MUX_CASE(3, 1, 1) MUX_CASE(4, 1, 1) MUX_CASE(5, 1, 1)
  MUX_CASE(6, 1, 1) MUX_CASE(7, 1, 1) MUX_CASE(9, 1, 1) MUX_CASE(11, 1, 1)
  MUX_CASE(3, 1, 2) MUX_CASE(5, 1, 2) MUX_CASE(7, 1, 2) MUX_CASE(9, 1, 2) MUX_CASE(11, 1, 2)
  MUX_CASE(3, 2, 1) MUX_CASE(5, 2, 1) MUX_CASE(7, 2, 1)
  MUX_CASE(3, 4, 1) MUX_CASE(5, 4, 1) MUX_CASE(3, 8, 1) MUX_CASE(5, 8, 1)
  }
  switch (partners * 4 + step) {
  MUX_CASE_ANY(2, 1) MUX_CASE_ANY(4, 1) MUX_CASE_ANY(8, 1)
  MUX_CASE_ANY(1, 2) MUX_CASE_ANY(2, 2) MUX_CASE_ANY(4, 2) MUX_CASE_ANY(8, 2)
  default: return MUX_NAME(line_any_1_1);
  }
}
// clang-format on

#define MUX_WEIGHT_CASE(TAPS, PARTNERS) \
  case TAPS * 16 + PARTNERS: return MUX_NAME(weight_##TAPS##_##PARTNERS);

// clang-format off
static MUX_TYPE(weight_function) MUX_NAME(choose_weight)(int taps, int partners) {
  switch (taps * 16 + partners) {
  MUX_WEIGHT_CASE(1, 1) MUX_WEIGHT_CASE(2, 1) MUX_WEIGHT_CASE(3, 1) MUX_WEIGHT_CASE(4, 1)
  MUX_WEIGHT_CASE(5, 1) MUX_WEIGHT_CASE(6, 1) MUX_WEIGHT_CASE(7, 1) MUX_WEIGHT_CASE(9, 1)
  MUX_WEIGHT_CASE(11, 1)
  MUX_WEIGHT_CASE(3, 2) MUX_WEIGHT_CASE(5, 2) MUX_WEIGHT_CASE(7, 2)
  MUX_WEIGHT_CASE(3, 4) MUX_WEIGHT_CASE(5, 4) MUX_WEIGHT_CASE(3, 8) MUX_WEIGHT_CASE(5, 8)
  }
  switch (partners) {
  case 2: return MUX_NAME(weight_any_2);
  case 4: return MUX_NAME(weight_any_4);
  case 8: return MUX_NAME(weight_any_8);
  default: return MUX_NAME(weight_any_1);
  }
}
// clang-format on

#undef MUX_LINE
#undef MUX_LINE_ANY
#undef MUX_WEIGHT
#undef MUX_WEIGHT_ANY
#undef MUX_CASE
#undef MUX_CASE_ANY
#undef MUX_WEIGHT_CASE
#undef MUX_UNROLL
