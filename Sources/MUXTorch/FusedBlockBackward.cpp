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

}  // namespace

std::vector<at::Tensor> block_backward(const BlockPlan &plan, const at::Tensor &x,
                                       const BlockState &state, const at::Tensor &gradient,
                                       bool wants_x) {
  const int64_t images = plan.images, middle = plan.middle, outputs = plan.outputs;
  const int64_t pixels = plan.pixels(), out_pixels = plan.out_pixels();
  const int64_t channels = plan.channels, processed = plan.processed;
  const float *const input = x.const_data_ptr<float>();
  const float *const convolved = state.convolved.const_data_ptr<float>();
  const float *const projected = state.projected.const_data_ptr<float>();
  const float *const output_gradient = gradient.const_data_ptr<float>();
  const auto floats = at::TensorOptions().dtype(at::kFloat);

  at::Tensor gx;
  float *input_gradient = nullptr;
  if (wants_x) {
    gx = image(images, channels, plan.height, plan.width);
    input_gradient = gx.mutable_data_ptr<float>();
  }

  // The last batch norm.
  const bool moves = plan.rearranges();
  at::Tensor gy_memory;
  const float *gy = output_gradient;
  if (moves) {
    gy_memory = flat(images * out_pixels * outputs);
    gy = gy_memory.const_data_ptr<float>();
  }
  Doubles norm_sums(2 * images * std::max(outputs, middle));
  double *const sums = norm_sums.data();
  double *const raw_sums = sums + images * std::max(outputs, middle);
  parallel(images, [&](int64_t n) {
    begin(plan, output_gradient + n * out_pixels * plan.out_channels(),
          projected + n * out_pixels * outputs,
          moves ? gy_memory.mutable_data_ptr<float>() + n * out_pixels * outputs : nullptr,
          input_gradient ? input_gradient + n * pixels * channels : nullptr, sums + n * outputs,
          raw_sums + n * outputs);
  });
  const NormGradient projection_norm(state.projection, total(sums, images, outputs, outputs),
                                     total(raw_sums, images, outputs, outputs));

  // The projection.
  const mux_transform transform = {state.spatial.scale.data(), state.spatial.shift.data(),
                                   plan.activation};
  const float *const gate = plan.squeezes ? state.gate.const_data_ptr<float>() : nullptr;
  at::Tensor gz_memory = flat(images * out_pixels * middle);
  float *const gz = gz_memory.mutable_data_ptr<float>();
  Doubles five_memory(images * 5 * middle);
  double *const five = five_memory.data();
  at::Tensor projection_gradient = at::empty(plan.projection.sizes(), floats);
  {
    at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(outputs, middle)));
    mux_pointwise_pack(plan.projection.const_data_ptr<float>(), outputs, middle, middle, 1,
                       packed.mutable_data_ptr<float>());
    PartialSums partials(images, static_cast<int64_t>(mux_pointwise_partial_size(outputs, middle)));
    partials.add([&](int64_t n, float *partial) {
      const mux_pointwise_project_gradient arguments = {.rows = out_pixels,
                                                        .out = outputs,
                                                        .mid = middle,
                                                        .gy = gy + n * out_pixels * outputs,
                                                        .gy_stride = outputs,
                                                        .p = projected + n * out_pixels * outputs,
                                                        .k0 = projection_norm.k0.data(),
                                                        .k1 = projection_norm.k1.data(),
                                                        .k2 = projection_norm.k2.data(),
                                                        .packed = packed.const_data_ptr<float>(),
                                                        .d = convolved + n * out_pixels * middle,
                                                        .transform = transform,
                                                        .gate = gate ? gate + n * middle : nullptr,
                                                        .gz = gz + n * out_pixels * middle,
                                                        .sums = five + n * 5 * middle,
                                                        .partial = partial};
      mux_pointwise_project_backward(&arguments,
                                     scratch(mux_pointwise_scratch_size(outputs, middle)));
    });
    mux_pointwise_reduce_partials(partials.data(), partials.parts, partials.size, outputs, middle,
                                  projection_gradient.mutable_data_ptr<float>(), middle, 1);
  }

  // Squeeze-and-excitation, and the second batch norm.
  SqueezeGradients squeeze;
  const float *pooled = nullptr;
  if (plan.squeezes) {
    at::Tensor gate_gradient = at::empty({images, middle}, floats);
    float *const to = gate_gradient.mutable_data_ptr<float>();
    for (int64_t n = 0; n < images; ++n)
      for (int64_t c = 0; c < middle; ++c)
        to[n * middle + c] = static_cast<float>(five[n * 5 * middle + c]);
    squeeze = squeeze_backward(plan, state, gate_gradient);
    pooled = squeeze.pooled.const_data_ptr<float>();
  }
  std::vector<double> sum(static_cast<size_t>(middle), 0.0), raw_sum(sum);
  for (int64_t n = 0; n < images; ++n) {
    const double *const s = five + n * 5 * middle;
    for (int64_t c = 0; c < middle; ++c) {
      const double g = gate ? static_cast<double>(gate[n * middle + c]) : 1.0;
      const double q = pooled ? static_cast<double>(pooled[n * middle + c]) : 0.0;
      sum[static_cast<size_t>(c)] += g * s[2 * middle + c] + q * s[middle + c];
      raw_sum[static_cast<size_t>(c)] += g * s[4 * middle + c] + q * s[3 * middle + c];
    }
  }
  const NormGradient spatial_norm(state.spatial, sum, raw_sum);

  // The spatial convolution.
  std::vector<at::Tensor> spatial_gradients;
  at::Tensor ge_memory;
  float *ge = nullptr;
  int64_t ge_stride = middle;
  if (plan.expands) {
    ge_memory = flat(images * pixels * middle);
    ge = ge_memory.mutable_data_ptr<float>();
  } else {
    ge = input_gradient;
    ge_stride = channels;
  }
  {
    at::Tensor packed = flat(static_cast<int64_t>(mux_spatial_packed_count(&plan.spatial)));
    std::vector<const float *> weights;
    for (const at::Tensor &weight : plan.spatial_weights)
      weights.push_back(weight.const_data_ptr<float>());
    mux_spatial_pack(&plan.spatial, weights.data(), packed.mutable_data_ptr<float>());
    PartialSums partials(images, static_cast<int64_t>(mux_spatial_gradient_count(&plan.spatial)));
    const mux_transform identity = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
    const mux_transform input_transform =
        plan.expands ? mux_transform{state.expansion.scale.data(), state.expansion.shift.data(),
                                     plan.activation}
                     : identity;
    const float *const spatial_input =
        plan.expands ? state.expanded.const_data_ptr<float>() : input;
    const int64_t spatial_stride = plan.expands ? middle : channels;
    partials.add([&](int64_t n, float *partial) {
      const mux_spatial_backward_arguments arguments = {
          .packed = packed.const_data_ptr<float>(),
          .output_gradient = gz + n * out_pixels * middle,
          .output_gradient_stride = middle,
          .output = convolved + n * out_pixels * middle,
          .output_stride = middle,
          .output_transform = transform,
          .gate = gate ? gate + n * middle : nullptr,
          .pooled = pooled ? pooled + n * middle : nullptr,
          .k0 = spatial_norm.k0.data(),
          .k1 = spatial_norm.k1.data(),
          .k2 = spatial_norm.k2.data(),
          .input = spatial_input + n * pixels * spatial_stride,
          .input_stride = spatial_stride,
          .input_transform = input_transform,
          .input_gradient = ge ? ge + n * pixels * ge_stride : nullptr,
          .input_gradient_stride = ge_stride,
          .weight_gradient = partial,
          .sum_gradient = plan.expands ? sums + n * middle : nullptr,
          .sum_gradient_input = plan.expands ? raw_sums + n * middle : nullptr};
      mux_spatial_backward(&plan.spatial, &arguments,
                           scratch(mux_spatial_scratch_count(&plan.spatial)));
      if (!plan.expands && plan.residual && ge) {
        float *to = ge + n * pixels * ge_stride;
        const float *add = gy + n * pixels * outputs;
        for (int64_t i = 0; i < pixels; ++i, to += ge_stride, add += outputs)
          for (int64_t c = 0; c < outputs; ++c) to[c] += add[c];
      }
    });
    float *const whole = partials.data();
    for (int64_t part = 1; part < partials.parts; ++part)
      for (int64_t i = 0; i < partials.size; ++i) whole[i] += whole[part * partials.size + i];
    std::vector<float *> targets;
    for (const at::Tensor &weight : plan.spatial_weights) {
      spatial_gradients.push_back(at::zeros(weight.sizes(), floats));
      targets.push_back(spatial_gradients.back().mutable_data_ptr<float>());
    }
    mux_spatial_unpack_gradient(&plan.spatial, whole, targets.data());
    for (size_t i = 0; i < spatial_gradients.size(); ++i) {
      const OwnWindow &own = plan.own_windows[i];
      at::Tensor &gradient = spatial_gradients[i];
      if (gradient.size(2) != own.size)
        gradient =
            gradient.narrow(2, own.row, own.size).narrow(3, own.column, own.size).contiguous();
    }
  }
  gz_memory.reset();

  // The expansion.
  std::vector<at::Tensor> gradients = {gx};
  if (plan.expands) {
    const NormGradient expansion_norm(state.expansion, total(sums, images, middle, middle),
                                      total(raw_sums, images, middle, middle));
    at::Tensor weight_gradient = at::empty(plan.expansion.sizes(), floats);
    at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(middle, processed)));
    mux_pointwise_pack(plan.expansion.const_data_ptr<float>(), middle, processed, processed, 1,
                       packed.mutable_data_ptr<float>());
    PartialSums partials(images,
                         static_cast<int64_t>(mux_pointwise_partial_size(processed, middle)));
    const float *const expanded = state.expanded.const_data_ptr<float>();
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
          .k0 = expansion_norm.k0.data(),
          .k1 = expansion_norm.k1.data(),
          .k2 = expansion_norm.k2.data(),
          .transform = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}},
          .packed = packed.const_data_ptr<float>(),
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
    gradients.push_back(weight_gradient);
    gradients.push_back(expansion_norm.weight);
    gradients.push_back(expansion_norm.bias);
  }
  gradients.insert(gradients.end(), spatial_gradients.begin(), spatial_gradients.end());
  gradients.push_back(spatial_norm.weight);
  gradients.push_back(spatial_norm.bias);
  if (plan.squeezes) {
    gradients.push_back(squeeze.reduce_weight);
    gradients.push_back(squeeze.reduce_bias);
    gradients.push_back(squeeze.expand_weight);
    gradients.push_back(squeeze.expand_bias);
  }
  gradients.push_back(projection_gradient);
  gradients.push_back(projection_norm.weight);
  gradients.push_back(projection_norm.bias);
  return gradients;
}

}  // namespace ct::fused
