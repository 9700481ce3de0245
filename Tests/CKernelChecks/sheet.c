// SPDX-License-Identifier: Apache-2.0
#include "sheet.h"

#include <stdio.h>
#include <stdlib.h>

sheet sheet_create(size_t count) {
  return (sheet){count, calloc(count > 0 ? count : 1, sizeof(sheet_entry))};
}

void sheet_destroy(sheet *sheet) { free(sheet->entries); }

static void expect(sheet *sheet, ptrdiff_t offset, int kind, int part, double low, double high) {
  sheet_entry *entry = &sheet->entries[offset];
  if (entry->kind != (unsigned)kind) {
    // Parts of 32 bits that no one expects are padding.
    for (int i = 0; i < 4; ++i) entry->low[i] = -INFINITY, entry->high[i] = INFINITY;
    entry->kind = (unsigned)kind;
  }
  entry->low[part] = low;
  entry->high[part] = high;
}

void expect_float(sheet *sheet, ptrdiff_t offset, approx value) {
  const double error = value.error + ROUNDING * fabs(value.value) + 1e-37;
  expect(sheet, offset, ONE_FLOAT, 0, value.value - error, value.value + error);
}

void expect_anything(sheet *sheet, ptrdiff_t offset) {
  expect(sheet, offset, ONE_FLOAT, 0, -INFINITY, INFINITY);
  sheet->entries[offset].varies = true;
}

void expect_value(sheet *sheet, mux_precision precision, ptrdiff_t offset, ptrdiff_t index,
                  approx value) {
  const int values = values_of(precision);
  expect(sheet, offset + index / values, precision == MUX_INT8 ? FOUR_BYTES : TWO_HALVES,
         (int)(index % values), value.value - value.error, value.value + value.error);
}

value_range empty_range(void) {
  return (value_range){{INFINITY, INFINITY}, {-INFINITY, -INFINITY}};
}

void widen_range(value_range *range, approx value, bool is_certain) {
  // [0]: as far as the range may go; [1]: as far as it must.
  const double error = value.error + ROUNDING * fabs(value.value);
  range->least[0] = fmin(range->least[0], value.value - error);
  range->greatest[0] = fmax(range->greatest[0], value.value + error);
  if (!is_certain) return;
  range->least[1] = fmin(range->least[1], value.value + error);
  range->greatest[1] = fmax(range->greatest[1], value.value - error);
}

void expect_range(sheet *sheet, ptrdiff_t offset, value_range range) {
  expect(sheet, offset, ONE_FLOAT, 0, range.least[0], range.least[1]);
  expect(sheet, offset + 1, ONE_FLOAT, 0, range.greatest[1], range.greatest[0]);
  sheet->entries[offset].varies = sheet->entries[offset + 1].varies = true;
}

static void fault(kernel_check_result *result, size_t offset, const char *what, double found,
                  double low, double high) {
  if (result->fault[0]) return;
  snprintf(result->fault, sizeof result->fault, "offset %zu, %s: %.9g instead of %.9g to %.9g",
           offset, what, found, low, high);
}

static void compare(kernel_check_result *result, size_t offset, const char *what, double found,
                    double low, double high) {
  result->values++;
  if (low == -INFINITY && high == INFINITY) return;
  if (!(found >= low && found <= high)) fault(result, offset, what, found, low, high);
  if (high > low && isfinite(high - low)) {
    const double part = fabs(found - (low + high) / 2) / ((high - low) / 2);
    if (!(part <= result->worst)) result->worst = part;
  }
}

void sheet_compare(const sheet *sheet, const float *before, const float *after,
                   kernel_check_result *result) {
  for (size_t i = 0; i < sheet->count; ++i) {
    const sheet_entry *entry = &sheet->entries[i];
    int32_t bits, old;
    memcpy(&bits, after + i, sizeof bits);
    memcpy(&old, before + i, sizeof old);
    switch (entry->kind) {
    case AS_BEFORE:
      if (bits != old) fault(result, i, "what is no output", after[i], before[i], before[i]);
      break;
    case ONE_FLOAT: compare(result, i, "float", after[i], entry->low[0], entry->high[0]); break;
    case TWO_HALVES:
      for (int part = 0; part < 2; ++part) {
        compare(result, i, "bfloat16", cell_value(MUX_BFLOAT16, bits, part), entry->low[part],
                entry->high[part]);
      }
      break;
    case FOUR_BYTES:
      for (int part = 0; part < 4; ++part) {
        compare(result, i, "byte", cell_value(MUX_INT8, bits, part), entry->low[part],
                entry->high[part]);
      }
      break;
    }
  }
}
