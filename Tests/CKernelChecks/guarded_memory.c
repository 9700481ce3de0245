// SPDX-License-Identifier: Apache-2.0
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "guarded_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

guarded_memory guarded_create(size_t bytes, bool ends) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (bytes + page - 1) / page * page;
  guarded_memory memory = {.mapped = used + 2 * page};
  memory.mapping = mmap(NULL, memory.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  char *start = (char *)memory.mapping + page;
  if (memory.mapping == MAP_FAILED || mprotect(memory.mapping, page, PROT_NONE) != 0 ||
      mprotect(start + used, page, PROT_NONE) != 0) {
    perror("memory for checks of kernels");
    abort();
  }
  memory.start = ends ? start + used - bytes : start;
  return memory;
}

void guarded_destroy(guarded_memory *memory) { munmap(memory->mapping, memory->mapped); }
