// SPDX-License-Identifier: Apache-2.0
#include "ct_core.h"

#include "Internal.h"
#include "TorchCore.h"
#include "ct_distributed.h"
#include "ct_layers.h"
#include "ct_losses.h"
#include <ATen/core/Reduction.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace ct {

char *text(const std::string &value) noexcept {
  char *copy = static_cast<char *>(std::malloc(value.size() + 1));
  if (copy != nullptr) std::memcpy(copy, value.c_str(), value.size() + 1);
  return copy;
}

c10::Device device(int32_t kind, int32_t index) {
  switch (kind) {
  case CT_CPU: return c10::Device(c10::DeviceType::CPU);
  case CT_CUDA: return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
  case CT_MPS: return c10::Device(c10::DeviceType::MPS);
  default: TORCH_CHECK(false, "unknown kind of device ", kind);
  }
}

}  // namespace ct

static_assert(static_cast<int>(c10::ScalarType::Byte) == CT_UINT8);
static_assert(static_cast<int>(c10::ScalarType::Char) == CT_INT8);
static_assert(static_cast<int>(c10::ScalarType::Short) == CT_INT16);
static_assert(static_cast<int>(c10::ScalarType::Int) == CT_INT32);
static_assert(static_cast<int>(c10::ScalarType::Long) == CT_INT64);
static_assert(static_cast<int>(c10::ScalarType::Half) == CT_FLOAT16);
static_assert(static_cast<int>(c10::ScalarType::Float) == CT_FLOAT32);
static_assert(static_cast<int>(c10::ScalarType::Double) == CT_FLOAT64);
static_assert(static_cast<int>(c10::ScalarType::Bool) == CT_BOOL);
static_assert(static_cast<int>(c10::ScalarType::BFloat16) == CT_BFLOAT16);
// Losses hand theirs on to libtorch.
static_assert(static_cast<int>(at::Reduction::None) == CT_REDUCE_NONE);
static_assert(static_cast<int>(at::Reduction::Mean) == CT_REDUCE_MEAN);
static_assert(static_cast<int>(at::Reduction::Sum) == CT_REDUCE_SUM);
// MUXTensor passes the raw values of MemoryFormat, Tensor.Interpolation and ProcessGroup.Reduction.
static_assert(CT_CONTIGUOUS == 1 && CT_CHANNELS_LAST == 2);
static_assert(CT_NEAREST == 0 && CT_BILINEAR == 1 && CT_BICUBIC == 2);
static_assert(CT_GROUP_SUM == 0 && CT_GROUP_MAXIMUM == 1);

#define CT_TEXT_(x) #x
#define CT_TEXT(x) CT_TEXT_(x)

extern "C" {

void ct_free_text(char *text) { std::free(text); }

void ct_release(ct_tensor tensor) { delete reinterpret_cast<at::Tensor *>(tensor); }

const char *ct_version_compiled(void) {
  return CT_TEXT(TORCH_VERSION_MAJOR) "." CT_TEXT(TORCH_VERSION_MINOR) "." CT_TEXT(
      TORCH_VERSION_PATCH);
}

ct_error ct_version_running(char **version) {
  return ct::guard([&] {
    // The build settings are the one place where the library itself names its version.
    const std::string settings = at::show_config();
    const std::string key = "TORCH_VERSION=";
    const size_t start = settings.find(key);
    TORCH_CHECK(start != std::string::npos, "libtorch does not name its version");
    const size_t from = start + key.size();
    *version = ct::text(settings.substr(from, settings.find_first_of(", \n", from) - from));
  });
}

ct_error ct_set_threads(int32_t count) {
  return ct::guard([&] {
    // A thread's first question takes the number that any thread gave last. Asked here, it cannot
    // undo what is set now.
    at::get_num_threads();
    at::set_num_threads(count);
  });
}

int32_t ct_threads(void) { return at::get_num_threads(); }

void ct_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

ct_error ct_device_count(int32_t kind, int32_t *count) {
  return ct::guard([&] {
    switch (kind) {
    case CT_CPU: *count = 1; break;
    case CT_CUDA:
      // The CUDA half is a library of its own that nothing links to: load it where it is.
#if defined(__linux__)
      static void *const cuda = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
      *count = cuda != nullptr && at::hasCUDA()
                   ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount())
                   : 0;
#else
      *count = 0;
#endif
      break;
    case CT_MPS: *count = at::hasMPS() ? 1 : 0; break;
    default: TORCH_CHECK(false, "unknown kind of device ", kind);
    }
  });
}

int64_t ct_dimensions(ct_tensor tensor) { return ct::get(tensor).dim(); }

int64_t ct_size(ct_tensor tensor, int64_t dimension) {
  return ct::get(tensor).sizes()[static_cast<size_t>(dimension)];
}

ct_error ct_strides(ct_tensor tensor, int64_t *strides) {
  return ct::guard([&] {
    const auto source = ct::get(tensor).strides();
    std::copy(source.begin(), source.end(), strides);
  });
}

int64_t ct_elements(ct_tensor tensor) { return ct::get(tensor).numel(); }

int32_t ct_dtype(ct_tensor tensor) { return static_cast<int32_t>(ct::get(tensor).scalar_type()); }

int32_t ct_device_kind(ct_tensor tensor) {
  const auto type = ct::get(tensor).device().type();
  return type == c10::DeviceType::CUDA ? CT_CUDA : (type == c10::DeviceType::MPS ? CT_MPS : CT_CPU);
}

int32_t ct_device_index(ct_tensor tensor) {
  return std::max<int32_t>(0, ct::get(tensor).device().index());
}

bool ct_is_contiguous(ct_tensor tensor, int32_t format) {
  return ct::get(tensor).is_contiguous(format == CT_CHANNELS_LAST ? c10::MemoryFormat::ChannelsLast
                                                                  : c10::MemoryFormat::Contiguous);
}

void *ct_data(ct_tensor tensor) {
  const auto &t = ct::get(tensor);
  return t.device().is_cpu() ? t.mutable_data_ptr() : nullptr;
}

bool ct_shares_memory(ct_tensor a, ct_tensor b) { return ct::get(a).is_alias_of(ct::get(b)); }

}  // extern "C"
