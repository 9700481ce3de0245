// SPDX-License-Identifier: Apache-2.0
#include "ct_layers.h"

#include "Internal.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace {

c10::IntArrayRef pair(const int64_t (&values)[2]) { return c10::IntArrayRef(values, 2); }

}  // namespace

extern "C" {

ct_error ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_window window, int64_t groups,
                   ct_tensor *out) {
  return ct::result(out, [&] {
    return at::conv2d(ct::get(x), ct::get(weight), ct::optional(bias), pair(window.stride),
                      pair(window.padding), pair(window.dilation), groups);
  });
}

ct_error ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
  return ct::result(out,
                    [&] { return at::linear(ct::get(x), ct::get(weight), ct::optional(bias)); });
}

ct_error ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                       ct_tensor variance, bool training, double momentum, double epsilon,
                       ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &input = ct::get(x);
    if (training) {
      TORCH_CHECK(input.dim() >= 2 && input.size(1) > 0 && input.numel() / input.size(1) > 1,
                  "batch norm in training needs more than one value per channel, got ",
                  input.sizes());
    }
    return at::batch_norm(input, ct::optional(weight), ct::optional(bias), ct::optional(mean),
                          ct::optional(variance), training, momentum, epsilon, false);
  });
}

ct_error ct_max_pool2d(ct_tensor x, ct_window window, bool ceil_mode, ct_tensor *out) {
  return ct::result(out, [&] {
    return at::max_pool2d(ct::get(x), pair(window.kernel), pair(window.stride),
                          pair(window.padding), pair(window.dilation), ceil_mode);
  });
}

ct_error ct_avg_pool2d(ct_tensor x, ct_window window, bool ceil_mode, bool count_padding,
                       ct_tensor *out) {
  return ct::result(out, [&] {
    return at::avg_pool2d(ct::get(x), pair(window.kernel), pair(window.stride),
                          pair(window.padding), ceil_mode, count_padding);
  });
}

ct_error ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out) {
  return ct::result(out, [&] { return at::adaptive_avg_pool2d(ct::get(x), {height, width}); });
}

ct_error ct_dropout(ct_tensor x, double probability, ct_generator generator, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &input = ct::get(x);
    TORCH_CHECK(probability >= 0 && probability < 1, "dropout probability ", probability,
                " is not in [0, 1)");
    // The mask is drawn here and not by at::dropout, which takes no generator.
    at::Tensor mask;
    {
      const at::NoGradGuard no_grad;
      mask = at::empty_like(input);
      mask.bernoulli_(1 - probability, ct::generator(generator)).div_(1 - probability);
    }
    return input.mul(mask);
  });
}

ct_error ct_softmax(ct_tensor x, int64_t dimension, bool logarithm, ct_tensor *out) {
  return ct::result(out, [&] {
    return logarithm ? at::log_softmax(ct::get(x), dimension) : at::softmax(ct::get(x), dimension);
  });
}

ct_error ct_upsample(ct_tensor x, int64_t height, int64_t width, int32_t mode, bool align_corners,
                     bool antialias, ct_tensor *out) {
  return ct::result(out, [&]() -> at::Tensor {
    const at::Tensor &a = ct::get(x);
    const int64_t size[2] = {height, width};
    switch (mode) {
    case CT_NEAREST: return at::upsample_nearest2d(a, pair(size));
    case CT_BILINEAR:
      return antialias ? at::_upsample_bilinear2d_aa(a, pair(size), align_corners)
                       : at::upsample_bilinear2d(a, pair(size), align_corners);
    case CT_BICUBIC:
      return antialias ? at::_upsample_bicubic2d_aa(a, pair(size), align_corners)
                       : at::upsample_bicubic2d(a, pair(size), align_corners);
    default: TORCH_CHECK(false, "unknown mode ", mode);
    }
  });
}

}  // extern "C"
