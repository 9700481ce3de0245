// SPDX-License-Identifier: Apache-2.0
// Compiles MUX_BODY for AVX-512 with the instructions that multiply cells of bfloat16 or 8 bits; see mux_each_isa.h.
#include "mux_internal.h"

#if defined(__x86_64__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target(MUX_TARGET(avx512cells)))), apply_to = function)
#define MUX_SUFFIX avx512cells
#define MUX_LANES 16
#define MUX_IS_AVX512 1
#define MUX_HAS_CELL_INSTRUCTIONS 1
#include "mux_vector.h"
#include MUX_BODY
#undef MUX_HAS_CELL_INSTRUCTIONS
#undef MUX_IS_AVX512
#undef MUX_LANES
#undef MUX_SUFFIX
#pragma clang attribute pop
#pragma clang diagnostic pop
#endif
