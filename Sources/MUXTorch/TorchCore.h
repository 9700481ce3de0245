// SPDX-License-Identifier: Apache-2.0
#ifndef CT_TORCH_CORE_H
#define CT_TORCH_CORE_H
#pragma clang system_header
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#endif
