// SPDX-License-Identifier: Apache-2.0
// The inference steps for AVX2 with FMA.
#include "mux_inference_internal.h"

MUX_CODE_BEGINS_PAGE

#define MUX_BODY "../inference/mux_inference_body.h"
#include "../common/mux_variant_avx2.h"
