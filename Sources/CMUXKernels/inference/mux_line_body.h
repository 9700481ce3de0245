// SPDX-License-Identifier: Apache-2.0
// One line of a spatial convolution over one block of channels. Windows that stick out are
// clipped, so nothing has to be padded.

/// The rows under a line, with their weights [tap][lane].
typedef struct {
  const float *rows[MUX_MAX_WINDOW_ROWS];
  const float *weights[MUX_MAX_WINDOW_ROWS];
  int row_count;
  /// Pixels of a row, and floats from one to the next.
  ptrdiff_t columns, pitch;
  /// Columns that the first window sticks out to the left; negative if it starts inside.
  ptrdiff_t padding;
  /// Steps from tap to tap and from window to window, for the kernel that takes any.
  int taps, dilation, stride;
  const float *bias;
  float *out;
  ptrdiff_t out_pitch, count;
  /// Applied to the outputs: one of those that `ends_line` names. Then they are added to `sums` (lane
  /// by lane) if that is not NULL.
  mux_activation activation;
  float *sums;
} MUX_TYPE(line);

/// Whether lines apply an activation themselves; others are applied when a line is there.
MUX_INLINE bool MUX_NAME(ends_line)(mux_activation activation) {
  return activation.kind == MUX_IDENTITY || activation.kind == MUX_RELU ||
         activation.kind == MUX_RELU6 || activation.kind == MUX_SWISH;
}

/// Activates and stores the outputs of a tile, the first `stored` of them if `clips`.
MUX_INLINE void MUX_NAME(store_tile)(const MUX_TYPE(line) *s, mux_activation activation,
                                     const vf *sum, int pixels, bool clips, ptrdiff_t stored,
                                     float *out, ptrdiff_t pitch) {
  vf total = {0};
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) {
    if (!clips || i < stored) {
      const vf y = MUX_NAME(i_activate)(activation, sum[i]);
      total += y;
      v_store(out + i * pitch, y);
    }
  }
  if (s->sums) v_store(s->sums, v_load(s->sums) + total);
}

MUX_INLINE void MUX_NAME(store_line)(const MUX_TYPE(line) *s, const vf *sum, int pixels, bool clips,
                                     ptrdiff_t stored, float *out, ptrdiff_t pitch) {
  switch (s->activation.kind) {
  case MUX_RELU:
    MUX_NAME(store_tile)(s, MUX_PLAIN(MUX_RELU), sum, pixels, clips, stored, out, pitch);
    break;
  case MUX_RELU6:
    MUX_NAME(store_tile)(s, MUX_PLAIN(MUX_RELU6), sum, pixels, clips, stored, out, pitch);
    break;
  case MUX_SWISH:
    MUX_NAME(store_tile)(s, MUX_PLAIN(MUX_SWISH), sum, pixels, clips, stored, out, pitch);
    break;
  default: MUX_NAME(store_tile)(s, MUX_PLAIN(MUX_IDENTITY), sum, pixels, clips, stored, out, pitch);
  }
}

/// `pixels` outputs from window `index` on, of which `stored` are wanted. All sizes are
/// constants after inlining; `clips` says that some window may stick out.
MUX_INLINE void MUX_NAME(line_tile)(const MUX_TYPE(line) *s, int taps, int stride, int pixels,
                                    bool clips, ptrdiff_t index, ptrdiff_t stored) {
  vf sum[16];
  const vf bias = v_load(s->bias);
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = bias;
  const ptrdiff_t first = index * stride - s->padding;
  const ptrdiff_t pitch = s->pitch;
  const size_t columns = (size_t)s->columns;
  for (int a = 0; a < s->row_count; ++a) {
    const float *x = s->rows[a] + first * pitch;
    const float *weights = s->weights[a];
    vf weight[16];
    MUX_UNROLL
    for (int t = 0; t < taps; ++t) weight[t] = v_load(weights + t * MUX_LANES);
    MUX_UNROLL
    for (int q = 0; q < (pixels - 1) * stride + taps; ++q) {
      if (!clips || (size_t)(first + q) < columns) {
        const vf value = v_load(x);
        MUX_UNROLL
        for (int t = 0; t < taps; ++t) {
          if (q - t >= 0 && (q - t) % stride == 0 && (q - t) / stride < pixels) {
            sum[(q - t) / stride] = v_fma(weight[t], value, sum[(q - t) / stride]);
          }
        }
      }
      x += pitch;
    }
  }
  MUX_NAME(store_line)(s, sum, pixels, clips, stored, s->out + index * s->out_pitch, s->out_pitch);
}

#if MUX_LANES == 16
enum { MUX_NAME(wide) = 14 };
#else
enum { MUX_NAME(wide) = 7 };
#endif

#define MUX_LINE(TAPS, STRIDE)                                                          \
  static void MUX_NAME(line_##TAPS##_##STRIDE)(const MUX_TYPE(line) *s) {               \
    for (ptrdiff_t i = 0; i < s->count;) {                                              \
      const ptrdiff_t left = s->count - i, first = i * STRIDE - s->padding;             \
      enum { W = MUX_NAME(wide) };                                                      \
      if (left > 7 && W > 7) {                                                          \
        if (left >= W && first >= 0 && first + (W - 1) * STRIDE + TAPS <= s->columns) { \
          MUX_NAME(line_tile)(s, TAPS, STRIDE, W, false, i, W);                         \
        } else {                                                                        \
          MUX_NAME(line_tile)(s, TAPS, STRIDE, W, true, i, left);                       \
        }                                                                               \
        i += W;                                                                         \
      } else {                                                                          \
        if (left >= 7 && first >= 0 && first + 6 * STRIDE + TAPS <= s->columns) {       \
          MUX_NAME(line_tile)(s, TAPS, STRIDE, 7, false, i, 7);                         \
        } else {                                                                        \
          MUX_NAME(line_tile)(s, TAPS, STRIDE, 7, true, i, left);                       \
        }                                                                               \
        i += 7;                                                                         \
      }                                                                                 \
    }                                                                                   \
  }

MUX_LINE(1, 1)
MUX_LINE(3, 1)
MUX_LINE(5, 1)
MUX_LINE(7, 1)
MUX_LINE(9, 1)
MUX_LINE(11, 1)
MUX_LINE(1, 2)
MUX_LINE(3, 2)
MUX_LINE(5, 2)
MUX_LINE(7, 2)
MUX_LINE(9, 2)
MUX_LINE(11, 2)
#undef MUX_LINE

/// A quarter of the lanes, four times.
MUX_INLINE vf MUX_NAME(load_quarter)(const float *p) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_broadcast_f32x4(_mm_loadu_ps(p));
#elif MUX_LANES == 16
  vf x = v_load_first(p, 4);
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
#else
  typedef float pair __attribute__((vector_size(8), aligned(4)));
  const pair x = *(const pair *)p;
  return __builtin_shufflevector(x, x, 0, 1, 0, 1, 0, 1, 0, 1);
#endif
}

/// `pixels` outputs of a narrow superpixel unit. A row starts at the phases of its fine row; each
/// column gives two fine columns. Of the first and the last column only one is under a window if
/// the kernel reaches an odd number of columns.
MUX_INLINE void MUX_NAME(narrow_tile)(const MUX_TYPE(line) *s, int kernel, int pixels, bool clips,
                                      ptrdiff_t index, ptrdiff_t stored) {
  const int reach = kernel / 2, around = (reach + 1) / 2, columns = 2 * around + 1;
  vf sum[16];
  const vf bias = v_load(s->bias);
  MUX_UNROLL
  for (int i = 0; i < pixels; ++i) sum[i] = bias;
  for (int a = 0; a < s->row_count; ++a) {
    const float *x = s->rows[a] + (index - around) * MUX_LANES;
    const float *weights = s->weights[a];
    vf weight[16];
    MUX_UNROLL
    for (int t = 0; t < 2 * columns; ++t) weight[t] = v_load(weights + t * MUX_LANES);
    MUX_UNROLL
    for (int q = 0; q < pixels + columns - 1; ++q) {
      if (!clips || (size_t)(index - around + q) < (size_t)s->columns) {
        const vf even = MUX_NAME(load_quarter)(x), odd = MUX_NAME(load_quarter)(x + MUX_LANES / 4);
        MUX_UNROLL
        for (int t = 0; t < columns; ++t) {
          if (q - t >= 0 && q - t < pixels) {
            if (t > 0 || reach % 2 == 0) sum[q - t] = v_fma(weight[2 * t], even, sum[q - t]);
            if (t < columns - 1 || reach % 2 == 0) {
              sum[q - t] = v_fma(weight[2 * t + 1], odd, sum[q - t]);
            }
          }
        }
      }
      x += MUX_LANES;
    }
  }
  MUX_NAME(store_line)(s, sum, pixels, clips, stored, s->out + index * MUX_LANES, MUX_LANES);
}

#define MUX_NARROW(KERNEL)                                            \
  static void MUX_NAME(narrow_##KERNEL)(const MUX_TYPE(line) *s) {    \
    enum { W = 7, AROUND = (KERNEL / 2 + 1) / 2 };                    \
    for (ptrdiff_t i = 0; i < s->count; i += W) {                     \
      const ptrdiff_t left = s->count - i;                            \
      if (left >= W && i >= AROUND && i + W + AROUND <= s->columns) { \
        MUX_NAME(narrow_tile)(s, KERNEL, W, false, i, W);             \
      } else {                                                        \
        MUX_NAME(narrow_tile)(s, KERNEL, W, true, i, left);           \
      }                                                               \
    }                                                                 \
  }
MUX_NARROW(3)
MUX_NARROW(5)
MUX_NARROW(7)
#undef MUX_NARROW

/// Any number of taps, stride and dilation.
static void MUX_NAME(line_any)(const MUX_TYPE(line) *s) {
  for (ptrdiff_t i = 0; i < s->count; ++i) {
    vf sum = v_load(s->bias);
    for (int a = 0; a < s->row_count; ++a) {
      for (int t = 0; t < s->taps; ++t) {
        const ptrdiff_t column = i * s->stride - s->padding + (ptrdiff_t)t * s->dilation;
        if (column < 0 || column >= s->columns) continue;
        sum = v_fma(v_load(s->weights[a] + t * MUX_LANES), v_load(s->rows[a] + column * s->pitch),
                    sum);
      }
    }
    MUX_NAME(store_line)(s, &sum, 1, false, 1, s->out + i * s->out_pitch, s->out_pitch);
  }
}

static void MUX_NAME(run_line)(const MUX_TYPE(line) *s) {
  static void (*const lines[6][2])(const MUX_TYPE(line) *) = {
      {MUX_NAME(line_1_1), MUX_NAME(line_1_2)}, {MUX_NAME(line_3_1), MUX_NAME(line_3_2)},
      {MUX_NAME(line_5_1), MUX_NAME(line_5_2)}, {MUX_NAME(line_7_1), MUX_NAME(line_7_2)},
      {MUX_NAME(line_9_1), MUX_NAME(line_9_2)}, {MUX_NAME(line_11_1), MUX_NAME(line_11_2)},
  };
  const bool known = s->taps <= 11 && s->taps % 2 == 1 && s->stride <= 2 && s->dilation == 1;
  if (known) {
    lines[s->taps / 2][s->stride - 1](s);
  } else {
    MUX_NAME(line_any)(s);
  }
}
