// SPDX-License-Identifier: Apache-2.0
#include "mux_convolve_body.h"
#include "mux_convolve_wide_body.h"
#include "mux_rows_body.h"
#include "mux_spatial_body.h"
