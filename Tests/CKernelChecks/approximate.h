// SPDX-License-Identifier: Apache-2.0
// Numbers with the error that a kernel may make on the way to them.
#ifndef APPROXIMATE_H
#define APPROXIMATE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "CMUXKernels.h"

/// Half a unit in the last place of 1 in single precision: the relative error of one operation.
#define ROUNDING 0x1p-24

/// Some number from value − error to value + error.
typedef struct {
  double value, error;
} approx;

static inline approx exactly(double value) { return (approx){value, 0}; }

/// A sum of products as a kernel may form it, in any order and with or without fused operations.
typedef struct {
  double value, error, size;
  int64_t count;
} approx_sum;

static inline void add_product(approx_sum *sum, approx a, approx b) {
  sum->value += a.value * b.value;
  sum->error += fabs(a.value) * b.error + a.error * fabs(b.value) + a.error * b.error;
  sum->size += fabs(a.value * b.value);
  ++sum->count;
}

static inline void add_term(approx_sum *sum, approx a) { add_product(sum, a, exactly(1)); }

/// The sum in single precision: each operation rounds to within ROUNDING of what was added up so far.
static inline approx rounded_sum(const approx_sum *sum) {
  return (approx){sum->value, sum->error + (double)(sum->count + 1) * ROUNDING * sum->size};
}

/// What a step knows beside its own settings.
typedef struct {
  int lanes;
  /// Whether swish may be off by 4.8e-4 · |x|: where cells have instructions of their own.
  bool has_coarse_swish;
  /// The arena before the step ran.
  const float *arena;
} reference_context;

/// An activation and its error.
approx approximate_activation(const reference_context *context, mux_activation activation,
                              approx x);

/// The values that a cell of a precision holds, and their bytes.
static inline int values_of(mux_precision precision) {
  return precision == MUX_INT8 ? 4 : precision == MUX_BFLOAT16 ? 2 : 1;
}
static inline int size_of(mux_precision precision) { return 4 / values_of(precision); }

/// The number that a value becomes in a cell: bfloat16, or an integer from 0 to 255.
approx encoded(mux_precision precision, approx x, mux_quantization quantization);

/// Value `index` of a cell of the arena: bfloat16 or an integer from 0 to 255; of weights, of which
/// integers are from −128 to 127.
double cell_value(mux_precision precision, int32_t cell, int index);
double cell_weight(mux_precision precision, int32_t cell, int index);

/// The bits of a float rounded to bfloat16, halves upward.
uint16_t to_bfloat16(float x);
float from_bfloat16(uint16_t bits);

#endif
