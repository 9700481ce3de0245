// SPDX-License-Identifier: Apache-2.0
// What the fused operations share: threads, memory, batch norm's arithmetic.
#ifndef CT_FUSED_INTERNAL_H
#define CT_FUSED_INTERNAL_H
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "Internal.h"
#include "ct_fused.h"

namespace ct::fused {

/// Calls `body` for 0 ..< count, spread over libtorch's threads. Which thread takes which index is
/// left open: a body writes only what belongs to its index.
void parallel(int64_t count, const std::function<void(int64_t)> &body);

/// Scratch memory of the calling thread, 64-byte aligned, valid until its next call.
float *scratch(size_t floats);

/// An uninitialised tensor of floats, its memory from a pool that outlives it: a training step asks
/// for the same sizes again and again, and fresh pages cost more than the arithmetic on them.
at::Tensor flat(int64_t floats);
/// The same as [N, C, H, W] in channels-last order.
at::Tensor image(int64_t n, int64_t c, int64_t h, int64_t w);

/// Zeroed doubles from the same pool, for sums.
class Doubles {
 public:
  explicit Doubles(int64_t count);
  double *data();
  /// Zeroes them again.
  double *reset();

 private:
  at::Tensor memory_;
};

/// Gradients of weights, summed for each part of the images on its own. The parts are the same whatever the
/// number of threads, so that sums are taken in the same order everywhere.
class PartialSums {
 public:
  /// Of `size` numbers for each part.
  PartialSums(int64_t images, int64_t size);

  /// Calls `body(image, sums)` for each image, parts side by side; the sums of a part begin with zeros.
  template <typename Body>
  void add(const Body &body) {
    float *const all = data();
    parallel(parts, [&](int64_t part) {
      float *const sums = all + part * size;
      std::fill(sums, sums + size, 0.0f);
      const int64_t end = images_ * (part + 1) / parts;
      for (int64_t n = images_ * part / parts; n < end; ++n) body(n, sums);
    });
  }

  /// [parts, size]
  float *data() { return memory_.mutable_data_ptr<float>(); }

  const int64_t parts, size;

 private:
  const int64_t images_;
  at::Tensor memory_;
};

/// Constants of one batch norm in one call.
struct Norm {
  std::vector<double> mean, inverse_deviation;
  std::vector<float> scale, shift;
  /// Values a channel that the statistics were taken of, in all processes that share them.
  double count = 1;
  bool training = false;
};

/// A batch norm's tensors, held.
struct NormParameters {
  at::Tensor weight, bias, mean, variance;
  double epsilon = 1e-5, momentum = 0.1;
  NormParameters() = default;
  explicit NormParameters(const ct_fused_norm &norm);
  /// A text if the tensors are not fit for `channels`.
  static const char *refusal(const ct_fused_norm &norm, int64_t channels);
  /// From per-image sums [images][channels] over `count` values a channel; updates the running
  /// statistics when training.
  Norm batch(const double *sum, const double *square_sum, int64_t images, int64_t count) const;
  Norm running() const;
};

/// Backward of batch norm as an affine map of gradient and raw value: gy = k0·du + k1·y + k2.
struct NormGradient {
  std::vector<float> k0, k1, k2;
  at::Tensor weight, bias;
  /// `sum` Σ du and `raw_sum` Σ du·y over the values of each channel.
  NormGradient(const Norm &norm, const std::vector<double> &sum,
               const std::vector<double> &raw_sum);
};

/// Σ over images of [images][channels].
std::vector<double> total(const double *sums, int64_t images, int64_t channels, int64_t stride);

const char *image_refusal(ct_tensor x);

}  // namespace ct::fused
#endif
