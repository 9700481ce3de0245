// SPDX-License-Identifier: Apache-2.0
// Gradients summed over a group in flat buckets, while the backward pass goes on.
#include <memory>

#include "Distributed.h"

namespace ct {

namespace {

/// Parameters whose gradients travel together.
struct Bucket {
  std::vector<size_t> parameters;
  at::Tensor sums;        // flat, of the parameters' type
  at::Tensor travelling;  // what is sent: the same, or a shorter copy
  size_t waiting = 0;     // parameters whose gradient is not here yet
  c10::intrusive_ptr<c10d::Work> work;
};

struct Reducer : std::enable_shared_from_this<Reducer> {
  Group &group;
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> views;  // each parameter's part of its bucket, laid out as the parameter
  std::vector<size_t> bucket_of;
  std::vector<bool> is_there;
  std::vector<Bucket> buckets;
  size_t next = 0;  // buckets leave in order, the same in all processes
  bool is_armed = false, overlaps = true, short_floats;

  Reducer(Group &group, std::vector<at::Tensor> list, int64_t first_bytes, int64_t bucket_bytes,
          bool short_floats)
      : group(group), parameters(std::move(list)), short_floats(short_floats) {
    views.resize(parameters.size());
    bucket_of.resize(parameters.size());
    is_there.resize(parameters.size());
    // Backward reaches the last parameters first.
    int64_t bytes = 0, limit = first_bytes;
    for (size_t i = parameters.size(); i-- > 0;) {
      const at::Tensor &parameter = parameters[i];
      TORCH_CHECK(parameter.is_non_overlapping_and_dense(), "a parameter's memory has gaps");
      const bool is_alike =
          buckets.empty() ||
          parameters[buckets.back().parameters[0]].options().type_equal(parameter.options());
      if (buckets.empty() || bytes >= limit || !is_alike) {
        if (!buckets.empty()) limit = bucket_bytes;
        buckets.emplace_back();
        bytes = 0;
      }
      buckets.back().parameters.push_back(i);
      bucket_of[i] = buckets.size() - 1;
      bytes += static_cast<int64_t>(parameter.nbytes());
    }
    for (Bucket &bucket : buckets) {
      int64_t count = 0;
      for (const size_t i : bucket.parameters) count += parameters[i].numel();
      bucket.sums = at::zeros({count}, parameters[bucket.parameters[0]].options());
      int64_t begin = 0;
      for (const size_t i : bucket.parameters) {
        const at::Tensor &parameter = parameters[i];
        views[i] = bucket.sums.as_strided(parameter.sizes(), parameter.strides(), begin);
        begin += parameter.numel();
      }
    }
  }

  void start(bool overlapping) {
    next = 0;
    overlaps = overlapping;
    is_armed = true;
    std::fill(is_there.begin(), is_there.end(), false);
    for (Bucket &bucket : buckets) {
      bucket.waiting = bucket.parameters.size();
      bucket.work.reset();
    }
  }

  void take(size_t i) {
    if (!is_armed || !overlaps || is_there[i]) return;
    collect(i);
    while (next < buckets.size() && buckets[next].waiting == 0) send(buckets[next++]);
  }

  void collect(size_t i) {
    const at::Tensor &gradient = parameters[i].grad();
    if (!gradient.defined()) return;
    if (!gradient.is_same(views[i])) views[i].copy_(gradient);
    is_there[i] = true;
    buckets[bucket_of[i]].waiting -= 1;
  }

  void send(Bucket &bucket) {
    for (const size_t i : bucket.parameters)
      if (!is_there[i]) views[i].zero_();
    bucket.travelling = short_floats ? bucket.sums.to(at::kBFloat16) : bucket.sums;
    bucket.work = group.begin_sum(bucket.travelling);
  }

  void finish() {
    is_armed = false;
    for (size_t i = 0; i < parameters.size(); ++i)
      if (!is_there[i]) collect(i);
    while (next < buckets.size()) send(buckets[next++]);
    for (Bucket &bucket : buckets) {
      group.wait(bucket.work);
      bucket.work.reset();
      if (short_floats) bucket.sums.copy_(bucket.travelling);
      bucket.travelling.reset();
    }
    for (size_t i = 0; i < parameters.size(); ++i)
      if (is_there[i]) parameters[i].mutable_grad() = views[i];
  }
};

struct Hook : torch::autograd::PostAccumulateGradHook {
  std::weak_ptr<Reducer> reducer;
  size_t place;
  Hook(std::weak_ptr<Reducer> reducer, size_t place) : reducer(std::move(reducer)), place(place) {}
  void operator()(const torch::autograd::Variable &) override {
    const at::NoGradGuard no_grad;
    if (const auto held = reducer.lock()) held->take(place);
  }
};

std::shared_ptr<Reducer> &held(ct_reducer handle) {
  TORCH_CHECK(handle != nullptr, "no reducer given");
  return *reinterpret_cast<std::shared_ptr<Reducer> *>(handle);
}

}  // namespace

}  // namespace ct

extern "C" {

ct_error ct_reducer_make(ct_group group, const ct_tensor *parameters, int32_t count,
                         int64_t first_bytes, int64_t bucket_bytes, bool short_floats,
                         ct_reducer *out) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    auto reducer = std::make_shared<ct::Reducer>(ct::get(group), ct::list(parameters, count),
                                                 first_bytes, bucket_bytes, short_floats);
    for (size_t i = 0; i < reducer->parameters.size(); ++i)
      torch::autograd::impl::set_post_acc_grad_hooks(reducer->parameters[i],
                                                     std::make_unique<ct::Hook>(reducer, i));
    *out = reinterpret_cast<ct_reducer>(new std::shared_ptr<ct::Reducer>(std::move(reducer)));
  });
}

void ct_reducer_release(ct_reducer handle) {
  auto *held = reinterpret_cast<std::shared_ptr<ct::Reducer> *>(handle);
  if (held == nullptr) return;
  for (const at::Tensor &parameter : (*held)->parameters)
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
  // Memory that a failed group's threads may still write to stays.
  if (!(*held)->group.failed) delete held;
}

ct_error ct_reducer_start(ct_reducer reducer, bool overlaps) {
  return ct::guard([&] { ct::held(reducer)->start(overlaps); });
}

ct_error ct_reducer_finish(ct_reducer reducer) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    ct::held(reducer)->finish();
  });
}

}  // extern "C"
