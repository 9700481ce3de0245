// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_DISPATCH_H
#define MUX_DISPATCH_H

#include <stdbool.h>

/// The instruction sets the kernels are compiled for. Generic is what the compiler's target
/// has (SSE2 on x86-64, NEON on arm64), through vector extensions.
typedef enum mux_isa {
  MUX_ISA_GENERIC = 0,
  MUX_ISA_AVX2 = 1,
  MUX_ISA_AVX512 = 2,
} mux_isa;

enum { MUX_ISA_COUNT = 3 };

/// Whether this processor (and operating system) can run the variant.
bool mux_isa_available(mux_isa isa);

/// The variant in use on this thread: the last one it gave to `mux_isa_select`; else the one named
/// by the environment variable MUXNET_ISA ("generic", "avx2", "avx512") if available; else the best.
mux_isa mux_isa_current(void);

/// Uses `isa` from now on, on this thread alone; false (and no change) if not available. For tests
/// and comparisons: packed weights and gradients made under one variant are not valid under another,
/// and other threads, also those that a library starts for this one, keep the process's variant.
bool mux_isa_select(mux_isa isa);

/// "generic", "avx2" or "avx512".
const char *mux_isa_name(mux_isa isa);

#endif
