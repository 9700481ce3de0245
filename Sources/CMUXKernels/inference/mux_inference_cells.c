// SPDX-License-Identifier: Apache-2.0
// The steps once more for AVX-512 with the instructions that multiply cells of bfloat16 or 8 bits.
// Only steps with less than single precision come here.
#include "mux_inference_internal.h"

#if defined(__x86_64__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(                                                                  \
    __attribute__((target(                                                                     \
        "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx512vnni,avx512vbmi2"))),    \
    apply_to = function)
#define MUX_SUFFIX avx512cells
#define MUX_LANES 16
#define MUX_IS_AVX512 1
#define MUX_HAS_CELL_INSTRUCTIONS 1
#include "../mux_vector.h"
#include "mux_inference_body.h"
#pragma clang attribute pop
#pragma clang diagnostic pop
#endif
