// SPDX-License-Identifier: Apache-2.0
// Compiles MUX_BODY for NEON with products of cells of bfloat16 (BFDOT) and 8 bits (SDOT), and of small
// matrices of them (BFMMLA, SMMLA); see mux_each_isa.h.
#include "mux_internal.h"

#if defined(__aarch64__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target(MUX_TARGET(neoncells)))), apply_to = function)
#define MUX_SUFFIX neoncells
#define MUX_LANES 8
#define MUX_HAS_DOT 1
#define MUX_HAS_CELL_INSTRUCTIONS 1
#include "mux_vector.h"
#include MUX_BODY
#undef MUX_HAS_CELL_INSTRUCTIONS
#undef MUX_HAS_DOT
#undef MUX_LANES
#undef MUX_SUFFIX
#pragma clang attribute pop
#pragma clang diagnostic pop
#endif
