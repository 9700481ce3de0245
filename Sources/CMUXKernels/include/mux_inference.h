// SPDX-License-Identifier: Apache-2.0
// Kernels of the inference runtime: they run the steps of `mux_steps.h`, on one thread or on a pool.
#ifndef MUX_INFERENCE_H
#define MUX_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux_dispatch.h"
#include "mux_steps.h"

/// Floats of a vector of the variants of an instruction set: channels of a block. Blocked tensors begin
/// at a multiple of it.
int mux_inference_lanes(mux_isa isa);

/// Whether this processor multiplies cells of a precision in one instruction (AVX512-BF16 and VNNI;
/// on Arm BFDOT, and SDOT); else it is done in several.
bool mux_has_cells(mux_precision precision);

/// Transforms weights of windows of 3×3 for tiles of `tile` × `tile` outputs, 4 or 2: from
/// [block][channel][tap][lane], the last block half as wide if `has_half_block`, to
/// [pair of blocks][(tile + 2)²][block of the pair][channel][lane].
void mux_winograd_weights(int tile, int lanes, ptrdiff_t channels, ptrdiff_t blocks,
                          bool has_half_block, const float *weights, float *to);

/// "dense", "spatial" and so on.
const char *mux_step_name(mux_step_kind kind);

/// The number of a step's tasks.
int32_t mux_step_tasks(const mux_step *step);

/// Floats of scratch memory that one thread needs for the step.
size_t mux_step_scratch(mux_isa isa, const mux_step *step);

/// Runs the tasks from `first` to before `end` of a step.
void mux_step_run(mux_isa isa, const mux_step *step, int32_t first, int32_t end, float *arena,
                  float *scratch);

/// The variant that a step runs in with an instruction set: the set's own, or one with instructions for
/// cells where the step has cells and the processor has those.
mux_variant mux_step_variant(mux_isa isa, const mux_step *step);

/// The variant that steps with products of a precision run in.
mux_variant mux_precision_variant(mux_isa isa, mux_precision precision);

/// The same in a variant that the processor has, whether or not it would be chosen: for tests, which run
/// all of them. All have the layout of their instruction set.
int mux_variant_lanes(mux_variant variant);
size_t mux_step_scratch_of(mux_variant variant, const mux_step *step);
void mux_step_run_of(mux_variant variant, const mux_step *step, int32_t first, int32_t end,
                     float *arena, float *scratch);

/// Threads that run plans. They wait by spinning for some microseconds, then asleep.
typedef struct mux_thread_pool mux_thread_pool;

/// A pool of `threads` (the caller is one of them); NULL if they cannot be started.
mux_thread_pool *mux_thread_pool_create(int32_t threads);
void mux_thread_pool_destroy(mux_thread_pool *pool);

/// Runs all steps in order. `scratch` has one pointer per thread. `nanoseconds`, if not NULL,
/// gets the time of each step added. One call at a time. Steps and scratch must live as long as the
/// pool: a thread that wakes late looks at a run that is over.
void mux_thread_pool_run(mux_thread_pool *pool, mux_isa isa, const mux_step *steps, int32_t count,
                         float *arena, float *const *scratch, uint64_t *nanoseconds);

/// Runs the steps for each of `images` images, one thread per image at a time. The first
/// `arena_count` threads (at least one) take part, each in an arena of its own; the others have none
/// and take no image. Inputs are copied to `input_offset`, results (of `output_size` floats) taken
/// from `output_offset`. Steps, arenas and scratch must live as long as the pool.
void mux_thread_pool_run_images(mux_thread_pool *pool, mux_isa isa, const mux_step *steps,
                                int32_t count, float *const *arenas, int32_t arena_count,
                                float *const *scratch, int32_t images, const float *inputs,
                                size_t input_size, ptrdiff_t input_offset, float *outputs,
                                size_t output_size, ptrdiff_t output_offset);

/// Copies floats; false if one of them is infinite or not a number.
bool mux_copy_finite(mux_isa isa, float *to, const float *from, size_t count);

/// Multiply-adds per second of one core: independent fused operations in registers, best of a
/// few short runs.
double mux_inference_peak(mux_isa isa);

#endif
