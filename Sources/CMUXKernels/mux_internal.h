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

/// The variants' tables, indexed by mux_isa, for the initialiser of an array.
#if defined(__x86_64__)
#define MUX_ISA_TABLE(table) {&table##_generic, &table##_avx2, &table##_avx512}
#else
#define MUX_ISA_TABLE(table) {&table##_generic, NULL, NULL}
#endif

#endif
