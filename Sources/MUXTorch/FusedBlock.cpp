// SPDX-License-Identifier: Apache-2.0
// The fused block as an operation of libtorch's autograd.
#include "FusedBlock.h"

#include "TorchFused.h"

namespace ct::fused {

namespace {

bool fit(const at::Tensor &tensor) {
  return tensor.scalar_type() == at::kFloat && tensor.device().is_cpu();
}

bool is_centred(const ct_fused_branch &branch) {
  return branch.top == branch.kernel / 2 && branch.left == branch.kernel / 2;
}

/// The branch as the kernels take it.
mux_spatial_branch kernel_branch(const ct_fused_branch &branch) {
  return {branch.channels, branch.kernel + (is_centred(branch) ? 0 : 2), branch.group_width,
          branch.multiplex};
}

/// Where the branch's own kernel lies in that.
OwnWindow own_window(const ct_fused_branch &branch) {
  if (is_centred(branch)) return {0, 0, branch.kernel};
  const int32_t around = branch.kernel / 2 + 1;
  return {around - branch.top, around - branch.left, branch.kernel};
}

/// Contiguous in the order of a plain PyTorch weight.
at::Tensor plain(const at::Tensor &tensor) { return tensor.detach().contiguous(); }

}  // namespace

BlockPlan::BlockPlan(const ct_fused_block &block, const at::Tensor &x)
    : training(block.training),
      residual(block.residual),
      expands(block.expansion != nullptr),
      squeezes(block.reduce_weight != nullptr),
      activation(block.activation),
      squeeze_activation(block.squeeze_activation),
      gate_activation(block.gate_activation),
      images(x.size(0)),
      height(x.size(2)),
      width(x.size(3)),
      channels(x.size(1)),
      processed(block.processed),
      shuffle_groups(std::max(1, block.shuffle_groups)) {
  projection = plain(get(block.projection));
  middle = projection.size(1);
  outputs = projection.size(0);
  if (expands) {
    expansion = plain(get(block.expansion));
    expansion_norm = NormParameters(block.expansion_norm);
  }
  if (squeezes) {
    reduce_weight = plain(get(block.reduce_weight));
    reduce_bias = plain(get(block.reduce_bias));
    expand_weight = plain(get(block.expand_weight));
    expand_bias = plain(get(block.expand_bias));
  }
  spatial_norm = NormParameters(block.spatial_norm);
  projection_norm = NormParameters(block.projection_norm);
  for (int32_t i = 0; i < block.branch_count; ++i) {
    const ct_fused_branch &branch = block.branches[i];
    branches.push_back(kernel_branch(branch));
    const OwnWindow own = own_window(branch);
    own_windows.push_back(own);
    const int64_t rest = branches.back().kernel - own.size;
    at::Tensor weight = plain(get(branch.weight));
    if (rest > 0)
      weight =
          at::constant_pad_nd(weight, {own.column, rest - own.column, own.row, rest - own.row});
    spatial_weights.push_back(weight.contiguous());
  }
  spatial = {static_cast<int32_t>(height),
             static_cast<int32_t>(width),
             static_cast<int32_t>(middle),
             block.stride,
             block.factor,
             block.branch_count,
             branches.data()};
  out_height = mux_spatial_output_height(&spatial);
  out_width = mux_spatial_output_width(&spatial);
}

namespace {

/// The differentiable tensors of a descriptor, in the order of `block_backward`'s results.
std::vector<at::Tensor> parameters(const ct_fused_block &block) {
  std::vector<at::Tensor> all;
  const auto norm = [&](const ct_fused_norm &n) {
    all.push_back(get(n.weight));
    all.push_back(get(n.bias));
  };
  if (block.expansion) {
    all.push_back(get(block.expansion));
    norm(block.expansion_norm);
  }
  for (int32_t i = 0; i < block.branch_count; ++i) all.push_back(get(block.branches[i].weight));
  norm(block.spatial_norm);
  if (block.reduce_weight) {
    for (const ct_tensor handle :
         {block.reduce_weight, block.reduce_bias, block.expand_weight, block.expand_bias})
      all.push_back(get(handle));
  }
  all.push_back(get(block.projection));
  norm(block.projection_norm);
  return all;
}

/// Plan and constants, from forward to backward. The large tensors are saved by autograd itself,
/// which frees them as soon as backward has run.
struct Kept : torch::CustomClassHolder {
  std::shared_ptr<const BlockPlan> plan;
  BlockState state;
};

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class BlockFunction : public torch::autograd::Function<BlockFunction> {
 public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x,
                            at::TensorList parameters, std::shared_ptr<const BlockPlan> plan) {
    auto kept = c10::make_intrusive<Kept>();
    kept->plan = std::move(plan);
    const at::Tensor input = x.detach().contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor out = block_forward(*kept->plan, input, kept->state);
    BlockState &state = kept->state;
    variable_list saved = {input, state.expanded, state.convolved, state.projected};
    // Saved only so that a change in place between forward and backward is noticed.
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(saved);
    state.expanded.reset();
    state.convolved.reset();
    state.projected.reset();
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    context->saved_data["count"] = static_cast<int64_t>(parameters.size());
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "a fused block cannot be differentiated twice");
    const auto saved = context->get_saved_variables();
    const auto kept =
        c10::static_intrusive_pointer_cast<Kept>(context->saved_data["kept"].toCapsule());
    const int64_t count = context->saved_data["count"].toInt();
    if (!gradients[0].defined()) return variable_list(static_cast<size_t>(count) + 2);
    BlockState state = kept->state;
    state.expanded = saved[1];
    state.convolved = saved[2];
    state.projected = saved[3];
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    variable_list results =
        block_backward(*kept->plan, saved[0], state, gradient, context->needs_input_grad(0));
    results.emplace_back();  // the plan
    return results;
  }
};

at::Tensor run(const ct_fused_block &block, const at::Tensor &x) {
  auto plan = std::make_shared<const BlockPlan>(block, x);
  const std::vector<at::Tensor> tensors = parameters(block);
  bool differentiable = x.requires_grad();
  for (const at::Tensor &tensor : tensors)
    differentiable = differentiable || tensor.requires_grad();
  if (differentiable && at::GradMode::is_enabled())
    return BlockFunction::apply(x, at::TensorList(tensors), plan);
  BlockState state;
  return block_forward(*plan, x.detach().contiguous(at::MemoryFormat::ChannelsLast), state);
}

bool is_pointwise(const at::Tensor &weight) {
  return weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1 && fit(weight);
}

/// What is wrong with the expansion, or with its absence.
const char *expansion_refusal(const ct_fused_block &block, int64_t middle) {
  if (!block.expansion) {
    if (middle == block.processed) return nullptr;
    return "without expansion the spatial convolution must take the input's channels";
  }
  const at::Tensor &expansion = get(block.expansion);
  if (!is_pointwise(expansion) || expansion.size(0) != middle ||
      expansion.size(1) != block.processed)
    return "the expansion does not fit";
  return NormParameters::refusal(block.expansion_norm, middle);
}

/// What is wrong with the branches of the spatial convolution.
const char *spatial_refusal(const ct_fused_block &block, const at::Tensor &x, int64_t middle) {
  std::vector<mux_spatial_branch> branches;
  for (int32_t i = 0; i < block.branch_count; ++i) {
    const ct_fused_branch &branch = block.branches[i];
    const int32_t half = branch.kernel / 2;
    const auto fits = [half](int32_t before) { return before == half || before == half - 1; };
    if (!fits(branch.top) || !fits(branch.left))
      return "a branch's windows are not around its pixels";
    branches.push_back(kernel_branch(branch));
  }
  const mux_spatial spatial = {static_cast<int32_t>(x.size(2)),
                               static_cast<int32_t>(x.size(3)),
                               static_cast<int32_t>(middle),
                               block.stride,
                               block.factor,
                               block.branch_count,
                               branches.data()};
  if (const char *reason = mux_spatial_validate(&spatial)) return reason;
  for (int32_t i = 0; i < block.branch_count; ++i) {
    if (!block.branches[i].weight) return "a branch without weight";
    const at::Tensor &weight = get(block.branches[i].weight);
    const int64_t kernel = block.branches[i].kernel, wide = branches[static_cast<size_t>(i)].kernel;
    if (!fit(weight) || weight.dim() != 4 || weight.size(2) != kernel || weight.size(3) != kernel ||
        weight.numel() / (kernel * kernel) * (wide * wide) !=
            static_cast<int64_t>(mux_spatial_weight_count(&spatial, i)))
      return "a branch's weight does not fit";
  }
  return NormParameters::refusal(block.spatial_norm, middle);
}

/// What is wrong with squeeze-and-excitation, for a block that has it.
const char *excitation_refusal(const ct_fused_block &block, int64_t middle) {
  if (!block.reduce_weight) return nullptr;
  if (!block.reduce_bias || !block.expand_weight || !block.expand_bias)
    return "squeeze-and-excitation without bias";
  const at::Tensor &reduce = get(block.reduce_weight), &expand = get(block.expand_weight);
  if (!is_pointwise(reduce) || !is_pointwise(expand) || reduce.size(1) != middle ||
      expand.size(0) != middle || expand.size(1) != reduce.size(0) ||
      !fit(get(block.reduce_bias)) || get(block.reduce_bias).numel() != reduce.size(0) ||
      !fit(get(block.expand_bias)) || get(block.expand_bias).numel() != middle)
    return "the squeeze-and-excitation does not fit";
  return nullptr;
}

const char *refusal(const ct_fused_block &block, ct_tensor input) {
  if (const char *reason = image_refusal(input)) return reason;
  if (!block.projection || block.branch_count < 1 || !block.branches) return "no convolution";
  const at::Tensor &x = get(input);
  const at::Tensor &projection = get(block.projection);
  if (!is_pointwise(projection)) return "the projection is not a 1×1 convolution in 32-bit floats";
  const int64_t middle = projection.size(1), outputs = projection.size(0);
  if (block.processed < 1 || block.processed > x.size(1)) return "more channels than the input has";
  if (const char *reason = expansion_refusal(block, middle)) return reason;
  if (const char *reason = spatial_refusal(block, x, middle)) return reason;
  if (const char *reason = NormParameters::refusal(block.projection_norm, outputs)) return reason;
  if (const char *reason = excitation_refusal(block, middle)) return reason;
  const bool kept = block.stride == 1 && outputs == block.processed;
  if (block.residual && !kept) return "a residual needs equal shapes";
  const int64_t left_out = x.size(1) - block.processed;
  if (left_out > 0 && !kept) return "channels can only be left out where the shape is kept";
  if (block.shuffle_groups > 1 && (outputs + left_out) % block.shuffle_groups != 0)
    return "the shuffle's groups do not divide the channels";
  return nullptr;
}

}  // namespace

}  // namespace ct::fused

extern "C" {

const char *ct_fused_block_refusal(const ct_fused_block *block, ct_tensor x) {
  const char *reason = nullptr;
  const ct_error error = ct::guard([&] { reason = ct::fused::refusal(*block, x); });
  if (error) {
    ct_free_text(error);
    return "the block's tensors cannot be read";
  }
  return reason;
}

ct_error ct_fused_block_run(const ct_fused_block *block, ct_tensor x, ct_tensor *out) {
  return ct::result(out, [&] {
    if (const char *reason = ct::fused::refusal(*block, x))
      TORCH_CHECK(false, "fused block: ", reason);
    return ct::fused::run(*block, ct::get(x));
  });
}

}  // extern "C"
