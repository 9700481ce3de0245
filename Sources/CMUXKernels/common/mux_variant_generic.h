// SPDX-License-Identifier: Apache-2.0
// Compiles MUX_BODY for what the compiler's target has; see mux_each_isa.h.
#include "mux_internal.h"

// Vectors wider than the target's registers are passed between functions only where the callee is
// inlined, so no calling convention is involved.
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
#pragma clang diagnostic pop
