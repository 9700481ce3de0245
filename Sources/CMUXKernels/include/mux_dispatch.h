// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_DISPATCH_H
#define MUX_DISPATCH_H

#include <stdbool.h>

/// The instruction sets that all kernels are compiled for: ROW(NAME, name, ARCHITECTURE, more). Generic
/// is what the compiler's target has (SSE2 on x86-64, NEON on arm64), through vector extensions.
#define MUX_ISAS(ROW, more)        \
  ROW(GENERIC, generic, ANY, more) \
  ROW(AVX2, avx2, X86, more)       \
  ROW(AVX512, avx512, X86, more)

/// All variants of the kernels: the instruction sets, then their extensions, which only some steps of
/// inference have code for. Everything that lists variants is made from here; what a variant needs of the
/// processor stands in `common/mux_variants.h`.
#define MUX_VARIANTS(ROW, more)             \
  MUX_ISAS(ROW, more)                       \
  ROW(AVX512_CELLS, avx512cells, X86, more) \
  ROW(NEON_DOT, neondot, ARM, more)         \
  ROW(NEON_CELLS, neoncells, ARM, more)

#define MUX_ROW(NAME, name, ARCHITECTURE, more) more##NAME,
typedef enum mux_isa { MUX_ISAS(MUX_ROW, MUX_ISA_) } mux_isa;
/// An instruction set has the same number among the variants.
typedef enum mux_variant { MUX_VARIANTS(MUX_ROW, MUX_VARIANT_) } mux_variant;
#undef MUX_ROW

#define MUX_ROW(NAME, name, ARCHITECTURE, more) +1
enum { MUX_ISA_COUNT = MUX_ISAS(MUX_ROW, ), MUX_VARIANT_COUNT = MUX_VARIANTS(MUX_ROW, ) };
#undef MUX_ROW

/// Whether this processor (and operating system) can run the variant.
bool mux_variant_available(mux_variant variant);
bool mux_isa_available(mux_isa isa);

/// The variant in use on this thread: the last one it gave to `mux_isa_select`; else the one named
/// by the environment variable MUXNET_ISA ("generic", "avx2", "avx512") if available; else the best.
mux_isa mux_isa_current(void);

/// Uses `isa` from now on, on this thread alone; false (and no change) if not available. For tests
/// and comparisons: packed weights and gradients made under one variant are not valid under another,
/// and other threads, also those that a library starts for this one, keep the process's variant.
bool mux_isa_select(mux_isa isa);

/// "generic", "avx2", "avx512" or, of a variant alone, "avx512cells", "neondot", "neoncells".
const char *mux_isa_name(mux_isa isa);
const char *mux_variant_name(mux_variant variant);

#endif
