// SPDX-License-Identifier: Apache-2.0
#include "mux_dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mux_features.h"
#include "mux_variants.h"

static const char *const names[] = {
#define MUX_ROW(NAME, name, ARCHITECTURE, more) #name,
    MUX_VARIANTS(MUX_ROW, )
#undef MUX_ROW
};

const char *mux_variant_name(mux_variant variant) {
  return (unsigned)variant < MUX_VARIANT_COUNT ? names[variant] : "unknown";
}

const char *mux_isa_name(mux_isa isa) {
  return (unsigned)isa < MUX_ISA_COUNT ? names[isa] : "unknown";
}

bool mux_variant_available(mux_variant variant) {
  switch (variant) {
#define MUX_FEATURE(feature) &&mux_processor_has_##feature()
#define MUX_ROW(NAME, name, ARCHITECTURE, more) \
  case MUX_VARIANT_##NAME:                      \
    return MUX_ON_##ARCHITECTURE(true MUX_FEATURES_##name(MUX_FEATURE), false);
    MUX_VARIANTS(MUX_ROW, )
#undef MUX_ROW
#undef MUX_FEATURE
  }
  return false;
}

bool mux_isa_available(mux_isa isa) {
  return (unsigned)isa < MUX_ISA_COUNT && mux_variant_available((mux_variant)isa);
}

static mux_isa initial_isa(void) {
  const char *wanted = getenv("MUXNET_ISA");
  mux_isa best = MUX_ISA_GENERIC;
  for (int isa = 0; isa < MUX_ISA_COUNT; ++isa) {
    if (!mux_isa_available((mux_isa)isa)) continue;
    if (wanted && strcmp(wanted, names[isa]) == 0) return (mux_isa)isa;
    best = (mux_isa)isa;
  }
  return best;
}

/// The process's variant, -1 until first asked. Two threads that ask first compute the same answer.
static _Atomic int selected = -1;

/// This thread's own choice, -1 without one. It is no choice of the process: sizes of packed weights
/// differ between variants, so a switch under another thread's feet would overrun its memory.
static _Thread_local int selected_here = -1;

mux_isa mux_isa_current(void) {
  if (selected_here >= 0) return (mux_isa)selected_here;
  int isa = atomic_load_explicit(&selected, memory_order_relaxed);
  if (isa < 0) {
    int expected = -1;
    isa = (int)initial_isa();
    if (!atomic_compare_exchange_strong(&selected, &expected, isa)) isa = expected;
  }
  return (mux_isa)isa;
}

bool mux_isa_select(mux_isa isa) {
  if (!mux_isa_available(isa)) return false;
  selected_here = (int)isa;
  return true;
}
