// SPDX-License-Identifier: Apache-2.0
// What CTorch finds when it opens this library.
#include "CTorch.h"

#define CT_ADDRESS(name) reinterpret_cast<void *>(&name),
static void *const functions[] = {CT_FUNCTIONS(CT_ADDRESS)};

extern "C" __attribute__((visibility("default")))
const ct_library mux_torch_library = {CT_FUNCTION_NAMES, functions};
