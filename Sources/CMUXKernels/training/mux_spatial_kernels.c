// SPDX-License-Identifier: Apache-2.0
// The spatial convolutions, compiled for each instruction set.
#include "mux_spatial_internal.h"

#define MUX_BODY "../training/mux_spatial_all_body.h"
#include "../common/mux_each_isa.h"

extern const mux_spatial_table *const mux_spatial_tables[MUX_ISA_COUNT];
const mux_spatial_table *const mux_spatial_tables[MUX_ISA_COUNT] = MUX_ISA_TABLE(spatial);
