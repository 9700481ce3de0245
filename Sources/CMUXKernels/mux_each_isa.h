// SPDX-License-Identifier: Apache-2.0
// Includes the file MUX_BODY once per instruction set. In it, MUX_NAME(x) is x with the
// variant's suffix, MUX_LANES the number of floats of a vector, and everything of mux_vector.h
// is there. Deliberately without include guard.
//
//   #define MUX_BODY "my_body.h"
//   #include "mux_each_isa.h"
//   static const my_table *const tables[MUX_ISA_COUNT] = MUX_ISA_TABLE(my_table);

#include "mux_internal.h"

// Vectors wider than the target's registers are passed between functions here only where the
// callee is inlined, so no calling convention is involved.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

#define MUX_SUFFIX generic
#define MUX_LANES 8
#define MUX_IS_GENERIC 1
#include "mux_vector.h"
#include MUX_BODY
#undef MUX_IS_GENERIC
#undef MUX_LANES
#undef MUX_SUFFIX

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define MUX_SUFFIX avx2
#define MUX_LANES 8
#define MUX_IS_AVX2 1
#include "mux_vector.h"
#include MUX_BODY
#undef MUX_IS_AVX2
#undef MUX_LANES
#undef MUX_SUFFIX
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw"))), apply_to = function)
#define MUX_SUFFIX avx512
#define MUX_LANES 16
#define MUX_IS_AVX512 1
#include "mux_vector.h"
#include MUX_BODY
#undef MUX_IS_AVX512
#undef MUX_LANES
#undef MUX_SUFFIX
#pragma clang attribute pop
#endif
#undef MUX_BODY
#pragma clang diagnostic pop
