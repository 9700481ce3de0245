// SPDX-License-Identifier: Apache-2.0
// Losses. Optional tensors are NULL where absent.
#ifndef CT_LOSSES_H
#define CT_LOSSES_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

enum { CT_REDUCE_NONE = 0, CT_REDUCE_MEAN = 1, CT_REDUCE_SUM = 2 };

/// Targets are class numbers (int64) or, for soft targets, probabilities shaped as the logits.
ct_error ct_cross_entropy(ct_tensor logits, ct_tensor target, ct_tensor weight, int32_t reduction,
                          int64_t ignored, double smoothing, ct_tensor *out);
ct_error ct_bce_with_logits(ct_tensor logits, ct_tensor target, ct_tensor weight,
                            ct_tensor positive_weight, int32_t reduction, ct_tensor *out);
ct_error ct_smooth_l1(ct_tensor a, ct_tensor b, int32_t reduction, double beta, ct_tensor *out);
ct_error ct_mse(ct_tensor a, ct_tensor b, int32_t reduction, ct_tensor *out);
/// Kullback-Leibler divergence of probabilities `target` from log-probabilities `input`.
ct_error ct_kl_divergence(ct_tensor input, ct_tensor target, int32_t reduction, ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
