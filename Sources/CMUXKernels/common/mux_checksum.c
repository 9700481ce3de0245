// SPDX-License-Identifier: Apache-2.0
#include "mux_checksum.h"

#include <string.h>

// Four chains side by side, so that the multiplications overlap. Each step is a bijection of the
// chain's state (odd factor, rotation, exclusive or), so two texts that differ in one word can
// never meet again in that chain.
static const uint64_t FACTOR = 0x9E3779B97F4A7C15u;

static inline uint64_t rotate(uint64_t value, int count) {
  return value << count | value >> (64 - count);
}

static inline uint64_t step(uint64_t state, uint64_t word) {
  return rotate((state ^ word) * FACTOR, 31);
}

static inline uint64_t finish(uint64_t value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93u;
  return value ^ value >> 32;
}

uint64_t mux_checksum(const void *bytes, size_t count, uint64_t seed) {
  const unsigned char *next = bytes;
  uint64_t chains[4] = {seed + 1, seed + 2, seed + 3, seed + 4};
  size_t left = count;
  while (left >= 32) {
    for (int chain = 0; chain < 4; chain++) {
      uint64_t word;
      memcpy(&word, next + 8 * chain, 8);
      chains[chain] = step(chains[chain], word);
    }
    next += 32;
    left -= 32;
  }
  for (int chain = 0; left > 0; chain++) {
    uint64_t word = 0;
    const size_t part = left < 8 ? left : 8;
    memcpy(&word, next, part);
    chains[chain] = step(chains[chain], word);
    next += part;
    left -= part;
  }
  uint64_t result = seed ^ count * FACTOR;
  for (int chain = 0; chain < 4; chain++) result = step(result, finish(chains[chain]));
  return finish(result);
}
