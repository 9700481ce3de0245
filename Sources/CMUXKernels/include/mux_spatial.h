// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_SPATIAL_H
#define MUX_SPATIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux_activation.h"

/// One slice of the channels with its own convolution. Slices follow each other in order.
typedef struct mux_spatial_branch {
  /// Channels of the slice (input and output alike).
  int32_t channels;
  /// Odd kernel size k; the padding is k / 2.
  int32_t kernel;
  /// Channels per group, 1 = depthwise. Divides the number of channels of one phase
  /// (`channels`, or `channels` / factor² where multiplex > 0). 1, 2, 4 and 8 are fast.
  int32_t group_width;
  /// Spatial multiplexing (paper, section 3.1): negative = subpixel (factor×factor windows to
  /// channels, convolution, inverse), 0 = plain, positive = superpixel (factor² channels to
  /// space, convolution, inverse). Channels are ordered phase-major. A subpixel branch on a
  /// height or width that is not a multiple of the factor sees the transformed input padded with
  /// zeros at the bottom and right up to one, and its output is cropped.
  int32_t multiplex;
} mux_spatial_branch;

/// A spatial convolution of one image [height][width][channels] without bias: the parallel
/// branches' outputs, concatenated. Output size is (size - 1) / stride + 1.
typedef struct mux_spatial {
  int32_t height, width, channels;
  /// 1 or 2; must be 1 where a branch is multiplexed.
  int32_t stride;
  /// r of the spatial multiplexing, from 2 to 8 (ignored without multiplexed branches).
  int32_t factor;
  int32_t branch_count;
  const mux_spatial_branch *branches;
} mux_spatial;

/// NULL if the operation is well formed, else a static message that says what is wrong.
const char *mux_spatial_validate(const mux_spatial *operation);

int32_t mux_spatial_output_height(const mux_spatial *operation);
int32_t mux_spatial_output_width(const mux_spatial *operation);

/// Number of weights of a branch, in PyTorch's layout [outputs][group_width][k][k]; outputs is
/// factor² · channels for a subpixel branch, channels / factor² for a superpixel branch, else
/// channels.
size_t mux_spatial_weight_count(const mux_spatial *operation, int32_t branch);

/// Floats of the packed weights, of a packed weight gradient, and of the scratch memory that one
/// call of forward or backward needs. Packed layouts belong to the instruction set in use. All
/// buffers should be 64-byte aligned for speed; none has to be. Scratch need not be cleared.
size_t mux_spatial_packed_count(const mux_spatial *operation);
size_t mux_spatial_gradient_count(const mux_spatial *operation);
size_t mux_spatial_scratch_count(const mux_spatial *operation);

/// Packs weights[branch] (PyTorch's layout): once per step, then shared by all images.
void mux_spatial_pack(const mux_spatial *operation, const float *const *weights, float *packed);

/// Adds a packed weight gradient to weight_gradients[branch] (PyTorch's layout).
void mux_spatial_unpack_gradient(const mux_spatial *operation, const float *packed_gradient,
                                 float *const *weight_gradients);

/// One image forward: d = convolution(act(scale · e + shift)).
typedef struct mux_spatial_forward_arguments {
  const float *packed;
  /// e [height][width][channels], raw, and how to transform it on load.
  const float *input;
  ptrdiff_t input_stride;
  mux_transform input_transform;
  /// d [out height][out width][channels], raw.
  float *output;
  ptrdiff_t output_stride;
  /// Σ d and Σ d² per channel over this image, overwritten; both NULL if not wanted.
  double *sum;
  double *sum_squares;
} mux_spatial_forward_arguments;

void mux_spatial_forward(const mux_spatial *operation,
                         const mux_spatial_forward_arguments *arguments, float *scratch);

/// One image backward. With u = scale₂ · d + shift₂, the gradient of the raw output is
///   dL/dd = k0 · act₂′(u) · (gate · g + pooled) + k1 · d + k2
/// where g is the gradient with respect to gate · act₂(u) (squeeze-and-excitation; it reaches the
/// pooled mean through `pooled`) and k0, k1, k2 are batch normalisation's backward.
typedef struct mux_spatial_backward_arguments {
  const float *packed;
  /// g [out height][out width][channels].
  const float *output_gradient;
  ptrdiff_t output_gradient_stride;
  /// d as `mux_spatial_forward` wrote it.
  const float *output;
  ptrdiff_t output_stride;
  mux_transform output_transform;
  /// Per channel, of this image. NULL gate = 1, NULL pooled = 0.
  const float *gate;
  const float *pooled;
  /// Per channel. NULL k0 = 1, NULL k1 = 0, NULL k2 = 0.
  const float *k0;
  const float *k1;
  const float *k2;
  /// e and its transform, as given to forward.
  const float *input;
  ptrdiff_t input_stride;
  mux_transform input_transform;
  /// Gradient with respect to scale · e + shift (that is, act′ applied, scale not), overwritten;
  /// NULL if not wanted.
  float *input_gradient;
  ptrdiff_t input_gradient_stride;
  /// Packed weight gradient of `mux_spatial_gradient_count` floats, added to (zero it first); NULL
  /// if not wanted. For results that do not depend on the number of threads, give each of a fixed
  /// division of the batch its own, take its images in order, and add the parts in order.
  float *weight_gradient;
  /// Σ input_gradient and Σ input_gradient · e per channel over this image, overwritten; both
  /// NULL if not wanted.
  double *sum_gradient;
  double *sum_gradient_input;
} mux_spatial_backward_arguments;

void mux_spatial_backward(const mux_spatial *operation,
                          const mux_spatial_backward_arguments *arguments, float *scratch);

/// The same straight from the definition, in scalar code and double accumulators, with the
/// permutations materialised: what the kernels are tested against. `weights` and
/// `weight_gradients` (added to) are in PyTorch's layout; `packed` and `weight_gradient` of the
/// arguments are not used. Allocates; returns false if memory ran out.
bool mux_spatial_reference_forward(const mux_spatial *operation,
                                   const mux_spatial_forward_arguments *arguments,
                                   const float *const *weights);
bool mux_spatial_reference_backward(const mux_spatial *operation,
                                    const mux_spatial_backward_arguments *arguments,
                                    const float *const *weights, float *const *weight_gradients);

#endif
