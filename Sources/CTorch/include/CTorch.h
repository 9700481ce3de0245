// SPDX-License-Identifier: Apache-2.0
#ifndef CTORCH_H
#define CTORCH_H
#endif
