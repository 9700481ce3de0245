// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "guarded_memory.h"

float bench_noise(bench *bench) {
  bench->state += 0x9E3779B97F4A7C15u;
  uint64_t z = bench->state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return (float)((z ^ z >> 31) >> 40) * 0x1p-23f - 1;
}

int bench_choice(bench *bench, int end) {
  const int choice = (int)((bench_noise(bench) + 1) / 2 * (float)end);
  return choice < end ? choice : end - 1;
}

/// Places `floats` at a multiple of `multiple`; some floats that nobody takes lie between what is placed.
static ptrdiff_t place(bench *bench, ptrdiff_t floats, ptrdiff_t multiple) {
  enum { GAP = 3 };
  ptrdiff_t at = bench->taken + (bench->taken > 0 ? GAP : 0);
  const ptrdiff_t edge = bench->is_flipped ? at + floats : at;
  at += (multiple - edge % multiple) % multiple;
  bench->taken = at + floats;
  const ptrdiff_t offset = bench->is_flipped ? bench->size - bench->taken : at;
  for (ptrdiff_t i = 0; i < floats; ++i) {
    const float value = 2 * bench_noise(bench);
    if (bench->arena) bench->arena[offset + i] = value;
  }
  return offset;
}

ptrdiff_t bench_take(bench *bench, ptrdiff_t floats) { return place(bench, floats, 1); }

ptrdiff_t bench_take_blocks(bench *bench, ptrdiff_t floats) {
  return place(bench, floats, BENCH_ALIGNMENT);
}

ptrdiff_t bench_take_cells(bench *bench, mux_precision precision, ptrdiff_t cells) {
  const ptrdiff_t offset = bench_take_blocks(bench, cells);
  for (ptrdiff_t i = 0; i < cells; ++i) {
    uint32_t cell = 0;
    for (int j = 0; j < values_of(precision); ++j) {
      cell |= precision == MUX_INT8 ? (uint32_t)bench_choice(bench, 256) << (8 * j)
                                    : (uint32_t)to_bfloat16(2 * bench_noise(bench)) << (16 * j);
    }
    if (bench->arena) memcpy(bench->arena + offset + i, &cell, sizeof cell);
  }
  return offset;
}

int32_t *bench_planes(bench *bench, ptrdiff_t count, ptrdiff_t pixels) {
  int32_t *planes = bench_integers(bench, count);
  for (ptrdiff_t n = 0; n < count; ++n) {
    planes[n % 2 == 0 ? n / 2 : count - 1 - n / 2] = (int32_t)bench_take(bench, pixels);
  }
  return planes;
}

ptrdiff_t bench_ranges(bench *bench, int count) {
  const ptrdiff_t offset = bench_take(bench, 2 * count);
  for (int i = 0; i < 2 * count && bench->arena; ++i) {
    bench->arena[offset + i] = i % 2 == 0 ? INFINITY : -INFINITY;
  }
  return offset;
}

void *bench_memory(bench *bench, size_t bytes) {
  bench->memory =
      realloc(bench->memory, (size_t)(bench->memory_count + 1) * sizeof(guarded_memory));
  guarded_memory *memory = &bench->memory[bench->memory_count++];
  *memory = guarded_create(bytes, true);
  return memory->start;
}

int32_t *bench_integers(bench *bench, ptrdiff_t count) {
  int32_t *integers = bench_memory(bench, (size_t)count * sizeof(int32_t));
  memset(integers, 0, (size_t)count * sizeof(int32_t));
  return integers;
}

float *bench_floats(bench *bench, ptrdiff_t count, float factor) {
  float *floats = bench_memory(bench, (size_t)count * sizeof(float));
  for (ptrdiff_t i = 0; i < count; ++i) floats[i] = factor * bench_noise(bench);
  return floats;
}

static ptrdiff_t blocks_of(const bench *bench, ptrdiff_t outer) {
  return (outer + bench->lanes - 1) / bench->lanes;
}

float *bench_dense_weights(bench *bench, ptrdiff_t outer, ptrdiff_t inner, bool has_half) {
  const ptrdiff_t lanes = bench->lanes, blocks = blocks_of(bench, outer);
  const ptrdiff_t count = (blocks * lanes - (has_half ? lanes / 2 : 0)) * inner;
  float *weights = bench_floats(bench, count, 1);
  for (ptrdiff_t i = 0; i < count; ++i) {
    const ptrdiff_t block = i / (lanes * inner);
    const ptrdiff_t width = has_half && block == blocks - 1 ? lanes / 2 : lanes;
    if (block * lanes + i % (lanes * inner) % width >= outer) weights[i] = 0;
  }
  return weights;
}

float *bench_bias(bench *bench, ptrdiff_t outer) {
  const ptrdiff_t count = blocks_of(bench, outer) * bench->lanes;
  float *bias = bench_floats(bench, count, 1);
  for (ptrdiff_t o = outer; o < count; ++o) bias[o] = 0;
  return bias;
}

int32_t bench_cell_weight(bench *bench, mux_precision precision, ptrdiff_t values) {
  uint32_t cell = 0;
  for (int j = 0; j < values_of(precision) && j < values; ++j) {
    const float noise = bench_noise(bench);
    if (precision == MUX_INT8) {
      cell |= (uint32_t)((int32_t)(noise * 127.9f) & 255) << (8 * j);
    } else {
      cell |= (uint32_t)to_bfloat16(noise) << (16 * j);
    }
  }
  return (int32_t)cell;
}

int32_t *bench_cell_weights(bench *bench, mux_precision precision, ptrdiff_t outer, ptrdiff_t rows,
                            ptrdiff_t inner) {
  const ptrdiff_t lanes = bench->lanes, values = values_of(precision);
  const ptrdiff_t cells = (inner + values - 1) / values;
  const ptrdiff_t count = blocks_of(bench, outer) * rows * cells * lanes;
  int32_t *weights = bench_integers(bench, count);
  for (ptrdiff_t i = 0; i < count; ++i) {
    const ptrdiff_t o = i / (rows * cells * lanes) * lanes + i % lanes;
    const ptrdiff_t left = inner - i / lanes % cells * values;
    weights[i] = o < outer ? bench_cell_weight(bench, precision, left) : 0;
  }
  return weights;
}

float *bench_scale(bench *bench, mux_precision precision, ptrdiff_t outer, ptrdiff_t inner) {
  if (precision != MUX_INT8) return NULL;
  float *scale = bench_bias(bench, outer);
  const float usual = 1 / (127 * 100 * sqrtf((float)inner + 1));
  for (ptrdiff_t o = 0; o < outer; ++o) scale[o] = usual * (1.5f + scale[o]);
  return scale;
}

mux_activation bench_activation(int index) {
  switch (index) {
  case MUX_ACTIVATION_COUNT: return (mux_activation){MUX_HARD_SIGMOID, 0.2f, 0.5f};
  case MUX_ACTIVATION_COUNT + 1: return (mux_activation){MUX_HARD_SIGMOID, 0.75f, 0.125f};
  default: return mux_usual_activation((mux_activation_kind)index);
  }
}

mux_quantization bench_quantization(bench *bench, bool is_close) {
  const int zero = 60 + bench_choice(bench, 60);
  return (mux_quantization){is_close ? 90.0f : 255.0f / 6, (float)zero};
}

mux_window bench_window(bench *bench, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width,
                        int kernel, int stride, int dilation, int top, int left,
                        ptrdiff_t out_height, ptrdiff_t out_width) {
  mux_window w = {.kernel = kernel,
                  .stride = stride,
                  .top = top,
                  .left = left,
                  .dilation = dilation,
                  .in_height = height,
                  .in_width = width,
                  .out_height = out_height,
                  .out_width = out_width,
                  .input_count = channels};
  w.inputs = bench_planes(bench, channels, height * width);
  return w;
}

int32_t *bench_window_offsets(bench *bench, const mux_window *w, mux_precision precision,
                              ptrdiff_t *count) {
  const ptrdiff_t rows = w->input_count * w->kernel, values = values_of(precision);
  const ptrdiff_t each = (w->kernel + values - 1) / values;
  *count = rows * each;
  int32_t *offsets = bench_integers(bench, *count);
  for (ptrdiff_t i = 0; i < *count; ++i) {
    offsets[i] = (int32_t)(precision == MUX_FLOAT32
                               ? i / each * reference_row_length(w) + i % each * w->dilation
                               : i / each * reference_row_bytes(w, precision) + i % each * 4);
  }
  return offsets;
}

int32_t *bench_joined_offsets(bench *bench, const mux_window *w, mux_precision precision,
                              ptrdiff_t *count) {
  const ptrdiff_t values = values_of(precision), taps = (ptrdiff_t)w->kernel * w->kernel;
  const ptrdiff_t groups = (w->input_count + values - 1) / values;
  const ptrdiff_t part = (reference_row_length(w) + w->stride - 1) / w->stride;
  *count = groups * taps;
  int32_t *offsets = bench_integers(bench, *count);
  for (ptrdiff_t i = 0; i < *count; ++i) {
    const ptrdiff_t column = i % w->kernel * w->dilation;
    offsets[i] =
        (int32_t)((i / w->kernel * w->stride + column % w->stride) * part + column / w->stride);
  }
  return offsets;
}

void bench_note(bench *bench, const char *format, ...) {
  const size_t used = strlen(bench->name);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(bench->name + used, bench->name_size - used, format, arguments);
  va_end(arguments);
}
