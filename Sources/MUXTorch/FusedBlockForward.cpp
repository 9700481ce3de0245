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

/// The forward pass of one block, a step for each of its layers.
struct Forward {
  Forward(const BlockPlan &plan, const at::Tensor &x, BlockState &state)
      : plan(plan),
        state(state),
        input(x.const_data_ptr<float>()),
        sum_memory(2 * images * std::max(middle, outputs)),
        sums(plan.training ? sum_memory.data() : nullptr),
        square_sums(plan.training ? sums + images * std::max(middle, outputs) : nullptr) {}

  at::Tensor run() {
    if (plan.expands) expand();
    convolve();
    if (plan.squeezes) squeeze();
    project();
    return finished();
  }

  const BlockPlan &plan;
  BlockState &state;
  const int64_t images = plan.images, middle = plan.middle, outputs = plan.outputs;
  const int64_t pixels = plan.pixels(), out_pixels = plan.out_pixels();
  const float *const input;
  /// Sums and sums of squares of each image's channels, for the batch norm that comes next.
  Doubles sum_memory;
  double *const sums;
  double *const square_sums;

  static double *at(double *base, int64_t offset) { return base ? base + offset : nullptr; }

  Norm norm(const NormParameters &parameters, int64_t count) const {
    return plan.training ? parameters.batch(sums, square_sums, images, images * count)
                         : parameters.running();
  }

  /// Norm and activation between the spatial convolution and the projection.
  mux_transform spatial_transform() const {
    return {state.spatial.scale.data(), state.spatial.shift.data(), plan.activation};
  }

  static at::Tensor packed(const at::Tensor &weight, int64_t inputs, int64_t outputs) {
    at::Tensor packed = flat(static_cast<int64_t>(mux_pointwise_packed_size(inputs, outputs)));
    mux_pointwise_pack(weight.const_data_ptr<float>(), inputs, outputs, 1, inputs,
                       packed.mutable_data_ptr<float>());
    return packed;
  }

  void expand() {
    const at::Tensor kept = packed(plan.expansion, plan.processed, middle);
    const float *const weights = kept.const_data_ptr<float>();
    state.expanded = flat(images * pixels * middle);
    float *const expanded = state.expanded.mutable_data_ptr<float>();
    const mux_transform identity = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
    parallel(images, [&](int64_t n) {
      mux_pointwise_forward(
          input + n * pixels * plan.channels, plan.channels, pixels, plan.processed, middle,
          &identity, nullptr, weights, expanded + n * pixels * middle, middle, at(sums, n * middle),
          at(square_sums, n * middle), scratch(mux_pointwise_scratch_size(plan.processed, middle)));
    });
    state.expansion = norm(plan.expansion_norm, pixels);
  }

  void convolve() {
    mux_transform transform = {nullptr, nullptr, {MUX_IDENTITY, 0, 0}};
    const float *from = input;
    int64_t stride = plan.channels;
    if (plan.expands) {
      transform = {state.expansion.scale.data(), state.expansion.shift.data(), plan.activation};
      from = state.expanded.const_data_ptr<float>();
      stride = middle;
    }
    state.convolved = flat(images * out_pixels * middle);
    float *const convolved = state.convolved.mutable_data_ptr<float>();
    at::Tensor packed = flat(static_cast<int64_t>(mux_spatial_packed_count(&plan.spatial)));
    std::vector<const float *> weights;
    for (const at::Tensor &weight : plan.spatial_weights)
      weights.push_back(weight.const_data_ptr<float>());
    mux_spatial_pack(&plan.spatial, weights.data(), packed.mutable_data_ptr<float>());
    parallel(images, [&](int64_t n) {
      const mux_spatial_forward_arguments arguments = {
          .packed = packed.const_data_ptr<float>(),
          .input = from + n * pixels * stride,
          .input_stride = stride,
          .input_transform = transform,
          .output = convolved + n * out_pixels * middle,
          .output_stride = middle,
          .sum = at(sums, n * middle),
          .sum_squares = at(square_sums, n * middle)};
      mux_spatial_forward(&plan.spatial, &arguments,
                          scratch(mux_spatial_scratch_count(&plan.spatial)));
    });
    state.spatial = norm(plan.spatial_norm, out_pixels);
  }

  void squeeze() {
    const mux_transform transform = spatial_transform();
    const float *const convolved = state.convolved.const_data_ptr<float>();
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
  }

  void project() {
    const at::Tensor kept = packed(plan.projection, middle, outputs);
    const float *const weights = kept.const_data_ptr<float>();
    const float *const convolved = state.convolved.const_data_ptr<float>();
    const float *const gate = plan.squeezes ? state.gate.const_data_ptr<float>() : nullptr;
    const mux_transform transform = spatial_transform();
    state.projected = flat(images * out_pixels * outputs);
    float *const projected = state.projected.mutable_data_ptr<float>();
    sum_memory.reset();
    parallel(images, [&](int64_t n) {
      mux_pointwise_forward(convolved + n * out_pixels * middle, middle, out_pixels, middle,
                            outputs, &transform, gate ? gate + n * middle : nullptr, weights,
                            projected + n * out_pixels * outputs, outputs, at(sums, n * outputs),
                            at(square_sums, n * outputs),
                            scratch(mux_pointwise_scratch_size(middle, outputs)));
    });
    state.projection = norm(plan.projection_norm, out_pixels);
  }

  at::Tensor finished() const {
    const float *const projected = state.projected.const_data_ptr<float>();
    at::Tensor out = image(images, plan.out_channels(), plan.out_height, plan.out_width);
    float *const output = out.mutable_data_ptr<float>();
    parallel(images, [&](int64_t n) {
      finish(plan, state.projection, projected + n * out_pixels * outputs,
             input + n * pixels * plan.channels, output + n * out_pixels * plan.out_channels());
    });
    return out;
  }
};

}  // namespace

at::Tensor block_forward(const BlockPlan &plan, const at::Tensor &x, BlockState &state) {
  return Forward(plan, x, state).run();
}

}  // namespace ct::fused
