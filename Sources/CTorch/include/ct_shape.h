// SPDX-License-Identifier: Apache-2.0
// Views, shape changes, conversions and indexing.
#ifndef CT_SHAPE_H
#define CT_SHAPE_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

ct_error ct_reshape(ct_tensor a, const int64_t *sizes, int32_t count, ct_tensor *out);
ct_error ct_expand(ct_tensor a, const int64_t *sizes, int32_t count, ct_tensor *out);
ct_error ct_permute(ct_tensor a, const int64_t *order, int32_t count, ct_tensor *out);
ct_error ct_flatten(ct_tensor a, int64_t start, int64_t end, ct_tensor *out);
ct_error ct_unsqueeze(ct_tensor a, int64_t dimension, ct_tensor *out);
ct_error ct_squeeze(ct_tensor a, int64_t dimension, ct_tensor *out);
ct_error ct_flip(ct_tensor a, const int64_t *dimensions, int32_t count, ct_tensor *out);
ct_error ct_narrow(ct_tensor a, int64_t dimension, int64_t start, int64_t length, ct_tensor *out);
ct_error ct_select(ct_tensor a, int64_t dimension, int64_t index, ct_tensor *out);
ct_error ct_slice(ct_tensor a, int64_t dimension, int64_t start, int64_t end, int64_t step,
                  ct_tensor *out);
ct_error ct_cat(const ct_tensor *list, int32_t count, int64_t dimension, ct_tensor *out);
ct_error ct_stack(const ct_tensor *list, int32_t count, int64_t dimension, ct_tensor *out);
ct_error ct_split(ct_tensor a, const int64_t *sizes, int32_t count, int64_t dimension,
                  ct_tensor *out);
/// Zero (or other) padding; pairs from the last dimension backwards, as in PyTorch.
ct_error ct_pad(ct_tensor a, const int64_t *amounts, int32_t count, double value, ct_tensor *out);
ct_error ct_contiguous(ct_tensor a, int32_t format, ct_tensor *out);
ct_error ct_clone(ct_tensor a, ct_tensor *out);
ct_error ct_to_dtype(ct_tensor a, int32_t dtype, ct_tensor *out);
ct_error ct_to_device(ct_tensor a, int32_t kind, int32_t index, ct_tensor *out);

ct_error ct_index_select(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor *out);
ct_error ct_gather(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor *out);
ct_error ct_masked_select(ct_tensor a, ct_tensor mask, ct_tensor *out);
ct_error ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out);
ct_error ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_error ct_one_hot(ct_tensor a, int64_t classes, ct_tensor *out);

/// [N, C, rH, rW] to [N, r*r*C, H, W], phases first: channel (by*r + bx)*C + c.
ct_error ct_space_to_channel(ct_tensor a, int64_t ratio, ct_tensor *out);
/// The inverse of ct_space_to_channel.
ct_error ct_channel_to_space(ct_tensor a, int64_t ratio, ct_tensor *out);
/// Channel i*g + j of the result is channel j*(C/g) + i of the input.
ct_error ct_channel_shuffle(ct_tensor a, int64_t groups, ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
