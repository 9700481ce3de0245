// SPDX-License-Identifier: Apache-2.0
// The choice between the instruction sets' inference steps. Each has a source file of its own, so
// that they are compiled side by side.
#include "mux_inference_internal.h"

bool mux_has_cells(void) {
#if defined(__x86_64__)
  return mux_isa_available(MUX_ISA_AVX512) && __builtin_cpu_supports("avx512bf16") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi2");
#else
  return false;
#endif
}

static const mux_inference_table *const tables[MUX_ISA_COUNT] = MUX_ISA_TABLE(mux_inference_steps);

int mux_inference_lanes(mux_isa isa) { return tables[isa]->lanes; }

/// Whether a step multiplies cells or writes them.
static bool has_step_cells(const mux_step *step) {
  return mux_step_precision(step) != MUX_FLOAT32 ||
         (step->kind == MUX_STEP_SPATIAL &&
          ((const mux_spatial_step *)step->argument)->result_precision != MUX_FLOAT32);
}

/// The functions for a step.
static const mux_inference_table *table_of(mux_isa isa, const mux_step *step) {
#if defined(__x86_64__)
  if (isa == MUX_ISA_AVX512 && has_step_cells(step) && mux_has_cells()) {
    return &mux_inference_steps_avx512cells;
  }
#else
  (void)has_step_cells, (void)step;
#endif
  return tables[isa];
}

int32_t mux_step_tasks(const mux_step *step) {
  switch (step->kind) {
  case MUX_STEP_DENSE: {
    const mux_dense *dense = step->argument;
    return dense->pixel_bands * dense->block_bands;
  }
  case MUX_STEP_SPATIAL: {
    const mux_spatial_step *spatial = step->argument;
    return (int32_t)(mux_ceil_div(spatial->out_height, spatial->rows_per_task) *
                     mux_ceil_div(spatial->unit_count, spatial->units_per_task));
  }
#define MUX_STEP(NAME, TYPE) \
  case MUX_STEP_##NAME: return ((const TYPE *)step->argument)->tasks;
    MUX_VARIANT_STEPS(MUX_STEP) MUX_PLAIN_STEPS(MUX_STEP) MUX_CELL_STEPS(MUX_STEP)
#undef MUX_STEP
  }
  return 0;
}

size_t mux_step_scratch(mux_isa isa, const mux_step *step) {
  return table_of(isa, step)->scratch(step);
}

void mux_step_run(mux_isa isa, const mux_step *step, int32_t first, int32_t end, float *arena,
                  float *scratch) {
  switch (step->kind) {
#define MUX_STEP(NAME, TYPE)                                                             \
  case MUX_STEP_##NAME:                                                                  \
    for (int32_t t = first; t < end; ++t) TYPE##_task(step->argument, t, arena);         \
    return;
    MUX_PLAIN_STEPS(MUX_STEP)
#undef MUX_STEP
  default: table_of(isa, step)->run(step, first, end, arena, scratch);
  }
}

double mux_inference_peak(mux_isa isa) { return tables[isa]->peak(); }

bool mux_copy_finite(mux_isa isa, float *to, const float *from, size_t count) {
  return tables[isa]->copy_finite(to, from, count);
}
