// SPDX-License-Identifier: Apache-2.0
// For the C++ files of this target only: handles to tensors and back, and the exception guard.
#ifndef CT_INTERNAL_H
#define CT_INTERNAL_H
// What this header includes is not ours to fix: no warnings from there.
#pragma clang system_header
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ct_core.h"

namespace ct {

/// A text for the C side, which frees it with ct_free_text.
char *text(const std::string &value) noexcept;

/// Runs the body and turns every exception into an error text.
template <typename Body>
ct_error guard(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const c10::Error &error) {
    return text(error.what_without_backtrace());
  } catch (const std::exception &error) {
    return text(error.what());
  } catch (...) {
    return text("unknown C++ exception");
  }
}

/// The tensor behind a handle.
inline const at::Tensor &get(ct_tensor handle) {
  TORCH_CHECK(handle != nullptr, "no tensor given");
  return *reinterpret_cast<const at::Tensor *>(handle);
}

inline std::optional<at::Tensor> optional(ct_tensor handle) {
  if (handle == nullptr) return std::nullopt;
  return get(handle);
}

/// A new handle that the caller owns.
inline ct_tensor wrap(at::Tensor tensor) {
  return reinterpret_cast<ct_tensor>(new at::Tensor(std::move(tensor)));
}

/// Runs a body that makes one tensor.
template <typename Body>
ct_error result(ct_tensor *out, Body &&body) noexcept {
  return guard([&] { *out = wrap(body()); });
}

inline std::vector<at::Tensor> list(const ct_tensor *handles, int32_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) tensors.push_back(get(handles[i]));
  return tensors;
}

inline std::optional<at::Generator> generator(ct_generator handle) {
  if (handle == nullptr) return std::nullopt;
  return *reinterpret_cast<at::Generator *>(handle);
}

c10::Device device(int32_t kind, int32_t index);

/// Replaces numbers by their sums over the processes whose batch norms share their statistics.
void sum_over_norm_group(std::vector<double> &values);

inline c10::ScalarType dtype(int32_t code) { return static_cast<c10::ScalarType>(code); }

inline c10::MemoryFormat format(int32_t code) {
  return code == CT_CHANNELS_LAST ? c10::MemoryFormat::ChannelsLast
                                  : (code == CT_CONTIGUOUS ? c10::MemoryFormat::Contiguous
                                                           : c10::MemoryFormat::Preserve);
}

/// A scalar that keeps integer tensors integer where the value is whole.
inline c10::Scalar scalar(const at::Tensor &like, double value) {
  if (c10::isIntegralType(like.scalar_type(), true) &&
      value == static_cast<double>(static_cast<int64_t>(value)))
    return c10::Scalar(static_cast<int64_t>(value));
  return c10::Scalar(value);
}

}  // namespace ct
#endif
