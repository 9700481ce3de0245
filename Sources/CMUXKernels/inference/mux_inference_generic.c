// SPDX-License-Identifier: Apache-2.0
// The inference steps for what the compiler's target has: SSE2 on x86-64, NEON on arm64.
#include "mux_inference_internal.h"

#define MUX_BODY "../inference/mux_inference_body.h"
#include "../common/mux_variant_generic.h"
