// SPDX-License-Identifier: Apache-2.0
// Per-channel reductions and elementwise passes: the variants, and the choice between them.
#include "mux_channels.h"

#include "../common/mux_internal.h"

typedef struct mux_channel_table {
  void (*statistics)(const float *, ptrdiff_t, size_t, size_t, double *, double *);
  void (*activated_sum)(const float *, ptrdiff_t, size_t, size_t, const mux_transform *, double *);
  void (*apply)(const float *, ptrdiff_t, size_t, size_t, const mux_transform *, const float *,
                float *, ptrdiff_t);
  void (*gradients)(const float *, ptrdiff_t, const float *, ptrdiff_t, size_t, size_t,
                    const mux_transform *, const mux_channel_gradient_sums *);
} mux_channel_table;

#define MUX_BODY "../training/mux_channels_body.h"
#include "../common/mux_each_isa.h"

static const mux_channel_table *const tables[MUX_ISA_COUNT] = MUX_ISA_TABLE(channel_table);

static const mux_channel_table *table(void) { return tables[mux_isa_current()]; }

void mux_channel_statistics(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                            double *sum, double *sum_squares) {
  table()->statistics(input, stride, pixels, channels, sum, sum_squares);
}

void mux_channel_activated_sum(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                               mux_transform transform, double *sum) {
  table()->activated_sum(input, stride, pixels, channels, &transform, sum);
}

void mux_channel_apply(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                       mux_transform transform, const float *gate, float *output,
                       ptrdiff_t output_stride) {
  table()->apply(input, stride, pixels, channels, &transform, gate, output, output_stride);
}

void mux_channel_gradients(const float *gradient, ptrdiff_t gradient_stride, const float *raw,
                           ptrdiff_t raw_stride, size_t pixels, size_t channels,
                           mux_transform transform, mux_channel_gradient_sums sums) {
  table()->gradients(gradient, gradient_stride, raw, raw_stride, pixels, channels, &transform,
                     &sums);
}
