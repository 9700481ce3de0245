// SPDX-License-Identifier: Apache-2.0
// What an arena should hold after a step.
#ifndef SHEET_H
#define SHEET_H

#include <stddef.h>

#include "approximate.h"
#include "kernel_checks.h"

/// What 32 bits of the arena should be: as before, or one float, two of bfloat16, or four bytes, each from
/// low to high.
typedef struct {
  enum { AS_BEFORE, ONE_FLOAT, TWO_HALVES, FOUR_BYTES } kind;
  double low[4], high[4];
  /// Whether it may depend on how tasks are shared out: padding of no use, and ranges, for which only one
  /// thread is used.
  bool varies;
} sheet_entry;

typedef struct {
  size_t count;
  sheet_entry *entries;
} sheet;

sheet sheet_create(size_t count);
void sheet_destroy(sheet *sheet);

/// A float at an offset of the arena; whatever number where padding of no use is written.
void expect_float(sheet *sheet, ptrdiff_t offset, approx value);
void expect_anything(sheet *sheet, ptrdiff_t offset);

/// A value in reduced precision: number `index` of those from an offset of the arena on.
void expect_value(sheet *sheet, mux_precision precision, ptrdiff_t offset, ptrdiff_t index,
                  approx value);

/// The least and the greatest of some values: those of which it is certain that they are looked at, and
/// those of which it is allowed.
typedef struct {
  double least[2], greatest[2];
} value_range;
value_range empty_range(void);
void widen_range(value_range *range, approx value, bool is_certain);
/// What was there before counts, too: a range from +∞ to −∞ if nothing was looked at.
void expect_range(sheet *sheet, ptrdiff_t offset, value_range range);

/// Compares an arena with the sheet; `before` is what it was.
void sheet_compare(const sheet *sheet, const float *before, const float *after,
                   kernel_check_result *result);

#endif
