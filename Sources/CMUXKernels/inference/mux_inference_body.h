// SPDX-License-Identifier: Apache-2.0
#include "mux_inference_vector.h"
#include "mux_tile_body.h"
#include "mux_narrow_dense_body.h"
#include "mux_windows_body.h"
#include "mux_dense_body.h"
#include "mux_line_body.h"
#include "mux_cells_vector_body.h"
#include "mux_rings_body.h"
#include "mux_expand_spatial_body.h"
#include "mux_small_steps_body.h"
#include "mux_pool_body.h"
#define MUX_CELL 2
#include "mux_cells_body.h"
#undef MUX_CELL
#define MUX_CELL 4
#include "mux_cells_body.h"
#undef MUX_CELL
#include "mux_linear_cells_body.h"
#include "mux_steps_body.h"
#include "mux_inference_table_body.h"
