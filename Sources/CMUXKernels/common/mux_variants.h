// SPDX-License-Identifier: Apache-2.0
// What the variants of `mux_dispatch.h` need, and the tables of their functions. The code of a variant is
// compiled by a header of its own, `mux_variant_NAME.h`.
#ifndef MUX_VARIANTS_H
#define MUX_VARIANTS_H

#include "mux_dispatch.h"

/// What a variant has beyond the compiler's target, in the compiler's words: for the code's target and for
/// the question whether a processor can run it.
#define MUX_FEATURES_generic(FEATURE)
#define MUX_FEATURES_avx2(FEATURE) FEATURE(avx2) FEATURE(fma)
#define MUX_FEATURES_avx512(FEATURE) \
  MUX_FEATURES_avx2(FEATURE) FEATURE(avx512f) FEATURE(avx512vl) FEATURE(avx512dq) FEATURE(avx512bw)
#define MUX_FEATURES_avx512cells(FEATURE) \
  MUX_FEATURES_avx512(FEATURE) FEATURE(avx512bf16) FEATURE(avx512vnni) FEATURE(avx512vbmi2)

#define MUX_FEATURES_neondot(FEATURE) FEATURE(dotprod)
#define MUX_FEATURES_neoncells(FEATURE) MUX_FEATURES_neondot(FEATURE) FEATURE(i8mm) FEATURE(bf16)

/// The features as a target: "sse2,avx2,fma".
#define MUX_TARGET(name) MUX_ON_X86("sse2", "neon") MUX_FEATURES_##name(MUX_TARGET_FEATURE)
#define MUX_TARGET_FEATURE(feature) "," #feature

/// The first argument where an architecture is this one, else the second.
#define MUX_ON_ANY(here, elsewhere) here
#if defined(__x86_64__)
#define MUX_ON_X86(here, elsewhere) here
#else
#define MUX_ON_X86(here, elsewhere) elsewhere
#endif
#if defined(__aarch64__)
#define MUX_ON_ARM(here, elsewhere) here
#else
#define MUX_ON_ARM(here, elsewhere) elsewhere
#endif

/// For the initialiser of an array of pointers to tables, such as `my_table_avx2`: MUX_ISA_TABLE(my_table)
/// has one for each instruction set, MUX_VARIANT_TABLE for each variant; NULL on other architectures.
#define MUX_ISA_TABLE(table) {MUX_ISAS(MUX_TABLE_ROW, table)}
#define MUX_VARIANT_TABLE(table) {MUX_VARIANTS(MUX_TABLE_ROW, table)}
#define MUX_TABLE_ROW(NAME, name, ARCHITECTURE, table) MUX_ON_##ARCHITECTURE(&table##_##name, 0),

#endif
