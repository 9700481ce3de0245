// SPDX-License-Identifier: Apache-2.0
#include "ct_create.h"

#include "Internal.h"
#include "TorchCore.h"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/randperm.h>

namespace {

c10::IntArrayRef sizes(const ct_layout &layout) {
  return c10::IntArrayRef(layout.sizes, static_cast<size_t>(layout.dimensions));
}

c10::TensorOptions options(const ct_layout &layout) {
  return c10::TensorOptions()
      .dtype(ct::dtype(layout.dtype))
      .device(ct::device(layout.device_kind, layout.device_index));
}

}  // namespace

extern "C" {

ct_error ct_full(ct_layout layout, double value, ct_tensor *out) {
  return ct::result(out, [&] { return at::full(sizes(layout), value, options(layout)); });
}

ct_error ct_empty(ct_layout layout, int32_t format, ct_tensor *out) {
  return ct::result(out, [&] {
    return at::empty(sizes(layout), options(layout),
                     format == CT_CHANNELS_LAST ? c10::MemoryFormat::ChannelsLast
                                                : c10::MemoryFormat::Contiguous);
  });
}

ct_error ct_full_like(ct_tensor like, double value, ct_tensor *out) {
  return ct::result(out, [&] { return at::full_like(ct::get(like), value); });
}

ct_error ct_arange(int64_t start, int64_t end, int64_t step, ct_layout layout, ct_tensor *out) {
  return ct::result(out, [&] { return at::arange(start, end, step, options(layout)); });
}

ct_error ct_from_bytes(const void *bytes, int64_t size, ct_layout layout, ct_tensor *out) {
  return ct::result(out, [&] {
    at::Tensor host = at::empty(sizes(layout), ct::dtype(layout.dtype));
    TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == size, "a tensor of ", host.sizes(),
                " needs ", host.nbytes(), " bytes, ", size, " given");
    if (size > 0) std::memcpy(host.mutable_data_ptr(), bytes, static_cast<size_t>(size));
    return host.to(ct::device(layout.device_kind, layout.device_index));
  });
}

ct_error ct_to_bytes(ct_tensor tensor, void *bytes, int64_t size) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    const at::Tensor host = ct::get(tensor).detach().cpu().contiguous();
    TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == size, "a tensor of ", host.sizes(), " has ",
                host.nbytes(), " bytes, room for ", size, " given");
    if (size > 0) std::memcpy(bytes, host.const_data_ptr(), static_cast<size_t>(size));
  });
}

ct_error ct_generator_new(int32_t device_kind, int32_t device_index, uint64_t seed,
                          ct_generator *out) {
  return ct::guard([&] {
    const c10::Device device = ct::device(device_kind, device_index);
    at::Generator generator =
        device.is_cpu() ? at::detail::createCPUGenerator()
                        : at::globalContext()
                              .getAcceleratorHooksInterface(device.type())
                              .getNewGenerator(static_cast<c10::DeviceIndex>(device_index));
    generator.set_current_seed(seed);
    *out = reinterpret_cast<ct_generator>(new at::Generator(std::move(generator)));
  });
}

void ct_generator_release(ct_generator generator) {
  delete reinterpret_cast<at::Generator *>(generator);
}

ct_error ct_generator_seed(ct_generator generator, uint64_t seed) {
  return ct::guard([&] { ct::generator(generator)->set_current_seed(seed); });
}

ct_error ct_generator_state(ct_generator generator, ct_tensor *out) {
  return ct::result(out, [&] { return ct::generator(generator)->get_state(); });
}

ct_error ct_generator_set_state(ct_generator generator, ct_tensor state) {
  return ct::guard([&] { ct::generator(generator)->set_state(ct::get(state)); });
}

ct_error ct_random_(ct_tensor tensor, int32_t distribution, double a, double b,
                    ct_generator generator) {
  return ct::guard([&] {
    const at::NoGradGuard no_grad;
    at::Tensor target = ct::get(tensor);
    const auto source = ct::generator(generator);
    switch (distribution) {
    case CT_UNIFORM: target.uniform_(a, b, source); break;
    case CT_NORMAL: target.normal_(a, b, source); break;
    case CT_BERNOULLI: target.bernoulli_(a, source); break;
    case CT_INTEGERS:
      target.random_(static_cast<int64_t>(a), static_cast<int64_t>(b), source);
      break;
    default: TORCH_CHECK(false, "unknown distribution ", distribution);
    }
  });
}

ct_error ct_permutation(int64_t count, ct_generator generator, ct_tensor *out) {
  return ct::result(out, [&] {
    return at::randperm(count, ct::generator(generator), c10::TensorOptions(c10::ScalarType::Long));
  });
}

}  // extern "C"
