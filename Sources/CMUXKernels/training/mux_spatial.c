// SPDX-License-Identifier: Apache-2.0
// What is the same for every instruction set: checks and sizes.
#include "mux_spatial.h"

#include "mux_spatial_internal.h"

const char *mux_spatial_validate(const mux_spatial *op) {
  if (op->height < 1 || op->width < 1 || op->channels < 1) {
    return "height, width and channels must be positive";
  }
  if (op->stride != 1 && op->stride != 2) return "stride must be 1 or 2";
  if (op->branch_count < 1 || !op->branches) return "there must be at least one branch";
  int64_t channels = 0;
  for (int32_t i = 0; i < op->branch_count; ++i) {
    const mux_spatial_branch *branch = &op->branches[i];
    if (branch->channels < 1) return "a branch has no channels";
    if (branch->kernel < 1 || branch->kernel % 2 == 0 || branch->kernel > MUX_MAXIMUM_KERNEL) {
      return "the kernel must be odd and at most 63";
    }
    if (branch->group_width < 1) return "the group width must be positive";
    if (branch->multiplex != 0) {
      if (op->stride != 1) return "a multiplexed branch must have stride 1";
      if (op->factor < 2 || op->factor > MUX_MAXIMUM_FACTOR) {
        return "the multiplexing factor must be from 2 to 8";
      }
    }
    if (branch->multiplex > 0 && branch->channels % (op->factor * op->factor) != 0) {
      return "a superpixel branch's channels must be a multiple of the squared factor";
    }
    if (mux_phase_channels(op, branch) % branch->group_width != 0) {
      return "the group width must divide the channels of a phase";
    }
    channels += branch->channels;
  }
  if (channels != op->channels) return "the branches' channels must add up to the channels";
  return NULL;
}

int32_t mux_spatial_output_height(const mux_spatial *op) {
  return (op->height - 1) / op->stride + 1;
}

int32_t mux_spatial_output_width(const mux_spatial *op) { return (op->width - 1) / op->stride + 1; }

size_t mux_spatial_weight_count(const mux_spatial *op, int32_t index) {
  const mux_spatial_branch *branch = &op->branches[index];
  size_t outputs = (size_t)mux_phase_channels(op, branch);
  if (branch->multiplex < 0) outputs *= (size_t)op->factor * (size_t)op->factor;
  return outputs * (size_t)branch->group_width * (size_t)branch->kernel * (size_t)branch->kernel;
}
