// SPDX-License-Identifier: Apache-2.0
// The rows under a line of windows, encoded; included by mux_cells_body.h.

/// Bytes from one gathered row of values to the next.
static ptrdiff_t CELL(row_pitch)(const mux_window *w) {
  return mux_ceil_div((mux_window_length(w) + 4) * (4 / MUX_CELL), 4) * 4;
}

/// Floats of scratch for gathered rows.
static size_t CELL(gather_scratch)(const mux_window *w) {
  return w->kernel == 0 ? 0 : (size_t)(w->input_count * w->kernel * CELL(row_pitch)(w) / 4);
}

/// Encodes `count` values one after the other.
static void CELL(encode_values)(const float *from, ptrdiff_t count, mux_quantization quantization,
                                char *to) {
  enum { SIZE = 4 / MUX_CELL };
  ptrdiff_t i = 0;
  for (; i + MUX_LANES <= count; i += MUX_LANES) {
    CELL(write)(to + i * SIZE, CELL(encode)(v_load(from + i), quantization));
  }
  if (i == count) return;
  char rest[MUX_LANES * SIZE];
  CELL(write)(rest, CELL(encode)(v_load_first(from + i, (int)(count - i)), quantization));
  memcpy(to + i * SIZE, rest, (size_t)((count - i) * SIZE));
}

/// Gathers the rows under output row `y`, with the padding, and encodes them:
/// [channel][row][column]. Gives where they are.
static const int32_t *CELL(gather)(const mux_window *w, ptrdiff_t y, mux_quantization quantization,
                                   float *observed, const float *arena, float *scratch) {
  enum { SIZE = 4 / MUX_CELL };
  const ptrdiff_t length = mux_window_length(w), pitch = CELL(row_pitch)(w);
  const ptrdiff_t left = w->left < length ? w->left : length;
  const ptrdiff_t most = length - left, copied = w->in_width < most ? w->in_width : most;
  // One of a cell's values, all of which are the same.
  const int zero = CELL(zero)(quantization) & 255;
  char *to = (char *)scratch;
  if (observed) MUX_NAME(observe_floats)(&(const float){0}, 1, observed);
  for (ptrdiff_t c = 0; c < w->input_count; ++c) {
    for (ptrdiff_t k = 0; k < w->kernel; ++k, to += pitch) {
      const ptrdiff_t row = y * w->stride - w->top + k * w->dilation;
      if (row < 0 || row >= w->in_height) {
        memset(to, zero, (size_t)pitch);
        continue;
      }
      const float *from = arena + w->inputs[c] + row * w->in_width;
      if (observed) MUX_NAME(observe_floats)(from, copied, observed);
      memset(to, zero, (size_t)(left * SIZE));
      CELL(encode_values)(from, copied, quantization, to + left * SIZE);
      memset(to + (left + copied) * SIZE, zero, (size_t)(pitch - (left + copied) * SIZE));
    }
  }
  return (const int32_t *)scratch;
}

/// Cells of a gathered row of cells whose columns lie side by side if they are the stride apart.
static ptrdiff_t CELL(joined_part)(const mux_window *w) {
  return mux_ceil_div(mux_window_length(w), w->stride);
}

/// Floats of scratch for gathered rows of cells.
static size_t CELL(joined_scratch)(const mux_window *w) {
  return (size_t)(mux_ceil_div(w->input_count, MUX_CELL) * w->kernel * w->stride *
                  CELL(joined_part)(w));
}

/// Writes the cells of columns `column` to before `column` + `count`; `column` is a multiple of
/// MUX_LANES.
MUX_INLINE void CELL(store_joined)(int32_t *to, ptrdiff_t part, ptrdiff_t stride, ptrdiff_t column,
                                   int count, vi cells) {
  if (stride == 1) {
    v_store_first((float *)to + column, (vf)cells, count);
    return;
  }
  if (stride == 2) {
#if MUX_LANES == 16
    const vi even =
        __builtin_shufflevector(cells, cells, 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
    const vi odd =
        __builtin_shufflevector(cells, cells, 1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    const vi even = __builtin_shufflevector(cells, cells, 0, 2, 4, 6, 0, 2, 4, 6);
    const vi odd = __builtin_shufflevector(cells, cells, 1, 3, 5, 7, 1, 3, 5, 7);
#endif
    v_store_first((float *)to + column / 2, (vf)even, (count + 1) / 2);
    if (count > 1) v_store_first((float *)to + part + column / 2, (vf)odd, count / 2);
    return;
  }
  for (int i = 0; i < count; ++i) {
    to[(column + i) % stride * part + (column + i) / stride] = cells[i];
  }
}

/// Gathers the rows under output row `y` as cells of channels: [group of channels][row][column modulo the
/// stride][column]. Gives where they are.
static const int32_t *CELL(gather_joined)(const mux_window *w, ptrdiff_t y,
                                          mux_quantization quantization, float *observed,
                                          const float *arena, float *scratch) {
  const ptrdiff_t length = mux_window_length(w), part = CELL(joined_part)(w);
  const ptrdiff_t groups = mux_ceil_div(w->input_count, MUX_CELL);
  const ptrdiff_t most = length - w->left, copied = w->in_width < most ? w->in_width : most;
  const int32_t zero = CELL(zero)(quantization);
  int32_t *to = (int32_t *)scratch;
  if (observed) MUX_NAME(observe_floats)(&(const float){0}, 1, observed);
  for (ptrdiff_t g = 0; g < groups; ++g) {
    for (ptrdiff_t k = 0; k < w->kernel; ++k, to += w->stride * part) {
      const ptrdiff_t row = y * w->stride - w->top + k * w->dilation;
      if (row < 0 || row >= w->in_height) {
        for (ptrdiff_t i = 0; i < w->stride * part; ++i) to[i] = zero;
        continue;
      }
      const float *from[MUX_CELL];
      for (int j = 0; j < MUX_CELL; ++j) {
        const ptrdiff_t c =
            g * MUX_CELL + j < w->input_count ? g * MUX_CELL + j : w->input_count - 1;
        from[j] = arena + w->inputs[c] + row * w->in_width;
        if (observed && copied > 0) MUX_NAME(observe_floats)(from[j], copied, observed);
      }
      for (ptrdiff_t column = 0; column < length; column += MUX_LANES) {
        const int count = length - column < MUX_LANES ? (int)(length - column) : MUX_LANES;
        vi cells = {0};
        MUX_UNROLL
        for (int j = 0; j < MUX_CELL; ++j) {
          const vf x = MUX_NAME(load_columns)(from[j], w->in_width, column - w->left, 0);
          cells = CELL(push)(cells, CELL(encode)(x, quantization));
        }
        CELL(store_joined)(to, part, w->stride, column, count, cells);
      }
    }
  }
  return (const int32_t *)scratch;
}
