// SPDX-License-Identifier: Apache-2.0
#include "ct_autograd.h"

#include "Internal.h"
#include "TorchAutograd.h"

extern "C" {

bool ct_requires_grad(ct_tensor a) { return ct::get(a).requires_grad(); }

bool ct_is_leaf(ct_tensor a) { return ct::get(a).is_leaf(); }

ct_error ct_set_requires_grad(ct_tensor a, bool value) {
  return ct::guard([&] { ct::get(a).set_requires_grad(value); });
}

ct_error ct_detach(ct_tensor a, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).detach(); });
}

ct_error ct_grad(ct_tensor a, ct_tensor *out) {
  return ct::guard([&] {
    const at::Tensor &gradient = ct::get(a).grad();
    *out = gradient.defined() ? ct::wrap(gradient) : nullptr;
  });
}

ct_error ct_set_grad(ct_tensor a, ct_tensor gradient) {
  return ct::guard([&] {
    if (gradient == nullptr) {
      ct::get(a).mutable_grad().reset();
      return;
    }
    TORCH_CHECK(ct::get(gradient).sizes() == ct::get(a).sizes(), "a gradient of ",
                ct::get(gradient).sizes(), " does not fit a tensor of ", ct::get(a).sizes());
    ct::get(a).mutable_grad() = ct::get(gradient);
  });
}

ct_error ct_backward(ct_tensor a, ct_tensor gradient, bool retain) {
  return ct::guard(
      [&] { ct::get(a).backward(gradient == nullptr ? at::Tensor() : ct::get(gradient), retain); });
}

ct_error ct_gradients(const ct_tensor *outputs, const ct_tensor *output_gradients,
                      int32_t outputs_count, const ct_tensor *inputs, int32_t inputs_count,
                      bool retain, ct_tensor *out) {
  return ct::guard([&] {
    std::vector<at::Tensor> starts;
    for (int32_t i = 0; i < outputs_count; ++i) {
      const bool given = output_gradients != nullptr && output_gradients[i] != nullptr;
      starts.push_back(given ? ct::get(output_gradients[i]) : at::Tensor());
    }
    const auto gradients =
        torch::autograd::grad(ct::list(outputs, outputs_count), ct::list(inputs, inputs_count),
                              starts, retain, false, true);
    for (size_t i = 0; i < gradients.size(); ++i)
      out[i] = gradients[i].defined() ? ct::wrap(gradients[i]) : nullptr;
  });
}

bool ct_grad_enabled(void) { return c10::GradMode::is_enabled(); }

void ct_set_grad_enabled(bool value) { c10::GradMode::set_enabled(value); }

ct_error ct_autocast(int32_t device_kind, bool *enabled, int32_t *dtype) {
  return ct::guard([&] {
    const auto type = ct::device(device_kind, 0).type();
    *enabled = at::autocast::is_autocast_enabled(type);
    *dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(type));
  });
}

ct_error ct_set_autocast(int32_t device_kind, bool enabled, int32_t dtype) {
  return ct::guard([&] {
    const auto type = ct::device(device_kind, 0).type();
    at::autocast::set_autocast_enabled(type, enabled);
    at::autocast::set_autocast_dtype(type, ct::dtype(dtype));
  });
}

ct_error ct_clear_autocast_cache(void) {
  return ct::guard([] { at::autocast::clear_cache(); });
}

}  // extern "C"
