// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_CHECKSUM_H
#define MUX_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// A 64-bit checksum of bytes that finds every change of a single bit: against accidents, not
/// against forgers. `seed` chains checksums of several stretches.
uint64_t mux_checksum(const void *bytes, size_t count, uint64_t seed);

#endif
