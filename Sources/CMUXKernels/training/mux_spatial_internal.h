// SPDX-License-Identifier: Apache-2.0
// How a spatial convolution is laid out in packed weights and scratch memory.
//
// Every branch is computed on a grid on which it is an ordinary convolution:
//   plain       the image itself;
//   subpixel    the image, as a convolution with dilation r whose weights depend on the pixel's
//               phase (y mod r, x mod r): the pixels of one phase are one multiplexed channel;
//   superpixel  the fine grid of r·height × r·width pixels and channels / r² channels.
// Rows of the grid live in scratch memory as tiles of MUX_LANES channels: [tile][plane][pixel]
// [lane], with zero padding left and right. Planes hold the columns of one phase (x mod planes),
// so that the taps of a dilated or transposed strided convolution are neighbours in memory.
#ifndef MUX_SPATIAL_INTERNAL_H
#define MUX_SPATIAL_INTERNAL_H

#include "../common/mux_internal.h"
#include "mux_spatial.h"

enum {
  MUX_MAXIMUM_FACTOR = 8,
  MUX_MAXIMUM_KERNEL = 63,
  /// Zero pixels after each row of a plane: kernels work on blocks of pixels and may compute up
  /// to three beyond the end; the forward of a strided convolution then reads six beyond.
  MUX_SLACK = 8,
  /// Channels are taken in as many tiles at a time as keep the rows in the second-level cache.
  MUX_RING_FLOATS = 64 * 1024,
};

/// Channels that are convolved with one phase's weights: all of the branch's, or for a
/// superpixel branch those of one position in the window.
static inline int32_t mux_phase_channels(const mux_spatial *op, const mux_spatial_branch *branch) {
  return branch->multiplex > 0 ? branch->channels / (op->factor * op->factor) : branch->channels;
}

typedef struct mux_branch_plan {
  /// First channel of the branch; channels and tiles of one phase.
  int32_t offset, channels, tiles;
  int32_t kernel, padding, stride;
  /// Channels per group, and how many partners the vector kernels combine: the group width if
  /// that is 1, 2, 4 or 8, else 0 (scalar kernels).
  int32_t group_width, partners;
  /// Superpixel: slices of the channels per row and column of the window, else 1.
  int32_t fine;
  /// Subpixel: distance of taps in rows, and planes of a row, else 1.
  int32_t dilation;
  /// Planes of the rows of e in the backward pass.
  int32_t input_planes;
  /// Sizes on the grid.
  int32_t height, width, output_height, output_width;
  /// Floats of one phase's weights of one kind, and where the branch's two kinds begin.
  size_t phase_weights;
  size_t forward_weights, backward_weights;
} mux_branch_plan;

mux_branch_plan mux_plan_branch(const mux_spatial *op, int32_t index, int32_t lanes);

/// In the backward pass, output columns x = planes · i + b see the columns i + first ... i +
/// first + taps - 1 of the output gradient's plane.
typedef struct mux_backward_taps {
  int32_t first, taps;
  /// Kernel column of the first tap (the following ones go down in steps of `stride`), and
  /// where plane b's taps begin within a row of the packed kernel.
  int32_t kernel_column, position;
} mux_backward_taps;

mux_backward_taps mux_plan_taps(const mux_branch_plan *plan, int32_t plane);

/// Pixels of a plane of a row with zeros around, and without zeros before.
static inline int32_t mux_plane_pixels(int32_t width, int32_t planes, int32_t padding) {
  return (width + planes - 1) / planes + 2 * padding + MUX_SLACK;
}

/// Rows of the grid that must be held at once.
static inline int32_t mux_ring_rows(const mux_branch_plan *plan) {
  return (plan->kernel - 1) * plan->dilation + 2;
}

/// Tiles that one pass over the image takes.
int32_t mux_plan_chunk(const mux_branch_plan *plan, size_t floats_per_tile);

static inline size_t mux_forward_tile(const mux_branch_plan *plan, int32_t lanes) {
  return (size_t)lanes * (size_t)plan->dilation *
         (size_t)mux_plane_pixels(plan->width, plan->dilation, plan->padding);
}

static inline size_t mux_gradient_tile(const mux_branch_plan *plan, int32_t lanes) {
  return (size_t)lanes * (size_t)plan->dilation *
         (size_t)mux_plane_pixels(plan->output_width, plan->dilation, plan->padding);
}

static inline size_t mux_input_tile(const mux_branch_plan *plan, int32_t lanes) {
  return (size_t)lanes * (size_t)plan->input_planes *
         (size_t)mux_plane_pixels(plan->width, plan->input_planes, 0);
}

/// Scratch of a pass per tile: rows of the ring, and coefficients of each slice.
static inline size_t mux_forward_scratch(const mux_branch_plan *plan, int32_t lanes) {
  return (size_t)mux_ring_rows(plan) * mux_forward_tile(plan, lanes) +
         (size_t)(plan->fine * plan->fine * lanes) * 2;
}

static inline size_t mux_backward_scratch(const mux_branch_plan *plan, int32_t lanes) {
  return (size_t)mux_ring_rows(plan) * mux_gradient_tile(plan, lanes) +
         2 * mux_input_tile(plan, lanes) + (size_t)(plan->fine * plan->fine * lanes) * 9;
}

/// One instruction set's kernels.
typedef struct mux_spatial_table {
  int32_t lanes;
  void (*forward)(const mux_spatial *, const mux_spatial_forward_arguments *, float *);
  void (*backward)(const mux_spatial *, const mux_spatial_backward_arguments *, float *);
} mux_spatial_table;

#endif
