// SPDX-License-Identifier: Apache-2.0
// What dense and spatial steps share: windows over planes, and sums of products of cells.
#include "reference.h"

ptrdiff_t reference_row_length(const mux_window *w) {
  return (w->out_width - 1) * w->stride + (ptrdiff_t)(w->kernel - 1) * w->dilation + 1;
}

ptrdiff_t reference_row_bytes(const mux_window *w, mux_precision precision) {
  return ((reference_row_length(w) + 4) * size_of(precision) + 3) / 4 * 4;
}

double reference_window_pixel(const mux_window *w, const float *arena, ptrdiff_t y, ptrdiff_t x,
                              ptrdiff_t channel, ptrdiff_t row, ptrdiff_t column) {
  const ptrdiff_t i = y * w->stride - w->top + row * w->dilation;
  const ptrdiff_t j = x * w->stride - w->left + column;
  if (i < 0 || i >= w->in_height || j < 0 || j >= w->in_width) return 0;
  return arena[w->inputs[channel] + i * w->in_width + j];
}

double reference_window_input(const mux_window *w, const float *arena, int32_t offset, ptrdiff_t y,
                              ptrdiff_t x) {
  const ptrdiff_t length = reference_row_length(w), row = offset / length;
  return reference_window_pixel(w, arena, y, x, row / w->kernel, row % w->kernel, offset % length);
}

approx reference_window_value(const mux_window *w, const float *arena, mux_precision precision,
                              mux_quantization quantization, int32_t byte, int index, ptrdiff_t y,
                              ptrdiff_t x) {
  const ptrdiff_t pitch = reference_row_bytes(w, precision), row = byte / pitch;
  const ptrdiff_t column = byte % pitch / size_of(precision) + index;
  const double pixel =
      reference_window_pixel(w, arena, y, x, row / w->kernel, row % w->kernel, column);
  return encoded(precision, exactly(pixel), quantization);
}

approx reference_scaled(mux_precision precision, const approx_sum *sum, const float *scale,
                        const float *bias, ptrdiff_t lane) {
  if (precision == MUX_BFLOAT16) {
    approx_sum total = *sum;
    add_term(&total, exactly(bias[lane]));
    return rounded_sum(&total);
  }
  const double unit = scale[lane], product = sum->value * unit;
  return (approx){product + bias[lane],
                  sum->error * fabs(unit) + 4 * ROUNDING * (fabs(product) + fabs(bias[lane]))};
}
