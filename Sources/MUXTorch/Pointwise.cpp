// SPDX-License-Identifier: Apache-2.0
#include "ct_math.h"

#include <limits>

#include "Internal.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>

namespace {

at::Tensor unary(int32_t operation, const at::Tensor &a) {
  switch (operation) {
  case CT_NEG: return a.neg();
  case CT_ABS: return a.abs();
  case CT_EXP: return a.exp();
  case CT_LOG: return a.log();
  case CT_SQRT: return a.sqrt();
  case CT_RSQRT: return a.rsqrt();
  case CT_SQUARE: return a.square();
  case CT_RELU: return a.relu();
  case CT_RELU6: return at::hardtanh(a, 0, 6);
  case CT_SILU: return at::silu(a);
  case CT_HARDSWISH: return at::hardswish(a);
  case CT_SIGMOID: return a.sigmoid();
  case CT_HARDSIGMOID: return at::hardsigmoid(a);
  case CT_TANH: return a.tanh();
  case CT_GELU: return at::gelu(a);
  case CT_SOFTPLUS: return at::softplus(a);
  case CT_IS_FINITE: return at::isfinite(a);
  default: TORCH_CHECK(false, "unknown operation ", operation);
  }
}

template <typename Other>
at::Tensor binary(int32_t operation, const at::Tensor &a, const Other &b) {
  switch (operation) {
  case CT_ADD: return a.add(b);
  case CT_SUB: return a.sub(b);
  case CT_MUL: return a.mul(b);
  case CT_DIV: return a.div(b);
  case CT_POW: return a.pow(b);
  case CT_EQ: return a.eq(b);
  case CT_NE: return a.ne(b);
  case CT_LT: return a.lt(b);
  case CT_LE: return a.le(b);
  case CT_GT: return a.gt(b);
  case CT_GE: return a.ge(b);
  default: break;
  }
  if constexpr (std::is_same_v<Other, at::Tensor>) {
    switch (operation) {
    case CT_MAXIMUM: return at::maximum(a, b);
    case CT_MINIMUM: return at::minimum(a, b);
    case CT_AND: return a.logical_and(b);
    case CT_OR: return a.logical_or(b);
    default: break;
    }
  } else {
    if (operation == CT_MAXIMUM) return at::clamp(a, b, std::nullopt);
    if (operation == CT_MINIMUM) return at::clamp(a, std::nullopt, b);
  }
  TORCH_CHECK(false, "unknown operation ", operation);
}

template <typename Other>
void binary_in_place(int32_t operation, at::Tensor a, const Other &b) {
  switch (operation) {
  case CT_ADD: a.add_(b); break;
  case CT_SUB: a.sub_(b); break;
  case CT_MUL: a.mul_(b); break;
  case CT_DIV: a.div_(b); break;
  case CT_POW: a.pow_(b); break;
  default: TORCH_CHECK(false, "operation ", operation, " has no in-place form");
  }
}

// An infinite bound is no bound.
std::optional<c10::Scalar> bound(const at::Tensor &a, double value) {
  if (std::abs(value) == std::numeric_limits<double>::infinity()) return std::nullopt;
  return ct::scalar(a, value);
}

}  // namespace

extern "C" {

ct_error ct_unary(int32_t operation, ct_tensor a, ct_tensor *out) {
  return ct::result(out, [&] { return unary(operation, ct::get(a)); });
}

ct_error ct_binary(int32_t operation, ct_tensor a, ct_tensor b, ct_tensor *out) {
  return ct::result(out, [&] { return binary(operation, ct::get(a), ct::get(b)); });
}

ct_error ct_binary_scalar(int32_t operation, ct_tensor a, double b, ct_tensor *out) {
  return ct::result(out, [&] { return binary(operation, ct::get(a), ct::scalar(ct::get(a), b)); });
}

ct_error ct_binary_(int32_t operation, ct_tensor a, ct_tensor b) {
  return ct::guard([&] { binary_in_place(operation, ct::get(a), ct::get(b)); });
}

ct_error ct_binary_scalar_(int32_t operation, ct_tensor a, double b) {
  return ct::guard([&] { binary_in_place(operation, ct::get(a), ct::scalar(ct::get(a), b)); });
}

ct_error ct_add_scaled(ct_tensor a, ct_tensor b, double alpha, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).add(ct::get(b), ct::scalar(ct::get(a), alpha)); });
}

ct_error ct_add_scaled_(ct_tensor a, ct_tensor b, double alpha) {
  return ct::guard([&] { ct::get(a).add_(ct::get(b), ct::scalar(ct::get(a), alpha)); });
}

ct_error ct_clamp(ct_tensor a, double low, double high, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &x = ct::get(a);
    return at::clamp(x, bound(x, low), bound(x, high));
  });
}

ct_error ct_clamp_(ct_tensor a, double low, double high) {
  return ct::guard([&] {
    at::Tensor x = ct::get(a);
    at::clamp_(x, bound(x, low), bound(x, high));
  });
}

ct_error ct_fill_(ct_tensor a, double value) {
  return ct::guard([&] { ct::get(a).fill_(ct::scalar(ct::get(a), value)); });
}

ct_error ct_copy_(ct_tensor a, ct_tensor source) {
  return ct::guard([&] {
    // copy_ would broadcast silently.
    TORCH_CHECK(ct::get(a).sizes() == ct::get(source).sizes(), "cannot copy a tensor of ",
                ct::get(source).sizes(), " into one of ", ct::get(a).sizes());
    ct::get(a).copy_(ct::get(source));
  });
}

}  // extern "C"
