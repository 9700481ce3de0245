// SPDX-License-Identifier: Apache-2.0
// The steps that work plane by plane: planes below, at and above a vector, shared out to more and fewer
// tasks than there are planes.
#include "bench.h"

/// Planes of so many rows and columns.
static const struct {
  int planes, height, width;
} sizes[] = {
    {1, 1, 1},  {3, 1, 2}, {17, 3, 5}, {2, 5, 3},   {5, 4, 4},
    {4, 1, 17}, {3, 7, 9}, {6, 31, 2}, {1, 13, 23},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/// Inputs and outputs in either order.
static void take_planes(bench *b, int32_t index, ptrdiff_t in_count, ptrdiff_t in_pixels,
                        ptrdiff_t out_count, ptrdiff_t out_pixels, const int32_t **inputs,
                        const int32_t **outputs) {
  if (index % 2 == 0) *inputs = bench_planes(b, in_count, in_pixels);
  *outputs = bench_planes(b, out_count, out_pixels);
  if (index % 2 == 1) *inputs = bench_planes(b, in_count, in_pixels);
}

int32_t checks_of_elementwise(void) { return SIZES * 5 * 3; }

void build_elementwise(bench *b, int32_t index, mux_elementwise *s) {
  const int n = index % SIZES, mode = index / SIZES % 5;
  s->planes = sizes[n].planes;
  s->pixels = sizes[n].height * sizes[n].width;
  take_planes(b, index, s->planes, s->pixels, s->planes, s->pixels, &s->a, &s->outputs);
  // Unary without a scale, with one, and the others.
  s->mode = mode == 0 ? MUX_ELEMENTWISE_UNARY : (mux_elementwise_mode)(mode - 1);
  if (s->mode == MUX_ELEMENTWISE_UNARY) {
    if (mode == 1)
      s->scale = bench_floats(b, s->planes, 2), s->shift = bench_floats(b, s->planes, 2);
    // In place, too.
    if (index % 3 == 0) s->outputs = s->a;
  } else {
    s->b = bench_planes(b, s->planes, s->mode == MUX_ELEMENTWISE_GATE ? 1 : s->pixels);
  }
  s->activation = bench_activation(index % BENCH_ACTIVATIONS);
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td, mode %d, activation %d, %d tasks", s->planes, s->pixels, mode,
             s->activation.kind, s->tasks);
}

int32_t checks_of_unblock(void) { return SIZES * 2; }

void build_unblock(bench *b, int32_t index, mux_unblock *s) {
  const int n = index % SIZES;
  s->planes = sizes[n].planes;
  s->pixels = sizes[n].height * sizes[n].width;
  const ptrdiff_t blocks = (s->planes + b->lanes - 1) / b->lanes;
  if (index % 2 == 0) s->input = bench_take_blocks(b, blocks * b->lanes * s->pixels);
  s->outputs = bench_planes(b, s->planes, s->pixels);
  if (index % 2 == 1) s->input = bench_take_blocks(b, blocks * b->lanes * s->pixels);
  int32_t *positions = bench_integers(b, s->planes);
  for (int i = 0; i < s->planes; ++i) positions[i] = (int32_t)(blocks * b->lanes - 1 - i);
  s->positions = positions;
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td, %d tasks", s->planes, s->pixels, s->tasks);
}

/// Rows, columns, windows; what comes out, rounded up where the last window sticks out (ceil mode).
static const struct {
  int planes, height, width, kernel, stride, padding, out_height, out_width;
} pools[] = {
    {1, 1, 1, 1, 1, 0, 1, 1},   {3, 7, 5, 3, 2, 1, 4, 3},   {17, 6, 6, 2, 2, 0, 3, 3},
    {2, 7, 8, 2, 2, 0, 4, 4},   {3, 8, 9, 3, 2, 0, 4, 4},   {5, 6, 7, 3, 1, 1, 6, 7},
    {1, 10, 10, 3, 3, 1, 4, 4}, {4, 5, 4, 5, 1, 2, 5, 4},   {2, 3, 3, 2, 3, 0, 1, 1},
    {3, 9, 17, 0, 1, 0, 1, 1},  {6, 1, 2, 0, 1, 0, 1, 1},   {2, 5, 40, 3, 1, 1, 5, 40},
    {3, 9, 70, 3, 2, 1, 5, 35}, {2, 4, 34, 2, 2, 0, 2, 17}, {1, 3, 37, 5, 1, 2, 3, 37},
    {2, 7, 65, 3, 3, 0, 3, 22}, {1, 2, 34, 3, 2, 0, 1, 17}, {2, 11, 37, 9, 2, 4, 6, 19},
};
enum { POOLS = sizeof pools / sizeof *pools };

int32_t checks_of_pool(void) { return POOLS * 3; }

void build_pool(bench *b, int32_t index, mux_pool_step *s) {
  const int n = index % POOLS, mode = index / POOLS;
  s->planes = pools[n].planes;
  s->in_height = pools[n].height;
  s->in_width = pools[n].width;
  s->out_height = pools[n].out_height;
  s->out_width = pools[n].out_width;
  s->kernel = pools[n].kernel;
  s->stride = pools[n].stride;
  s->padding = pools[n].padding;
  s->is_average = mode > 0;
  s->counts_padding = mode == 2;
  take_planes(b, index, s->planes, s->in_height * s->in_width, s->planes,
              s->out_height * s->out_width, &s->inputs, &s->outputs);
  s->tasks = 1 + index % 4;
  bench_note(
      b,
      " %td planes of %td×%td to %td×%td, windows of %d, stride %d, padding %d, mode %d, %d tasks",
      s->planes, s->in_height, s->in_width, s->out_height, s->out_width, s->kernel, s->stride,
      s->padding, mode, s->tasks);
}

int32_t checks_of_adaptive_pool(void) { return SIZES * 4; }

void build_adaptive_pool(bench *b, int32_t index, mux_adaptive_pool *s) {
  const int n = index % SIZES, out = index / SIZES;
  s->planes = sizes[n].planes;
  s->in_height = sizes[n].height;
  s->in_width = sizes[n].width;
  s->out_height = (int[]){1, 2, 3, 7}[out];
  s->out_width = (int[]){1, 3, 2, 7}[out];
  take_planes(b, index, s->planes, s->in_height * s->in_width, s->planes,
              s->out_height * s->out_width, &s->inputs, &s->outputs);
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td×%td to %td×%td, %d tasks", s->planes, s->in_height, s->in_width,
             s->out_height, s->out_width, s->tasks);
}

/// Rows and columns before and after; negative where they are cut off.
static const int pads[][4] = {{0, 0, 0, 0},  {1, 2, 3, 0}, {-1, 0, 1, 0},   {0, -1, 0, -1},
                              {2, 2, -1, 5}, {9, 9, 9, 9}, {0, 40, 0, -40}, {40, 0, -40, 0}};
enum { PADS = sizeof pads / sizeof *pads };

int32_t checks_of_pad(void) { return SIZES * PADS; }

void build_pad(bench *b, int32_t index, mux_pad *s) {
  const int n = index % SIZES;
  const int *pad = pads[index / SIZES];
  s->planes = sizes[n].planes;
  s->in_height = sizes[n].height;
  s->in_width = sizes[n].width;
  s->top = pad[0];
  s->left = pad[1];
  s->out_height = s->in_height + pad[0] + pad[2] > 1 ? s->in_height + pad[0] + pad[2] : 1;
  s->out_width = s->in_width + pad[1] + pad[3] > 1 ? s->in_width + pad[1] + pad[3] : 1;
  take_planes(b, index, s->planes, s->in_height * s->in_width, s->planes,
              s->out_height * s->out_width, &s->inputs, &s->outputs);
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td×%td to %td×%td from (%td, %td), %d tasks", s->planes,
             s->in_height, s->in_width, s->out_height, s->out_width, s->top, s->left, s->tasks);
}

int32_t checks_of_l2_norm(void) { return SIZES * 3; }

void build_l2_norm(bench *b, int32_t index, mux_l2_norm *s) {
  const int n = index % SIZES;
  s->planes = sizes[n].planes;
  s->pixels = sizes[n].height * sizes[n].width;
  // The greatest is more than most norms.
  s->epsilon = (float[]){1e-10f, 0.5f, 20}[index / SIZES];
  s->scale = bench_floats(b, s->planes, 3);
  take_planes(b, index, s->planes, s->pixels, s->planes, s->pixels, &s->inputs, &s->outputs);
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td, at least %g, %d tasks", s->planes, s->pixels,
             (double)s->epsilon, s->tasks);
}

int32_t checks_of_multiplex(void) { return SIZES * 2 * 3; }

void build_multiplex(bench *b, int32_t index, mux_multiplex *s) {
  const int n = index % SIZES;
  s->planes = sizes[n].planes;
  s->height = sizes[n].height;
  s->width = sizes[n].width;
  s->to_channels = index / SIZES % 2;
  s->factor = 2 + index / SIZES / 2;
  const ptrdiff_t r = s->factor, coarse = (s->height + r - 1) / r * ((s->width + r - 1) / r);
  const ptrdiff_t fine = s->height * s->width;
  if (s->to_channels) {
    take_planes(b, index, s->planes, fine, s->planes * r * r, coarse, &s->inputs, &s->outputs);
  } else {
    take_planes(b, index, s->planes * r * r, coarse, s->planes, fine, &s->inputs, &s->outputs);
  }
  s->tasks = 1 + index % 4;
  bench_note(b, " %td planes of %td×%td, factor %d, %s, %d tasks", s->planes, s->height, s->width,
             s->factor, s->to_channels ? "to channels" : "to space", s->tasks);
}

int32_t checks_of_pack(void) { return SIZES * 2 * 2; }

void build_pack(bench *b, int32_t index, mux_pack *s) {
  const int n = index % SIZES;
  s->precision = index / SIZES % 2 == 0 ? MUX_BFLOAT16 : MUX_INT8;
  s->planes = sizes[n].planes;
  s->pixels = sizes[n].height * sizes[n].width;
  const ptrdiff_t values = values_of(s->precision), cells = (s->planes + values - 1) / values;
  if (index % 2 == 1) s->output = bench_take(b, cells * s->pixels);
  s->inputs = bench_planes(b, s->planes, s->pixels);
  if (index % 2 == 0) s->output = bench_take(b, cells * s->pixels);
  s->quantization = bench_quantization(b, index % 3 == 0);
  s->observed = index / SIZES / 2 == 1 ? bench_ranges(b, 1) : -1;
  // A range is measured on one thread, but in as many tasks.
  s->tasks = 1 + index % 3;
  bench_note(b, " %td planes of %td, precision %d, %d tasks%s", s->planes, s->pixels, s->precision,
             s->tasks, s->observed >= 0 ? ", measured" : "");
}
