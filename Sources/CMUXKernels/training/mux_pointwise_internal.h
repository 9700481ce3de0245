// SPDX-License-Identifier: Apache-2.0
//
// What the variants of the pointwise kernels share: sizes of tiles and the table of functions.
#ifndef MUX_POINTWISE_INTERNAL_H
#define MUX_POINTWISE_INTERNAL_H

#include "../common/mux_internal.h"
#include "mux_pointwise.h"

/// Most rows of a tile, and columns of a block of a tile.
#define MB 64
#define KB 48

typedef struct {
  size_t (*packed_size)(ptrdiff_t inner, ptrdiff_t outer);
  size_t (*partial_size)(ptrdiff_t narrow, ptrdiff_t wide);
  void (*pack)(const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, float *);
  void (*reduce_partials)(const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, float *,
                          ptrdiff_t, ptrdiff_t);
  void (*forward)(const float *x, ptrdiff_t x_stride, const mux_pointwise_window *window,
                  ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t outer, const mux_transform *transform,
                  const float *gate, const float *packed, float *y, ptrdiff_t y_stride, double *sum,
                  double *square_sum, float *scratch);
  void (*project_backward)(const mux_pointwise_project_gradient *, float *);
  void (*expand_backward)(const mux_pointwise_expand_gradient *, float *);
  void (*sums)(const float *, const float *, ptrdiff_t, ptrdiff_t, const mux_transform *, double *,
               float *);
  void (*apply)(const float *, ptrdiff_t, ptrdiff_t, const mux_transform *, float *, float *);
} mux_pointwise_kernels;

#endif
