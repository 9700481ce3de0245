// SPDX-License-Identifier: Apache-2.0
// Spatial steps: windows of all sizes, modes and paddings, times what the expansion reads, what becomes of
// the result, and how rows and units are shared out.
#include <stdlib.h>

#include "bench.h"

/// Channels that are convolved alike: `in` and `out` channels a group, `groups` of them (of a superpixel
/// convolution, of each phase).
typedef struct {
  mux_spatial_mode mode;
  int groups, in, out, kernel, stride, dilation, top, left, factor;
} branch;

typedef struct {
  int height, width, out_height, out_width;
  branch branches[3];
} shape;

#define PLAIN(groups, in, out, kernel, stride, dilation, top, left) \
  {MUX_SPATIAL_PLAIN, groups, in, out, kernel, stride, dilation, top, left, 1}
#define SUBPIXEL(groups, kernel, dilation, top, factor) \
  {MUX_SPATIAL_SUBPIXEL, groups, 1, 1, kernel, 1, dilation, top, top, factor}
#define SUPERPIXEL(groups, kernel, dilation, top, factor) \
  {MUX_SPATIAL_SUPERPIXEL, groups, 1, 1, kernel, 1, dilation, top, top, factor}
#define NARROW(groups, kernel) \
  {MUX_SPATIAL_SUPERPIXEL_NARROW, groups, 1, 1, kernel, 1, 1, kernel / 2, kernel / 2, 2}

// clang-format off
static const shape shapes[] = {
    {1, 1, 1, 1, {PLAIN(1, 1, 1, 3, 1, 1, 1, 1)}},
    {7, 5, 7, 5, {PLAIN(17, 1, 1, 3, 1, 1, 1, 1)}},
    {8, 9, 4, 5, {PLAIN(3, 1, 1, 3, 2, 1, 1, 1)}},
    {8, 9, 4, 5, {PLAIN(33, 1, 1, 3, 2, 1, 0, 0)}},    // SAME: the zeros are below and on the right
    {6, 13, 6, 13, {PLAIN(5, 1, 1, 5, 1, 1, 2, 2)}},
    {5, 7, 3, 4, {PLAIN(16, 1, 1, 5, 2, 1, 1, 2)}},    // more zeros on the left than above
    {9, 16, 9, 16, {PLAIN(8, 1, 1, 7, 1, 1, 3, 3)}},
    {3, 4, 3, 4, {PLAIN(15, 1, 1, 9, 1, 1, 4, 4)}},    // more window than image
    {4, 15, 4, 15, {PLAIN(9, 1, 1, 11, 1, 1, 5, 5)}},
    {5, 29, 3, 15, {PLAIN(4, 1, 1, 7, 2, 1, 3, 3)}},
    {4, 31, 2, 16, {PLAIN(7, 1, 1, 9, 2, 1, 4, 4)}},
    {5, 30, 3, 15, {PLAIN(6, 1, 1, 11, 2, 1, 5, 5)}},
    {5, 7, 5, 7, {PLAIN(16, 1, 1, 3, 1, 1, 1, 1)}},    // whole tiles, the last of which sticks out
    {4, 14, 4, 14, {PLAIN(4, 1, 1, 5, 1, 1, 2, 2)}},
    {6, 28, 3, 14, {PLAIN(3, 1, 1, 3, 2, 1, 1, 1)}},
    {3, 28, 3, 28, {PLAIN(9, 1, 1, 3, 1, 1, 1, 1)}},
    {5, 31, 5, 31, {PLAIN(17, 1, 1, 1, 1, 1, 0, 0)}},
    {6, 6, 3, 3, {PLAIN(2, 1, 1, 1, 2, 1, 0, 0)}},
    {7, 8, 7, 8, {PLAIN(3, 1, 1, 2, 1, 1, 0, 1)}},     // even kernels
    {5, 6, 3, 3, {PLAIN(17, 1, 1, 4, 2, 1, 1, 1)}},
    {8, 8, 3, 3, {PLAIN(3, 1, 1, 3, 3, 1, 1, 1)}},     // strides beyond those with tiles
    {9, 10, 9, 10, {PLAIN(17, 1, 1, 3, 1, 2, 2, 2)}},  // dilation
    {11, 7, 4, 3, {PLAIN(3, 1, 1, 3, 2, 3, 1, 2)}},
    {4, 4, 8, 8, {PLAIN(3, 1, 1, 3, 1, 1, 3, 3)}},     // more padding than the kernel reaches over
    {13, 3, 13, 3, {PLAIN(1, 1, 1, 13, 1, 1, 6, 6)}},
    {7, 6, 7, 6, {PLAIN(17, 2, 2, 3, 1, 1, 1, 1)}},    // groups
    {6, 7, 3, 4, {PLAIN(5, 3, 1, 5, 2, 1, 2, 2)}},
    {5, 5, 5, 5, {PLAIN(3, 1, 4, 3, 1, 1, 1, 1)}},
    {6, 8, 6, 8, {SUBPIXEL(17, 3, 1, 1, 2)}},
    {7, 5, 7, 5, {SUBPIXEL(3, 5, 1, 2, 2)}},           // sizes that are no multiple of the factor
    {1, 1, 1, 1, {SUBPIXEL(1, 3, 1, 1, 2)}},
    {7, 8, 7, 8, {SUBPIXEL(5, 3, 1, 1, 3)}},
    {9, 17, 9, 17, {SUBPIXEL(16, 7, 1, 3, 2)}},
    {9, 8, 9, 8, {SUBPIXEL(3, 3, 2, 2, 2)}},
    {4, 5, 4, 5, {SUBPIXEL(2, 1, 1, 0, 2)}},
    {4, 28, 4, 28, {SUBPIXEL(8, 3, 1, 1, 2)}},
    {5, 6, 5, 6, {SUPERPIXEL(17, 3, 1, 1, 2)}},
    {3, 7, 3, 7, {SUPERPIXEL(3, 5, 1, 2, 2)}},
    {4, 3, 4, 3, {SUPERPIXEL(2, 3, 1, 1, 3)}},
    {6, 5, 6, 5, {SUPERPIXEL(1, 3, 2, 2, 2)}},
    {1, 2, 1, 2, {SUPERPIXEL(3, 1, 1, 0, 2)}},
    {1, 1, 1, 1, {NARROW(1, 3)}},
    {5, 7, 5, 7, {NARROW(3, 3)}},
    {4, 2, 4, 2, {NARROW(4, 5)}},
    {8, 15, 8, 15, {NARROW(5, 5)}},
    {3, 9, 3, 9, {NARROW(2, 7)}},
    {8, 16, 8, 16, {NARROW(4, 3)}},
    {4, 14, 4, 14, {NARROW(2, 5)}},
    // Branches side by side.
    {7, 9, 7, 9, {PLAIN(9, 1, 1, 3, 1, 1, 1, 1), SUBPIXEL(3, 3, 1, 1, 2), NARROW(2, 3)}},
    {6, 6, 6, 6, {PLAIN(17, 1, 1, 5, 1, 1, 2, 2), PLAIN(5, 1, 1, 3, 1, 1, 1, 1), SUBPIXEL(17, 3, 1, 1, 2)}},
    {6, 8, 6, 8, {SUPERPIXEL(3, 3, 1, 1, 2), PLAIN(2, 1, 1, 7, 1, 1, 3, 3)}},
    {8, 8, 4, 4, {PLAIN(3, 1, 1, 3, 2, 1, 1, 1), PLAIN(2, 1, 1, 5, 1, 1, 0, 0)}},  // strides that differ
};
// clang-format on

/// What the expansion reads, and what is wanted beside the result.
typedef enum { COPIED, COPIED_LANES, FROM_PLANES, FROM_LANES, FROM_WINDOWS } producer;
typedef struct {
  mux_precision precision, result_precision;
  producer producer;
  bool has_sums, is_observed, keeps;
} setup;

static const setup setups[] = {
    {MUX_FLOAT32, MUX_FLOAT32, COPIED, false, false, false},
    {MUX_FLOAT32, MUX_FLOAT32, COPIED_LANES, true, false, false},
    {MUX_FLOAT32, MUX_FLOAT32, FROM_PLANES, true, false, false},
    {MUX_FLOAT32, MUX_FLOAT32, FROM_LANES, false, false, true},
    {MUX_FLOAT32, MUX_FLOAT32, FROM_WINDOWS, true, false, true},
    {MUX_FLOAT32, MUX_BFLOAT16, FROM_PLANES, true, false, false},
    {MUX_FLOAT32, MUX_INT8, FROM_WINDOWS, true, true, false},
    {MUX_BFLOAT16, MUX_FLOAT32, COPIED, true, false, false},
    {MUX_BFLOAT16, MUX_FLOAT32, FROM_PLANES, false, false, false},
    {MUX_BFLOAT16, MUX_FLOAT32, FROM_WINDOWS, true, false, true},
    {MUX_BFLOAT16, MUX_FLOAT32, FROM_PLANES, true, true, true},
    {MUX_INT8, MUX_FLOAT32, COPIED, true, true, false},
    {MUX_INT8, MUX_FLOAT32, FROM_PLANES, true, false, false},
    {MUX_INT8, MUX_FLOAT32, FROM_PLANES, false, false, true},
    {MUX_INT8, MUX_FLOAT32, FROM_WINDOWS, false, false, false},
    {MUX_INT8, MUX_FLOAT32, FROM_WINDOWS, true, true, true},
};

enum { SHAPES = sizeof shapes / sizeof *shapes, SETUPS = sizeof setups / sizeof *setups };

int32_t checks_of_spatial(void) { return SHAPES * SETUPS; }

/// Whether the steps of a precision have this branch: with cells no dilation, and superpixel branches only
/// where a block has all phases.
static bool has_branch(mux_precision precision, const branch *branch) {
  return precision == MUX_FLOAT32 ||
         (branch->dilation == 1 && branch->mode != MUX_SPATIAL_SUPERPIXEL);
}

/// The shape of a check, or a neighbour that the precision has.
static const shape *shape_of(int index, mux_precision precision) {
  for (;; index = (index + 1) % SHAPES) {
    bool has_all = true;
    for (int i = 0; i < 3; ++i) {
      const branch *branch = &shapes[index].branches[i];
      if (branch->groups > 0 && !has_branch(precision, branch)) has_all = false;
    }
    if (has_all) return &shapes[index];
  }
}

/// The units of a step, and which lanes of their blocks have a channel.
typedef struct {
  mux_spatial_unit units[32];
  int count;
  int32_t in_blocks, out_blocks;
  /// By input block; of the lanes of each quarter if `is_narrow`.
  int used[64];
  bool is_narrow[64];
} layout;

static bool has_lane(int lanes, bool is_narrow, int used, ptrdiff_t lane) {
  return is_narrow ? lane % (lanes / 4) < used : lane < used;
}

/// Whether a window has a weight there: of a narrow unit each phase's lies elsewhere.
static bool has_weight(const mux_spatial_unit *u, int lanes, ptrdiff_t row, ptrdiff_t tap,
                       ptrdiff_t lane) {
  if (row < 0) return false;
  if (u->mode != MUX_SPATIAL_SUPERPIXEL_NARROW) return true;
  const ptrdiff_t phase = lane / (lanes / 4), reach = u->kernel / 2;
  const ptrdiff_t first_row = phase / 2, first_tap = phase % 2 - reach + 2 * ((reach + 1) / 2);
  return row >= first_row && row < first_row + u->kernel && tap >= first_tap &&
         tap < first_tap + u->kernel;
}

static void add_unit(bench *b, mux_precision precision, const branch *from, int used,
                     layout *layout) {
  const bool is_narrow = from->mode == MUX_SPATIAL_SUPERPIXEL_NARROW;
  const bool is_super = from->mode == MUX_SPATIAL_SUPERPIXEL;
  const int lanes = b->lanes, phases = from->factor * from->factor;
  mux_spatial_unit *u = &layout->units[layout->count++];
  *u = (mux_spatial_unit){.mode = from->mode,
                          .first_in = layout->in_blocks,
                          .in_count = is_super ? phases : from->in,
                          .first_out = layout->out_blocks,
                          .out_count = is_super ? phases : from->out,
                          .kernel = from->kernel,
                          .stride = from->stride,
                          .dilation = from->dilation,
                          .top = from->top,
                          .left = from->left,
                          .factor = from->factor};
  for (int32_t i = 0; i < u->in_count; ++i) {
    layout->used[layout->in_blocks] = used;
    layout->is_narrow[layout->in_blocks++] = is_narrow;
  }
  layout->out_blocks += u->out_count;
  // Weights [part][row][tap][lane]: parts are output blocks times input blocks, or phases.
  const ptrdiff_t outer = from->mode == MUX_SPATIAL_SUBPIXEL || is_super ? phases : u->out_count;
  const ptrdiff_t parts = outer * (from->mode == MUX_SPATIAL_PLAIN ? u->in_count : 1);
  const ptrdiff_t rows = is_narrow ? u->kernel + 1 : u->kernel;
  const ptrdiff_t taps = is_narrow ? 4 * ((u->kernel / 2 + 1) / 2) + 2 : u->kernel;
  const ptrdiff_t values = values_of(precision), cell_rows = (rows + values - 1) / values;
  int32_t *cells = bench_integers(b, parts * cell_rows * taps * lanes);
  for (ptrdiff_t i = 0; i < parts * cell_rows * taps * lanes; ++i) {
    const ptrdiff_t lane = i % lanes, tap = i / lanes % taps, cell = i / lanes / taps % cell_rows;
    for (int j = 0; j < values; ++j) {
      const ptrdiff_t row = (cell_rows - 1 - cell) * values + j - (cell_rows * values - rows);
      const ptrdiff_t place = precision == MUX_FLOAT32 ? cell : row;
      if (!has_weight(u, lanes, place, tap, lane) || !has_lane(lanes, is_narrow, used, lane))
        continue;
      if (precision == MUX_FLOAT32) {
        const float weight = bench_noise(b);
        memcpy(&cells[i], &weight, sizeof weight);
      } else {
        const uint32_t mask = (precision == MUX_INT8 ? 255u : 0xffffu) << (32 / values * j);
        cells[i] |= (int32_t)((uint32_t)bench_cell_weight(b, precision, values) & mask);
      }
    }
  }
  u->weights = (const float *)cells;
  float *bias = bench_floats(b, outer * lanes, 1);
  float *scale = precision == MUX_INT8 ? bench_floats(b, outer * lanes, 1) : NULL;
  for (ptrdiff_t i = 0; i < outer * lanes; ++i) {
    const bool is_there = has_lane(lanes, is_narrow, used, i % lanes);
    if (!is_there) bias[i] = 0;
    if (scale) {
      scale[i] = is_there
                     ? (1.5f + scale[i]) / (127 * 100 * sqrtf((float)(u->in_count * rows * rows)))
                     : 0;
    }
  }
  u->bias = bias;
  u->scale = scale;
}

static layout layout_of(bench *b, const shape *shape, mux_precision precision) {
  layout layout = {.count = 0};
  for (int i = 0; i < 3; ++i) {
    const branch *branch = &shape->branches[i];
    const int most = branch->mode == MUX_SPATIAL_SUPERPIXEL_NARROW ? b->lanes / 4 : b->lanes;
    for (int first = 0; first < branch->groups; first += most) {
      const int left = branch->groups - first;
      add_unit(b, precision, branch, left < most ? left : most, &layout);
    }
  }
  return layout;
}

/// What makes the rows: weights and offsets of the expansion, or planes as they are.
static void build_producer(bench *b, producer from, const layout *layout, int index,
                           mux_spatial_step *s) {
  const ptrdiff_t lanes = b->lanes, rows = layout->in_blocks * lanes;
  const ptrdiff_t pixels = s->in_height * s->in_width, values = values_of(s->precision);
  s->pitch = 1;
  if (from == COPIED) {
    int32_t *offsets = bench_integers(b, rows);
    for (ptrdiff_t i = 0; i < rows; ++i) {
      const ptrdiff_t block = i / lanes;
      offsets[i] = has_lane((int)lanes, layout->is_narrow[block], layout->used[block], i % lanes)
                       ? (int32_t)bench_take(b, pixels)
                       : -1;
    }
    s->offsets = offsets;
    // (In reduced precision nothing is activated on the way.)
    if (s->precision == MUX_FLOAT32) {
      s->producer_activation = bench_activation(index % BENCH_ACTIVATIONS);
    }
    return;
  }
  if (from == COPIED_LANES) {
    s->pitch = lanes;
    int32_t *offsets = bench_integers(b, rows);
    // Lanes without a channel are zeros.
    const ptrdiff_t base = bench_take_blocks(b, rows * pixels);
    for (ptrdiff_t i = 0; i < rows; ++i) {
      const ptrdiff_t block = i / lanes;
      offsets[i] = (int32_t)(base + block * pixels * lanes + i % lanes);
      if (has_lane((int)lanes, layout->is_narrow[block], layout->used[block], i % lanes)) continue;
      for (ptrdiff_t pixel = 0; b->arena && pixel < pixels; ++pixel) {
        b->arena[offsets[i] + pixel * lanes] = 0;
      }
    }
    s->offsets = offsets;
    s->producer_activation = bench_activation(index % BENCH_ACTIVATIONS);
    return;
  }
  ptrdiff_t row = 1 + index % 7, row_count = 1;
  if (from == FROM_WINDOWS) {
    const int kernel = 2 + index % 3, stride = 1 + index % 2, top = index % 3, left = index / 2 % 3;
    // As large as the windows reach with fewer zeros at the other end.
    const ptrdiff_t height = (s->in_height - 1) * stride + kernel - top - index % 2;
    const ptrdiff_t width = (s->in_width - 1) * stride + kernel - left - index / 3 % 2;
    const ptrdiff_t channels = 1 + index % 3;
    s->window = bench_window(b, channels, height > 0 ? height : 1, width > 0 ? width : 1, kernel,
                             stride, 1, top, left, s->in_height, s->in_width);
    s->offsets = bench_window_offsets(b, &s->window, s->precision, &s->inner);
    row = kernel;
    row_count = channels * kernel;
    if (s->precision == MUX_FLOAT32) {
      int32_t *taps = bench_integers(b, row_count * kernel);
      for (ptrdiff_t i = 0; i < row_count * kernel; ++i) {
        taps[i] = (int32_t)(s->window.inputs[i / kernel / kernel] +
                            i / kernel % kernel * s->window.in_width + i % kernel);
      }
      s->window.taps = taps;
    }
  } else {
    s->inner = (row + values - 1) / values;
    int32_t *offsets = bench_integers(b, s->inner);
    if (from == FROM_LANES) s->pitch = lanes;
    const ptrdiff_t base = from == FROM_LANES ? bench_take_blocks(b, pixels * lanes) : 0;
    for (ptrdiff_t k = 0; k < s->inner; ++k) {
      offsets[k] =
          (int32_t)(from == FROM_LANES            ? base + s->inner - 1 - k
                    : s->precision == MUX_FLOAT32 ? bench_take(b, pixels)
                                                  : bench_take_cells(b, s->precision, pixels));
    }
    s->offsets = offsets;
  }
  const ptrdiff_t inner = s->inner * values;
  float *bias = bench_bias(b, rows), *scale = bench_scale(b, s->precision, rows, inner);
  int32_t *weights = s->precision == MUX_FLOAT32
                         ? (int32_t *)bench_dense_weights(b, rows, s->inner, false)
                         : bench_cell_weights(b, s->precision, rows, row_count, row);
  // Lanes without a channel stay zero.
  for (ptrdiff_t i = 0; i < rows; ++i) {
    const ptrdiff_t block = i / lanes;
    if (has_lane((int)lanes, layout->is_narrow[block], layout->used[block], i % lanes)) continue;
    bias[i] = 0;
    for (ptrdiff_t k = 0; k < s->inner; ++k)
      weights[(block * s->inner + k) * lanes + i % lanes] = 0;
  }
  s->weights = (const float *)weights;
  s->bias = bias;
  s->scale = scale;
  s->producer_activation = bench_activation(index % BENCH_ACTIVATIONS);
}

void build_spatial(bench *b, int32_t index, mux_spatial_step *s) {
  setup setup = setups[index / SHAPES];
  const shape *shape = shape_of(index % SHAPES, setup.precision);
  s->precision = setup.precision;
  s->result_precision = setup.result_precision;
  s->in_height = shape->height;
  s->in_width = shape->width;
  s->out_height = shape->out_height;
  s->out_width = shape->out_width;
  const layout layout = layout_of(b, shape, s->precision);
  mux_spatial_unit *units = bench_memory(b, (size_t)layout.count * sizeof *units);
  memcpy(units, layout.units, (size_t)layout.count * sizeof *units);
  s->units = units;
  s->unit_count = layout.count;
  s->out_blocks = layout.out_blocks;
  // Only rows as high as the result can be kept, and only of plain units.
  for (int n = 0; n < layout.count; ++n) {
    if (layout.units[n].mode != MUX_SPATIAL_PLAIN) setup.keeps = false;
  }
  if (s->in_height != s->out_height) setup.keeps = false;

  s->gathered = bench_quantization(b, index % 5 == 0);
  s->middle = bench_quantization(b, index % 3 == 0);
  s->result = bench_quantization(b, index % 4 == 0);
  const ptrdiff_t lanes = b->lanes, out = s->out_blocks * s->out_height * s->out_width * lanes;
  const ptrdiff_t kept = layout.in_blocks * s->in_height * s->in_width * lanes;
  const mux_precision precision =
      setup.precision != MUX_FLOAT32 ? setup.precision : setup.result_precision;
  s->units_per_task = index % 3 == 0 ? 1 : index % 3 == 1 ? layout.count : 2;
  if (s->units_per_task > layout.count) s->units_per_task = layout.count;
  s->rows_per_task = (int32_t[]){(int32_t)s->out_height, 1, 2, 3}[index % 4];
  s->chunk = (int32_t[]){1, 2, 5, (int32_t)s->in_height, 3}[index % 5];
  const ptrdiff_t bands = (s->out_height + s->rows_per_task - 1) / s->rows_per_task;
  if (index % 2 == 0) build_producer(b, setup.producer, &layout, index, s);
  s->keeps = setup.keeps;
  s->kept = setup.keeps ? bench_take_blocks(b, kept / (setup.precision == MUX_FLOAT32 ? 1 : 2)) : 0;
  s->sums = setup.has_sums ? bench_take(b, bands * s->out_blocks * lanes) : -1;
  s->observed = setup.is_observed ? bench_ranges(b, setup.precision == MUX_FLOAT32 ? 1 : 3) : -1;
  s->out = bench_take_blocks(b, out / values_of(precision));
  if (index % 2 == 1) build_producer(b, setup.producer, &layout, index, s);
  s->activation = bench_activation(index / 2 % BENCH_ACTIVATIONS);

  bench_note(b, " %td×%td to %td×%td", s->in_height, s->in_width, s->out_height, s->out_width);
  for (int i = 0; i < 3 && shape->branches[i].groups > 0; ++i) {
    const branch *branch = &shape->branches[i];
    bench_note(b, ", mode %d: %d·(%d to %d), %d×%d, stride %d, dilation %d", branch->mode,
               branch->groups, branch->in, branch->out, branch->kernel, branch->kernel,
               branch->stride, branch->dilation);
  }
  bench_note(b,
             ", precision %d/%d, producer %d%s%s, activations %d, %d, tasks of %d rows and %d "
             "units, %d a time",
             s->precision, s->result_precision, setup.producer, setup.keeps ? ", kept" : "",
             setup.has_sums ? ", sums" : "", s->producer_activation.kind, s->activation.kind,
             s->rows_per_task, s->units_per_task, s->chunk);
}
