// SPDX-License-Identifier: Apache-2.0
// Squeeze-and-excitation between the pool and the gate, on [images, channels]. Small products, made
// with our own kernels: libtorch's add up in another order for another number of threads.
#include "FusedBlock.h"
#include "TorchFused.h"

namespace ct::fused {

namespace {

/// x [rows, inner] · B, where element (k, n) of B is `weight[k * inner_stride + n * outer_stride]`.
at::Tensor product(const at::Tensor &x, const at::Tensor &weight, int64_t outer,
                   int64_t inner_stride, int64_t outer_stride) {
  const int64_t rows = x.size(0), inner = x.size(1);
  at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(inner, outer)));
  mux_pointwise_pack(weight.const_data_ptr<float>(), inner, outer, inner_stride, outer_stride,
                     packed.mutable_data_ptr<float>());
  at::Tensor result = flat(rows * outer).view({rows, outer});
  const mux_transform identity = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
  mux_pointwise_forward(x.const_data_ptr<float>(), inner, rows, inner, outer, &identity, nullptr,
                        packed.const_data_ptr<float>(), result.mutable_data_ptr<float>(), outer,
                        nullptr, nullptr, scratch(mux_pointwise_scratch_size(inner, outer)));
  return result;
}

/// gradientᵀ · x, shaped as the weight [outer, inner, 1, 1].
at::Tensor weight_gradient(const at::Tensor &gradient, const at::Tensor &x,
                           const at::Tensor &weight) {
  const int64_t rows = x.size(0), inner = x.size(1), outer = gradient.size(1);
  at::Tensor partial = flat(static_cast<int64_t>(mux_pointwise_partial_size(inner, outer)));
  partial.zero_();
  const std::vector<float> one(static_cast<size_t>(outer), 1.0f), zero(one.size(), 0.0f);
  const mux_pointwise_expand_gradient arguments = {
      .rows = rows,
      .inner = inner,
      .outer = outer,
      .x = x.const_data_ptr<float>(),
      .x_stride = inner,
      .window = nullptr,
      .du = gradient.const_data_ptr<float>(),
      .gh = nullptr,
      .pooled = nullptr,
      .y = gradient.const_data_ptr<float>(),
      .k0 = one.data(),
      .k1 = zero.data(),
      .k2 = zero.data(),
      .transform = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}},
      .packed = nullptr,
      .add = nullptr,
      .add_stride = 0,
      .gx = nullptr,
      .gx_stride = 0,
      .partial = partial.mutable_data_ptr<float>()};
  mux_pointwise_expand_backward(&arguments, scratch(mux_pointwise_scratch_size(inner, outer)));
  at::Tensor result = at::empty(weight.sizes(), weight.options());
  mux_pointwise_reduce_partials(partial.const_data_ptr<float>(), 1, 0, inner, outer,
                                result.mutable_data_ptr<float>(), 1, inner);
  return result;
}

void add_bias(at::Tensor &x, const at::Tensor &bias) {
  float *to = x.mutable_data_ptr<float>();
  const float *const b = bias.const_data_ptr<float>();
  const int64_t columns = x.size(1);
  for (int64_t n = 0; n < x.size(0); ++n, to += columns)
    for (int64_t c = 0; c < columns; ++c) to[c] += b[c];
}

at::Tensor bias_gradient(const at::Tensor &gradient) {
  const int64_t columns = gradient.size(1);
  at::Tensor result = at::zeros({columns}, gradient.options());
  float *const to = result.mutable_data_ptr<float>();
  const float *from = gradient.const_data_ptr<float>();
  for (int64_t n = 0; n < gradient.size(0); ++n, from += columns)
    for (int64_t c = 0; c < columns; ++c) to[c] += from[c];
  return result;
}

at::Tensor activate(const at::Tensor &x, mux_activation activation) {
  at::Tensor result = at::empty(x.sizes(), x.options());
  const float *const from = x.const_data_ptr<float>();
  float *const to = result.mutable_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i) to[i] = mux_activation_value(activation, from[i]);
  return result;
}

/// gradient · act'(x).
at::Tensor activate_backward(const at::Tensor &gradient, const at::Tensor &x,
                             mux_activation activation) {
  at::Tensor result = at::empty(x.sizes(), x.options());
  const float *const from = x.const_data_ptr<float>(), *const g = gradient.const_data_ptr<float>();
  float *const to = result.mutable_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i)
    to[i] = g[i] * mux_activation_derivative(activation, from[i]);
  return result;
}

}  // namespace

void squeeze_forward(const BlockPlan &plan, BlockState &state) {
  const int64_t middle = plan.middle, reduced = plan.reduce_weight.size(0);
  state.reduced_raw = product(state.squeezed, plan.reduce_weight, reduced, 1, middle);
  add_bias(state.reduced_raw, plan.reduce_bias);
  state.reduced = activate(state.reduced_raw, plan.squeeze_activation);
  state.gate_raw = product(state.reduced, plan.expand_weight, middle, 1, reduced);
  add_bias(state.gate_raw, plan.expand_bias);
  state.gate = activate(state.gate_raw, plan.gate_activation);
}

SqueezeGradients squeeze_backward(const BlockPlan &plan, const BlockState &state,
                                  const at::Tensor &gate_gradient) {
  const int64_t middle = plan.middle, reduced = plan.reduce_weight.size(0);
  const at::Tensor expanded =
      activate_backward(gate_gradient, state.gate_raw, plan.gate_activation);
  const at::Tensor squeezed =
      activate_backward(product(expanded, plan.expand_weight, reduced, reduced, 1),
                        state.reduced_raw, plan.squeeze_activation);
  SqueezeGradients result;
  result.expand_weight = weight_gradient(expanded, state.reduced, plan.expand_weight);
  result.expand_bias = bias_gradient(expanded);
  result.reduce_weight = weight_gradient(squeezed, state.squeezed, plan.reduce_weight);
  result.reduce_bias = bias_gradient(squeezed);
  result.pooled = product(squeezed, plan.reduce_weight, middle, middle, 1);
  result.pooled.mul_(1.0 / static_cast<double>(plan.out_pixels()));
  return result;
}

}  // namespace ct::fused
