// SPDX-License-Identifier: Apache-2.0
#ifndef KERNEL_CHECKS_H
#define KERNEL_CHECKS_H

#include "CMUXKernels.h"

// Checks of the inference steps, one kind after the other, against plain loops. They are in C so that the
// tests of the package and tools/check_arm, which has no Swift, run the same ones.
//
// A check builds a step with weights and an arena of noise, works out with doubles what the step should
// write and by how much each number may differ (rounding of sums and activations; integers may not), runs
// the step in a variant, and compares the whole arena: what is not an output must not have changed. Weights,
// scratch memory and the arena end where a page begins that nothing may touch.

/// The number of checks of a kind of step.
int32_t kernel_check_count(mux_step_kind kind);

typedef struct kernel_check_result {
  /// Numbers that were compared.
  int64_t values;
  /// The greatest difference, as a part of what is allowed.
  double worst;
  /// What the check was: "dense 17 to 3, 5×7, ...".
  char name[256];
  /// What was wrong first, or nothing.
  char fault[256];
} kernel_check_result;

/// Runs one check in a variant that the processor has.
kernel_check_result kernel_check_run(mux_step_kind kind, int32_t index, mux_variant variant);

#endif
