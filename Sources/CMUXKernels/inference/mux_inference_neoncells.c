// SPDX-License-Identifier: Apache-2.0
// The inference steps for NEON with the instructions for cells; only steps that have cells come here.
#include "mux_inference_internal.h"

#define MUX_BODY "../inference/mux_inference_body.h"
#include "../common/mux_variant_neoncells.h"
