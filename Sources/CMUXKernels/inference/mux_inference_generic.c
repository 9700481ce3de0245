// SPDX-License-Identifier: Apache-2.0
// The inference steps for what the compiler's target has: SSE2 on x86-64, NEON on arm64.
#include "mux_inference_internal.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#define MUX_SUFFIX generic
#define MUX_LANES 8
#define MUX_IS_GENERIC 1
#include "../mux_vector.h"
#include "mux_inference_body.h"
#pragma clang diagnostic pop
