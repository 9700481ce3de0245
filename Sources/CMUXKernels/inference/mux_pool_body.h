// SPDX-License-Identifier: Apache-2.0
// Maxima and means over windows of planes: a vector of windows side by side, tap by tap.

/// Lanes `first` to before `end` (0 ≤ first < end ≤ MUX_LANES) of the floats from `p` on, `fill` in the
/// others; touches no others.
MUX_INLINE vf MUX_NAME(load_range)(const float *p, int first, int end, float fill) {
#if defined(MUX_IS_AVX512)
  const uint32_t mask = ((1u << end) - 1) & ~((1u << first) - 1);
  return (vf)_mm512_mask_loadu_ps((__m512)MUX_NAME(i_splat)(fill), (__mmask16)mask, p);
#elif defined(MUX_IS_AVX2)
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane),
                                           _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
  return v_select((vi)mask, (vf)_mm256_maskload_ps(p, mask), MUX_NAME(i_splat)(fill));
#else
  vf x = MUX_NAME(i_splat)(fill);
  for (int i = first; i < end; ++i) x[i] = p[i];
  return x;
#endif
}

/// Columns `column` to before `column` + MUX_LANES of a row, `fill` where there are none.
MUX_INLINE vf MUX_NAME(load_columns)(const float *row, ptrdiff_t width, ptrdiff_t column,
                                     float fill) {
  if (column >= 0 && column + MUX_LANES <= width) return v_load(row + column);
  const ptrdiff_t first = column < 0 ? -column : 0;
  const ptrdiff_t end = width - column < MUX_LANES ? width - column : MUX_LANES;
  if (first >= end) return MUX_NAME(i_splat)(fill);
  return MUX_NAME(load_range)(row + column, (int)first, (int)end, fill);
}

/// The tap of MUX_LANES windows that begin `stride` apart, the first at `column`.
MUX_INLINE vf MUX_NAME(load_taps)(const float *row, ptrdiff_t width, ptrdiff_t column,
                                  ptrdiff_t stride, float fill) {
  if (stride == 1) return MUX_NAME(load_columns)(row, width, column, fill);
  if (stride == 2) {
    // The last column that is wanted is the last one of the second vector.
    const vf a = MUX_NAME(load_columns)(row, width, column, fill);
    const vf b = MUX_NAME(load_columns)(row, width, column + MUX_LANES - 1, fill);
#if MUX_LANES == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#endif
  }
  vf x = {0};
  for (int i = 0; i < MUX_LANES; ++i) {
    const ptrdiff_t at = column + i * stride;
    x[i] = at >= 0 && at < width ? row[at] : fill;
  }
  return x;
}

/// A plane's windows that begin in columns x·stride − padding, for MUX_LANES values of x (or the first
/// `count` of them). Values are added in the order of rows and columns.
MUX_INLINE void MUX_NAME(pool_column)(const mux_pool_step *s, bool is_average, ptrdiff_t x,
                                      int count, const float *in, float *out) {
  const ptrdiff_t left = x * s->stride - s->padding;
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
          result += MUX_NAME(load_taps)(row, s->in_width, left + j, s->stride, 0);
        } else {
          const vf value =
              MUX_NAME(load_taps)(row, s->in_width, left + j, s->stride, -__builtin_inff());
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
  for (ptrdiff_t x = 0; x < s->out_width; x += MUX_LANES) {
    const ptrdiff_t left = s->out_width - x;
    const int count = left < MUX_LANES ? (int)left : MUX_LANES;
    if (s->is_average) {
      MUX_NAME(pool_column)(s, true, x, count, in, out);
    } else {
      MUX_NAME(pool_column)(s, false, x, count, in, out);
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
