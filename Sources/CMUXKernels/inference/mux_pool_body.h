// SPDX-License-Identifier: Apache-2.0
// Maxima and means over windows of planes: a vector of windows side by side, tap by tap.

/// Some lanes one after the other, for loads that touch no others.
#if defined(MUX_IS_AVX512)
typedef __mmask16 MUX_TYPE(lanes);
#elif defined(MUX_IS_AVX2)
typedef vi MUX_TYPE(lanes);
#else
typedef struct {
  int first, end;
} MUX_TYPE(lanes);
#endif

/// Lanes `first` to before `end`; none if there are none between.
MUX_INLINE MUX_TYPE(lanes) MUX_NAME(lanes_of)(ptrdiff_t first, ptrdiff_t end) {
  if (first < 0) first = 0;
  if (end > MUX_LANES) end = MUX_LANES;
  if (end < first) first = end = 0;
#if defined(MUX_IS_AVX512)
  return (__mmask16)(((1u << end) - 1) & ~((1u << first) - 1));
#elif defined(MUX_IS_AVX2)
  const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (lane >= (int32_t)first) & (lane < (int32_t)end);
#else
  return (MUX_TYPE(lanes)){(int)first, (int)end};
#endif
}

MUX_INLINE vf MUX_NAME(load_lanes)(const float *p, MUX_TYPE(lanes) lanes, float fill) {
#if defined(MUX_IS_AVX512)
  return (vf)_mm512_mask_loadu_ps((__m512)MUX_NAME(i_splat)(fill), lanes, p);
#elif defined(MUX_IS_AVX2)
  return v_select(lanes, (vf)_mm256_maskload_ps(p, (__m256i)lanes), MUX_NAME(i_splat)(fill));
#else
  vf x = MUX_NAME(i_splat)(fill);
  for (int i = lanes.first; i < lanes.end; ++i) x[i] = p[i];
  return x;
#endif
}

/// Columns `column` to before `column` + MUX_LANES of a row, `fill` where there are none.
MUX_INLINE vf MUX_NAME(load_columns)(const float *row, ptrdiff_t width, ptrdiff_t column,
                                     float fill) {
  if (column >= 0 && column + MUX_LANES <= width) return v_load(row + column);
  return MUX_NAME(load_lanes)(row + column, MUX_NAME(lanes_of)(-column, width - column), fill);
}

/// Every second lane of a vector and of one that begins MUX_LANES − 1 floats later: the last float that is
/// wanted is the last one of the second.
MUX_INLINE vf MUX_NAME(every_second)(vf a, vf b) {
#if MUX_LANES == 16
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#else
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#endif
}

/// The widest windows whose columns are looked at once for all rows.
enum { MUX_NAME(most_taps) = 8 };

/// Which lanes each tap of MUX_LANES windows has in the image, and those of the second vector of a stride
/// of 2.
typedef struct {
  MUX_TYPE(lanes) first[MUX_NAME(most_taps)], second[MUX_NAME(most_taps)];
} MUX_TYPE(taps);

/// Tap `j` of MUX_LANES windows that begin `stride` apart, the first of them at column `left`.
MUX_INLINE vf MUX_NAME(load_taps)(const mux_pool_step *s, ptrdiff_t stride, const float *row,
                                  ptrdiff_t left, int j, const MUX_TYPE(taps) *taps, float fill) {
  const ptrdiff_t column = left + j;
  if (stride > 0) {
    const vf a = MUX_NAME(load_lanes)(row + column, taps->first[j], fill);
    if (stride == 1) return a;
    return MUX_NAME(every_second)(
        a, MUX_NAME(load_lanes)(row + column + MUX_LANES - 1, taps->second[j], fill));
  }
  vf x = {0};
  for (int i = 0; i < MUX_LANES; ++i) {
    const ptrdiff_t at = column + i * s->stride;
    x[i] = at >= 0 && at < s->in_width ? row[at] : fill;
  }
  return x;
}

/// A plane's windows that begin in columns x·stride − padding, for MUX_LANES values of x (or the first
/// `count` of them). Values are added in the order of rows and columns. `stride` is a constant after
/// inlining, 0 for any that is not 1 or 2.
MUX_INLINE void MUX_NAME(pool_column)(const mux_pool_step *s, bool is_average, ptrdiff_t stride,
                                      ptrdiff_t x, int count, const float *in, float *out) {
  const ptrdiff_t left = x * s->stride - s->padding;
  MUX_TYPE(taps) taps;
  for (int j = 0; stride > 0 && j < s->kernel; ++j) {
    const ptrdiff_t column = left + j, next = column + MUX_LANES - 1;
    taps.first[j] = MUX_NAME(lanes_of)(-column, s->in_width - column);
    if (stride == 2) taps.second[j] = MUX_NAME(lanes_of)(-next, s->in_width - next);
  }
  // How many columns of each window count.
  vf columns = {0};
  for (int i = 0; is_average && i < MUX_LANES; ++i) {
    const ptrdiff_t first = left + i * s->stride;
    ptrdiff_t begin = first, end = first + s->kernel;
    // Windows count their padding only up to one padding beyond the image.
    const ptrdiff_t limit = s->counts_padding ? s->in_width + s->padding : s->in_width;
    if (end > limit) end = limit;
    if (!s->counts_padding && begin < 0) begin = 0;
    columns[i] = (float)(end > begin ? end - begin : 0);
  }
  for (ptrdiff_t y = 0; y < s->out_height; ++y) {
    const ptrdiff_t top = y * s->stride - s->padding;
    const ptrdiff_t below = s->in_height + s->padding;
    const ptrdiff_t bottom = top + s->kernel < below ? top + s->kernel : below;
    const ptrdiff_t first = top < 0 ? 0 : top, end = bottom < s->in_height ? bottom : s->in_height;
    vf result = MUX_NAME(i_splat)(is_average ? 0 : -__builtin_inff());
    for (ptrdiff_t i = first; i < end; ++i) {
      const float *row = in + i * s->in_width;
      for (int j = 0; j < s->kernel; ++j) {
        if (is_average) {
          result += MUX_NAME(load_taps)(s, stride, row, left, j, &taps, 0);
        } else {
          const vf value = MUX_NAME(load_taps)(s, stride, row, left, j, &taps, -__builtin_inff());
          // NaN in a window comes through.
          result = v_select((value > result) | (value != value), value, result);
        }
      }
    }
    if (is_average) {
      const ptrdiff_t rows = s->counts_padding ? bottom - top : end > first ? end - first : 0;
      const vf area = columns * (float)rows;
      result /= v_select(area > 0, area, MUX_NAME(i_splat)(1));
    }
    v_store_first(out + y * s->out_width + x, result, count);
  }
}

static void MUX_NAME(pool_plane)(const mux_pool_step *s, const float *in, float *out) {
  const int stride = s->stride <= 2 && s->kernel <= MUX_NAME(most_taps) ? s->stride : 0;
  for (ptrdiff_t x = 0; x < s->out_width; x += MUX_LANES) {
    const ptrdiff_t left = s->out_width - x;
    const int count = left < MUX_LANES ? (int)left : MUX_LANES;
    switch (2 * stride + (s->is_average != 0)) {
    case 0: MUX_NAME(pool_column)(s, false, 0, x, count, in, out); break;
    case 1: MUX_NAME(pool_column)(s, true, 0, x, count, in, out); break;
    case 2: MUX_NAME(pool_column)(s, false, 1, x, count, in, out); break;
    case 3: MUX_NAME(pool_column)(s, true, 1, x, count, in, out); break;
    case 4: MUX_NAME(pool_column)(s, false, 2, x, count, in, out); break;
    default: MUX_NAME(pool_column)(s, true, 2, x, count, in, out); break;
    }
  }
}

static void MUX_NAME(pool_task)(const mux_pool_step *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  mux_band(s->planes, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    const float *in = arena + s->inputs[c];
    float *out = arena + s->outputs[c];
    if (s->kernel > 0) {
      MUX_NAME(pool_plane)(s, in, out);
      continue;
    }
    const ptrdiff_t pixels = s->in_height * s->in_width;
    vf sum = {0};
    for (ptrdiff_t i = 0; i < pixels; i += MUX_LANES) {
      const ptrdiff_t left = pixels - i;
      sum += v_load_first(in + i, left < MUX_LANES ? (int)left : MUX_LANES);
    }
    float total = 0;
    for (int i = 0; i < MUX_LANES; ++i) total += sum[i];
    *out = total / (float)pixels;
  }
}
