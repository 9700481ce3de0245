// SPDX-License-Identifier: Apache-2.0
#include "ct_optimizers.h"

#include <cmath>
#include <limits>

#include "Internal.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace {

std::vector<at::Tensor> gradients(const ct_tensor *parameters, int32_t count) {
  std::vector<at::Tensor> found;
  found.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    const at::Tensor &gradient = ct::get(parameters[i]).grad();
    if (gradient.defined()) found.push_back(gradient);
  }
  return found;
}

at::Tensor total_norm(const std::vector<at::Tensor> &tensors) {
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors)));
}

// Whether updates are left to libtorch's fused ones: on a graphics processor each small operation costs more
// to start than to run. On the processor the loops below are as fast, and give the same bits as ever.
bool prefers_fused(const std::vector<at::Tensor> &tensors) {
  for (const at::Tensor &tensor : tensors) {
    if (!tensor.is_cuda() || !tensor.is_floating_point()) return false;
  }
  return !tensors.empty();
}

// The parameters that have a gradient, with it and with what belongs to them.
struct Lists {
  std::vector<at::Tensor> parameters, gradients, first, second;

  Lists(const ct_tensor *given, const ct_tensor *first_given, const ct_tensor *second_given,
        int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      const at::Tensor &parameter = ct::get(given[i]);
      if (!parameter.grad().defined()) continue;
      parameters.push_back(parameter);
      gradients.push_back(parameter.grad());
      if (first_given != nullptr) first.push_back(ct::get(first_given[i]));
      if (second_given != nullptr) second.push_back(ct::get(second_given[i]));
    }
  }
};

// Calls the body for each parameter that has a gradient.
template <typename Body>
ct_error update(const ct_tensor *parameters, int32_t count, Body &&body) noexcept {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    for (int32_t i = 0; i < count; ++i) {
      at::Tensor parameter = ct::get(parameters[i]);
      at::Tensor gradient = parameter.grad();
      if (gradient.defined()) body(i, parameter, gradient);
    }
  });
}

}  // namespace

extern "C" {

ct_error ct_zero_grads(const ct_tensor *parameters, int32_t count, bool remove) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    for (int32_t i = 0; i < count; ++i) {
      at::Tensor &gradient = ct::get(parameters[i]).mutable_grad();
      if (!gradient.defined()) continue;
      if (remove)
        gradient.reset();
      else
        gradient.zero_();
    }
  });
}

ct_error ct_clip_grad_norm(const ct_tensor *parameters, int32_t count, double limit, double *norm) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    const auto found = gradients(parameters, count);
    *norm = found.empty() ? 0 : total_norm(found).item().toDouble();
    const double scale = limit / (*norm + 1e-6);
    // A norm that is not a number leaves the gradients alone; the caller sees it.
    if (scale < 1) at::_foreach_mul_(found, c10::Scalar(scale));
  });
}

ct_error ct_scale_grads(const ct_tensor *parameters, int32_t count, double scale) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    const auto found = gradients(parameters, count);
    if (!found.empty()) at::_foreach_mul_(found, c10::Scalar(scale));
  });
}

ct_error ct_grads_finite(const ct_tensor *parameters, int32_t count, bool *out) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    // Per tensor, since the norm of large but finite gradients may overflow.
    *out = true;
    const auto found = gradients(parameters, count);
    if (prefers_fused(found)) {
      // The greatest of each, which cannot overflow; one number comes back, not one for each tensor.
      const auto greatest = at::_foreach_norm(found, std::numeric_limits<double>::infinity());
      *out = at::stack(greatest).isfinite().all().item<bool>();
      return;
    }
    for (const at::Tensor &gradient : found) {
      if (gradient.isfinite().all().item<bool>()) continue;
      *out = false;
      return;
    }
  });
}

ct_error ct_sgd_step(const ct_tensor *parameters, const ct_tensor *momenta, int32_t count,
                     double rate, double momentum, double dampening, double decay, bool nesterov,
                     bool first) {
  if (count > 0 && ct::get(parameters[0]).is_cuda()) {
    return ct::guard([&] {
      const at::NoGradGuard no_grad;
      Lists lists(parameters, momentum != 0 ? momenta : nullptr, nullptr, count);
      if (lists.parameters.empty()) return;
      at::_fused_sgd_(lists.parameters, lists.gradients, lists.first, decay, momentum, rate,
                      dampening, nesterov, /*maximize=*/false, /*is_first_step=*/first);
    });
  }
  return update(parameters, count, [&](int32_t i, at::Tensor &parameter, at::Tensor gradient) {
    if (decay != 0) gradient = gradient.add(parameter, decay);
    if (momentum != 0) {
      at::Tensor buffer = ct::get(momenta[i]);
      if (first)
        buffer.copy_(gradient);
      else
        buffer.mul_(momentum).add_(gradient, 1 - dampening);
      gradient = nesterov ? gradient.add(buffer, momentum) : buffer;
    }
    parameter.add_(gradient, -rate);
  });
}

ct_error ct_rmsprop_step(const ct_tensor *parameters, const ct_tensor *squares,
                         const ct_tensor *momenta, int32_t count, double rate, double alpha,
                         double epsilon, double momentum, double decay, bool decoupled,
                         bool tensorflow) {
  return update(parameters, count, [&](int32_t i, at::Tensor &parameter, at::Tensor gradient) {
    if (decay != 0) {
      if (decoupled)
        parameter.mul_(1 - rate * decay);
      else
        gradient = gradient.add(parameter, decay);
    }
    at::Tensor square = ct::get(squares[i]);
    square.mul_(alpha).addcmul_(gradient, gradient, 1 - alpha);
    const at::Tensor root = tensorflow ? square.add(epsilon).sqrt_() : square.sqrt().add_(epsilon);
    if (momentum == 0) {
      parameter.addcdiv_(gradient, root, -rate);
      return;
    }
    at::Tensor buffer = ct::get(momenta[i]);
    if (tensorflow) {
      buffer.mul_(momentum).addcdiv_(gradient, root, rate);
      parameter.sub_(buffer);
    } else {
      buffer.mul_(momentum).addcdiv_(gradient, root);
      parameter.add_(buffer, -rate);
    }
  });
}

ct_error ct_adamw_step(const ct_tensor *parameters, const ct_tensor *averages,
                       const ct_tensor *squares, int32_t count, int64_t step, double rate,
                       double beta1, double beta2, double epsilon, double decay) {
  if (count > 0 && ct::get(parameters[0]).is_cuda()) {
    return ct::guard([&] {
      const at::NoGradGuard no_grad;
      Lists lists(parameters, averages, squares, count);
      if (lists.parameters.empty()) return;
      const at::Tensor now =
          at::full({}, static_cast<double>(step), lists.parameters[0].options().dtype(at::kFloat));
      const std::vector<at::Tensor> steps(lists.parameters.size(), now);
      at::_fused_adamw_(lists.parameters, lists.gradients, lists.first, lists.second, {}, steps,
                        rate, beta1, beta2, decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
    });
  }
  const double correction1 = 1 - std::pow(beta1, static_cast<double>(step));
  const double correction2 = std::sqrt(1 - std::pow(beta2, static_cast<double>(step)));
  return update(parameters, count, [&](int32_t i, at::Tensor &parameter, at::Tensor gradient) {
    at::Tensor average = ct::get(averages[i]);
    at::Tensor square = ct::get(squares[i]);
    parameter.mul_(1 - rate * decay);
    average.lerp_(gradient, 1 - beta1);
    square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    const at::Tensor root = square.sqrt().div_(correction2).add_(epsilon);
    parameter.addcdiv_(average, root, -rate / correction1);
  });
}

ct_error ct_lerp_list(const ct_tensor *targets, const ct_tensor *sources, int32_t count,
                      double weight) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    for (int32_t i = 0; i < count; ++i) {
      at::Tensor target = ct::get(targets[i]);
      const at::Tensor &source = ct::get(sources[i]);
      if (target.is_floating_point())
        target.lerp_(source, weight);
      else
        target.copy_(source);
    }
  });
}

}  // extern "C"
