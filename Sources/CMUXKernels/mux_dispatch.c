// SPDX-License-Identifier: Apache-2.0
#include "mux_dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[MUX_ISA_COUNT] = {"generic", "avx2", "avx512"};

const char *mux_isa_name(mux_isa isa) {
  return (unsigned)isa < MUX_ISA_COUNT ? names[isa] : "unknown";
}

bool mux_isa_available(mux_isa isa) {
  switch (isa) {
  case MUX_ISA_GENERIC:
    return true;
#if defined(__x86_64__)
  // The builtins also ask the operating system (XGETBV) whether it saves the wide registers.
  case MUX_ISA_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case MUX_ISA_AVX512:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
  default:
    return false;
  }
}

static mux_isa initial_isa(void) {
  const char *wanted = getenv("MUXNET_ISA");
  mux_isa best = MUX_ISA_GENERIC;
  for (int isa = 0; isa < MUX_ISA_COUNT; ++isa) {
    if (!mux_isa_available((mux_isa)isa)) continue;
    if (wanted && strcmp(wanted, names[isa]) == 0) return (mux_isa)isa;
    best = (mux_isa)isa;
  }
  return best;
}

/// The process's variant, -1 until first asked. Two threads that ask first compute the same answer.
static _Atomic int selected = -1;

/// This thread's own choice, -1 without one. It is no choice of the process: sizes of packed weights
/// differ between variants, so a switch under another thread's feet would overrun its memory.
static _Thread_local int selected_here = -1;

mux_isa mux_isa_current(void) {
  if (selected_here >= 0) return (mux_isa)selected_here;
  int isa = atomic_load_explicit(&selected, memory_order_relaxed);
  if (isa < 0) {
    int expected = -1;
    isa = (int)initial_isa();
    if (!atomic_compare_exchange_strong(&selected, &expected, isa)) isa = expected;
  }
  return (mux_isa)isa;
}

bool mux_isa_select(mux_isa isa) {
  if (!mux_isa_available(isa)) return false;
  selected_here = (int)isa;
  return true;
}
