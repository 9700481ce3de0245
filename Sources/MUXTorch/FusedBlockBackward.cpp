// SPDX-License-Identifier: Apache-2.0
#include "FusedBlock.h"
#include "TorchFused.h"

namespace ct::fused {

namespace {

/// Undoes shuffle and concatenation of one image's output gradient: the processed channels go to
/// `gy`, the others to `gx` if not null. Without rearrangement nothing moves. Adds to Σ gy and
/// Σ gy·p of each channel.
void begin(const BlockPlan &plan, const float *gradient, const float *p, float *gy, float *gx,
           double *sum, double *raw_sum) {
  const int64_t pixels = plan.out_pixels(), outputs = plan.outputs;
  const int64_t all = plan.out_channels(), left_out = plan.left_out();
  const int64_t groups = plan.shuffle_groups, size = all / groups;
  const bool moves = plan.rearranges();
  std::vector<float> memory(static_cast<size_t>(all + 2 * outputs));
  float *const row = memory.data(), *const sums = row + all, *const raw_sums = sums + outputs;
  constexpr int64_t block = 64;
  for (int64_t first = 0; first < pixels; first += block) {
    for (int64_t c = 0; c < outputs; ++c) sums[c] = raw_sums[c] = 0;
    for (int64_t i = first; i < std::min(first + block, pixels); ++i) {
      const float *from = gradient + i * all;
      if (moves) {
        if (groups == 2) {
          for (int64_t c = 0; c < size; ++c) {
            row[c] = from[2 * c];
            row[size + c] = from[2 * c + 1];
          }
        } else {
          for (int64_t c = 0; c < size; ++c)
            for (int64_t g = 0; g < groups; ++g) row[g * size + c] = from[c * groups + g];
        }
        from = row;
        float *const to = gy + i * outputs;
        for (int64_t c = 0; c < outputs; ++c) to[c] = from[c];
        if (gx) {
          float *const rest = gx + i * plan.channels + plan.processed;
          for (int64_t c = 0; c < left_out; ++c) rest[c] = from[outputs + c];
        }
      }
      const float *const raw = p + i * outputs;
      for (int64_t c = 0; c < outputs; ++c) {
        sums[c] += from[c];
        raw_sums[c] += from[c] * raw[c];
      }
    }
    for (int64_t c = 0; c < outputs; ++c) {
      sum[c] += static_cast<double>(sums[c]);
      raw_sum[c] += static_cast<double>(raw_sums[c]);
    }
  }
}

/// The backward pass of one block, a step for each of its layers, the last one first.
struct Backward {
  Backward(const BlockPlan &plan, const at::Tensor &x, const BlockState &state,
           const at::Tensor &gradient, bool wants_x)
      : plan(plan),
        state(state),
        input(x.const_data_ptr<float>()),
        output_gradient(gradient.const_data_ptr<float>()),
        sum_memory(2 * images * std::max(outputs, middle)),
        sums(sum_memory.data()),
        raw_sums(sums + images * std::max(outputs, middle)),
        five_memory(images * 5 * middle),
        five_sums(five_memory.data()) {
    if (!wants_x) return;
    gx = image(images, plan.channels, plan.height, plan.width);
    input_gradient = gx.mutable_data_ptr<float>();
  }

  std::vector<at::Tensor> run() {
    rearrange();
    const NormGradient projection_norm = norm_gradient(state.projection, outputs);
    const at::Tensor projection = project(projection_norm);
    SqueezeGradients squeeze;
    if (plan.squeezes) squeeze = squeeze_gradients();
    const NormGradient spatial_norm = spatial_norm_gradient(squeeze);
    const std::vector<at::Tensor> spatial = convolve(spatial_norm, squeeze);
    gz_memory.reset();

    std::vector<at::Tensor> gradients = {gx};
    if (plan.expands) {
      const NormGradient expansion_norm = norm_gradient(state.expansion, middle);
      gradients.push_back(expand(expansion_norm));
      gradients.push_back(expansion_norm.weight);
      gradients.push_back(expansion_norm.bias);
    }
    gradients.insert(gradients.end(), spatial.begin(), spatial.end());
    gradients.push_back(spatial_norm.weight);
    gradients.push_back(spatial_norm.bias);
    if (plan.squeezes) {
      gradients.push_back(squeeze.reduce_weight);
      gradients.push_back(squeeze.reduce_bias);
      gradients.push_back(squeeze.expand_weight);
      gradients.push_back(squeeze.expand_bias);
    }
    gradients.push_back(projection);
    gradients.push_back(projection_norm.weight);
    gradients.push_back(projection_norm.bias);
    return gradients;
  }

  const BlockPlan &plan;
  const BlockState &state;
  const int64_t images = plan.images, middle = plan.middle, outputs = plan.outputs;
  const int64_t pixels = plan.pixels(), out_pixels = plan.out_pixels();
  const float *const input;
  const float *const output_gradient;
  const float *const convolved = state.convolved.const_data_ptr<float>();
  const float *const gate = plan.squeezes ? state.gate.const_data_ptr<float>() : nullptr;
  /// The gradient of the block's input, or undefined and null.
  at::Tensor gx;
  float *input_gradient = nullptr;
  /// Σ gradient and Σ gradient · raw value of each image's channels, for the batch norm that comes next.
  Doubles sum_memory;
  double *const sums;
  double *const raw_sums;
  /// The five sums of `mux_pointwise_project_backward` of each image's channels.
  Doubles five_memory;
  double *const five_sums;
  /// Gradients of the projection's norm, of what the projection reads, and of what the spatial convolution
  /// reads (null if nothing does).
  at::Tensor gy_memory, gz_memory, ge_memory;
  const float *gy = nullptr;
  float *gz = nullptr;
  float *ge = nullptr;

  static at::TensorOptions floats() { return at::TensorOptions().dtype(at::kFloat); }

  NormGradient norm_gradient(const Norm &norm, int64_t channels) const {
    return NormGradient(norm, total(sums, images, channels, channels),
                        total(raw_sums, images, channels, channels));
  }

  /// Norm and activation between the spatial convolution and the projection.
  mux_transform spatial_transform() const {
    return {state.spatial.scale.data(), state.spatial.shift.data(), plan.activation};
  }

  static at::Tensor packed(const at::Tensor &weight, int64_t inputs, int64_t outputs) {
    at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(inputs, outputs)));
    mux_pointwise_pack(weight.const_data_ptr<float>(), inputs, outputs, outputs, 1,
                       packed.mutable_data_ptr<float>());
    return packed;
  }

  /// Undoes shuffle and concatenation, and makes the sums of the last batch norm.
  void rearrange() {
    float *moved = nullptr;
    gy = output_gradient;
    if (plan.rearranges()) {
      gy_memory = flat(images * out_pixels * outputs);
      gy = moved = gy_memory.mutable_data_ptr<float>();
    }
    const float *const projected = state.projected.const_data_ptr<float>();
    parallel(images, [&](int64_t n) {
      begin(plan, output_gradient + n * out_pixels * plan.out_channels(),
            projected + n * out_pixels * outputs,
            moved ? moved + n * out_pixels * outputs : nullptr,
            input_gradient ? input_gradient + n * pixels * plan.channels : nullptr,
            sums + n * outputs, raw_sums + n * outputs);
    });
  }

  /// The projection: its weights' gradient; that of what it reads goes to `gz`.
  at::Tensor project(const NormGradient &norm) {
    gz_memory = flat(images * out_pixels * middle);
    gz = gz_memory.mutable_data_ptr<float>();
    at::Tensor weight_gradient = at::empty(plan.projection.sizes(), floats());
    const at::Tensor kept = packed(plan.projection, outputs, middle);
    const float *const weights = kept.const_data_ptr<float>();
    const float *const projected = state.projected.const_data_ptr<float>();
    PartialSums partials(images, static_cast<int64_t>(mux_pointwise_partial_size(outputs, middle)));
    partials.add([&](int64_t n, float *partial) {
      const mux_pointwise_project_gradient arguments = {.rows = out_pixels,
                                                        .out = outputs,
                                                        .mid = middle,
                                                        .gy = gy + n * out_pixels * outputs,
                                                        .gy_stride = outputs,
                                                        .p = projected + n * out_pixels * outputs,
                                                        .k0 = norm.k0.data(),
                                                        .k1 = norm.k1.data(),
                                                        .k2 = norm.k2.data(),
                                                        .packed = weights,
                                                        .d = convolved + n * out_pixels * middle,
                                                        .transform = spatial_transform(),
                                                        .gate = gate ? gate + n * middle : nullptr,
                                                        .gz = gz + n * out_pixels * middle,
                                                        .sums = five_sums + n * 5 * middle,
                                                        .partial = partial};
      mux_pointwise_project_backward(&arguments,
                                     scratch(mux_pointwise_scratch_size(outputs, middle)));
    });
    mux_pointwise_reduce_partials(partials.data(), partials.parts, partials.size, outputs, middle,
                                  weight_gradient.mutable_data_ptr<float>(), middle, 1);
    return weight_gradient;
  }

  SqueezeGradients squeeze_gradients() const {
    at::Tensor gate_gradient = at::empty({images, middle}, floats());
    float *const to = gate_gradient.mutable_data_ptr<float>();
    for (int64_t n = 0; n < images; ++n)
      for (int64_t c = 0; c < middle; ++c)
        to[n * middle + c] = static_cast<float>(five_sums[n * 5 * middle + c]);
    return squeeze_backward(plan, state, gate_gradient);
  }

  /// The batch norm after the spatial convolution, whose activation goes both through the gate and into it.
  NormGradient spatial_norm_gradient(const SqueezeGradients &squeeze) const {
    const float *const pooled = plan.squeezes ? squeeze.pooled.const_data_ptr<float>() : nullptr;
    std::vector<double> sum(static_cast<size_t>(middle), 0.0), raw_sum(sum);
    for (int64_t n = 0; n < images; ++n) {
      const double *const s = five_sums + n * 5 * middle;
      for (int64_t c = 0; c < middle; ++c) {
        const double g = gate ? static_cast<double>(gate[n * middle + c]) : 1.0;
        const double q = pooled ? static_cast<double>(pooled[n * middle + c]) : 0.0;
        sum[static_cast<size_t>(c)] += g * s[2 * middle + c] + q * s[middle + c];
        raw_sum[static_cast<size_t>(c)] += g * s[4 * middle + c] + q * s[3 * middle + c];
      }
    }
    return NormGradient(state.spatial, sum, raw_sum);
  }

  /// What the spatial convolution reads: raw values with their transform, the gradient of an image of which
  /// goes to `gradient`.
  struct SpatialInput {
    const float *values;
    float *gradient;
    int64_t stride;
    mux_transform transform;
  };

  SpatialInput spatial_input() {
    if (!plan.expands)
      return {input, input_gradient, plan.channels, {nullptr, nullptr, {MUX_IDENTITY, 0, 0}}};
    ge_memory = flat(images * pixels * middle);
    return {state.expanded.const_data_ptr<float>(),
            ge_memory.mutable_data_ptr<float>(),
            middle,
            {state.expansion.scale.data(), state.expansion.shift.data(), plan.activation}};
  }

  /// The spatial convolution: its weights' gradients; that of what it reads goes to `ge`.
  std::vector<at::Tensor> convolve(const NormGradient &norm, const SqueezeGradients &squeeze) {
    const SpatialInput from = spatial_input();
    ge = from.gradient;
    const float *const pooled = plan.squeezes ? squeeze.pooled.const_data_ptr<float>() : nullptr;
    const at::Tensor packed = packed_spatial();
    PartialSums partials(images, static_cast<int64_t>(mux_spatial_gradient_count(&plan.spatial)));
    partials.add([&](int64_t n, float *partial) {
      const mux_spatial_backward_arguments arguments = {
          .packed = packed.const_data_ptr<float>(),
          .output_gradient = gz + n * out_pixels * middle,
          .output_gradient_stride = middle,
          .output = convolved + n * out_pixels * middle,
          .output_stride = middle,
          .output_transform = spatial_transform(),
          .gate = gate ? gate + n * middle : nullptr,
          .pooled = pooled ? pooled + n * middle : nullptr,
          .k0 = norm.k0.data(),
          .k1 = norm.k1.data(),
          .k2 = norm.k2.data(),
          .input = from.values + n * pixels * from.stride,
          .input_stride = from.stride,
          .input_transform = from.transform,
          .input_gradient = ge ? ge + n * pixels * from.stride : nullptr,
          .input_gradient_stride = from.stride,
          .weight_gradient = partial,
          .sum_gradient = plan.expands ? sums + n * middle : nullptr,
          .sum_gradient_input = plan.expands ? raw_sums + n * middle : nullptr};
      mux_spatial_backward(&plan.spatial, &arguments,
                           scratch(mux_spatial_scratch_count(&plan.spatial)));
      // With an expansion its own step adds the residual.
      if (!plan.expands && plan.residual && ge) add_residual(n);
    });
    return own_gradients(partials);
  }

  at::Tensor packed_spatial() const {
    at::Tensor packed = flat(static_cast<int64_t>(mux_spatial_packed_count(&plan.spatial)));
    std::vector<const float *> weights;
    for (const at::Tensor &weight : plan.spatial_weights)
      weights.push_back(weight.const_data_ptr<float>());
    mux_spatial_pack(&plan.spatial, weights.data(), packed.mutable_data_ptr<float>());
    return packed;
  }

  /// Adds the output's gradient to that of the input of image `n`.
  void add_residual(int64_t n) const {
    float *to = input_gradient + n * pixels * plan.channels;
    const float *add = gy + n * pixels * outputs;
    for (int64_t i = 0; i < pixels; ++i, to += plan.channels, add += outputs)
      for (int64_t c = 0; c < outputs; ++c) to[c] += add[c];
  }

  /// The gradients of the branches' own windows, from the parts of packed ones.
  std::vector<at::Tensor> own_gradients(PartialSums &partials) const {
    float *const whole = partials.data();
    for (int64_t part = 1; part < partials.parts; ++part)
      for (int64_t i = 0; i < partials.size; ++i) whole[i] += whole[part * partials.size + i];
    std::vector<at::Tensor> gradients;
    std::vector<float *> targets;
    for (const at::Tensor &weight : plan.spatial_weights) {
      gradients.push_back(at::zeros(weight.sizes(), floats()));
      targets.push_back(gradients.back().mutable_data_ptr<float>());
    }
    mux_spatial_unpack_gradient(&plan.spatial, whole, targets.data());
    for (size_t i = 0; i < gradients.size(); ++i) {
      const OwnWindow &own = plan.own_windows[i];
      at::Tensor &gradient = gradients[i];
      if (gradient.size(2) != own.size)
        gradient =
            gradient.narrow(2, own.row, own.size).narrow(3, own.column, own.size).contiguous();
    }
    return gradients;
  }

  /// The expansion: its weights' gradient; that of the block's input, with the residual's, if it is wanted.
  at::Tensor expand(const NormGradient &norm) {
    const int64_t channels = plan.channels, processed = plan.processed;
    at::Tensor weight_gradient = at::empty(plan.expansion.sizes(), floats());
    const at::Tensor kept = packed(plan.expansion, middle, processed);
    const float *const weights = kept.const_data_ptr<float>();
    const float *const expanded = state.expanded.const_data_ptr<float>();
    PartialSums partials(images,
                         static_cast<int64_t>(mux_pointwise_partial_size(processed, middle)));
    partials.add([&](int64_t n, float *partial) {
      const mux_pointwise_expand_gradient arguments = {
          .rows = pixels,
          .inner = processed,
          .outer = middle,
          .x = input + n * pixels * channels,
          .x_stride = channels,
          .window = nullptr,
          .du = ge + n * pixels * middle,
          .gh = nullptr,
          .pooled = nullptr,
          .y = expanded + n * pixels * middle,
          .k0 = norm.k0.data(),
          .k1 = norm.k1.data(),
          .k2 = norm.k2.data(),
          .transform = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}},
          .packed = weights,
          .add = plan.residual ? gy + n * pixels * outputs : nullptr,
          .add_stride = outputs,
          .gx = input_gradient ? input_gradient + n * pixels * channels : nullptr,
          .gx_stride = channels,
          .partial = partial};
      mux_pointwise_expand_backward(&arguments,
                                    scratch(mux_pointwise_scratch_size(processed, middle)));
    });
    mux_pointwise_reduce_partials(partials.data(), partials.parts, partials.size, processed, middle,
                                  weight_gradient.mutable_data_ptr<float>(), 1, processed);
    return weight_gradient;
  }
};

}  // namespace

std::vector<at::Tensor> block_backward(const BlockPlan &plan, const at::Tensor &x,
                                       const BlockState &state, const at::Tensor &gradient,
                                       bool wants_x) {
  return Backward(plan, x, state, gradient, wants_x).run();
}

}  // namespace ct::fused
