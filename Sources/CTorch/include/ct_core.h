// SPDX-License-Identifier: Apache-2.0
// Types, ownership, version, threads and devices.
#ifndef CT_CORE_H
#define CT_CORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/// A tensor, owned by whoever holds the handle; released with ct_release.
typedef struct ct_tensor_s *ct_tensor;
/// A random generator, released with ct_generator_release.
typedef struct ct_generator_s *ct_generator;
/// NULL for success, or a text that the caller frees with ct_free_text.
typedef char *ct_error;

/// Element types, numbered as libtorch's ScalarType.
enum {
  CT_UINT8 = 0,
  CT_INT8 = 1,
  CT_INT16 = 2,
  CT_INT32 = 3,
  CT_INT64 = 4,
  CT_FLOAT16 = 5,
  CT_FLOAT32 = 6,
  CT_FLOAT64 = 7,
  CT_BOOL = 11,
  CT_BFLOAT16 = 15
};

/// Kinds of device.
enum { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2 };

/// Memory formats.
enum { CT_PRESERVE = 0, CT_CONTIGUOUS = 1, CT_CHANNELS_LAST = 2 };

void ct_free_text(char *text);
void ct_release(ct_tensor tensor);

/// The version of the headers this library was compiled with, as MAJOR.MINOR.PATCH.
const char *ct_version_compiled(void);
/// The version of the libtorch in this process; the caller frees the text.
ct_error ct_version_running(char **version);

/// Threads that one operation is spread over.
ct_error ct_set_threads(int32_t count);
int32_t ct_threads(void);

/// Keeps freed memory in this process for the next step, where the C library can be told (glibc).
///
/// A training step frees and allocates the same large tensors again and again; by default glibc
/// returns each to the system, which then clears every page anew (a tenth of the step's time).
void ct_keep_freed_memory(void);

/// How many devices of a kind this process can use (0 where libtorch lacks the kind).
ct_error ct_device_count(int32_t kind, int32_t *count);

int64_t ct_dimensions(ct_tensor tensor);
int64_t ct_size(ct_tensor tensor, int64_t dimension);
ct_error ct_strides(ct_tensor tensor, int64_t *strides);
int64_t ct_elements(ct_tensor tensor);
int32_t ct_dtype(ct_tensor tensor);
int32_t ct_device_kind(ct_tensor tensor);
int32_t ct_device_index(ct_tensor tensor);
bool ct_is_contiguous(ct_tensor tensor, int32_t format);
/// The address of the first element, for CPU tensors only (NULL otherwise).
void *ct_data(ct_tensor tensor);
/// Whether both share the same memory.
bool ct_shares_memory(ct_tensor a, ct_tensor b);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
