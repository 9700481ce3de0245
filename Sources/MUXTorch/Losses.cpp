// SPDX-License-Identifier: Apache-2.0
#include "ct_losses.h"

#include "Internal.h"
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/smooth_l1_loss.h>

extern "C" {

ct_error ct_cross_entropy(ct_tensor logits, ct_tensor target, ct_tensor weight, int32_t reduction,
                          int64_t ignored, double smoothing, ct_tensor *out) {
  return ct::result(out, [&] {
    return at::cross_entropy_loss(ct::get(logits), ct::get(target), ct::optional(weight), reduction,
                                  ignored, smoothing);
  });
}

ct_error ct_bce_with_logits(ct_tensor logits, ct_tensor target, ct_tensor weight,
                            ct_tensor positive_weight, int32_t reduction, ct_tensor *out) {
  return ct::result(out, [&] {
    TORCH_CHECK(ct::get(logits).sizes() == ct::get(target).sizes(), "targets of ",
                ct::get(target).sizes(), " do not fit logits of ", ct::get(logits).sizes());
    return at::binary_cross_entropy_with_logits(ct::get(logits), ct::get(target),
                                                ct::optional(weight), ct::optional(positive_weight),
                                                reduction);
  });
}

ct_error ct_smooth_l1(ct_tensor a, ct_tensor b, int32_t reduction, double beta, ct_tensor *out) {
  return ct::result(out,
                    [&] { return at::smooth_l1_loss(ct::get(a), ct::get(b), reduction, beta); });
}

ct_error ct_mse(ct_tensor a, ct_tensor b, int32_t reduction, ct_tensor *out) {
  return ct::result(out, [&] { return at::mse_loss(ct::get(a), ct::get(b), reduction); });
}

ct_error ct_kl_divergence(ct_tensor input, ct_tensor target, int32_t reduction, ct_tensor *out) {
  return ct::result(out, [&] { return at::kl_div(ct::get(input), ct::get(target), reduction); });
}

}  // extern "C"
