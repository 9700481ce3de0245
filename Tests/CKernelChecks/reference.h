// SPDX-License-Identifier: Apache-2.0
// The steps by plain loops over what `mux_steps.h` says of them, in doubles.
#ifndef REFERENCE_H
#define REFERENCE_H

#include "sheet.h"

/// Writes to the sheet what a step writes to the arena: `reference_dense` and so on.
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  void reference_##name(const type *step, const reference_context *context, sheet *sheet);
MUX_STEPS(MUX_STEP)
#undef MUX_STEP

/// Floats of a gathered row of windows; bytes if its values are encoded.
ptrdiff_t reference_row_length(const mux_window *window);
ptrdiff_t reference_row_bytes(const mux_window *window, mux_precision precision);

/// The pixel of channel `channel` in row `row` and column `column` of the windows of output pixel (y, x);
/// zero outside the image.
double reference_window_pixel(const mux_window *window, const float *arena, ptrdiff_t y,
                              ptrdiff_t x, ptrdiff_t channel, ptrdiff_t row, ptrdiff_t column);

/// Input `k` of output pixel (y, x) of windows in single precision, by its offset in the gathered rows.
double reference_window_input(const mux_window *window, const float *arena, int32_t offset,
                              ptrdiff_t y, ptrdiff_t x);

/// Value `index` of the cell at a byte of the gathered rows, encoded.
approx reference_window_value(const mux_window *window, const float *arena, mux_precision precision,
                              mux_quantization quantization, int32_t byte, int index, ptrdiff_t y,
                              ptrdiff_t x);

/// Floats of the plain weights of a step by Winograd's tiles, which lie before its own in the checks.
ptrdiff_t dense_plain_weights(const mux_dense *step, ptrdiff_t lanes, bool has_half_block);

/// Scale and bias of a sum of products of cells: integers are exact up to here.
approx reference_scaled(mux_precision precision, const approx_sum *sum, const float *scale,
                        const float *bias, ptrdiff_t lane);

#endif
