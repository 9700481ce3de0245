// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include "codec.h"

// libpng's simplified interface converts by gAMA and iCCP; this is the plain one, row by row into the
// caller's memory.

typedef struct {
  mux_decoder base;
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count;
  size_t position;
  bool picture_is_read;  // all rows are there; what follows is checked as far as it concerns them
  bool picture_is_sound;
} png_decoder;

static void on_error(png_structp png, png_const_charp message) {
  png_decoder *decoder = png_get_error_ptr(png);
  // Once every row and every IDAT chunk with its checksum were read, nothing that follows changes a
  // pixel: a missing IEND, damaged text.
  const bool is_between_chunks = (png_get_io_state(png) & PNG_IO_MASK_LOC) == PNG_IO_CHUNK_HDR;
  const bool is_in_data = png_get_io_chunk_type(png) == 0x49444154;  // IDAT
  decoder->picture_is_sound = decoder->picture_is_read && (is_between_chunks || !is_in_data);
  if (!decoder->picture_is_sound) mux_fail(&decoder->base, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  png_decoder *decoder = png_get_io_ptr(png);
  if (count > decoder->count - decoder->position) png_error(png, "the file is cut off");
  memcpy(target, decoder->bytes + decoder->position, count);
  decoder->position += count;
}

static bool read_picture(mux_decoder *base, uint8_t *pixels) {
  png_decoder *decoder = (png_decoder *)base;
  png_structp png = decoder->png;
  if (setjmp(png_jmpbuf(png))) return decoder->picture_is_sound;
  const size_t stride = (size_t)base->width * base->channels;
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, decoder->info);
  if (png_get_rowbytes(png, decoder->info) != stride) png_error(png, "rows of another length");
  // The passes of an interlaced file add to rows that are there.
  if (passes > 1) memset(pixels, 0, stride * base->height);
  for (int pass = 0; pass < passes; pass += 1) {
    for (uint32_t y = 0; y < base->height; y += 1) png_read_row(png, pixels + y * stride, NULL);
  }
  decoder->picture_is_read = true;
  png_read_end(png, NULL);
  return true;
}

static void close_decoder(mux_decoder *base) {
  png_decoder *decoder = (png_decoder *)base;
  if (decoder->png != NULL) png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
  free(decoder);
}

static void read_header(png_decoder *decoder) {
  png_structp png = decoder->png;
  if (setjmp(png_jmpbuf(png))) {
    decoder->base.width = 0;
    return;
  }
  png_set_read_fn(png, decoder, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the caller has limits of its own
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
  // Profiles, gamma, text: neither used nor unpacked.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#endif
  png_read_info(png, decoder->info);
  const int color = png_get_color_type(png, decoder->info);
  const int depth = png_get_bit_depth(png, decoder->info);
  if (depth == 16) png_set_strip_16(png);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_alpha(png);

  const uint64_t stored = (uint64_t)depth * png_get_channels(png, decoder->info);
  const uint64_t pixel = stored < 32 ? 4 : stored / 8;
  decoder->base.channels = (color & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
  decoder->base.height = png_get_image_height(png, decoder->info);
  decoder->base.width = png_get_image_width(png, decoder->info);
  decoder->base.working_bytes = (1 << 17) + 2 * pixel * decoder->base.width;  // this row, the last
}

mux_decoder *mux_open_png(const uint8_t *bytes, size_t count) {
  png_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->bytes = bytes;
  decoder->count = count;
  decoder->base.read = read_picture;
  decoder->base.close = close_decoder;
  if (count >= 16 && memcmp(bytes + 12, "CgBI", 4) == 0) {
    decoder->base.is_unsupported = true;
    mux_fail(&decoder->base, "CgBI, which only Apple's systems read");
    return &decoder->base;
  }
  decoder->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
  if (decoder->png != NULL) decoder->info = png_create_info_struct(decoder->png);
  if (decoder->info == NULL) {
    mux_fail(&decoder->base, "libpng did not start");
  } else {
    read_header(decoder);
  }
  return &decoder->base;
}
