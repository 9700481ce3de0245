// SPDX-License-Identifier: Apache-2.0
// Windows of dense convolutions over planes: where they are read from.

/// Gathers the input rows under the windows of pixels `first` to before `end` of output row `y`, with
/// the padding, to where they lie among those of the whole line: [channel][row][column].
static void MUX_NAME(gather_windows)(const mux_window *w, ptrdiff_t y, ptrdiff_t first,
                                     ptrdiff_t end, const float *arena, float *to) {
  if (first >= end) return;
  const ptrdiff_t length = mux_window_length(w), column = first * w->stride - w->left;
  const ptrdiff_t count = (end - 1 - first) * w->stride + (w->kernel - 1) * w->dilation + 1;
  const ptrdiff_t out = column < 0 ? -column : 0, left = out < count ? out : count;
  ptrdiff_t copied = w->in_width - (column + left);
  if (copied > count - left) copied = count - left;
  if (copied < 0) copied = 0;
  to += first * w->stride;
  for (ptrdiff_t c = 0; c < w->input_count; ++c) {
    for (ptrdiff_t k = 0; k < w->kernel; ++k) {
      const ptrdiff_t row = y * w->stride - w->top + k * w->dilation;
      if (row < 0 || row >= w->in_height) {
        memset(to, 0, (size_t)count * sizeof(float));
      } else {
        memset(to, 0, (size_t)left * sizeof(float));
        memcpy(to + left, arena + w->inputs[c] + row * w->in_width + column + left,
               (size_t)copied * sizeof(float));
        memset(to + left + copied, 0, (size_t)(count - left - copied) * sizeof(float));
      }
      to += length;
    }
  }
}

/// The pixels of output row `y` whose windows lie inside the image, `first` to before `end`; with
/// none, both are the width. (Gathering three planes of 224×224 pixels takes a quarter as long as the
/// products of a stem.)
MUX_INLINE void MUX_NAME(windows_inside)(const mux_window *w, ptrdiff_t y, ptrdiff_t *first,
                                         ptrdiff_t *end) {
  const ptrdiff_t reach = (ptrdiff_t)(w->kernel - 1) * w->dilation;
  const ptrdiff_t row = y * w->stride - w->top;
  ptrdiff_t last = w->in_width + w->left - reach - 1;
  *first = mux_ceil_div(w->left, w->stride);
  *end = last < 0 ? 0 : last / w->stride + 1;
  if (*end > w->out_width) *end = w->out_width;
  if (row < 0 || row + reach >= w->in_height || *first >= *end) *first = *end = w->out_width;
}
