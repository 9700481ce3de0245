// SPDX-License-Identifier: Apache-2.0
// C interface to libtorch. Every function that can fail returns NULL, or an error text that the
// caller frees with ct_free_text; no C++ exception leaves this library.
#ifndef CTORCH_H
#define CTORCH_H
#include "ct_core.h"
#include "ct_create.h"
#include "ct_shape.h"
#include "ct_math.h"
#include "ct_layers.h"
#include "ct_fused.h"
#include "ct_losses.h"
#include "ct_autograd.h"
#include "ct_optimizers.h"
#include "ct_distributed.h"
#include "ct_functions.h"
#endif
