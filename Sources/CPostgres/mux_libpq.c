// SPDX-License-Identifier: Apache-2.0
#include "mux_libpq.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/// Sets `*function`; an object's address is copied bit by bit, since C does not convert it to a function's.
static int find(void *library, const char *symbol, void *function) {
  void *address = dlsym(library, symbol);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

int mux_libpq_open(const char *const *names, mux_libpq *library, char *reason, size_t capacity) {
  void *opened = NULL;
  snprintf(reason, capacity, "no name to look for");
  for (const char *const *name = names; *name && !opened; ++name) {
    opened = dlopen(*name, RTLD_NOW | RTLD_LOCAL);
    // What the first name lacks tells the most: the others are guesses at folders.
    if (!opened && name == names) snprintf(reason, capacity, "%s", dlerror());
  }
  if (!opened) return 0;
#define MUX_FIND(result, name, parameters)                        \
  if (!find(opened, "PQ" #name, &library->name)) {                \
    snprintf(reason, capacity, "the library has no PQ%s", #name); \
    dlclose(opened);                                              \
    return 0;                                                     \
  }
  MUX_LIBPQ_FUNCTIONS(MUX_FIND)
#undef MUX_FIND
  return 1;
}
