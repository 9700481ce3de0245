// SPDX-License-Identifier: Apache-2.0
// Whole blocks of a network as one differentiable operation on the CPU, in 32-bit floats: only the
// raw outputs of the convolutions are stored; batch norm and activation are applied on load.
#ifndef CT_FUSED_H
#define CT_FUSED_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)
#include "mux_activation.h"

/// Batch norm. The running statistics are updated in place when training (mean' = mean +
/// momentum·(batch − mean), the variance unbiased), used otherwise.
typedef struct {
  ct_tensor weight, bias, mean, variance;
  double epsilon, momentum;
} ct_fused_norm;

/// One slice of the channels of a spatial convolution (as `mux_spatial_branch`). Its windows begin
/// `top` rows above the image and `left` columns before it: half the kernel, or one less.
typedef struct {
  int32_t channels, kernel, group_width, multiplex, top, left;
  ct_tensor weight;
} ct_fused_branch;

/// [first `processed` channels] → [expansion 1×1 → norm → activation] → spatial convolution → norm →
/// activation → [squeeze-and-excitation] → projection 1×1 → norm → [+ input] → [with the channels
/// left out, shuffled].
typedef struct {
  bool training;
  mux_activation activation;
  /// Input channels that are processed; the rest passes unchanged (then the projection must give
  /// `processed` channels and the stride must be 1).
  int32_t processed;
  int32_t shuffle_groups;
  bool residual;
  /// NULL weight: no expansion.
  ct_tensor expansion;
  ct_fused_norm expansion_norm;
  int32_t stride, factor, branch_count;
  const ct_fused_branch *branches;
  ct_fused_norm spatial_norm;
  /// NULL weights: no squeeze-and-excitation. Biases are needed.
  ct_tensor reduce_weight, reduce_bias, expand_weight, expand_bias;
  mux_activation squeeze_activation, gate_activation;
  ct_tensor projection;
  ct_fused_norm projection_norm;
} ct_fused_block;

/// NULL if `ct_fused_block_run` can take the block, else why not (a static text).
const char *ct_fused_block_refusal(const ct_fused_block *block, ct_tensor x);

/// x [N, C, H, W]; `out` is channels-last.
ct_error ct_fused_block_run(const ct_fused_block *block, ct_tensor x, ct_tensor *out);

/// Dense convolution of an image with few channels (a network's stem), or 1×1 (its head) → norm →
/// activation → [global average pool to N×C×1×1].
typedef struct {
  bool training;
  mux_activation activation;
  bool pool;
  /// Zeros on each side of the image.
  int32_t stride, top, left, bottom, right;
  ct_tensor weight;
  ct_fused_norm norm;
} ct_fused_convolution;

const char *ct_fused_convolution_refusal(const ct_fused_convolution *layer, ct_tensor x);
ct_error ct_fused_convolution_run(const ct_fused_convolution *layer, ct_tensor x, ct_tensor *out);

/// Frees the memory that fused operations keep for their next call.
void ct_fused_release_memory(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
