// SPDX-License-Identifier: Apache-2.0
#include "Internal.h"
#include "ct_math.h"
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/var.h>

#include <numeric>

namespace {

std::vector<int64_t> reduced(const at::Tensor &a, const int64_t *dimensions, int32_t count) {
  if (count > 0) return std::vector<int64_t>(dimensions, dimensions + count);
  std::vector<int64_t> all(static_cast<size_t>(a.dim()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

extern "C" {

ct_error ct_reduce(int32_t operation, ct_tensor a, const int64_t *dimensions, int32_t count,
                   bool keep, ct_tensor *out) {
  return ct::result(out, [&]() -> at::Tensor {
    const at::Tensor &x = ct::get(a);
    const auto over = reduced(x, dimensions, count);
    switch (operation) {
    case CT_SUM: return at::sum(x, over, keep);
    case CT_MEAN: return at::mean(x, over, keep);
    case CT_AMAX: return at::amax(x, over, keep);
    case CT_AMIN: return at::amin(x, over, keep);
    case CT_LOGSUMEXP: return at::logsumexp(x, over, keep);
    case CT_NORM: return at::linalg_vector_norm(x, 2, over, keep);
    default: TORCH_CHECK(false, "unknown operation ", operation);
    }
  });
}

ct_error ct_variance(ct_tensor a, const int64_t *dimensions, int32_t count, double correction,
                     bool keep, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &x = ct::get(a);
    return at::var(x, c10::OptionalIntArrayRef(reduced(x, dimensions, count)),
                   std::optional<c10::Scalar>(correction), keep);
  });
}

ct_error ct_argmax(ct_tensor a, int64_t dimension, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).argmax(dimension); });
}

ct_error ct_topk(ct_tensor a, int64_t count, int64_t dimension, bool largest, ct_tensor *values,
                 ct_tensor *indices) {
  return ct::guard([&] {
    const auto found = at::topk(ct::get(a), count, dimension, largest);
    *values = ct::wrap(std::get<0>(found));
    *indices = ct::wrap(std::get<1>(found));
  });
}

ct_error ct_sort(ct_tensor a, int64_t dimension, bool descending, ct_tensor *values,
                 ct_tensor *indices) {
  return ct::guard([&] {
    const auto found = at::sort(ct::get(a), std::optional<bool>(true), dimension, descending);
    *values = ct::wrap(std::get<0>(found));
    *indices = ct::wrap(std::get<1>(found));
  });
}

ct_error ct_equal(ct_tensor a, ct_tensor b, bool *out) {
  return ct::guard([&] {
    const at::Tensor &x = ct::get(a), &y = ct::get(b);
    *out = x.scalar_type() == y.scalar_type() && x.sizes() == y.sizes() && x.equal(y);
  });
}

ct_error ct_item(ct_tensor a, double *out) {
  return ct::guard([&] { *out = ct::get(a).item().toDouble(); });
}

ct_error ct_matmul(ct_tensor a, ct_tensor b, ct_tensor *out) {
  return ct::result(out, [&] { return at::matmul(ct::get(a), ct::get(b)); });
}

}  // extern "C"
