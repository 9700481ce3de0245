// SPDX-License-Identifier: Apache-2.0
#include "ct_shape.h"

#include "Internal.h"
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

namespace {

c10::IntArrayRef span(const int64_t *values, int32_t count) {
  return c10::IntArrayRef(values, static_cast<size_t>(count));
}

void check_image(const at::Tensor &a) {
  TORCH_CHECK(a.dim() == 4, "a tensor of 4 dimensions [N, C, H, W] is needed, not ", a.sizes());
}

// The pixel shuffles work on the channels-last view: there, all channels of a pixel move together,
// and one copy does it. The result is channels-last in memory; so are all images on the CPU.
at::Tensor pixels(const at::Tensor &a) { return a.permute({0, 2, 3, 1}); }

}  // namespace

extern "C" {

ct_error ct_reshape(ct_tensor a, const int64_t *sizes, int32_t count, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).reshape(span(sizes, count)); });
}

ct_error ct_expand(ct_tensor a, const int64_t *sizes, int32_t count, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).expand(span(sizes, count)); });
}

ct_error ct_permute(ct_tensor a, const int64_t *order, int32_t count, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).permute(span(order, count)); });
}

ct_error ct_flatten(ct_tensor a, int64_t start, int64_t end, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).flatten(start, end); });
}

ct_error ct_unsqueeze(ct_tensor a, int64_t dimension, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).unsqueeze(dimension); });
}

ct_error ct_squeeze(ct_tensor a, int64_t dimension, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).squeeze(dimension); });
}

ct_error ct_flip(ct_tensor a, const int64_t *dimensions, int32_t count, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).flip(span(dimensions, count)); });
}

ct_error ct_narrow(ct_tensor a, int64_t dimension, int64_t start, int64_t length, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).narrow(dimension, start, length); });
}

ct_error ct_select(ct_tensor a, int64_t dimension, int64_t index, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).select(dimension, index); });
}

ct_error ct_slice(ct_tensor a, int64_t dimension, int64_t start, int64_t end, int64_t step,
                  ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).slice(dimension, start, end, step); });
}

ct_error ct_cat(const ct_tensor *list, int32_t count, int64_t dimension, ct_tensor *out) {
  return ct::result(out, [&] { return at::cat(ct::list(list, count), dimension); });
}

ct_error ct_stack(const ct_tensor *list, int32_t count, int64_t dimension, ct_tensor *out) {
  return ct::result(out, [&] { return at::stack(ct::list(list, count), dimension); });
}

ct_error ct_split(ct_tensor a, const int64_t *sizes, int32_t count, int64_t dimension,
                  ct_tensor *out) {
  return ct::guard([&] {
    const auto parts = ct::get(a).split_with_sizes(span(sizes, count), dimension);
    for (size_t i = 0; i < parts.size(); ++i) out[i] = ct::wrap(parts[i]);
  });
}

ct_error ct_pad(ct_tensor a, const int64_t *amounts, int32_t count, double value, ct_tensor *out) {
  return ct::result(out, [&] {
    return at::constant_pad_nd(ct::get(a), span(amounts, count), ct::scalar(ct::get(a), value));
  });
}

ct_error ct_contiguous(ct_tensor a, int32_t format, ct_tensor *out) {
  return ct::result(out, [&] {
    return ct::get(a).contiguous(format == CT_CHANNELS_LAST ? c10::MemoryFormat::ChannelsLast
                                                            : c10::MemoryFormat::Contiguous);
  });
}

ct_error ct_clone(ct_tensor a, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).clone(); });
}

ct_error ct_to_dtype(ct_tensor a, int32_t dtype, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).to(ct::dtype(dtype)); });
}

ct_error ct_to_device(ct_tensor a, int32_t kind, int32_t index, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &from = ct::get(a);
    const c10::Device to = ct::device(kind, index);
    // From locked memory the copy goes on while the processor prepares what comes next; its allocator
    // keeps that memory until the copy is over.
    if (to.is_cuda() && from.device().is_cpu()) {
      return from.pin_memory().to(to, from.scalar_type(), /*non_blocking=*/true);
    }
    return from.to(to);
  });
}

ct_error ct_index_select(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).index_select(dimension, ct::get(indices)); });
}

ct_error ct_gather(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).gather(dimension, ct::get(indices)); });
}

ct_error ct_masked_select(ct_tensor a, ct_tensor mask, ct_tensor *out) {
  return ct::result(out, [&] { return ct::get(a).masked_select(ct::get(mask)); });
}

ct_error ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out) {
  return ct::result(
      out, [&] { return ct::get(a).masked_fill(ct::get(mask), ct::scalar(ct::get(a), value)); });
}

ct_error ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out) {
  return ct::result(out, [&] { return at::where(ct::get(condition), ct::get(a), ct::get(b)); });
}

ct_error ct_one_hot(ct_tensor a, int64_t classes, ct_tensor *out) {
  return ct::result(out, [&] { return at::one_hot(ct::get(a), classes); });
}

ct_error ct_space_to_channel(ct_tensor a, int64_t ratio, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &x = ct::get(a);
    check_image(x);
    const int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3), r = ratio;
    TORCH_CHECK(r > 0 && h % r == 0 && w % r == 0, "height ", h, " and width ", w,
                " are not multiples of ", r);
    return pixels(x)
        .reshape({n, h / r, r, w / r, r, c})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({n, h / r, w / r, r * r * c})
        .permute({0, 3, 1, 2});
  });
}

ct_error ct_channel_to_space(ct_tensor a, int64_t ratio, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &x = ct::get(a);
    check_image(x);
    const int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3), r = ratio;
    TORCH_CHECK(r > 0 && c % (r * r) == 0, "the number of channels ", c, " is not a multiple of ",
                r * r);
    return pixels(x)
        .reshape({n, h, w, r, r, c / (r * r)})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({n, h * r, w * r, c / (r * r)})
        .permute({0, 3, 1, 2});
  });
}

ct_error ct_channel_shuffle(ct_tensor a, int64_t groups, ct_tensor *out) {
  return ct::result(out, [&] {
    const at::Tensor &x = ct::get(a);
    check_image(x);
    const int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
    TORCH_CHECK(groups > 0 && c % groups == 0, "the number of channels ", c,
                " is not a multiple of ", groups);
    return pixels(x)
        .reshape({n, h, w, groups, c / groups})
        .transpose(3, 4)
        .reshape({n, h, w, c})
        .permute({0, 3, 1, 2});
  });
}

}  // extern "C"
