// SPDX-License-Identifier: Apache-2.0
// Shared by the kernels' sources; not public.
#ifndef MUX_INTERNAL_H
#define MUX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mux_activation.h"
#include "mux_dispatch.h"

#define MUX_PASTE_(a, b) a##_##b
#define MUX_PASTE(a, b) MUX_PASTE_(a, b)
#define MUX_NAME(x) MUX_PASTE(x, MUX_SUFFIX)
#define MUX_INLINE static inline __attribute__((always_inline, unused))

/// Calls the macro MUX_DO(activation) with the activation as a constant.
#define MUX_SWITCH(activation)                      \
  switch (activation) {                             \
  case MUX_IDENTITY: MUX_DO(MUX_IDENTITY); break;   \
  case MUX_RELU: MUX_DO(MUX_RELU); break;           \
  case MUX_RELU6: MUX_DO(MUX_RELU6); break;         \
  case MUX_SWISH: MUX_DO(MUX_SWISH); break;         \
  case MUX_HARD_SWISH: MUX_DO(MUX_HARD_SWISH); break; \
  case MUX_SIGMOID: MUX_DO(MUX_SIGMOID); break;     \
  case MUX_HARD_SIGMOID: MUX_DO(MUX_HARD_SIGMOID); break; \
  }

/// The variants' tables, indexed by mux_isa, for the initialiser of an array.
#if defined(__x86_64__)
#define MUX_ISA_TABLE(table) {&table##_generic, &table##_avx2, &table##_avx512}
#else
#define MUX_ISA_TABLE(table) {&table##_generic, NULL, NULL}
#endif

#endif
