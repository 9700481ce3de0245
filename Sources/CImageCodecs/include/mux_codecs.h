// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_CODECS_H
#define MUX_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The image libraries of the system behind one interface. They report errors by longjmp, which Swift
// cannot take; here they end as a message.
//
// A decoder is opened on the bytes of a file, which must outlive it. Opening reads the header only,
// so that the caller can look at the size before memory is taken. Samples come out as they are
// stored: no gamma, no colour profile; alpha is dropped, 16 bits keep their high byte.

typedef struct mux_decoder mux_decoder;

struct mux_decoder {
  uint32_t width;       // 0 where opening failed; then `message` says why
  bool is_unsupported;  // the failure is not the file's: it is of a kind that is not read
  uint32_t height;
  uint32_t channels;       // 1 for grey, 3 for RGB: what `read` writes
  uint64_t working_bytes;  // what `read` takes beside the picture, at most
  // Writes width · height · channels values, rows from top to bottom. False with `message` where the
  // file is cut off or damaged. Called once.
  bool (*read)(mux_decoder *decoder, uint8_t *pixels);
  void (*close)(mux_decoder *decoder);
  char message[200];
};

// Each returns NULL only where there is no memory for the decoder itself.
mux_decoder *mux_open_jpeg(const uint8_t *bytes, size_t count);
mux_decoder *mux_open_png(const uint8_t *bytes, size_t count);
// Only where their libraries were found when the package was built.
mux_decoder *mux_open_webp(const uint8_t *bytes, size_t count);  // the first picture
mux_decoder *mux_open_gif(const uint8_t *bytes, size_t count);   // the first picture
mux_decoder *mux_open_tiff(const uint8_t *bytes, size_t count);  // the first page

#endif
