// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>

#include "Fused.h"
#include "TorchFused.h"
#include "ct_distributed.h"

namespace ct::fused {

// MARK: Threads

namespace {

/// libtorch's own parallel loop is a template that needs OpenMP at compile time, which a package
/// cannot ask for. libgomp's entry point, which libtorch has loaded, runs the same team of threads. (glibc looks for it in
/// all that was loaded together with this library, too.)
using Team = void (*)(void (*)(void *), void *, unsigned, unsigned);

Team team() {
  static const Team entry = reinterpret_cast<Team>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return entry;
}

struct Loop {
  const std::function<void(int64_t)> &body;
  const int64_t count;
  std::atomic<int64_t> next{0};
  std::mutex lock;
  std::exception_ptr error;

  void work() noexcept {
    c10::ParallelGuard inside(true);
    try {
      for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) body(i);
    } catch (...) {
      const std::lock_guard<std::mutex> guard(lock);
      error = std::current_exception();
      next.store(count);
    }
  }
};

}  // namespace

void parallel(int64_t count, const std::function<void(int64_t)> &body) {
  Loop loop{body, count, {}, {}, {}};
  const int threads = at::get_num_threads();
  if (threads <= 1 || count <= 1 || at::in_parallel_region()) {
    loop.work();
  } else if (team()) {
    team()([](void *data) { static_cast<Loop *>(data)->work(); }, &loop, 0, 0);
  } else {
    // Without libgomp (macOS): libtorch's pool for whole tasks.
    std::mutex lock;
    std::condition_variable done;
    int running = threads - 1;
    for (int i = 1; i < threads; ++i) {
      at::launch([&] {
        loop.work();
        const std::lock_guard<std::mutex> guard(lock);
        running -= 1;
        done.notify_one();
      });
    }
    loop.work();
    std::unique_lock<std::mutex> guard(lock);
    done.wait(guard, [&] { return running == 0; });
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

float *scratch(size_t floats) {
  struct Memory {
    std::unique_ptr<float, decltype(&std::free)> data{nullptr, &std::free};
    size_t size = 0;
  };
  thread_local Memory memory;
  if (memory.size < floats) {
    const size_t bytes = (floats * sizeof(float) + 4095) / 4096 * 4096;
    memory.data.reset(static_cast<float *>(std::aligned_alloc(64, bytes)));
    if (!memory.data) throw std::bad_alloc();
    memory.size = bytes / sizeof(float);
  }
  return memory.data.get();
}

// MARK: Memory

namespace {

/// Blocks given back are kept for the next request of their size class; one that was not asked for
/// during many requests is freed. A class is never served by another's blocks: every step asks in
/// the same order, so from the second one on each request finds its block. (A pool that lends
/// larger blocks grew for dozens of steps, and clearing fresh pages took a third of the time.)
class Pool {
 public:
  static Pool &shared() {
    static Pool *pool = new Pool;  // never destroyed: tensors may outlive static objects
    return *pool;
  }

  void *take(size_t bytes) {
    const size_t size = size_class(bytes);
    {
      const std::lock_guard<std::mutex> guard(lock_);
      clock_ += 1;
      const auto found = free_.find(size);
      if (found != free_.end() && !found->second.empty()) {
        void *data = found->second.back().data;
        found->second.pop_back();
        sizes_[data] = size;
        return data;
      }
    }
    const size_t alignment = size >= huge_page ? huge_page : 64;
    void *data = std::aligned_alloc(alignment, size);
    if (!data) {
      release();
      data = std::aligned_alloc(alignment, size);
      if (!data) throw std::bad_alloc();
    }
#if defined(MADV_HUGEPAGE)
    if (size >= huge_page) madvise(data, size, MADV_HUGEPAGE);
#endif
    const std::lock_guard<std::mutex> guard(lock_);
    sizes_[data] = size;
    return data;
  }

  void give(void *data) {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto known = sizes_.find(data);
    // The block used last comes first next time; those at the front have waited longest.
    std::vector<Block> &blocks = free_[known->second];
    blocks.push_back(Block{data, clock_});
    sizes_.erase(known);
    if (clock_ - swept_ < kept_) return;
    swept_ = clock_;
    for (auto &[size, list] : free_) {
      const auto old = std::partition(list.begin(), list.end(), [&](const Block &block) {
        return clock_ - block.last_use <= kept_;
      });
      for (auto block = old; block != list.end(); ++block) std::free(block->data);
      list.erase(old, list.end());
    }
  }

  void release() {
    const std::lock_guard<std::mutex> guard(lock_);
    for (const auto &[size, list] : free_)
      for (const Block &block : list) std::free(block.data);
    free_.clear();
  }

 private:
  struct Block {
    void *data;
    uint64_t last_use;
  };
  static constexpr size_t huge_page = size_t{2} << 20;
  /// Requests that a block waits for, some ten training steps.
  static constexpr uint64_t kept_ = 5000;

  /// Steps of an eighth of a power of two, at least of a page (a huge one for large blocks).
  static size_t size_class(size_t bytes) {
    size_t power = 4096;
    while (power * 2 <= bytes) power *= 2;
    size_t step = std::max<size_t>(power / 8, 4096);
    if (bytes >= huge_page) step = std::max(step, huge_page);
    return (bytes + step - 1) / step * step;
  }

  std::mutex lock_;
  std::map<size_t, std::vector<Block>> free_;
  std::map<void *, size_t> sizes_;
  uint64_t clock_ = 0, swept_ = 0;
};

at::Tensor pooled(at::IntArrayRef sizes, at::IntArrayRef strides, int64_t floats) {
  const size_t bytes = static_cast<size_t>(std::max<int64_t>(floats, 1)) * sizeof(float);
  return at::from_blob(
      Pool::shared().take(bytes), sizes, strides, [](void *data) { Pool::shared().give(data); },
      at::TensorOptions().dtype(at::kFloat));
}

}  // namespace

at::Tensor flat(int64_t floats) { return pooled({floats}, {1}, floats); }

at::Tensor image(int64_t n, int64_t c, int64_t h, int64_t w) {
  return pooled({n, c, h, w}, {h * w * c, 1, w * c, c}, n * c * h * w);
}

double *Doubles::reset() {
  memory_.zero_();
  return data();
}

double *Doubles::data() { return reinterpret_cast<double *>(memory_.mutable_data_ptr<float>()); }

Doubles::Doubles(int64_t count) : memory_(flat(2 * count)) { reset(); }

PartialSums::PartialSums(int64_t images, int64_t size)
    : parts(std::min<int64_t>(images, 16)),
      size(size),
      images_(images),
      memory_(flat(parts * size)) {}

// MARK: Batch norm

const char *NormParameters::refusal(const ct_fused_norm &norm, int64_t channels) {
  for (const ct_tensor handle : {norm.weight, norm.bias, norm.mean, norm.variance}) {
    if (handle == nullptr) return "batch norm without weight, bias or statistics";
    const at::Tensor &tensor = get(handle);
    if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu() ||
        !tensor.is_contiguous() || tensor.numel() != channels)
      return "batch norm's tensors must be contiguous 32-bit floats, one for each channel";
  }
  return nullptr;
}

NormParameters::NormParameters(const ct_fused_norm &norm)
    : weight(get(norm.weight)),
      bias(get(norm.bias)),
      mean(get(norm.mean)),
      variance(get(norm.variance)),
      epsilon(norm.epsilon),
      momentum(norm.momentum) {}

std::vector<double> total(const double *sums, int64_t images, int64_t channels, int64_t stride) {
  std::vector<double> result(static_cast<size_t>(channels), 0.0);
  for (int64_t n = 0; n < images; ++n)
    for (int64_t c = 0; c < channels; ++c) result[static_cast<size_t>(c)] += sums[n * stride + c];
  return result;
}

static Norm folded(const NormParameters &parameters, std::vector<double> mean,
                   const std::vector<double> &variance, bool training) {
  Norm norm;
  norm.training = training;
  norm.mean = std::move(mean);
  const auto *weight = parameters.weight.const_data_ptr<float>();
  const auto *bias = parameters.bias.const_data_ptr<float>();
  for (size_t c = 0; c < norm.mean.size(); ++c) {
    const double inverse = 1.0 / std::sqrt(variance[c] + parameters.epsilon);
    const double scale = static_cast<double>(weight[c]) * inverse;
    norm.inverse_deviation.push_back(inverse);
    norm.scale.push_back(static_cast<float>(scale));
    norm.shift.push_back(static_cast<float>(static_cast<double>(bias[c]) - norm.mean[c] * scale));
  }
  return norm;
}

/// Sums over the processes that share their statistics, if any do. Returns the count of all.
static double count_over_group(std::vector<double> &first, std::vector<double> &second,
                               double count) {
  if (!ct_has_norm_group()) return count;
  std::vector<double> all = first;
  all.insert(all.end(), second.begin(), second.end());
  all.push_back(count);
  sum_over_norm_group(all);
  const auto size = static_cast<std::ptrdiff_t>(first.size());
  std::copy(all.begin(), all.begin() + size, first.begin());
  std::copy(all.begin() + size, all.end() - 1, second.begin());
  return all.back();
}

Norm NormParameters::batch(const double *sum, const double *square_sum, int64_t images,
                           int64_t count) const {
  const int64_t channels = weight.numel();
  std::vector<double> means = total(sum, images, channels, channels);
  std::vector<double> variances = total(square_sum, images, channels, channels);
  const auto n = count_over_group(means, variances, static_cast<double>(count));
  TORCH_CHECK(n > 1, "batch norm needs more than one value per channel when training");
  auto *running_mean = mean.mutable_data_ptr<float>();
  auto *running_variance = variance.mutable_data_ptr<float>();
  for (int64_t c = 0; c < channels; ++c) {
    double &m = means[static_cast<size_t>(c)];
    double &v = variances[static_cast<size_t>(c)];
    m /= n;
    v = v / n - m * m;
    if (v < 0) v = 0;  // rounding; not a number stays one
    const double old_mean = static_cast<double>(running_mean[c]);
    const double old_variance = static_cast<double>(running_variance[c]);
    running_mean[c] = static_cast<float>(old_mean + momentum * (m - old_mean));
    running_variance[c] =
        static_cast<float>(old_variance + momentum * (v * (n / (n - 1)) - old_variance));
  }
  Norm norm = folded(*this, std::move(means), variances, true);
  norm.count = n;
  return norm;
}

Norm NormParameters::running() const {
  const auto *m = mean.const_data_ptr<float>(), *v = variance.const_data_ptr<float>();
  const int64_t channels = weight.numel();
  return folded(*this, std::vector<double>(m, m + channels), std::vector<double>(v, v + channels),
                false);
}

NormGradient::NormGradient(const Norm &norm, const std::vector<double> &sum,
                           const std::vector<double> &raw_sum) {
  const auto channels = static_cast<int64_t>(norm.scale.size());
  weight = at::empty({channels}, at::TensorOptions().dtype(at::kFloat));
  bias = at::empty({channels}, at::TensorOptions().dtype(at::kFloat));
  auto *weight_data = weight.mutable_data_ptr<float>(), *bias_data = bias.mutable_data_ptr<float>();
  // The parameters' gradients are of the own images alone, as all that are summed over processes later;
  // the input's depend on the sums over all images that the statistics were taken of.
  std::vector<double> all_sum, all_raw_sum;
  const bool shares = norm.training && ct_has_norm_group();
  if (shares) {
    all_sum = sum;
    all_raw_sum = raw_sum;
    count_over_group(all_sum, all_raw_sum, 0);
  }
  for (size_t c = 0; c < norm.scale.size(); ++c) {
    const double inverse = norm.inverse_deviation[c], mean = norm.mean[c];
    const double weight_gradient = inverse * (raw_sum[c] - mean * sum[c]);
    const double scale = static_cast<double>(norm.scale[c]);
    double k1 = 0, k2 = 0;
    if (norm.training) {
      const double all = shares ? all_sum[c] : sum[c];
      const double gradient = shares ? inverse * (all_raw_sum[c] - mean * all) : weight_gradient;
      k1 = -scale * inverse * gradient / norm.count;
      k2 = -scale * all / norm.count - k1 * mean;
    }
    k0.push_back(static_cast<float>(scale));
    this->k1.push_back(static_cast<float>(k1));
    this->k2.push_back(static_cast<float>(k2));
    weight_data[c] = static_cast<float>(weight_gradient);
    bias_data[c] = static_cast<float>(sum[c]);
  }
}

const char *image_refusal(ct_tensor handle) {
  const at::Tensor &x = get(handle);
  if (x.dim() != 4) return "the input must have four dimensions";
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat)
    return "the input must be 32-bit floats on the CPU";
  if (x.numel() == 0) return "the input is empty";
  if (at::autocast::is_autocast_enabled(at::kCPU)) return "autocast is on";
  return nullptr;
}

}  // namespace ct::fused

extern "C" void ct_fused_release_memory(void) { ct::fused::Pool::shared().release(); }
