// SPDX-License-Identifier: Apache-2.0
#ifndef CT_TORCH_DISTRIBUTED_H
#define CT_TORCH_DISTRIBUTED_H
#pragma clang system_header
// The declaration of Gloo's groups is there only for who says that libtorch has them.
#define USE_C10D_GLOO
// NCCL is used where its headers are there, and those of a libtorch for CUDA. Nothing of it was run.
#if __has_include(<nccl.h>) && __has_include(<ATen/cuda/CUDAConfig.h>)
#define USE_C10D_NCCL
#define CT_HAS_NCCL
#endif
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef CT_HAS_NCCL
#include <ATen/Context.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif
