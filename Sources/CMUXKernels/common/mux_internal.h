// SPDX-License-Identifier: Apache-2.0
// Shared by the kernels' sources; not public.
#ifndef MUX_INTERNAL_H
#define MUX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
/// Vectors have 8 lanes here, too, so that packed weights are those of AVX2: two registers of 4.
#define MUX_IS_NEON 1
#endif

#include "mux_activation.h"
#include "mux_dispatch.h"
#include "mux_variants.h"

#define MUX_PASTE_(a, b) a##_##b
#define MUX_PASTE(a, b) MUX_PASTE_(a, b)
#define MUX_NAME(x) MUX_PASTE(x, MUX_SUFFIX)
/// The same for a name of a type, which the formatter could not tell from a function's (.clang-format).
#define MUX_TYPE(x) MUX_NAME(x)
#define MUX_INLINE static inline __attribute__((always_inline, unused))

/// A row's place in a ring. (A division of 64 bits takes twice as long.)
static inline ptrdiff_t mux_slot(ptrdiff_t row, ptrdiff_t capacity) {
  return (ptrdiff_t)((uint32_t)row % (uint32_t)capacity);
}

/// The place of the row `step` further on, at most `capacity`.
static inline ptrdiff_t mux_next_slot(ptrdiff_t slot, ptrdiff_t step, ptrdiff_t capacity) {
  slot += step;
  return slot >= capacity ? slot - capacity : slot;
}

/// An activation of a kind that is known when the code is compiled, with the parameters of another.
#define MUX_AS(activation, KIND) ((mux_activation){KIND, (activation).alpha, (activation).beta})
/// An activation without parameters.
#define MUX_PLAIN(KIND) ((mux_activation){KIND, 0, 0})

/// Calls the macro `call` with an activation whose kind is a constant.
#define MUX_EACH_ACTIVATION(activation, call)                               \
  switch ((activation).kind) {                                              \
  case MUX_IDENTITY: call(MUX_AS(activation, MUX_IDENTITY)); break;         \
  case MUX_RELU: call(MUX_AS(activation, MUX_RELU)); break;                 \
  case MUX_RELU6: call(MUX_AS(activation, MUX_RELU6)); break;               \
  case MUX_SWISH: call(MUX_AS(activation, MUX_SWISH)); break;               \
  case MUX_HARD_SWISH: call(MUX_AS(activation, MUX_HARD_SWISH)); break;     \
  case MUX_SIGMOID: call(MUX_AS(activation, MUX_SIGMOID)); break;           \
  case MUX_HARD_SIGMOID: call(MUX_AS(activation, MUX_HARD_SIGMOID)); break; \
  }

/// Calls the macro MUX_DO likewise.
#define MUX_SWITCH(activation) MUX_EACH_ACTIVATION(activation, MUX_DO)

#endif
