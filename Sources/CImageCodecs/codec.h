// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_CODEC_H
#define MUX_CODEC_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux_codecs.h"

// Keeps the reason of a failure; the first one is the cause.
__attribute__((format(printf, 2, 3))) static inline void mux_fail(mux_decoder *decoder,
                                                                  const char *format, ...) {
  if (decoder->message[0] != 0) return;
  va_list values;
  va_start(values, format);
  vsnprintf(decoder->message, sizeof decoder->message, format, values);
  va_end(values);
}

// One row of inverted CMYK (as every program writes it into JPEGs) or plain CMYK to RGB, rounded as
// Pillow does.
static inline void mux_rgb_from_cmyk(const uint8_t *row, size_t pixels, uint8_t flip,
                                     uint8_t *rgb) {
  for (size_t pixel = 0; pixel < pixels; pixel += 1) {
    const uint32_t light = 255u - (row[4 * pixel + 3] ^ flip);
    for (size_t channel = 0; channel < 3; channel += 1) {
      const uint32_t product = (uint32_t)(row[4 * pixel + channel] ^ flip) * light + 128;
      const int32_t value = (int32_t)light - (int32_t)(((product >> 8) + product) >> 8);
      rgb[3 * pixel + channel] = value < 0 ? 0 : (uint8_t)value;
    }
  }
}

#endif
