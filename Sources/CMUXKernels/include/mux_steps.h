// SPDX-License-Identifier: Apache-2.0
// What the inference kernels are told: the steps of a compiled plan for one image.
#ifndef MUX_STEPS_H
#define MUX_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "mux_activation.h"

// A tensor between blocks is a list of planes: one offset per channel into the arena (in floats),
// so channel slices, concatenations and shuffles are other lists, not copies. Inside a block,
// expanded tensors are "blocked": [block][height][width][lane], a block being as many channels
// as the variant's vectors have lanes. Weights are packed [block][inner][lane]. A step has a
// number of independent tasks, whose results do not depend on how they are spread over threads.

/// The precision of a step's operands. In reduced precision they come in
/// cells of 32 bits: two values of bfloat16, or four of 8 bits (activations unsigned, weights
/// signed), which are multiplied and added up at once.
typedef enum mux_precision {
  MUX_FLOAT32 = 0,
  MUX_BFLOAT16 = 1,
  MUX_INT8 = 2,
} mux_precision;

/// What the bytes of activations in cells are stored exclusive-or'd with. On Arm products are of signed
/// bytes, so 128 is taken off each value there, and its share of a sum is added again.
#if defined(__aarch64__)
enum { MUX_BYTE_FLIP = 0x80 };
#else
enum { MUX_BYTE_FLIP = 0 };
#endif

/// value = (q − zero) / inverse for 8 bits; nothing else reads it.
typedef struct mux_quantization {
  float inverse, zero;
} mux_quantization;

/// The windows of a dense convolution over planes; rows under a line of windows are gathered into
/// scratch memory, with the padding, where the windows are not read from the planes.
typedef struct mux_window {
  /// kernel 0: no windows. The first window begins `top` rows above the image, `left` columns before.
  int32_t kernel, stride, top, left, dilation;
  ptrdiff_t in_height, in_width, out_height, out_width;
  /// Plane offsets of the input channels.
  const int32_t *inputs;
  ptrdiff_t input_count;
  /// [input][row][tap], where in the arena a window over the first pixels has its taps; NULL where all
  /// windows are gathered.
  const int32_t *taps;
} mux_window;

/// A dense convolution or a projection: planes or blocked channels in, planes or blocks out.
typedef struct mux_dense {
  /// For each of `inner` inputs, its offset: of a plane or of a lane of a blocked tensor in the
  /// arena; with a window, of a tap in the scratch that holds the gathered rows.
  const int32_t *offsets;
  ptrdiff_t inner, outer;
  /// [block][inner][lane]; a last block that is at most half full may be half as wide.
  const float *weights;
  /// [blocks · lanes]
  const float *bias;
  /// Whether the last block is half as wide.
  int32_t has_half_block;
  mux_activation activation;
  /// Applied after the residual sum.
  mux_activation final_activation;
  /// Floats from one input pixel to the next.
  ptrdiff_t step;
  /// Output pixels.
  ptrdiff_t pixels;
  /// Offset of [inner] factors of the inputs, or -1.
  ptrdiff_t gate;
  /// Plane offsets of the outputs; NULL where only their means are wanted, or no planes.
  const int32_t *outputs;
  /// In single precision: whether the outputs are blocked instead, [block][pixel][lane] at offset
  /// `blocked`, for a step that reads lanes. Then there is no residual of planes; a blocked residual may
  /// lie at the same offset.
  int32_t is_blocked;
  ptrdiff_t blocked;
  /// With cells: whether the outputs are encoded for the next step instead, as by mux_pack, at
  /// offset `packed`, [cell][pixel]. Then there is no residual of planes.
  int32_t packs;
  ptrdiff_t packed;
  mux_quantization packed_quantization;
  /// Plane offsets of what is added, or NULL.
  const int32_t *residuals;
  /// Whether something blocked, [block][pixel][lane] at offset `blocked_residual`, is added instead;
  /// then there is no activation, before or after.
  int32_t has_blocked_residual;
  ptrdiff_t blocked_residual;
  /// MUX_FLOAT32, or with cells MUX_BFLOAT16.
  mux_precision blocked_residual_precision;
  /// Offset of the [outer] means over the pixels, if nothing else is wanted.
  ptrdiff_t means;
  mux_window window;
  /// With cells: the source's offsets are in cells and `inner` counts inputs, `cells` cells; for
  /// gathered rows offsets and `step` are in bytes. `weights` is [block][cell][lane] of cells.
  mux_precision precision;
  ptrdiff_t cells;
  /// With cells and a window: whether a cell holds one tap of as many channels as it has values (the last
  /// one again where there are no more) instead of as many taps in a row. Then the gathered rows are cells,
  /// those of columns that are the stride apart side by side, and offsets and `step`, 1, count cells.
  int32_t joins_channels;
  /// 8 bits: [blocks · lanes], what a product is worth; the zero of the input (the bias has it
  /// already unless there is a gate), and how gathered rows are quantised.
  const float *scale;
  mux_quantization quantization;
  /// Offset of the least and the greatest gathered value, or -1: for calibration, on one thread.
  ptrdiff_t observed;
  /// In single precision, windows of 3×3 with stride and dilation 1: outputs of a side of Winograd's tiles, 4
  /// or 2, or 0 for plain sums of products. With tiles the weights are those of mux_winograd_weights,
  /// `inner` counts channels, which are read from the window's inputs (with a `step` of a block's lanes
  /// these are lanes of blocks), channel k has the offset k / lanes · winograd_tiles · lanes + k % lanes, and
  /// bands are of tiles, at most `winograd_tiles` in each.
  int32_t winograd, winograd_tiles;
  /// Tasks are bands of pixels (or rows) times bands of blocks.
  int32_t pixel_bands, block_bands;
} mux_dense;

typedef enum mux_spatial_mode {
  MUX_SPATIAL_PLAIN = 0,
  /// The convolution runs on the factor² subsampled grids, each with weights of its own.
  MUX_SPATIAL_SUBPIXEL = 1,
  /// The convolution runs on a grid of factor times the size, interleaved from factor² blocks.
  MUX_SPATIAL_SUPERPIXEL = 2,
  /// The same for factor 2 and at most a quarter of the lanes of channels on the fine grid: one
  /// block has all four phases, and each of its lanes is convolved over the fine grid.
  MUX_SPATIAL_SUPERPIXEL_NARROW = 3,
} mux_spatial_mode;

/// Most rows of weights (kernel rows times group width) that a spatial unit can have.
enum { MUX_MAX_WINDOW_ROWS = 256 };

/// What is convolved together: a block of channels with its group partners.
typedef struct mux_spatial_unit {
  mux_spatial_mode mode;
  int32_t first_in, in_count, first_out, out_count;
  /// The first window begins `top` rows above the image and `left` columns before it: as many of both
  /// but for plain units.
  int32_t kernel, stride, dilation, top, left, factor;
  /// Plain: [out][in][row][tap][lane]; narrow: [fine row][fine column][lane] for the windows of
  /// all phases, from an even column to an odd one; else [phase][row][tap][lane].
  const float *weights;
  /// Plain, narrow and superpixel: [out][lane]; subpixel: [phase][lane].
  const float *bias;
  /// With cells the weights are [out][in][cell][tap][lane], a cell being as many rows as it has
  /// values, the last rows first, and the last row in the highest bits; of a subpixel unit with a
  /// phase in place of `out`, of a narrow one with the fine rows and columns under the windows of all
  /// phases. (Superpixel units that are not narrow have no cells.) 8 bits: [out or phase][lane].
  const float *scale;
} mux_spatial_unit;

/// A pointwise convolution (or one with windows, or a transposing copy) and the spatial
/// convolution after it, row band by row band, so that the expanded tensor stays in the cache.
typedef struct mux_spatial_step {
  ptrdiff_t in_height, in_width, out_height, out_width;
  /// With weights: offsets [inner] of the input channels' planes or lanes. Without: [in_blocks · lanes],
  /// the plane of each lane, -1 for zeros, or if `pitch` is that of blocks the lane, of which that of each
  /// block's first lane is read.
  /// With windows: of each tap in the gathered rows.
  const int32_t *offsets;
  ptrdiff_t inner;
  /// Floats from one input pixel to the next: 1, or those of a block if the inputs are its lanes.
  ptrdiff_t pitch;
  const float *weights;
  const float *bias;
  mux_activation producer_activation;
  mux_window window;
  const mux_spatial_unit *units;
  int32_t unit_count, units_per_task, rows_per_task;
  /// Rows that are expanded at a time.
  int32_t chunk;
  int32_t out_blocks;
  mux_activation activation;
  /// Offset of the blocked result; with cells its values have 2 bytes or 1.
  ptrdiff_t out;
  /// With cells: plain units of dilation 1 only. Without weights the producer reads planes of
  /// floats; with weights cells, `inner` of them.
  mux_precision precision;
  /// 8 bits: [in_blocks · lanes], what a product of the expansion is worth; how gathered rows,
  /// the expansion and the result are quantised.
  const float *scale;
  mux_quantization gathered, middle, result;
  /// Offset of the least and the greatest value of gathered rows, expansion and result, or -1.
  ptrdiff_t observed;
  /// Offset of [band][out_blocks · lanes] sums over the pixels, or -1.
  ptrdiff_t sums;
  /// Not MUX_FLOAT32: the result alone is written in reduced precision, quantised like
  /// `result`; then `observed` has only the result's range.
  mux_precision result_precision;
  /// Whether what was expanded is wanted as well, blocked, at offset `kept`: in single precision,
  /// or with cells in bfloat16. Plain units, and the result as high as what they convolve.
  int32_t keeps;
  ptrdiff_t kept;
} mux_spatial_step;

/// A fully connected layer on contiguous or scattered features.
typedef struct mux_linear {
  /// Offsets of the inputs, or NULL for `inner` floats from `input`.
  const int32_t *offsets;
  ptrdiff_t input;
  /// Inputs are sums over this many bands, `band_stride` floats apart, times `scale`.
  ptrdiff_t bands, band_stride;
  float scale;
  ptrdiff_t inner, outer;
  /// [block][inner][lane] and [blocks · lanes]
  const float *weights, *bias;
  /// If not NULL, the weights as bfloat16: less to read.
  const uint16_t *short_weights;
  /// If not NULL, the weights as cells of 8 bits, [block][inner / 4][lane], with what 1 is worth and
  /// the sum over the inputs, [blocks · lanes] both; `inner` is a multiple of 4.
  const int32_t *cells;
  const float *cell_scale, *cell_sums;
  mux_activation activation;
  ptrdiff_t output;
  int32_t tasks;
} mux_linear;

typedef enum mux_elementwise_mode {
  MUX_ELEMENTWISE_UNARY = 0,
  MUX_ELEMENTWISE_ADD = 1,
  MUX_ELEMENTWISE_MULTIPLY = 2,
  /// The second operand has one value per channel.
  MUX_ELEMENTWISE_GATE = 3,
} mux_elementwise_mode;

/// act(scale · a + shift), or act(a + b), act(a · b), plane by plane.
typedef struct mux_elementwise {
  mux_elementwise_mode mode;
  ptrdiff_t planes, pixels;
  const int32_t *a, *b, *outputs;
  /// [planes] or NULL.
  const float *scale, *shift;
  mux_activation activation;
  int32_t tasks;
} mux_elementwise;

/// Blocked channels to planes.
typedef struct mux_unblock {
  ptrdiff_t input, pixels, planes;
  const int32_t *outputs;
  /// For each plane its position in the blocked tensor: block · lanes + lane.
  const int32_t *positions;
  int32_t tasks;
} mux_unblock;

/// Maxima or means over square windows, or over the whole plane (kernel 0).
typedef struct mux_pool_step {
  ptrdiff_t planes, in_height, in_width, out_height, out_width;
  int32_t kernel, stride, padding, is_average, counts_padding;
  const int32_t *inputs, *outputs;
  int32_t tasks;
} mux_pool_step;

/// Means over a grid of windows that cover the plane: window i of n from ⌊i·size / n⌋ to
/// ⌈(i + 1)·size / n⌉.
typedef struct mux_adaptive_pool {
  ptrdiff_t planes, in_height, in_width, out_height, out_width;
  const int32_t *inputs, *outputs;
  int32_t tasks;
} mux_adaptive_pool;

/// Zeros around each plane, or rows and columns cut off where `top` or `left` is negative or the
/// result ends earlier.
typedef struct mux_pad {
  ptrdiff_t planes, in_height, in_width, out_height, out_width;
  ptrdiff_t top, left;
  const int32_t *inputs, *outputs;
  int32_t tasks;
} mux_pad;

/// Each pixel's values over the planes divided by their Euclidean norm, or by `epsilon` where that is
/// more, times a factor for each plane. Tasks share out the pixels.
typedef struct mux_l2_norm {
  ptrdiff_t planes, pixels;
  float epsilon;
  const float *scale;
  const int32_t *inputs, *outputs;
  int32_t tasks;
} mux_l2_norm;

/// Moves between space and channels, plane by plane; for what no faster step covers.
typedef struct mux_multiplex {
  /// Whether windows become channels (phase-major), else channels become windows.
  int32_t to_channels;
  int32_t factor;
  /// Planes on the fine grid; there are factor² times as many on the coarse one.
  ptrdiff_t planes;
  /// The fine grid; the coarse one is a factor-th, rounded up.
  ptrdiff_t height, width;
  const int32_t *inputs, *outputs;
  int32_t tasks;
} mux_multiplex;

/// Planes to cells: [cell][pixel], the planes of a cell one above the other in its bits.
typedef struct mux_pack {
  mux_precision precision;
  ptrdiff_t planes, pixels;
  const int32_t *inputs;
  ptrdiff_t output;
  mux_quantization quantization;
  /// Offset of the least and the greatest value, or -1.
  ptrdiff_t observed;
  int32_t tasks;
} mux_pack;

/// All kinds of steps: STEP(NAME, name, type, SORT, PRECISION). Everything that lists steps is made from
/// here, and a step without its functions does not compile.
///
/// LARGE steps have code for each variant and scratch memory: `name_step_scratch` and `name_step`, in
/// `mux_steps_body.h`; `mux_name_tasks` counts their tasks. SMALL ones have a `name_task` for each variant
/// and a field `tasks`; PLAIN ones a `mux_name_task` that is the same everywhere (`mux_plain_steps.c`).
/// Of those with CELLS, `mux_name_has_cells` says whether one multiplies or writes cells.
#define MUX_STEPS(STEP)                                                \
  STEP(DENSE, dense, mux_dense, LARGE, CELLS)                          \
  STEP(SPATIAL, spatial, mux_spatial_step, LARGE, CELLS)               \
  STEP(LINEAR, linear, mux_linear, LARGE, CELLS)                       \
  STEP(ELEMENTWISE, elementwise, mux_elementwise, SMALL, FLOATS)       \
  STEP(UNBLOCK, unblock, mux_unblock, SMALL, FLOATS)                   \
  STEP(POOL, pool, mux_pool_step, SMALL, FLOATS)                       \
  STEP(MULTIPLEX, multiplex, mux_multiplex, SMALL, FLOATS)             \
  STEP(ADAPTIVE_POOL, adaptive_pool, mux_adaptive_pool, PLAIN, FLOATS) \
  STEP(PAD, pad, mux_pad, PLAIN, FLOATS)                               \
  STEP(L2_NORM, l2_norm, mux_l2_norm, PLAIN, FLOATS)                   \
  STEP(PACK, pack, mux_pack, SMALL, CELLS)

// Closed, so that a switch in Swift has to name every kind, there by its small name.
#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  MUX_STEP_##NAME __attribute__((swift_name(#name))),
typedef enum __attribute__((enum_extensibility(closed))) mux_step_kind {
  MUX_STEPS(MUX_STEP)
} mux_step_kind;
#undef MUX_STEP

#define MUX_STEP(NAME, name, type, SORT, PRECISION) +1
enum { MUX_STEP_COUNT = MUX_STEPS(MUX_STEP) };
#undef MUX_STEP

/// One step: its kind and the structure of that kind.
typedef struct mux_step {
  mux_step_kind kind;
  const void *argument;
} mux_step;

#endif
