// SPDX-License-Identifier: Apache-2.0
// Memory beside which nothing may be touched.
#ifndef GUARDED_MEMORY_H
#define GUARDED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct guarded_memory {
  void *start;
  void *mapping;
  size_t mapped;
} guarded_memory;

/// So many bytes, which end at a page that stops the process when it is touched, or begin after one.
guarded_memory guarded_create(size_t bytes, bool ends);
void guarded_destroy(guarded_memory *memory);

#endif
