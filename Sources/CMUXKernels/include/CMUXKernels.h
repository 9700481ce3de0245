// SPDX-License-Identifier: Apache-2.0
#ifndef CMUXKERNELS_H
#define CMUXKERNELS_H
#endif
