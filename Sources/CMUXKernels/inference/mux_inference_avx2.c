// SPDX-License-Identifier: Apache-2.0
// The inference steps for AVX2 with FMA.
#include "mux_inference_internal.h"

#if defined(__x86_64__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define MUX_SUFFIX avx2
#define MUX_LANES 8
#define MUX_IS_AVX2 1
#include "../mux_vector.h"
#include "mux_inference_body.h"
#pragma clang attribute pop
#pragma clang diagnostic pop
#endif
