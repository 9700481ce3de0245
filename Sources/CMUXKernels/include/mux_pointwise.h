// SPDX-License-Identifier: Apache-2.0
//
// Pointwise (1×1) convolutions over rows of pixels in channels-last order, with the batch norm and
// the activation of the producer applied on load and the sums that batch norm needs made on the way.
//
// A matrix here is `rows` × `columns` floats, columns contiguous, with a row stride given in floats,
// so that a range of channels is a matrix too. Nothing here starts threads: the caller splits the
// work (an image or a range of images per call) and gives each call its own scratch. All sums are
// taken in a fixed order that depends only on the call's own arguments.
#ifndef MUX_POINTWISE_H
#define MUX_POINTWISE_H

#include <stddef.h>

#include "mux_activation.h"

/// Floats needed to hold a packed weight of `inner` × `outer`.
size_t mux_pointwise_packed_size(ptrdiff_t inner, ptrdiff_t outer);

/// Packs a weight for products `T(X)[rows × inner] · B[inner × outer]`; element (k, n) of `B` is
/// `weight[k * inner_stride + n * outer_stride]`.
void mux_pointwise_pack(const float *weight, ptrdiff_t inner, ptrdiff_t outer,
                        ptrdiff_t inner_stride, ptrdiff_t outer_stride, float *packed);

/// Floats of scratch that a call below needs at most, for the two channel counts it works on.
size_t mux_pointwise_scratch_size(ptrdiff_t inner, ptrdiff_t outer);

/// Floats of a partial weight gradient with `narrow` × `wide` elements (kept in panels).
size_t mux_pointwise_partial_size(ptrdiff_t narrow, ptrdiff_t wide);

/// Adds `count` partial weight gradients, `stride` floats apart, in order, and stores element
/// (s, w) at `out[s * narrow_stride + w * wide_stride]`.
void mux_pointwise_reduce_partials(const float *partials, ptrdiff_t count, ptrdiff_t stride,
                                   ptrdiff_t narrow, ptrdiff_t wide, float *out,
                                   ptrdiff_t narrow_stride, ptrdiff_t wide_stride);

/// Y[rows × outer] = T(X)[rows × inner] · B, T(x) = act(scale·x + shift)·gate (gate null: 1).
/// `sum` and `square_sum` (doubles, `outer` each, may be null) gain the sums of Y and Y² over the
/// rows.
void mux_pointwise_forward(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inner,
                           ptrdiff_t outer, const mux_transform *transform, const float *gate,
                           const float *packed, float *y, ptrdiff_t y_stride, double *sum,
                           double *square_sum, float *scratch);

/// The windows of a dense convolution over a channels-last image of few channels (a network's
/// stem), as the rows of a matrix: one per output pixel, with columns
/// (ky * kernel + kx) * channels + c; zeros outside the image.
typedef struct {
  ptrdiff_t height, width, channels;
  ptrdiff_t out_height, out_width;
  /// The first window begins `top` rows above the image and `left` columns before it.
  ptrdiff_t kernel, stride, top, left;
} mux_pointwise_window;

/// The convolution of an image: the results of `mux_pointwise_forward` for the matrix of windows.
void mux_pointwise_window_forward(const float *image, const mux_pointwise_window *window,
                                  ptrdiff_t outer, const float *packed, float *y, double *sum,
                                  double *square_sum, float *scratch);

/// Backward of the projection of a block, for the pixels of one image.
/// gp = k0·gy + k1·p + k2 (columns: `out`), gz = gp·B (columns: `mid`) is stored; with u = scale·d +
/// shift and z = act(u)·gate the call adds to `sums`, five rows of `mid` doubles each:
/// Σ gz·act(u), Σ act'(u), Σ act'(u)·gz, Σ act'(u)·d, Σ act'(u)·gz·d, and to the partial weight
/// gradient gpᵀ·z (narrow: `out`, wide: `mid`).
typedef struct {
  ptrdiff_t rows, out, mid;
  const float *gy;
  ptrdiff_t gy_stride;
  const float *p;
  const float *k0, *k1, *k2;
  const float *packed;  // inner: out, outer: mid
  const float *d;
  mux_transform transform;
  const float *gate;
  float *gz;
  double *sums;
  float *partial;
} mux_pointwise_project_gradient;

void mux_pointwise_project_backward(const mux_pointwise_project_gradient *arguments,
                                    float *scratch);

/// Backward of a pointwise convolution with batch norm behind it, for the pixels of one image.
/// ge = k0·du + k1·y + k2 (columns: `outer`), where du is `du` or, where `du` is null,
/// act'(scale·y + shift)·pooled[n] (the gradient of a global average pool, already divided);
/// gx = ge·B (columns: `inner`) plus `add` if not null, stored unless `gx` is null; the partial weight
/// gradient gains xᵀ·ge (narrow: `inner`, wide: `outer`).
typedef struct {
  ptrdiff_t rows, inner, outer;
  const float *x;
  ptrdiff_t x_stride;
  const mux_pointwise_window *window;  // not null: x is an image, its windows are the rows
  const float *du;
  const float *gh;  // not null: du = act'(scale·y + shift)·gh
  const float *pooled;
  const float *y;
  const float *k0, *k1, *k2;
  mux_transform transform;
  const float *packed;  // inner: outer, outer: inner
  const float *add;
  ptrdiff_t add_stride;
  float *gx;
  ptrdiff_t gx_stride;
  float *partial;
} mux_pointwise_expand_gradient;

void mux_pointwise_expand_backward(const mux_pointwise_expand_gradient *arguments, float *scratch);

/// Over the rows of one image: Σ act(u), Σ act'(u), Σ act'(u)·y with u = scale·y + shift, added to
/// three rows of `columns` doubles.
void mux_pointwise_pool_sums(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                             const mux_transform *transform, double *sums, float *scratch);

/// out = act(scale·y + shift), and its backward sums: Σ act'(u)·gh and Σ act'(u)·gh·y (two rows of
/// doubles).
void mux_pointwise_apply(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                         const mux_transform *transform, float *out, float *scratch);
void mux_pointwise_apply_sums(const float *y, const float *gh, ptrdiff_t rows, ptrdiff_t columns,
                              const mux_transform *transform, double *sums, float *scratch);

#endif
