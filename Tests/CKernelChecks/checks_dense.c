// SPDX-License-Identifier: Apache-2.0
// Dense convolutions and projections: sizes below, at and above tiles and blocks, times what there is to
// read, to write, to add and to multiply.
#include <stdlib.h>

#include "bench.h"

/// Of 1×1 convolutions: channels in and out, rows and columns.
static const struct {
  int inner, outer, height, width;
} sizes[] = {
    {1, 1, 1, 1},    {3, 2, 1, 7},    {17, 1, 1, 2},  {5, 17, 3, 5},
    {16, 16, 4, 4},  {33, 31, 1, 17}, {8, 7, 5, 13},  {24, 40, 2, 29},
    {15, 33, 3, 43}, {64, 8, 3, 11},  {19, 65, 1, 1},
};

/// Of windows: channels in and out, rows and columns of the planes, the windows, what comes out.
static const struct {
  int channels, outer, height, width, kernel, stride, dilation, top, left, out_height, out_width;
} windows[] = {
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1},
    {3, 16, 9, 9, 3, 2, 1, 1, 1, 5, 5},
    {3, 5, 7, 11, 3, 2, 1, 0, 0, 4, 6},  // SAME: more zeros below and on the right
    {2, 17, 5, 6, 5, 1, 1, 2, 2, 5, 6},
    {1, 7, 4, 3, 7, 1, 1, 3, 3, 4, 3},    // more window than image
    {4, 31, 6, 17, 2, 2, 1, 0, 1, 3, 9},  // an even kernel
    {3, 24, 13, 33, 3, 2, 1, 1, 1, 7, 17},
    {2, 3, 2, 2, 3, 1, 1, 3, 3, 6, 6},  // more padding than the kernel reaches over
    {1, 2, 5, 5, 1, 3, 1, 0, 0, 2, 2},  // steps beyond the kernel
    {3, 20, 6, 40, 3, 1, 1, 1, 1, 6, 40},
    {3, 9, 8, 8, 3, 1, 2, 2, 2, 8, 8},  // dilation: not with cells
};

/// Of windows of 3×3 by Winograd's tiles: channels in and out, rows and columns of the planes, zeros above and
/// on the left, what comes out.
static const struct {
  int channels, outer, height, width, top, left, out_height, out_width;
} tiled[] = {
    {1, 1, 1, 1, 1, 1, 1, 1},      {3, 5, 7, 11, 0, 0, 5, 9},    {17, 16, 4, 4, 1, 1, 4, 4},
    {16, 33, 9, 9, 1, 1, 9, 9},    {33, 40, 5, 13, 1, 1, 5, 13}, {4, 17, 6, 40, 1, 1, 6, 40},
    {2, 3, 2, 2, 3, 3, 6, 6},      {19, 65, 8, 8, 1, 1, 8, 8},   {5, 31, 3, 70, 1, 0, 3, 69},
    {64, 8, 14, 14, 1, 1, 14, 14}, {8, 24, 13, 5, 1, 1, 13, 5},
};

/// What a step reads, gives, and adds.
typedef enum {
  FROM_PLANES,
  FROM_BLOCKS,
  FROM_WINDOWS,
  BY_TILES_OF_2,
  BY_TILES_OF_4,
  LANES_BY_TILES,
  JOINED_WINDOWS
} dense_source;
typedef enum { TO_PLANES, TO_MEANS, TO_BLOCKS, TO_CELLS } dense_result;
typedef enum {
  NO_RESIDUAL,
  PLANES_ADDED,
  PLANES_IN_PLACE,
  BLOCKS_ADDED,
  BLOCKS_IN_PLACE,
  KEPT_ADDED
} dense_residual;

typedef struct {
  dense_source source;
  dense_result result;
  dense_residual residual;
  bool has_gate;
  bool is_observed;
} dense_setup;

static const dense_setup float_setups[] = {
    {FROM_PLANES, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_PLANES, TO_PLANES, PLANES_ADDED, false, false},
    {FROM_PLANES, TO_PLANES, PLANES_IN_PLACE, true, false},
    {FROM_PLANES, TO_MEANS, NO_RESIDUAL, false, false},
    {FROM_PLANES, TO_BLOCKS, NO_RESIDUAL, false, false},
    {FROM_BLOCKS, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_BLOCKS, TO_PLANES, PLANES_IN_PLACE, true, false},
    {FROM_BLOCKS, TO_PLANES, BLOCKS_ADDED, false, false},
    {FROM_BLOCKS, TO_BLOCKS, BLOCKS_IN_PLACE, true, false},
    {FROM_BLOCKS, TO_BLOCKS, BLOCKS_ADDED, false, false},
    {FROM_BLOCKS, TO_MEANS, NO_RESIDUAL, true, false},
    {FROM_WINDOWS, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_WINDOWS, TO_PLANES, PLANES_ADDED, false, false},
    {FROM_WINDOWS, TO_BLOCKS, NO_RESIDUAL, false, false},
    {BY_TILES_OF_2, TO_PLANES, NO_RESIDUAL, false, false},
    {BY_TILES_OF_2, TO_PLANES, PLANES_IN_PLACE, false, false},
    {BY_TILES_OF_2, TO_BLOCKS, NO_RESIDUAL, false, false},
    {BY_TILES_OF_4, TO_PLANES, NO_RESIDUAL, false, false},
    {BY_TILES_OF_4, TO_PLANES, PLANES_ADDED, false, false},
    {BY_TILES_OF_4, TO_BLOCKS, NO_RESIDUAL, false, false},
    {LANES_BY_TILES, TO_BLOCKS, NO_RESIDUAL, false, false},
};

static const dense_setup cell_setups[] = {
    {FROM_PLANES, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_PLANES, TO_PLANES, PLANES_IN_PLACE, false, false},
    {FROM_PLANES, TO_PLANES, PLANES_ADDED, true, false},
    {FROM_PLANES, TO_MEANS, NO_RESIDUAL, false, false},
    {FROM_PLANES, TO_CELLS, NO_RESIDUAL, false, false},
    {FROM_BLOCKS, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_BLOCKS, TO_PLANES, PLANES_ADDED, true, false},
    {FROM_BLOCKS, TO_PLANES, BLOCKS_ADDED, false, false},
    {FROM_BLOCKS, TO_PLANES, KEPT_ADDED, true, false},
    {FROM_BLOCKS, TO_CELLS, KEPT_ADDED, false, false},
    {FROM_BLOCKS, TO_CELLS, NO_RESIDUAL, true, false},
    {FROM_BLOCKS, TO_MEANS, NO_RESIDUAL, true, false},
    {FROM_WINDOWS, TO_PLANES, NO_RESIDUAL, false, false},
    {FROM_WINDOWS, TO_PLANES, PLANES_IN_PLACE, false, true},
    {FROM_WINDOWS, TO_CELLS, NO_RESIDUAL, false, false},
    {JOINED_WINDOWS, TO_PLANES, NO_RESIDUAL, false, false},
    {JOINED_WINDOWS, TO_PLANES, PLANES_IN_PLACE, false, true},
};

enum {
  SIZES = sizeof sizes / sizeof *sizes,
  FLOAT_SETUPS = sizeof float_setups / sizeof *float_setups,
  CELL_SETUPS = sizeof cell_setups / sizeof *cell_setups,
};
_Static_assert(sizeof windows / sizeof *windows == SIZES, "as many windows as sizes");
_Static_assert(sizeof tiled / sizeof *tiled == SIZES, "as many of them");

/// Tasks by bands of pixels and of blocks.
static const int bands[][2] = {{1, 1}, {3, 1}, {1, 2}, {2, 1}, {1, 3}};

int32_t checks_of_dense(void) { return SIZES * (FLOAT_SETUPS + 2 * CELL_SETUPS); }

/// Planes or lanes that Winograd's tiles read.
static void build_tiled_source(bench *b, dense_source source, int index, mux_dense *s) {
  const ptrdiff_t lanes = b->lanes, channels = tiled[index].channels;
  const ptrdiff_t pixels = tiled[index].height * tiled[index].width;
  s->winograd = source == BY_TILES_OF_2 ? 2 : 4;
  s->outer = tiled[index].outer;
  s->pixels = tiled[index].out_height * tiled[index].out_width;
  s->step = source == LANES_BY_TILES ? lanes : 1;
  s->window = bench_window(b, source == LANES_BY_TILES ? 0 : channels, tiled[index].height,
                           tiled[index].width, 3, 1, 1, tiled[index].top, tiled[index].left,
                           tiled[index].out_height, tiled[index].out_width);
  if (source == LANES_BY_TILES) {
    const ptrdiff_t base = bench_take_blocks(b, (channels + lanes - 1) / lanes * lanes * pixels);
    int32_t *inputs = bench_integers(b, channels);
    for (ptrdiff_t k = 0; k < channels; ++k) {
      inputs[k] = (int32_t)(base + k / lanes * lanes * pixels + k % lanes);
    }
    s->window.inputs = inputs;
    s->window.input_count = channels;
  }
  bench_note(b, " %td channels of %d×%d to %d, tiles of %d×%d from (-%d, -%d)", channels,
             tiled[index].height, tiled[index].width, tiled[index].outer, s->winograd, s->winograd,
             tiled[index].top, tiled[index].left);
}

/// The inputs of a step: their offsets, and how far it is from pixel to pixel.
static void build_source(bench *b, dense_source source, int index, mux_dense *s) {
  const ptrdiff_t values = values_of(s->precision);
  ptrdiff_t count;
  if (source >= BY_TILES_OF_2 && source <= LANES_BY_TILES) {
    count = tiled[index].channels;
    build_tiled_source(b, source, index, s);
  } else if (source == FROM_WINDOWS || source == JOINED_WINDOWS) {
    // Cells have no dilation.
    const bool is_joined = source == JOINED_WINDOWS;
    const int n =
        s->precision != MUX_FLOAT32 && windows[index].dilation > 1 && !is_joined ? 1 : index;
    s->outer = windows[n].outer;
    s->pixels = windows[n].out_height * windows[n].out_width;
    s->window =
        bench_window(b, windows[n].channels, windows[n].height, windows[n].width, windows[n].kernel,
                     windows[n].stride, windows[n].dilation, windows[n].top, windows[n].left,
                     windows[n].out_height, windows[n].out_width);
    s->joins_channels = source == JOINED_WINDOWS;
    s->offsets = s->joins_channels ? bench_joined_offsets(b, &s->window, s->precision, &count)
                                   : bench_window_offsets(b, &s->window, s->precision, &count);
    s->step = s->joins_channels
                  ? 1
                  : windows[n].stride * (s->precision == MUX_FLOAT32 ? 1 : size_of(s->precision));
    bench_note(
        b, " %d channels of %d×%d to %d, windows of %d×%d, stride %d, dilation %d, from (-%d, -%d)",
        windows[n].channels, windows[n].height, windows[n].width, windows[n].outer,
        windows[n].kernel, windows[n].kernel, windows[n].stride, windows[n].dilation,
        windows[n].top, windows[n].left);
  } else {
    s->outer = sizes[index].outer;
    s->pixels = sizes[index].height * sizes[index].width;
    count = (sizes[index].inner + values - 1) / values;
    bench_note(b, " %d to %d, %td pixels", sizes[index].inner, sizes[index].outer, s->pixels);
    if (source == FROM_PLANES) {
      s->step = 1;
      int32_t *offsets = bench_integers(b, count);
      for (ptrdiff_t k = 0; k < count; ++k) {
        offsets[k] =
            (int32_t)(s->precision == MUX_FLOAT32 ? bench_take(b, s->pixels)
                                                  : bench_take_cells(b, s->precision, s->pixels));
      }
      s->offsets = offsets;
    } else {
      s->step = b->lanes / values;
      const ptrdiff_t blocks = (count + s->step - 1) / s->step,
                      floats = blocks * s->pixels * s->step;
      const ptrdiff_t base = s->precision == MUX_FLOAT32
                                 ? bench_take_blocks(b, floats)
                                 : bench_take_cells(b, s->precision, floats);
      int32_t *offsets = bench_integers(b, count);
      for (ptrdiff_t k = 0; k < count; ++k) {
        const ptrdiff_t position = count - 1 - k;
        offsets[k] =
            (int32_t)(base + position / s->step * s->pixels * s->step + position % s->step);
      }
      s->offsets = offsets;
    }
  }
  s->inner = count * values;
  s->cells = s->precision == MUX_FLOAT32 ? 0 : count;
}

/// Weights of tiles, with those that they are made of before them, which the reference reads.
static void build_tiles(bench *b, mux_dense *s) {
  const ptrdiff_t lanes = b->lanes, rest = s->outer % lanes, side = s->winograd + 2;
  const ptrdiff_t blocks = (s->outer + lanes - 1) / lanes;
  const bool has_half = lanes == 16 && rest > 0 && rest <= lanes / 2;
  const float *plain = bench_dense_weights(b, s->outer, 9 * s->inner, has_half);
  const ptrdiff_t kept = dense_plain_weights(s, lanes, has_half);
  float *weights = bench_floats(b, kept + blocks * side * side * s->inner * lanes, 1);
  memcpy(weights, plain, (size_t)kept * sizeof(float));
  mux_winograd_weights(s->winograd, (int)lanes, s->inner, blocks, has_half, plain, weights + kept);
  s->weights = weights + kept;
  int32_t *offsets = bench_integers(b, s->inner);
  for (ptrdiff_t k = 0; k < s->inner; ++k) {
    offsets[k] = (int32_t)(k / lanes * s->winograd_tiles * lanes + k % lanes);
  }
  s->offsets = offsets;
}

static void build_weights(bench *b, const dense_setup *setup, mux_dense *s) {
  const ptrdiff_t rest = s->outer % b->lanes;
  if (s->winograd) {
    build_tiles(b, s);
    s->bias = bench_bias(b, s->outer);
    s->gate = s->observed = -1;
    return;
  }
  if (s->precision == MUX_FLOAT32) {
    s->has_half_block = b->lanes == 16 && rest > 0 && rest <= b->lanes / 2;
    s->weights = bench_dense_weights(b, s->outer, s->inner, s->has_half_block);
  } else {
    // The values of a window's row fill whole cells; others are all there.
    const ptrdiff_t row = setup->source == FROM_WINDOWS ? s->window.kernel : s->inner;
    const ptrdiff_t rows =
        setup->source == FROM_WINDOWS ? s->window.input_count * s->window.kernel : 1;
    s->weights = (const float *)bench_cell_weights(b, s->precision, s->outer, rows, row);
    s->scale = bench_scale(b, s->precision, s->outer, s->inner);
  }
  s->bias = bench_bias(b, s->outer);
  s->gate = setup->has_gate ? bench_take(b, s->inner) : -1;
  s->observed = setup->is_observed ? bench_ranges(b, 1) : -1;
}

static void build_result(bench *b, const dense_setup *setup, mux_dense *s) {
  const ptrdiff_t blocked = (s->outer + b->lanes - 1) / b->lanes * b->lanes * s->pixels;
  switch (setup->result) {
  case TO_PLANES: s->outputs = bench_planes(b, s->outer, s->pixels); break;
  case TO_MEANS: s->means = bench_take(b, s->outer); break;
  case TO_BLOCKS:
    s->is_blocked = 1;
    s->blocked = bench_take_blocks(b, blocked);
    break;
  case TO_CELLS: {
    const ptrdiff_t values = values_of(s->precision);
    s->packs = 1;
    s->packed = bench_take(b, (s->outer + values - 1) / values * s->pixels);
    s->packed_quantization = bench_quantization(b, false);
    break;
  }
  }
  s->has_blocked_residual = setup->residual >= BLOCKS_ADDED;
  switch (setup->residual) {
  case NO_RESIDUAL: break;
  case PLANES_ADDED: s->residuals = bench_planes(b, s->outer, s->pixels); break;
  case PLANES_IN_PLACE: s->residuals = s->outputs; break;
  case BLOCKS_ADDED: s->blocked_residual = bench_take_blocks(b, blocked); break;
  case BLOCKS_IN_PLACE: s->blocked_residual = s->blocked; break;
  case KEPT_ADDED:
    s->blocked_residual = bench_take_cells(b, MUX_BFLOAT16, blocked / 2);
    s->blocked_residual_precision = MUX_BFLOAT16;
    break;
  }
}

void build_dense(bench *b, int32_t index, mux_dense *s) {
  const int size = index % SIZES;
  int setup_index = index / SIZES;
  dense_setup setup;
  if (setup_index < FLOAT_SETUPS) {
    setup = float_setups[setup_index];
  } else {
    setup_index -= FLOAT_SETUPS;
    s->precision = setup_index < CELL_SETUPS ? MUX_BFLOAT16 : MUX_INT8;
    setup = cell_setups[setup_index % CELL_SETUPS];
  }
  s->quantization = bench_quantization(b, index % 3 == 0);
  build_source(b, setup.source, size, s);
  const int *band = bands[index % (int)(sizeof bands / sizeof *bands)];
  s->pixel_bands = setup.result == TO_MEANS ? 1 : band[0];
  s->block_bands = band[1];
  if (s->winograd) {
    const int m = s->winograd;
    const ptrdiff_t tiles =
        (s->window.out_height + m - 1) / m * ((s->window.out_width + m - 1) / m);
    s->winograd_tiles = (int32_t)((tiles + s->pixel_bands - 1) / s->pixel_bands);
  }
  // What comes last in the arena is at its end.
  if (index % 2 == 0) {
    build_weights(b, &setup, s);
    build_result(b, &setup, s);
  } else {
    build_result(b, &setup, s);
    build_weights(b, &setup, s);
  }
  const bool has_activation = setup.residual < BLOCKS_ADDED;
  s->activation = bench_activation(has_activation ? index % BENCH_ACTIVATIONS : MUX_IDENTITY);
  if (s->residuals) s->final_activation = bench_activation((index / 2) % BENCH_ACTIVATIONS);
  bench_note(b, ", precision %d, source %d, result %d, residual %d%s, activation %d, bands %d×%d",
             s->precision, setup.source, setup.result, setup.residual,
             setup.has_gate ? ", gate" : "", s->activation.kind, s->pixel_bands, s->block_bands);
}
