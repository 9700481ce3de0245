// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_INFERENCE_INTERNAL_H
#define MUX_INFERENCE_INTERNAL_H

#include <time.h>

#include "../mux_internal.h"
#include "mux_inference.h"

typedef struct {
  int lanes;
  size_t (*scratch)(const mux_step *);
  void (*run)(const mux_step *, int32_t first, int32_t end, float *arena, float *scratch);
  double (*peak)(void);
  bool (*copy_finite)(float *to, const float *from, size_t count);
} mux_inference_table;

extern const mux_inference_table mux_inference_steps_generic;
#if defined(__x86_64__)
extern const mux_inference_table mux_inference_steps_avx2;
extern const mux_inference_table mux_inference_steps_avx512;
#endif

/// Of the variants of AVX-512, the one whose functions may use AVX512-BF16, VNNI and VBMI2.
extern const mux_inference_table mux_inference_steps_avx512cells;

/// The precision of a step's products.
static inline mux_precision mux_step_precision(const mux_step *step) {
  switch (step->kind) {
  case MUX_STEP_DENSE: return ((const mux_dense *)step->argument)->precision;
  case MUX_STEP_SPATIAL: return ((const mux_spatial_step *)step->argument)->precision;
  case MUX_STEP_PACK: return ((const mux_pack *)step->argument)->precision;
  case MUX_STEP_LINEAR: return ((const mux_linear *)step->argument)->cells ? MUX_INT8 : MUX_FLOAT32;
  default: return MUX_FLOAT32;
  }
}

static inline ptrdiff_t mux_ceil_div(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }
static inline ptrdiff_t mux_floor_div(ptrdiff_t a, ptrdiff_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// A row's place in a ring. (A division of 64 bits takes twice as long.)
static inline ptrdiff_t mux_slot(ptrdiff_t row, ptrdiff_t capacity) {
  return (ptrdiff_t)((uint32_t)row % (uint32_t)capacity);
}

/// The place of the row `step` further on, at most `capacity`.
static inline ptrdiff_t mux_next_slot(ptrdiff_t slot, ptrdiff_t step, ptrdiff_t capacity) {
  slot += step;
  return slot >= capacity ? slot - capacity : slot;
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
#define MUX_STEP(NAME, TYPE) void TYPE##_task(const TYPE *step, int32_t task, float *arena);
MUX_PLAIN_STEPS(MUX_STEP)
#undef MUX_STEP

/// The part of `count` that band `band` of `bands` covers.
static inline void mux_band(ptrdiff_t count, int32_t bands, int32_t band, ptrdiff_t *first,
                            ptrdiff_t *end) {
  *first = count * band / bands;
  *end = count * (band + 1) / bands;
}

#endif
