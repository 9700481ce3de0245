// SPDX-License-Identifier: Apache-2.0
// Runs whole plans that another processor wrote (`swift run plansnapshot`), by the functions that the
// engine in Swift calls, and compares what comes out with what came out there. For processors on which
// Swift does not run here (scripts/check-arm).
//
//   run_plan TOLERANCE FILE...    the greatest difference, as a part of the greatest output, that may be
//   run_plan run FILE [COUNT]     only runs it, COUNT times: for tools that count instructions
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMUXKernels.h"

/// What `InferencePlan.snapshot` writes after the first eight bytes.
enum {
  REGIONS,
  ADDRESSES,
  STEPS,
  STEPS_REGION,
  ARENA,
  INPUT,
  INPUTS,
  OUTPUT,
  OUTPUTS,
  LANES,
  NUMBERS
};

typedef struct {
  const int64_t *numbers;
  const mux_step *steps;
  const float *input, *output;
} plan;

static _Noreturn void fail(const char *path, const char *reason) {
  fprintf(stderr, "run_plan: error: %s: %s\n", path, reason);
  exit(1);
}

static void *aligned(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
  if (!memory) fail("memory", "there is not enough");
  return memory;
}

/// Reads a file to memory at a multiple of 64, and makes addresses of places in it.
static plan load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path, "cannot be opened");
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  rewind(file);
  char *bytes = aligned(size);
  if (fread(bytes, 1, size, file) != size) fail(path, "cannot be read");
  fclose(file);
  if (size < 88 || memcmp(bytes, "MUXPLAN1", 8) != 0) fail(path, "is no snapshot of a plan");
  const int64_t *numbers = (const int64_t *)bytes + 1, *sizes = numbers + NUMBERS;
  char **regions = malloc((size_t)numbers[REGIONS] * sizeof *regions);
  size_t at = 8 + 8 * (size_t)(NUMBERS + numbers[REGIONS]);
  for (int64_t i = 0; i < numbers[REGIONS]; ++i) {
    at = (at + 63) / 64 * 64;
    regions[i] = bytes + at;
    at += (size_t)sizes[i];
  }
  at = (at + 63) / 64 * 64;
  const size_t values = (size_t)(numbers[INPUTS] + numbers[OUTPUTS]);
  if (at + 32 * (size_t)numbers[ADDRESSES] + 4 * values != size) fail(path, "is not whole");
  const int64_t(*addresses)[4] = (const int64_t(*)[4])(bytes + at);
  for (int64_t i = 0; i < numbers[ADDRESSES]; ++i) {
    char *target = regions[addresses[i][2]] + addresses[i][3];
    memcpy(regions[addresses[i][0]] + addresses[i][1], &target, sizeof target);
  }
  const float *input = (const float *)(bytes + at + 32 * (size_t)numbers[ADDRESSES]);
  plan result = {numbers, (const mux_step *)regions[numbers[STEPS_REGION]], input,
                 input + numbers[INPUTS]};
  free(regions);
  return result;
}

/// Runs a plan and gives its output; stays for `count` runs.
static const float *run(const plan *plan, mux_isa isa, int threads, int count) {
  const int32_t steps = (int32_t)plan->numbers[STEPS];
  size_t size = 1;
  for (int32_t i = 0; i < steps; ++i) {
    const size_t needed = mux_step_scratch(isa, &plan->steps[i]);
    if (needed > size) size = needed;
  }
  float *scratch[2] = {aligned(size * sizeof(float)), aligned(size * sizeof(float))};
  float *arena = aligned((size_t)plan->numbers[ARENA] * sizeof(float));
  mux_thread_pool *pool = mux_thread_pool_create(threads);
  if (!pool) fail("threads", "cannot be started");
  for (int i = 0; i < count; ++i) {
    if (!mux_copy_finite(isa, arena + plan->numbers[INPUT], plan->input,
                         (size_t)plan->numbers[INPUTS])) {
      fail("input", "is not finite");
    }
    mux_thread_pool_run(pool, isa, plan->steps, steps, arena, scratch, NULL);
  }
  mux_thread_pool_destroy(pool);
  return arena + plan->numbers[OUTPUT];
}

/// The instruction set with as many lanes as the plan; the last one, which is the best.
static mux_isa isa_for(const plan *plan, const char *path) {
  for (int isa = MUX_ISA_COUNT - 1; isa >= 0; --isa) {
    if (mux_isa_available((mux_isa)isa) &&
        mux_inference_lanes((mux_isa)isa) == plan->numbers[LANES]) {
      return (mux_isa)isa;
    }
  }
  fail(path, "is for vectors of another width");
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: run_plan TOLERANCE FILE..., or run_plan run FILE [COUNT]\n");
    return 64;
  }
  if (strcmp(arguments[1], "run") == 0) {
    const plan plan = load(arguments[2]);
    run(&plan, isa_for(&plan, arguments[2]), 1, count > 3 ? atoi(arguments[3]) : 1);
    return 0;
  }
  const double tolerance = atof(arguments[1]);
  int failures = 0;
  for (int i = 2; i < count; ++i) {
    const plan plan = load(arguments[i]);
    const mux_isa isa = isa_for(&plan, arguments[i]);
    // Two threads, whose results must be those of one.
    const float *found = run(&plan, isa, 1, 1), *other = run(&plan, isa, 2, 2);
    const int64_t outputs = plan.numbers[OUTPUTS];
    double difference = 0, greatest = 0;
    int64_t same = 0;
    for (int64_t k = 0; k < outputs; ++k) {
      const double miss = fabs((double)found[k] - plan.output[k]);
      if (!(miss <= difference)) difference = isnan(miss) ? INFINITY : miss;
      greatest = fmax(greatest, fabs((double)plan.output[k]));
      same += found[k] == plan.output[k];
    }
    const bool passes = outputs > 0 && difference <= tolerance * greatest &&
                        memcmp(found, other, (size_t)outputs * sizeof(float)) == 0;
    const char *name = strrchr(arguments[i], '/');
    printf("%-32s %4lld steps, %5lld outputs, %5lld equal to the bit, difference %.1e of %.3g%s\n",
           name ? name + 1 : arguments[i], (long long)plan.numbers[STEPS], (long long)outputs,
           (long long)same, difference, greatest, passes ? "" : "  FAILED");
    fflush(stdout);
    failures += !passes;
  }
  return failures ? 1 : 0;
}
