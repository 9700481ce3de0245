// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_SPATIAL_INTERNAL_H
#define MUX_SPATIAL_INTERNAL_H

#include "mux_internal.h"
#include "mux_spatial.h"

/// Channels that are convolved with one phase's weights: all of the branch's, or for a
/// superpixel branch those of one position in the window.
static inline int32_t mux_phase_channels(const mux_spatial *op, const mux_spatial_branch *branch) {
  return branch->multiplex > 0 ? branch->channels / (op->factor * op->factor) : branch->channels;
}

#endif
