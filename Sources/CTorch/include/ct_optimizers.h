// SPDX-License-Identifier: Apache-2.0
// Updates of a whole list of tensors in one call, without recording gradients. Parameters whose
// gradient is absent are left alone.
#ifndef CT_OPTIMIZERS_H
#define CT_OPTIMIZERS_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

ct_error ct_zero_grads(const ct_tensor *parameters, int32_t count, bool remove);
/// The norm of all gradients together, which are scaled by min(1, limit/(norm + 1e-6)).
ct_error ct_clip_grad_norm(const ct_tensor *parameters, int32_t count, double limit, double *norm);
ct_error ct_scale_grads(const ct_tensor *parameters, int32_t count, double scale);
ct_error ct_grads_finite(const ct_tensor *parameters, int32_t count, bool *out);

/// momenta[i] may be NULL where momentum is 0.
ct_error ct_sgd_step(const ct_tensor *parameters, const ct_tensor *momenta, int32_t count,
                     double rate, double momentum, double dampening, double decay, bool nesterov,
                     bool first);
/// RMSProp; `tensorflow` adds epsilon under the root and puts the rate into the momentum.
ct_error ct_rmsprop_step(const ct_tensor *parameters, const ct_tensor *squares,
                         const ct_tensor *momenta, int32_t count, double rate, double alpha,
                         double epsilon, double momentum, double decay, bool decoupled,
                         bool tensorflow);
/// AdamW (decoupled decay) for step number `step`, counted from 1.
ct_error ct_adamw_step(const ct_tensor *parameters, const ct_tensor *averages,
                       const ct_tensor *squares, int32_t count, int64_t step, double rate,
                       double beta1, double beta2, double epsilon, double decay);
/// targets[i] += weight*(sources[i] - targets[i]); tensors that are not of floating point are copied.
ct_error ct_lerp_list(const ct_tensor *targets, const ct_tensor *sources, int32_t count,
                      double weight);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
