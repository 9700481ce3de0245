// SPDX-License-Identifier: Apache-2.0
#ifndef CMUXKERNELS_H
#define CMUXKERNELS_H

/// fp32 kernels in plain C for training (and later inference) on the CPU.
///
/// Tensors are "channels last": one image is [height][width][channels] with a pixel stride (in
/// floats) that may exceed the channel count. No function allocates or starts threads: the
/// caller passes scratch memory and parallelises over images.

#include "mux_activation.h"
#include "mux_channels.h"
#include "mux_checksum.h"
#include "mux_dispatch.h"
#include "mux_inference.h"
#include "mux_pointwise.h"
#include "mux_spatial.h"
#include "mux_steps.h"

#endif
