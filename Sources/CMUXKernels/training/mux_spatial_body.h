// SPDX-License-Identifier: Apache-2.0
// Forward and backward of one image, for one instruction set: rows of the transformed input (or
// of the output's gradient) go through a ring, each computed once. Here is what both passes need.

MUX_INLINE float *MUX_NAME(take)(float **scratch, size_t floats) {
  float *taken = *scratch;
  *scratch += floats;
  return taken;
}

static int MUX_NAME(plane_count)(int width, int planes, int plane) {
  return width <= plane ? 0 : (width - plane + planes - 1) / planes;
}

static float *MUX_NAME(align)(float *scratch) {
  return (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
}

static chunk MUX_NAME(make_chunk)(const mux_branch_plan *plan, int first, int size) {
  int tiles = plan->tiles - first < size ? plan->tiles - first : size;
  int channels = plan->channels - first * MUX_LANES;
  return (chunk){plan, first, tiles,
                 channels >= tiles * MUX_LANES ? MUX_LANES : channels - (tiles - 1) * MUX_LANES};
}

/// Floats before the weights of the pixels of a row and a plane: those of a subpixel branch depend on
/// the phase.
MUX_INLINE size_t MUX_NAME(phase_offset)(const mux_branch_plan *plan, int y, int plane) {
  int phase = plan->dilation > 1 ? y % plan->dilation * plan->dilation + plane : 0;
  return (size_t)phase * plan->phase_weights;
}

/// The rows of a ring under a line of windows, with the weights of each; where rows of the image are
/// missing there are fewer than the kernel has.
typedef struct MUX_NAME(window_rows) {
  int count;
  int kernel_rows[MUX_MAXIMUM_KERNEL];
  const float *rows[MUX_MAXIMUM_KERNEL], *weights[MUX_MAXIMUM_KERNEL];
  /// Backward: where the weights' gradients go, or NULL.
  float *gradients[MUX_MAXIMUM_KERNEL];
} MUX_TYPE(window_rows);

#include "mux_spatial_forward_body.h"
#include "mux_spatial_backward_body.h"

static const mux_spatial_table MUX_NAME(spatial) = {MUX_LANES, MUX_NAME(forward),
                                                    MUX_NAME(backward)};

#undef span
#undef chunk
