// SPDX-License-Identifier: Apache-2.0
// Includes the file MUX_BODY once per instruction set. In it, MUX_NAME(x) is x with the variant's
// suffix, MUX_LANES the number of floats of a vector, and everything of mux_vector.h is there. The path
// is relative to this folder. Deliberately without include guard.
//
//   #define MUX_BODY "../training/my_body.h"
//   #include "../common/mux_each_isa.h"
//   static const my_table *const tables[MUX_ISA_COUNT] = MUX_ISA_TABLE(my_table);
//
// What takes long to compile has a file for each variant instead, so that they are compiled side by side:
//
//   #define MUX_BODY "../inference/my_body.h"
//   #include "../common/mux_variant_avx2.h"

#include "mux_variant_generic.h"
#include "mux_variant_avx2.h"
#include "mux_variant_avx512.h"
#undef MUX_BODY
