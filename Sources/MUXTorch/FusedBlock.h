// SPDX-License-Identifier: Apache-2.0
// One fused block: what it is made of, its forward and its backward.
#ifndef CT_FUSED_BLOCK_H
#define CT_FUSED_BLOCK_H
#include <memory>

#include "Fused.h"
extern "C" {
#include "mux_channels.h"
#include "mux_pointwise.h"
#include "mux_spatial.h"
}

namespace ct::fused {

/// The part of a wider kernel: `size` rows and columns from `row` and `column` on.
struct OwnWindow {
  int64_t row, column, size;
};

/// The settings and tensors of a block, and the sizes that follow from the input.
struct BlockPlan {
  bool training, residual, expands, squeezes;
  mux_activation activation, squeeze_activation, gate_activation;
  int64_t images, height, width, channels, processed, middle, out_height, out_width, outputs;
  int64_t shuffle_groups;
  std::vector<mux_spatial_branch> branches;
  mux_spatial spatial;
  at::Tensor expansion, projection, reduce_weight, reduce_bias, expand_weight, expand_bias;
  /// As the kernels take them, whose windows lie around their pixels: one that begins a pixel later is
  /// part of a kernel that is wider by one on each side.
  std::vector<at::Tensor> spatial_weights;
  /// The part of each that is the branch's own.
  std::vector<OwnWindow> own_windows;
  NormParameters expansion_norm, spatial_norm, projection_norm;

  BlockPlan(const ct_fused_block &block, const at::Tensor &x);
  BlockPlan(const BlockPlan &) = delete;

  int64_t left_out() const { return channels - processed; }
  int64_t pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height * out_width; }
  /// Channels of the block's output.
  int64_t out_channels() const { return outputs + left_out(); }
  bool rearranges() const { return left_out() > 0 || shuffle_groups > 1; }
};

/// What forward leaves for backward.
struct BlockState {
  at::Tensor expanded, convolved, projected;  // raw outputs
  Norm expansion, spatial, projection;
  at::Tensor squeezed, reduced_raw, reduced, gate_raw, gate;  // [images, channels]
};

at::Tensor block_forward(const BlockPlan &plan, const at::Tensor &x, BlockState &state);

/// The gradients of x and of `parameters()`; that of x is undefined unless `wants_x`.
std::vector<at::Tensor> block_backward(const BlockPlan &plan, const at::Tensor &x,
                                       const BlockState &state, const at::Tensor &gradient,
                                       bool wants_x);

struct SqueezeGradients {
  at::Tensor reduce_weight, reduce_bias, expand_weight, expand_bias;
  /// Gradient that reaches each pixel's activation through the pool, [images, channels].
  at::Tensor pooled;
};

/// From `squeezed` to `gate`, and back.
void squeeze_forward(const BlockPlan &plan, BlockState &state);
SqueezeGradients squeeze_backward(const BlockPlan &plan, const BlockState &state,
                                  const at::Tensor &gate_gradient);

}  // namespace ct::fused
#endif
