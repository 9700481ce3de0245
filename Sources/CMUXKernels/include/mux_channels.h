// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_CHANNELS_H
#define MUX_CHANNELS_H

#include <stddef.h>

#include "mux_activation.h"

// Per-channel reductions and elementwise passes over one image, [pixels][channels]. Sums are
// taken in float over short runs of pixels and combined in double; outputs are overwritten.

/// Batch normalisation's statistics: Σ x and Σ x².
void mux_channel_statistics(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                            double *sum, double *sum_squares);

/// Σ act(u), u = scale · x + shift: squeeze-and-excitation's pool, not yet divided.
void mux_channel_activated_sum(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                               mux_transform transform, double *sum);

/// y = gate · act(scale · x + shift), gate per channel or NULL.
void mux_channel_apply(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                       mux_transform transform, const float *gate, float *output,
                       ptrdiff_t output_stride);

/// Everything that the backward of batch norm → activation → squeeze-and-excitation needs of
/// one image, in one pass. With u = scale · d + shift and g the gradient after the gate:
typedef struct mux_channel_gradient_sums {
  double *gradient_value;           ///< Σ g · act(u): gradient of the gate
  double *derivative;               ///< Σ act′(u)
  double *derivative_gradient;      ///< Σ act′(u) · g
  double *derivative_raw;           ///< Σ act′(u) · d
  double *derivative_gradient_raw;  ///< Σ act′(u) · g · d
} mux_channel_gradient_sums;

/// Members of `sums` (each [channels]) may be NULL where not wanted.
void mux_channel_gradients(const float *gradient, ptrdiff_t gradient_stride, const float *raw,
                           ptrdiff_t raw_stride, size_t pixels, size_t channels,
                           mux_transform transform, mux_channel_gradient_sums sums);

#endif
