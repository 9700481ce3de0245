// SPDX-License-Identifier: Apache-2.0
// Creation, host copies and random numbers.
#ifndef CT_CREATE_H
#define CT_CREATE_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/// What a new tensor is made of.
typedef struct {
  const int64_t *sizes;
  int32_t dimensions;
  int32_t dtype;
  int32_t device_kind;
  int32_t device_index;
} ct_layout;

ct_error ct_full(ct_layout layout, double value, ct_tensor *out);
ct_error ct_empty(ct_layout layout, int32_t format, ct_tensor *out);
ct_error ct_full_like(ct_tensor like, double value, ct_tensor *out);
ct_error ct_arange(int64_t start, int64_t end, int64_t step, ct_layout layout, ct_tensor *out);
/// Copies `size` bytes of row-major elements; the size must fit the layout.
ct_error ct_from_bytes(const void *bytes, int64_t size, ct_layout layout, ct_tensor *out);
/// Copies the elements in row-major order to `bytes`; the size must fit the tensor.
ct_error ct_to_bytes(ct_tensor tensor, void *bytes, int64_t size);

ct_error ct_generator_new(int32_t device_kind, int32_t device_index, uint64_t seed,
                          ct_generator *out);
void ct_generator_release(ct_generator generator);
ct_error ct_generator_seed(ct_generator generator, uint64_t seed);
/// The state as a tensor of bytes.
ct_error ct_generator_state(ct_generator generator, ct_tensor *out);
ct_error ct_generator_set_state(ct_generator generator, ct_tensor state);

typedef enum { CT_UNIFORM = 0, CT_NORMAL = 1, CT_BERNOULLI = 2, CT_INTEGERS = 3 } ct_distribution;
/// Fills in place: uniform [a, b), normal (mean a, deviation b), ones with probability a,
/// integers [a, b).
ct_error ct_random_(ct_tensor tensor, int32_t distribution, double a, double b,
                    ct_generator generator);
ct_error ct_permutation(int64_t count, ct_generator generator, ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
