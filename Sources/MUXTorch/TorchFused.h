// SPDX-License-Identifier: Apache-2.0
#ifndef CT_TORCH_FUSED_H
#define CT_TORCH_FUSED_H
#pragma clang system_header
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zero.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/custom_function.h>
#endif
