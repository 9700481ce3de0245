// SPDX-License-Identifier: Apache-2.0
#ifndef CT_TORCH_AUTOGRAD_H
#define CT_TORCH_AUTOGRAD_H
#pragma clang system_header
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#endif
