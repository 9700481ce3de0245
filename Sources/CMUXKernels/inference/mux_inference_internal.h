// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_INFERENCE_INTERNAL_H
#define MUX_INFERENCE_INTERNAL_H

#include <time.h>

#include "../common/mux_internal.h"
#include "mux_inference.h"

/// What a variant has for a kind of step.
typedef struct {
  size_t (*scratch)(const void *step);
  void (*run)(const void *step, int32_t first, int32_t end, float *arena, float *scratch);
} mux_step_code;

typedef struct {
  int lanes;
  double (*peak)(void);
  bool (*copy_finite)(float *to, const float *from, size_t count);
  /// By kind.
  mux_step_code steps[MUX_STEP_COUNT];
} mux_inference_table;

#define MUX_ROW(NAME, name, ARCHITECTURE, more) \
  extern const mux_inference_table mux_inference_table_##name;
MUX_VARIANTS(MUX_ROW, )
#undef MUX_ROW

static inline ptrdiff_t mux_ceil_div(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }
static inline ptrdiff_t mux_floor_div(ptrdiff_t a, ptrdiff_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// Floats of a gathered row, and of all rows under a line of windows.
static inline ptrdiff_t mux_window_length(const mux_window *w) {
  return (w->out_width - 1) * w->stride + (ptrdiff_t)(w->kernel - 1) * w->dilation + 1;
}
static inline size_t mux_window_scratch(const mux_window *w) {
  return w->kernel > 0 ? (size_t)(w->input_count * w->kernel * mux_window_length(w)) : 0;
}

/// Nanoseconds of a clock that only goes forward.
static inline uint64_t mux_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/// The functions of plain steps, such as `mux_pad_task`.
#define MUX_STEP(NAME, name, type, SORT, PRECISION) MUX_TASK_##SORT(name, type)
#define MUX_TASK_LARGE(name, type)
#define MUX_TASK_SMALL(name, type)
#define MUX_TASK_PLAIN(name, type) \
  void mux_##name##_task(const type *step, int32_t task, float *arena);
MUX_STEPS(MUX_STEP)
#undef MUX_STEP
#undef MUX_TASK_LARGE
#undef MUX_TASK_SMALL
#undef MUX_TASK_PLAIN

/// The part of `count` that band `band` of `bands` covers.
static inline void mux_band(ptrdiff_t count, int32_t bands, int32_t band, ptrdiff_t *first,
                            ptrdiff_t *end) {
  *first = count * band / bands;
  *end = count * (band + 1) / bands;
}

/// At the head of a file: its code begins a page. What a loop costs depends on whether it lies across the end
/// of one: MUXNet-xs in 8 bits took 6 % more when code elsewhere had grown and the linker put the same
/// instructions 3 KB further into a page (Zen 4). So that place must not follow from other files.
#if defined(__ELF__) && defined(__x86_64__)
#define MUX_CODE_BEGINS_PAGE __asm__(".text\n\t.p2align 12");
#else
#define MUX_CODE_BEGINS_PAGE
#endif

#endif
