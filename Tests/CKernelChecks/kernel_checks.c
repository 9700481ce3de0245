// SPDX-License-Identifier: Apache-2.0
#include "kernel_checks.h"

#include <stdlib.h>

#include "bench.h"
#include "guarded_memory.h"

int32_t kernel_check_count(mux_step_kind kind) {
  switch (kind) {
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: return checks_of_##name();
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
  return 0;
}

/// The structures of all kinds of steps.
typedef union {
#define MUX_STEP(NAME, name, type, SORT, PRECISION) type name;
  MUX_STEPS(MUX_STEP)
#undef MUX_STEP
} any_step;

static void build(bench *bench, mux_step_kind kind, int32_t index, any_step *step) {
  bench_note(bench, "%s in %s:", mux_step_name(kind), mux_variant_name(bench->variant));
  switch (kind) {
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: build_##name(bench, index, &step->name); break;
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
}

static void refer(mux_step_kind kind, const any_step *step, const reference_context *context,
                  sheet *sheet) {
  switch (kind) {
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  case MUX_STEP_##NAME: reference_##name(&step->name, context, sheet); break;
    MUX_STEPS(MUX_STEP)
#undef MUX_STEP
  }
}

/// Runs a step on a copy of an arena that ends (or begins) at a page that must not be touched; gives the
/// copy. All tasks at once, or one by one from the last on, each with scratch memory of its own noise.
static guarded_memory run(const bench *bench, const mux_step *step, bool at_once) {
  const size_t bytes = (size_t)bench->size * sizeof(float);
  guarded_memory arena = guarded_create(bytes, at_once);
  memcpy(arena.start, bench->arena, bytes);
  const size_t floats = mux_step_scratch_of(bench->variant, step);
  const int32_t tasks = mux_step_tasks(step);
  for (int32_t task = at_once ? 0 : tasks - 1; task >= 0; --task) {
    guarded_memory scratch = guarded_create(floats * sizeof(float), true);
    // Not a number, in whatever precision it is read.
    memset(scratch.start, 0xff, floats * sizeof(float));
    mux_step_run_of(bench->variant, step, at_once ? 0 : task, at_once ? tasks : task + 1,
                    arena.start, scratch.start);
    guarded_destroy(&scratch);
  }
  return arena;
}

static void give_back(bench *bench) {
  for (int i = 0; i < bench->memory_count; ++i) guarded_destroy(&bench->memory[i]);
  free(bench->memory);
  bench->memory = NULL;
  bench->memory_count = 0;
}

/// Builds the step in an arena laid out in one direction, runs it, and compares.
static void check(mux_step_kind kind, int32_t index, mux_variant variant, bool is_flipped,
                  kernel_check_result *result) {
  const int lanes = mux_variant_lanes(variant);
  const bench start = {.variant = variant,
                       .lanes = lanes,
                       .state = (uint64_t)kind << 32 | (uint64_t)index,
                       .is_flipped = is_flipped,
                       .name = result->name,
                       .name_size = sizeof result->name};
  any_step argument;
  // Once to find out the size of the arena, and once in it.
  bench bench = start;
  memset(&argument, 0, sizeof argument);
  result->name[0] = 0;
  build(&bench, kind, index, &argument);
  const ptrdiff_t size = (bench.taken + BENCH_ALIGNMENT - 1) / BENCH_ALIGNMENT * BENCH_ALIGNMENT;
  give_back(&bench);
  bench = start;
  bench.size = size;
  bench.arena = malloc((size_t)size * sizeof(float));
  for (ptrdiff_t i = 0; i < size; ++i) bench.arena[i] = (float)i;
  memset(&argument, 0, sizeof argument);
  result->name[0] = 0;
  build(&bench, kind, index, &argument);

  const mux_step step = {kind, &argument};
  sheet expected = sheet_create((size_t)size);
  const reference_context context = {lanes, variant == MUX_VARIANT_AVX512_CELLS, bench.arena};
  refer(kind, &argument, &context, &expected);
  guarded_memory arena = run(&bench, &step, true);
  sheet_compare(&expected, bench.arena, arena.start, result);
  if (!is_flipped && !result->fault[0]) {
    // The results must not depend on how the tasks are shared out.
    guarded_memory other = run(&bench, &step, false);
    for (ptrdiff_t i = 0; i < size; ++i) {
      const void *one = (float *)arena.start + i, *two = (float *)other.start + i;
      if (expected.entries[i].varies || memcmp(one, two, sizeof(float)) == 0) continue;
      strcpy(result->fault, "one task at a time gives other results than all at once");
    }
    guarded_destroy(&other);
  }
  guarded_destroy(&arena);
  sheet_destroy(&expected);
  free(bench.arena);
  give_back(&bench);
}

kernel_check_result kernel_check_run(mux_step_kind kind, int32_t index, mux_variant variant) {
  kernel_check_result result = {0};
  check(kind, index, variant, false, &result);
  if (!result.fault[0]) check(kind, index, variant, true, &result);
  return result;
}
