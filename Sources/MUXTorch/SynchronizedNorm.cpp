// SPDX-License-Identifier: Apache-2.0
// Batch norm whose statistics are those of all processes' images. Sums travel, in double precision: the
// count, Σx and Σx² forward, Σdy and Σdy·x backward.
#include <cmath>

#include "Distributed.h"

namespace ct {

namespace {

/// Of the thread that trains, which is also that of its backward passes on the CPU.
thread_local Group *current = nullptr;

at::TensorOptions doubles() { return at::TensorOptions().dtype(at::kDouble); }

/// Replaces a flat tensor of doubles by its sum over the group.
void sum_over_group(at::Tensor &values) {
  if (current == nullptr) return;
  current->wait(current->begin_sum(values));
}

/// Sums over all dimensions but the channels.
at::Tensor channel_sums(const at::Tensor &x) {
  std::vector<int64_t> others = {0};
  for (int64_t i = 2; i < x.dim(); ++i) others.push_back(i);
  return x.sum(others, false, at::kDouble);
}

at::Tensor along(const at::Tensor &channels, const at::Tensor &x) {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[1] = channels.numel();
  return channels.to(x.scalar_type()).view(sizes);
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class SynchronizedNorm : public torch::autograd::Function<SynchronizedNorm> {
 public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &bias, const at::Tensor &running_mean,
                            const at::Tensor &running_variance, double momentum, double epsilon) {
    const int64_t channels = x.size(1);
    at::Tensor sums = at::empty({2 * channels + 1}, doubles());
    sums.narrow(0, 0, channels).copy_(channel_sums(x));
    sums.narrow(0, channels, channels).copy_(channel_sums(x.to(at::kDouble).square()));
    sums.narrow(0, 2 * channels, 1)
        .fill_(static_cast<double>(x.numel() / std::max<int64_t>(channels, 1)));
    sum_over_group(sums);
    const double count = sums[2 * channels].item<double>();
    TORCH_CHECK(count > 1, "batch norm needs more than one value per channel when training");
    const at::Tensor mean = sums.narrow(0, 0, channels) / count;
    const at::Tensor variance =
        (sums.narrow(0, channels, channels) / count - mean.square()).clamp_min(0);
    const at::Tensor inverse = (variance + epsilon).rsqrt();
    running_mean.lerp_(mean.to(running_mean.scalar_type()), momentum);
    running_variance.lerp_((variance * (count / (count - 1))).to(running_variance.scalar_type()),
                           momentum);
    context->save_for_backward({x, weight, mean, inverse});
    context->saved_data["count"] = count;
    const at::Tensor scale = weight.to(at::kDouble) * inverse;
    const at::Tensor shift = bias.to(at::kDouble) - mean * scale;
    return x * along(scale, x) + along(shift, x);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3];
    const double count = context->saved_data["count"].toDouble();
    const at::Tensor &gradient = gradients[0];
    const int64_t channels = x.size(1);
    at::Tensor sums = at::empty({2 * channels}, doubles());
    sums.narrow(0, 0, channels).copy_(channel_sums(gradient));
    sums.narrow(0, channels, channels).copy_(channel_sums((gradient * x).to(at::kDouble)));
    // The parameters' own gradients stay those of this process: they are summed with all others.
    const auto centred = [&](const at::Tensor &all) {
      return (all.narrow(0, channels, channels) - mean * all.narrow(0, 0, channels)) * inverse;
    };
    const at::Tensor bias_gradient = sums.narrow(0, 0, channels).to(weight.scalar_type());
    const at::Tensor weight_gradient = centred(sums).to(weight.scalar_type());
    sum_over_group(sums);
    const at::Tensor scale = weight.to(at::kDouble) * inverse;
    const at::Tensor k1 = -scale * inverse * centred(sums) / count;
    const at::Tensor k2 = -scale * sums.narrow(0, 0, channels) / count - k1 * mean;
    const at::Tensor input = gradient * along(scale, x) + x * along(k1, x) + along(k2, x);
    return {input, weight_gradient, bias_gradient, {}, {}, {}, {}};
  }
};

}  // namespace

void sum_over_norm_group(std::vector<double> &values) {
  if (current == nullptr) return;
  at::Tensor sums = at::empty({static_cast<int64_t>(values.size())}, doubles());
  std::copy(values.begin(), values.end(), sums.mutable_data_ptr<double>());
  sum_over_group(sums);
  const double *const from = sums.const_data_ptr<double>();
  std::copy(from, from + values.size(), values.begin());
}

}  // namespace ct

extern "C" {

void ct_set_norm_group(ct_group group) { ct::current = reinterpret_cast<ct::Group *>(group); }

bool ct_has_norm_group(void) { return ct::current != nullptr; }

ct_error ct_synchronized_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                                    ct_tensor variance, double momentum, double epsilon,
                                    ct_tensor *out) {
  return ct::result(out, [&] {
    return ct::SynchronizedNorm::apply(ct::get(x), ct::get(weight), ct::get(bias), ct::get(mean),
                                       ct::get(variance), momentum, epsilon);
  });
}

}  // extern "C"
