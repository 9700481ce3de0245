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
