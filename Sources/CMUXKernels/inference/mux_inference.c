// SPDX-License-Identifier: Apache-2.0
// What is the same for all variants of the inference steps, and the choice between them.
#include "mux_inference_internal.h"

static const mux_inference_table *const tables[MUX_VARIANT_COUNT] =
    MUX_VARIANT_TABLE(mux_inference_table);

/// The variant for steps with cells of an instruction set: its own where there is no better one.
static mux_variant cell_variant(mux_isa isa) {
  switch (isa) {
  case MUX_ISA_GENERIC:
    if (mux_variant_available(MUX_VARIANT_NEON_CELLS)) return MUX_VARIANT_NEON_CELLS;
    if (mux_variant_available(MUX_VARIANT_NEON_DOT)) return MUX_VARIANT_NEON_DOT;
    break;
  case MUX_ISA_AVX512:
    if (mux_variant_available(MUX_VARIANT_AVX512_CELLS)) return MUX_VARIANT_AVX512_CELLS;
    break;
  case MUX_ISA_AVX2: break;
  }
  return (mux_variant)isa;
}

mux_variant mux_precision_variant(mux_isa isa, mux_precision precision) {
  return precision == MUX_FLOAT32 ? (mux_variant)isa : cell_variant(isa);
}

bool mux_has_cells(mux_precision precision) {
  return mux_variant_available(MUX_VARIANT_AVX512_CELLS) ||
         mux_variant_available(MUX_VARIANT_NEON_CELLS) ||
         (precision == MUX_INT8 && mux_variant_available(MUX_VARIANT_NEON_DOT));
}

int mux_variant_lanes(mux_variant variant) { return tables[variant]->lanes; }

int mux_inference_lanes(mux_isa isa) { return mux_variant_lanes((mux_variant)isa); }

const char *mux_step_name(mux_step_kind kind) {
  switch (kind) {
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: return #name;
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
  return "unknown";
}

// The tasks of large steps.
static int32_t mux_dense_tasks(const mux_dense *s) { return s->pixel_bands * s->block_bands; }
static int32_t mux_spatial_tasks(const mux_spatial_step *s) {
  return (int32_t)(mux_ceil_div(s->out_height, s->rows_per_task) *
                   mux_ceil_div(s->unit_count, s->units_per_task));
}
static int32_t mux_linear_tasks(const mux_linear *s) { return s->tasks; }

int32_t mux_step_tasks(const mux_step *step) {
  switch (step->kind) {
#define MUX_COUNT_LARGE(name, type) mux_##name##_tasks((const type *)step->argument)
#define MUX_COUNT_SMALL(name, type) ((const type *)step->argument)->tasks
#define MUX_COUNT_PLAIN(name, type) ((const type *)step->argument)->tasks
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: return MUX_COUNT_##SORT(name, type);
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
  return 0;
}

// Whether steps multiply or write cells.
static bool mux_dense_has_cells(const mux_dense *s) { return s->precision != MUX_FLOAT32; }
static bool mux_spatial_has_cells(const mux_spatial_step *s) {
  return s->precision != MUX_FLOAT32 || s->result_precision != MUX_FLOAT32;
}
static bool mux_linear_has_cells(const mux_linear *s) { return s->cells != NULL; }
static bool mux_pack_has_cells(const mux_pack *s) { return s->precision != MUX_FLOAT32; }

static bool has_cells(const mux_step *step) {
  switch (step->kind) {
#define MUX_ASK_CELLS(name, type) mux_##name##_has_cells((const type *)step->argument)
#define MUX_ASK_FLOATS(name, type) false
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: return MUX_ASK_##PRECISION(name, type);
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
  return false;
}

mux_variant mux_step_variant(mux_isa isa, const mux_step *step) {
  return has_cells(step) ? cell_variant(isa) : (mux_variant)isa;
}

size_t mux_step_scratch_of(mux_variant variant, const mux_step *step) {
  return tables[variant]->steps[step->kind].scratch(step->argument);
}

size_t mux_step_scratch(mux_isa isa, const mux_step *step) {
  return mux_step_scratch_of(mux_step_variant(isa, step), step);
}

void mux_step_run_of(mux_variant variant, const mux_step *step, int32_t first, int32_t end,
                     float *arena, float *scratch) {
  tables[variant]->steps[step->kind].run(step->argument, first, end, arena, scratch);
}

void mux_step_run(mux_isa isa, const mux_step *step, int32_t first, int32_t end, float *arena,
                  float *scratch) {
  mux_step_run_of(mux_step_variant(isa, step), step, first, end, arena, scratch);
}

double mux_inference_peak(mux_isa isa) { return tables[isa]->peak(); }

bool mux_copy_finite(mux_isa isa, float *to, const float *from, size_t count) {
  return tables[isa]->copy_finite(to, from, count);
}
