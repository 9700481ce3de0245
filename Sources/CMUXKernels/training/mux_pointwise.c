// SPDX-License-Identifier: Apache-2.0
//
// The pointwise kernels of every instruction set, and the choice between them.
#include "mux_pointwise_internal.h"

#define MUX_BODY "../training/mux_pointwise_body.h"
#include "../common/mux_each_isa.h"

static const mux_pointwise_kernels *const tables[MUX_ISA_COUNT] =
    MUX_ISA_TABLE(mux_pointwise_table);

static const mux_pointwise_kernels *kernels(void) { return tables[mux_isa_current()]; }

size_t mux_pointwise_packed_size(ptrdiff_t inner, ptrdiff_t outer) {
  return kernels()->packed_size(inner, outer);
}

void mux_pointwise_pack(const float *weight, ptrdiff_t inner, ptrdiff_t outer,
                        ptrdiff_t inner_stride, ptrdiff_t outer_stride, float *packed) {
  kernels()->pack(weight, inner, outer, inner_stride, outer_stride, packed);
}

size_t mux_pointwise_scratch_size(ptrdiff_t inner, ptrdiff_t outer) {
  const ptrdiff_t both = (inner + KB - 1) / KB * KB + (outer + KB - 1) / KB * KB;
  return (size_t)((MB + 8) * both + 2 * MB * KB + 64);
}

size_t mux_pointwise_partial_size(ptrdiff_t narrow, ptrdiff_t wide) {
  return kernels()->partial_size(narrow, wide);
}

void mux_pointwise_reduce_partials(const float *partials, ptrdiff_t count, ptrdiff_t stride,
                                   ptrdiff_t narrow, ptrdiff_t wide, float *out,
                                   ptrdiff_t narrow_stride, ptrdiff_t wide_stride) {
  kernels()->reduce_partials(partials, count, stride, narrow, wide, out, narrow_stride,
                             wide_stride);
}

void mux_pointwise_forward(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inner,
                           ptrdiff_t outer, const mux_transform *transform, const float *gate,
                           const float *packed, float *y, ptrdiff_t y_stride, double *sum,
                           double *square_sum, float *scratch) {
  kernels()->forward(x, x_stride, NULL, rows, inner, outer, transform, gate, packed, y, y_stride,
                     sum, square_sum, scratch);
}

void mux_pointwise_window_forward(const float *image, const mux_pointwise_window *window,
                                  ptrdiff_t outer, const float *packed, float *y, double *sum,
                                  double *square_sum, float *scratch) {
  const mux_transform identity = {NULL, NULL, {MUX_IDENTITY, 0, 0}};
  kernels()->forward(image, 0, window, window->out_height * window->out_width,
                     window->kernel * window->kernel * window->channels, outer, &identity, NULL,
                     packed, y, outer, sum, square_sum, scratch);
}

void mux_pointwise_project_backward(const mux_pointwise_project_gradient *arguments,
                                    float *scratch) {
  kernels()->project_backward(arguments, scratch);
}

void mux_pointwise_expand_backward(const mux_pointwise_expand_gradient *arguments, float *scratch) {
  kernels()->expand_backward(arguments, scratch);
}

void mux_pointwise_pool_sums(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                             const mux_transform *transform, double *sums, float *scratch) {
  kernels()->sums(y, NULL, rows, columns, transform, sums, scratch);
}

void mux_pointwise_apply_sums(const float *y, const float *gh, ptrdiff_t rows, ptrdiff_t columns,
                              const mux_transform *transform, double *sums, float *scratch) {
  kernels()->sums(y, gh, rows, columns, transform, sums, scratch);
}

void mux_pointwise_apply(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                         const mux_transform *transform, float *out, float *scratch) {
  kernels()->apply(y, rows, columns, transform, out, scratch);
}
