// SPDX-License-Identifier: Apache-2.0
#include "FusedBlock.h"
#include "TorchFused.h"

namespace ct::fused {

namespace {

/// out = shuffle(concat(scale·p + shift + x's first channels, x's others)) for one image.
void finish(const BlockPlan &plan, const Norm &norm, const float *p, const float *x, float *out) {
  const int64_t pixels = plan.out_pixels(), outputs = plan.outputs, channels = plan.channels;
  const int64_t all = plan.out_channels(), left_out = plan.left_out();
  const float *const scale = norm.scale.data(), *const shift = norm.shift.data();
  if (!plan.rearranges()) {
    for (int64_t i = 0; i < pixels; ++i, p += outputs, out += outputs) {
      if (plan.residual) {
        for (int64_t c = 0; c < outputs; ++c) out[c] = scale[c] * p[c] + shift[c] + x[c];
        x += channels;
      } else {
        for (int64_t c = 0; c < outputs; ++c) out[c] = scale[c] * p[c] + shift[c];
      }
    }
    return;
  }
  const int64_t groups = plan.shuffle_groups, size = all / groups;
  std::vector<float> together(static_cast<size_t>(all));
  float *const row = together.data();
  for (int64_t i = 0; i < pixels; ++i, p += outputs, x += channels, out += all) {
    if (plan.residual) {
      for (int64_t c = 0; c < outputs; ++c) row[c] = scale[c] * p[c] + shift[c] + x[c];
    } else {
      for (int64_t c = 0; c < outputs; ++c) row[c] = scale[c] * p[c] + shift[c];
    }
    for (int64_t c = 0; c < left_out; ++c) row[outputs + c] = x[plan.processed + c];
    if (groups == 2) {
      for (int64_t c = 0; c < size; ++c) {
        out[2 * c] = row[c];
        out[2 * c + 1] = row[size + c];
      }
    } else {
      for (int64_t c = 0; c < size; ++c)
        for (int64_t g = 0; g < groups; ++g) out[c * groups + g] = row[g * size + c];
    }
  }
}

}  // namespace

at::Tensor block_forward(const BlockPlan &plan, const at::Tensor &x, BlockState &state) {
  const int64_t images = plan.images, middle = plan.middle, outputs = plan.outputs;
  const int64_t pixels = plan.pixels(), out_pixels = plan.out_pixels();
  const int64_t most = std::max(middle, outputs);
  Doubles sum_memory(2 * images * most);
  double *const sums = plan.training ? sum_memory.data() : nullptr;
  double *const square_sums = plan.training ? sums + images * most : nullptr;
  const auto at = [](double *base, int64_t offset) { return base ? base + offset : nullptr; };
  const auto norm = [&](const NormParameters &parameters, int64_t count) {
    return plan.training ? parameters.batch(sums, square_sums, images, images * count)
                         : parameters.running();
  };
  const float *const input = x.const_data_ptr<float>();

  mux_transform spatial_input = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
  const float *spatial_data = input;
  int64_t spatial_stride = plan.channels;
  if (plan.expands) {
    at::Tensor packed =
        flat(static_cast<int64_t>(mux_pointwise_packed_size(plan.processed, middle)));
    mux_pointwise_pack(plan.expansion.const_data_ptr<float>(), plan.processed, middle, 1,
                       plan.processed, packed.mutable_data_ptr<float>());
    state.expanded = flat(images * pixels * middle);
    float *const expanded = state.expanded.mutable_data_ptr<float>();
    const float *const weights = packed.const_data_ptr<float>();
    const mux_transform identity = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
    parallel(images, [&](int64_t n) {
      mux_pointwise_forward(
          input + n * pixels * plan.channels, plan.channels, pixels, plan.processed, middle,
          &identity, nullptr, weights, expanded + n * pixels * middle, middle, at(sums, n * middle),
          at(square_sums, n * middle), scratch(mux_pointwise_scratch_size(plan.processed, middle)));
    });
    state.expansion = norm(plan.expansion_norm, pixels);
    spatial_input = {state.expansion.scale.data(), state.expansion.shift.data(), plan.activation};
    spatial_data = expanded;
    spatial_stride = middle;
  }

  state.convolved = flat(images * out_pixels * middle);
  float *const convolved = state.convolved.mutable_data_ptr<float>();
  {
    at::Tensor packed = flat(static_cast<int64_t>(mux_spatial_packed_count(&plan.spatial)));
    std::vector<const float *> weights;
    for (const at::Tensor &weight : plan.spatial_weights)
      weights.push_back(weight.const_data_ptr<float>());
    mux_spatial_pack(&plan.spatial, weights.data(), packed.mutable_data_ptr<float>());
    parallel(images, [&](int64_t n) {
      const mux_spatial_forward_arguments arguments = {
          .packed = packed.const_data_ptr<float>(),
          .input = spatial_data + n * pixels * spatial_stride,
          .input_stride = spatial_stride,
          .input_transform = spatial_input,
          .output = convolved + n * out_pixels * middle,
          .output_stride = middle,
          .sum = at(sums, n * middle),
          .sum_squares = at(square_sums, n * middle)};
      mux_spatial_forward(&plan.spatial, &arguments,
                          scratch(mux_spatial_scratch_count(&plan.spatial)));
    });
  }
  state.spatial = norm(plan.spatial_norm, out_pixels);
  const mux_transform transform = {state.spatial.scale.data(), state.spatial.shift.data(),
                                   plan.activation};

  const float *gate = nullptr;
  if (plan.squeezes) {
    state.squeezed = flat(images * middle).view({images, middle});
    float *const squeezed = state.squeezed.mutable_data_ptr<float>();
    parallel(images, [&](int64_t n) {
      std::vector<double> pooled(static_cast<size_t>(middle), 0.0);
      mux_channel_activated_sum(convolved + n * out_pixels * middle, middle,
                                static_cast<size_t>(out_pixels), static_cast<size_t>(middle),
                                transform, pooled.data());
      for (int64_t c = 0; c < middle; ++c)
        squeezed[n * middle + c] =
            static_cast<float>(pooled[static_cast<size_t>(c)] / static_cast<double>(out_pixels));
    });
    squeeze_forward(plan, state);
    gate = state.gate.const_data_ptr<float>();
  }

  state.projected = flat(images * out_pixels * outputs);
  float *const projected = state.projected.mutable_data_ptr<float>();
  {
    at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(middle, outputs)));
    mux_pointwise_pack(plan.projection.const_data_ptr<float>(), middle, outputs, 1, middle,
                       packed.mutable_data_ptr<float>());
    sum_memory.reset();
    const float *const weights = packed.const_data_ptr<float>();
    parallel(images, [&](int64_t n) {
      mux_pointwise_forward(convolved + n * out_pixels * middle, middle, out_pixels, middle,
                            outputs, &transform, gate ? gate + n * middle : nullptr, weights,
                            projected + n * out_pixels * outputs, outputs, at(sums, n * outputs),
                            at(square_sums, n * outputs),
                            scratch(mux_pointwise_scratch_size(middle, outputs)));
    });
  }
  state.projection = norm(plan.projection_norm, out_pixels);

  at::Tensor out = image(images, plan.out_channels(), plan.out_height, plan.out_width);
  float *const output = out.mutable_data_ptr<float>();
  parallel(images, [&](int64_t n) {
    finish(plan, state.projection, projected + n * out_pixels * outputs,
           input + n * pixels * plan.channels, output + n * out_pixels * plan.out_channels());
  });
  return out;
}

}  // namespace ct::fused
