// SPDX-License-Identifier: Apache-2.0
// Where checks build their steps.
#ifndef BENCH_H
#define BENCH_H

#include "reference.h"

/// A step while it is built: its arena, its weights, and what it is called.
typedef struct bench {
  mux_variant variant;
  int lanes;
  uint64_t state;
  /// The arena from the front, or, if `is_flipped`, from the end of `size` floats: what comes last in it
  /// differs, so that reading as well as writing beyond the end is found.
  bool is_flipped;
  ptrdiff_t size, taken;
  /// NULL while the size is found out.
  float *arena;
  /// Allocations to be given back.
  struct guarded_memory *memory;
  int memory_count;
  char *name;
  size_t name_size;
} bench;

/// A number from −1 to 1, and one from 0 to `end` − 1.
float bench_noise(bench *bench);
int bench_choice(bench *bench, int end);

/// Floats of the arena, filled with noise; gives their offset. Blocked tensors begin at whole blocks.
ptrdiff_t bench_take(bench *bench, ptrdiff_t floats);
ptrdiff_t bench_take_blocks(bench *bench, ptrdiff_t floats);
/// Cells of the arena, filled with values.
ptrdiff_t bench_take_cells(bench *bench, mux_precision precision, ptrdiff_t cells);
enum { BENCH_ALIGNMENT = 16 };
/// Planes in an order that is not that of the arena.
int32_t *bench_planes(bench *bench, ptrdiff_t count, ptrdiff_t pixels);
/// Where a range is measured, with nothing in it: `count` pairs.
ptrdiff_t bench_ranges(bench *bench, int count);

/// Memory whose end nothing may read beyond: floats of noise times a factor; 32-bit integers.
float *bench_floats(bench *bench, ptrdiff_t count, float factor);
int32_t *bench_integers(bench *bench, ptrdiff_t count);
void *bench_memory(bench *bench, size_t bytes);

/// Weights [block][inner][lane], of outputs that are there; the last block half as wide if `has_half`.
float *bench_dense_weights(bench *bench, ptrdiff_t outer, ptrdiff_t inner, bool has_half);
/// Per output, filled up with zeros to whole blocks.
float *bench_bias(bench *bench, ptrdiff_t outer);
/// Weights of cells, [block][cell][lane]; `inner` of a cell's values in a row are there, the rest zeros.
int32_t *bench_cell_weights(bench *bench, mux_precision precision, ptrdiff_t outer, ptrdiff_t rows,
                            ptrdiff_t inner);
/// What a product is worth, [blocks · lanes]; NULL for bfloat16.
float *bench_scale(bench *bench, mux_precision precision, ptrdiff_t outer, ptrdiff_t inner);
/// A cell of weights with so many values.
int32_t bench_cell_weight(bench *bench, mux_precision precision, ptrdiff_t values);

/// Activation `index` of all, hard sigmoids with other parameters among them.
enum { BENCH_ACTIVATIONS = MUX_ACTIVATION_COUNT + 2 };
mux_activation bench_activation(int index);

/// A quantisation whose values lie between −2 and 4 or so, or closer so that some are clamped.
mux_quantization bench_quantization(bench *bench, bool is_close);

/// The windows of a convolution over planes, and its offsets: of floats or of bytes.
mux_window bench_window(bench *bench, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width,
                        int kernel, int stride, int dilation, int top, int left,
                        ptrdiff_t out_height, ptrdiff_t out_width);
int32_t *bench_window_offsets(bench *bench, const mux_window *window, mux_precision precision,
                              ptrdiff_t *count);

/// The same of a dense step whose cells hold one tap of several channels, in cells.
int32_t *bench_joined_offsets(bench *bench, const mux_window *window, mux_precision precision,
                              ptrdiff_t *count);

/// Adds to what the check is called.
__attribute__((format(printf, 2, 3))) void bench_note(bench *bench, const char *format, ...);

/// The checks of each kind of step: how many, and how to build one.
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  int32_t checks_of_##name(void);                   \
  void build_##name(bench *bench, int32_t index, type *step);
MUX_STEPS(MUX_STEP)
#undef MUX_STEP

#endif
