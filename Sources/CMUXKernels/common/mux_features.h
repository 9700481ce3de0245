// SPDX-License-Identifier: Apache-2.0
// What this processor has, by the names of `mux_variants.h`: `mux_processor_has_avx2()` and so on.
#ifndef MUX_FEATURES_H
#define MUX_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)

// The builtin also asks the operating system (XGETBV) whether it saves the wide registers.
#define MUX_X86_FEATURE(feature) \
  static inline bool mux_processor_has_##feature(void) { return __builtin_cpu_supports(#feature); }
MUX_X86_FEATURE(avx2)
MUX_X86_FEATURE(fma)
MUX_X86_FEATURE(avx512f)
MUX_X86_FEATURE(avx512vl)
MUX_X86_FEATURE(avx512dq)
MUX_X86_FEATURE(avx512bw)
MUX_X86_FEATURE(avx512bf16)
MUX_X86_FEATURE(avx512vnni)
MUX_X86_FEATURE(avx512vbmi2)
#undef MUX_X86_FEATURE

#elif defined(__aarch64__)

#if defined(__APPLE__)
#include <sys/sysctl.h>

static inline bool mux_apple_has(const char *name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
#define MUX_ARM_FEATURE(feature, NAME, vector, bit)      \
  static inline bool mux_processor_has_##feature(void) { \
    return mux_apple_has("hw.optional.arm." NAME);       \
  }
#elif defined(__linux__)
#include <sys/auxv.h>

// The bits are part of the kernel's interface (AT_HWCAP and AT_HWCAP2); older headers lack their names.
#define MUX_ARM_FEATURE(feature, NAME, vector, bit) \
  static inline bool mux_processor_has_##feature(void) { return getauxval(vector) >> (bit) & 1; }
#else
#define MUX_ARM_FEATURE(feature, NAME, vector, bit) \
  static inline bool mux_processor_has_##feature(void) { return false; }
#endif
MUX_ARM_FEATURE(dotprod, "FEAT_DotProd", AT_HWCAP, 20)
MUX_ARM_FEATURE(i8mm, "FEAT_I8MM", AT_HWCAP2, 13)
MUX_ARM_FEATURE(bf16, "FEAT_BF16", AT_HWCAP2, 14)
#undef MUX_ARM_FEATURE

#endif

#endif
