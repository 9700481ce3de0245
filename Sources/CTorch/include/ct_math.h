// SPDX-License-Identifier: Apache-2.0
// Elementwise arithmetic, reductions and matrix products.
#ifndef CT_MATH_H
#define CT_MATH_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

typedef enum {
  CT_NEG,
  CT_ABS,
  CT_EXP,
  CT_LOG,
  CT_SQRT,
  CT_RSQRT,
  CT_SQUARE,
  CT_RELU,
  CT_RELU6,
  CT_SILU,
  CT_HARDSWISH,
  CT_SIGMOID,
  CT_HARDSIGMOID,
  CT_TANH,
  CT_GELU,
  CT_SOFTPLUS,
  CT_IS_FINITE
} ct_unary_operation;
ct_error ct_unary(int32_t operation, ct_tensor a, ct_tensor *out);

typedef enum {
  CT_ADD,
  CT_SUB,
  CT_MUL,
  CT_DIV,
  CT_POW,
  CT_MAXIMUM,
  CT_MINIMUM,
  CT_EQ,
  CT_NE,
  CT_LT,
  CT_LE,
  CT_GT,
  CT_GE,
  CT_AND,
  CT_OR
} ct_binary_operation;
ct_error ct_binary(int32_t operation, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_error ct_binary_scalar(int32_t operation, ct_tensor a, double b, ct_tensor *out);
ct_error ct_binary_(int32_t operation, ct_tensor a, ct_tensor b);
ct_error ct_binary_scalar_(int32_t operation, ct_tensor a, double b);

ct_error ct_add_scaled(ct_tensor a, ct_tensor b, double alpha, ct_tensor *out);
ct_error ct_add_scaled_(ct_tensor a, ct_tensor b, double alpha);
ct_error ct_clamp(ct_tensor a, double low, double high, ct_tensor *out);
ct_error ct_clamp_(ct_tensor a, double low, double high);
ct_error ct_fill_(ct_tensor a, double value);
ct_error ct_copy_(ct_tensor a, ct_tensor source);

typedef enum { CT_SUM, CT_MEAN, CT_AMAX, CT_AMIN, CT_LOGSUMEXP, CT_NORM } ct_reduction_operation;
/// Over the given dimensions, or over all where count is 0.
ct_error ct_reduce(int32_t operation, ct_tensor a, const int64_t *dimensions, int32_t count,
                   bool keep, ct_tensor *out);
/// Variance with divisor n - correction.
ct_error ct_variance(ct_tensor a, const int64_t *dimensions, int32_t count, double correction,
                     bool keep, ct_tensor *out);
ct_error ct_argmax(ct_tensor a, int64_t dimension, ct_tensor *out);
ct_error ct_topk(ct_tensor a, int64_t count, int64_t dimension, bool largest, ct_tensor *values,
                 ct_tensor *indices);
ct_error ct_sort(ct_tensor a, int64_t dimension, bool descending, ct_tensor *values,
                 ct_tensor *indices);
/// Whether all elements are equal (same shape and type too).
ct_error ct_equal(ct_tensor a, ct_tensor b, bool *out);
ct_error ct_item(ct_tensor a, double *out);
ct_error ct_matmul(ct_tensor a, ct_tensor b, ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
