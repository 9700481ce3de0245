// SPDX-License-Identifier: Apache-2.0
// Gradients and mixed precision. The modes are per thread.
#ifndef CT_AUTOGRAD_H
#define CT_AUTOGRAD_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

bool ct_requires_grad(ct_tensor a);
bool ct_is_leaf(ct_tensor a);
ct_error ct_set_requires_grad(ct_tensor a, bool value);
ct_error ct_detach(ct_tensor a, ct_tensor *out);
/// The accumulated gradient, or NULL where there is none.
ct_error ct_grad(ct_tensor a, ct_tensor *out);
/// Sets or (NULL) removes the accumulated gradient.
ct_error ct_set_grad(ct_tensor a, ct_tensor gradient);
/// `gradient` may be NULL for a tensor of one element.
ct_error ct_backward(ct_tensor a, ct_tensor gradient, bool retain);
/// Gradients of `outputs` with respect to `inputs`, not accumulated; `out` gets NULL for unused ones.
ct_error ct_gradients(const ct_tensor *outputs, const ct_tensor *output_gradients,
                      int32_t outputs_count, const ct_tensor *inputs, int32_t inputs_count,
                      bool retain, ct_tensor *out);

bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool value);

/// Whether autocast is on for a kind of device, and its element type.
ct_error ct_autocast(int32_t device_kind, bool *enabled, int32_t *dtype);
/// Nested scopes share one cache of converted weights; it is cleared when the outermost one ends.
ct_error ct_set_autocast(int32_t device_kind, bool enabled, int32_t dtype);
ct_error ct_clear_autocast_cache(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
