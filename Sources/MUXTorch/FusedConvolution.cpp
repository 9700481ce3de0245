// SPDX-License-Identifier: Apache-2.0
// Convolution → batch norm → activation → [global average pool] as one operation: the stem of a
// network (a dense convolution of an image with few channels) and its head (1×1).
#include <memory>

#include "Fused.h"
#include "TorchFused.h"
extern "C" {
#include "mux_channels.h"
#include "mux_pointwise.h"
#include "mux_spatial.h"
}

namespace ct::fused {

namespace {

/// The most values of one window that the kernels gather: a stem's 3×3 to 7×7 of three channels.
constexpr int64_t most_window_values = 192;

bool is_unpadded(const ct_fused_convolution &layer) {
  return layer.top == 0 && layer.left == 0 && layer.bottom == 0 && layer.right == 0;
}

struct ConvolutionPlan {
  bool training, pool, pointwise;
  mux_activation activation;
  int64_t images, channels, height, width, outputs, out_height, out_width;
  mux_pointwise_window window;
  at::Tensor weight;  // [outputs][inner], inner (ky, kx, channel)
  at::IntArrayRef weight_sizes() const { return sizes; }
  std::vector<int64_t> sizes;
  NormParameters norm;

  ConvolutionPlan(const ct_fused_convolution &layer, const at::Tensor &x)
      : training(layer.training),
        pool(layer.pool),
        activation(layer.activation),
        images(x.size(0)),
        channels(x.size(1)),
        height(x.size(2)),
        width(x.size(3)),
        norm(layer.norm) {
    const at::Tensor &w = get(layer.weight);
    sizes = w.sizes().vec();
    const int64_t kernel = w.size(2);
    pointwise = kernel == 1 && layer.stride == 1 && is_unpadded(layer);
    outputs = w.size(0);
    out_height = (height + layer.top + layer.bottom - kernel) / layer.stride + 1;
    out_width = (width + layer.left + layer.right - kernel) / layer.stride + 1;
    window = {height, width,        channels,  out_height, out_width,
              kernel, layer.stride, layer.top, layer.left};
    weight = w.detach().permute({0, 2, 3, 1}).contiguous();
  }

  int64_t inner() const { return weight.numel() / outputs; }
  int64_t pixels() const { return out_height * out_width; }
};

struct ConvolutionState {
  at::Tensor raw, slopes;  // slopes: Σ act', Σ act'·raw of each image, [images, 2, channels]
  Norm norm;
};

at::Tensor convolution_forward(const ConvolutionPlan &plan, const at::Tensor &x,
                               ConvolutionState &state) {
  const int64_t images = plan.images, outputs = plan.outputs, inner = plan.inner();
  const int64_t pixels = plan.pixels(), in_size = plan.height * plan.width * plan.channels;
  at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(inner, outputs)));
  mux_pointwise_pack(plan.weight.const_data_ptr<float>(), inner, outputs, 1, inner,
                     packed.mutable_data_ptr<float>());
  state.raw = flat(images * pixels * outputs);
  at::Tensor sum_memory = at::zeros({3, images, outputs}, at::TensorOptions().dtype(at::kDouble));
  double *const sums = sum_memory.mutable_data_ptr<double>();
  double *const square_sums = sums + images * outputs;
  const float *const input = x.const_data_ptr<float>(), *const weights =
                                                            packed.const_data_ptr<float>();
  float *const raw = state.raw.mutable_data_ptr<float>();
  const mux_transform identity = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
  parallel(images, [&](int64_t n) {
    float *const memory = scratch(mux_pointwise_scratch_size(inner, outputs));
    double *const sum = plan.training ? sums + n * outputs : nullptr;
    double *const square_sum = plan.training ? square_sums + n * outputs : nullptr;
    if (plan.pointwise) {
      mux_pointwise_forward(input + n * in_size, inner, pixels, inner, outputs, &identity, nullptr,
                            weights, raw + n * pixels * outputs, outputs, sum, square_sum, memory);
    } else {
      mux_pointwise_window_forward(input + n * in_size, &plan.window, outputs, weights,
                                   raw + n * pixels * outputs, sum, square_sum, memory);
    }
  });
  state.norm = plan.training ? plan.norm.batch(sums, square_sums, images, images * pixels)
                             : plan.norm.running();
  const mux_transform transform = {state.norm.scale.data(), state.norm.shift.data(),
                                   plan.activation};
  if (plan.pool) {
    at::Tensor out = at::empty({images, outputs, 1, 1}, at::TensorOptions().dtype(at::kFloat));
    float *const output = out.mutable_data_ptr<float>();
    sum_memory.zero_();
    parallel(images, [&](int64_t n) {
      double *const three = sums + n * 3 * outputs;
      mux_pointwise_pool_sums(raw + n * pixels * outputs, pixels, outputs, &transform, three,
                              scratch(mux_pointwise_scratch_size(outputs, outputs)));
      for (int64_t c = 0; c < outputs; ++c)
        output[n * outputs + c] = static_cast<float>(three[c] / static_cast<double>(pixels));
    });
    state.slopes = sum_memory.view({images, 3, outputs});
    return out;
  }
  at::Tensor out = image(images, outputs, plan.out_height, plan.out_width);
  float *const output = out.mutable_data_ptr<float>();
  parallel(images, [&](int64_t n) {
    mux_pointwise_apply(raw + n * pixels * outputs, pixels, outputs, &transform,
                        output + n * pixels * outputs,
                        scratch(mux_pointwise_scratch_size(outputs, outputs)));
  });
  return out;
}

/// The gradients of input, weight, norm weight and norm bias.
std::vector<at::Tensor> convolution_backward(const ConvolutionPlan &plan, const at::Tensor &x,
                                             const ConvolutionState &state,
                                             const at::Tensor &gradient, bool wants_x) {
  const int64_t images = plan.images, outputs = plan.outputs, inner = plan.inner();
  const int64_t pixels = plan.pixels(), in_size = plan.height * plan.width * plan.channels;
  const float *const raw = state.raw.const_data_ptr<float>();
  const float *const given = gradient.const_data_ptr<float>();
  const float *const input = x.const_data_ptr<float>();
  const mux_transform transform = {state.norm.scale.data(), state.norm.shift.data(),
                                   plan.activation};
  std::vector<double> sum(static_cast<size_t>(outputs), 0.0), raw_sum(sum);
  at::Tensor pooled;
  if (plan.pool) {
    pooled = at::mul(gradient.view({images, outputs}), 1.0 / static_cast<double>(pixels));
    const float *const g = pooled.const_data_ptr<float>();
    const double *const slopes = state.slopes.const_data_ptr<double>();
    for (int64_t n = 0; n < images; ++n) {
      for (int64_t c = 0; c < outputs; ++c) {
        const auto scale = static_cast<double>(g[n * outputs + c]);
        sum[static_cast<size_t>(c)] += scale * slopes[(3 * n + 1) * outputs + c];
        raw_sum[static_cast<size_t>(c)] += scale * slopes[(3 * n + 2) * outputs + c];
      }
    }
  } else {
    at::Tensor memory = at::zeros({images, 2, outputs}, at::TensorOptions().dtype(at::kDouble));
    double *const sums = memory.mutable_data_ptr<double>();
    parallel(images, [&](int64_t n) {
      mux_pointwise_apply_sums(raw + n * pixels * outputs, given + n * pixels * outputs, pixels,
                               outputs, &transform, sums + n * 2 * outputs,
                               scratch(mux_pointwise_scratch_size(outputs, outputs)));
    });
    sum = total(sums, images, outputs, 2 * outputs);
    raw_sum = total(sums + outputs, images, outputs, 2 * outputs);
  }
  const NormGradient norm(state.norm, sum, raw_sum);

  at::Tensor gx, packed;
  if (wants_x) {
    gx = image(images, plan.channels, plan.height, plan.width);
    packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(outputs, inner)));
    mux_pointwise_pack(plan.weight.const_data_ptr<float>(), outputs, inner, inner, 1,
                       packed.mutable_data_ptr<float>());
  }
  PartialSums partials(images, static_cast<int64_t>(mux_pointwise_partial_size(inner, outputs)));
  partials.add([&](int64_t n, float *partial) {
    const mux_pointwise_expand_gradient arguments = {
        .rows = pixels,
        .inner = inner,
        .outer = outputs,
        .x = input + n * in_size,
        .x_stride = plan.channels,
        .window = plan.pointwise ? nullptr : &plan.window,
        .du = nullptr,
        .gh = plan.pool ? nullptr : given + n * pixels * outputs,
        .pooled = plan.pool ? pooled.const_data_ptr<float>() + n * outputs : nullptr,
        .y = raw + n * pixels * outputs,
        .k0 = norm.k0.data(),
        .k1 = norm.k1.data(),
        .k2 = norm.k2.data(),
        .transform = transform,
        .packed = wants_x ? packed.const_data_ptr<float>() : nullptr,
        .add = nullptr,
        .add_stride = 0,
        .gx = wants_x ? gx.mutable_data_ptr<float>() + n * in_size : nullptr,
        .gx_stride = plan.channels,
        .partial = partial};
    mux_pointwise_expand_backward(&arguments, scratch(mux_pointwise_scratch_size(inner, outputs)));
  });
  const int64_t kernel = plan.window.kernel;
  at::Tensor weight =
      at::empty({outputs, kernel, kernel, plan.channels}, at::TensorOptions().dtype(at::kFloat));
  mux_pointwise_reduce_partials(partials.data(), partials.parts, partials.size, inner, outputs,
                                weight.mutable_data_ptr<float>(), 1, inner);
  return {gx, weight.permute({0, 3, 1, 2}).contiguous(), norm.weight, norm.bias};
}

struct KeptConvolution : torch::CustomClassHolder {
  std::shared_ptr<const ConvolutionPlan> plan;
  ConvolutionState state;
};

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class ConvolutionFunction : public torch::autograd::Function<ConvolutionFunction> {
 public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &norm_weight, const at::Tensor &norm_bias,
                            std::shared_ptr<const ConvolutionPlan> plan) {
    auto kept = c10::make_intrusive<KeptConvolution>();
    kept->plan = std::move(plan);
    const at::Tensor input = x.detach().contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor out = convolution_forward(*kept->plan, input, kept->state);
    context->save_for_backward({input, kept->state.raw, weight, norm_weight, norm_bias});
    kept->state.raw.reset();
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "a fused convolution cannot be differentiated twice");
    if (!gradients[0].defined()) return variable_list(5);
    const auto saved = context->get_saved_variables();
    const auto kept = c10::static_intrusive_pointer_cast<KeptConvolution>(
        context->saved_data["kept"].toCapsule());
    ConvolutionState state = kept->state;
    state.raw = saved[1];
    const at::Tensor gradient = kept->plan->pool
                                    ? gradients[0].contiguous()
                                    : gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    variable_list results =
        convolution_backward(*kept->plan, saved[0], state, gradient, context->needs_input_grad(0));
    results.emplace_back();
    return results;
  }
};

at::Tensor run(const ct_fused_convolution &layer, const at::Tensor &x) {
  auto plan = std::make_shared<const ConvolutionPlan>(layer, x);
  const at::Tensor &weight = get(layer.weight), &norm_weight = get(layer.norm.weight),
                   &norm_bias = get(layer.norm.bias);
  if (at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() ||
                                     norm_weight.requires_grad() || norm_bias.requires_grad()))
    return ConvolutionFunction::apply(x, weight, norm_weight, norm_bias, plan);
  ConvolutionState state;
  return convolution_forward(*plan, x.detach().contiguous(at::MemoryFormat::ChannelsLast), state);
}

const char *refusal(const ct_fused_convolution &layer, ct_tensor input) {
  if (const char *reason = image_refusal(input)) return reason;
  if (!layer.weight) return "no weight";
  const at::Tensor &x = get(input), &weight = get(layer.weight);
  if (weight.dim() != 4 || weight.scalar_type() != at::kFloat || !weight.device().is_cpu())
    return "the weight must be 32-bit floats on the CPU";
  if (weight.size(1) != x.size(1)) return "the weight does not fit the input's channels";
  if (weight.size(2) != weight.size(3)) return "the kernel is not square";
  if (layer.stride < 1 || layer.top < 0 || layer.left < 0 || layer.bottom < 0 || layer.right < 0)
    return "stride or padding out of range";
  const int64_t kernel = weight.size(2);
  if (x.size(2) + layer.top + layer.bottom < kernel ||
      x.size(3) + layer.left + layer.right < kernel)
    return "the input is smaller than the kernel";
  const bool pointwise = kernel == 1 && layer.stride == 1 && is_unpadded(layer);
  if (!pointwise) {
    if (kernel * kernel * weight.size(1) > most_window_values) return "too many values in a window";
    if (x.requires_grad() && at::GradMode::is_enabled())
      return "no gradient of the input except for 1×1 convolutions";
  }
  return NormParameters::refusal(layer.norm, weight.size(0));
}

}  // namespace

}  // namespace ct::fused

extern "C" {

const char *ct_fused_convolution_refusal(const ct_fused_convolution *layer, ct_tensor x) {
  const char *reason = nullptr;
  const ct_error error = ct::guard([&] { reason = ct::fused::refusal(*layer, x); });
  if (error) {
    ct_free_text(error);
    return "the layer's tensors cannot be read";
  }
  return reason;
}

ct_error ct_fused_convolution_run(const ct_fused_convolution *layer, ct_tensor x, ct_tensor *out) {
  return ct::result(out, [&] {
    if (const char *reason = ct::fused::refusal(*layer, x))
      TORCH_CHECK(false, "fused convolution: ", reason);
    return ct::fused::run(*layer, ct::get(x));
  });
}

}  // extern "C"
