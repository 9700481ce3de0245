// SPDX-License-Identifier: Apache-2.0
#include "codec.h"

#ifdef MUX_GIF
#include <gif_lib.h>

typedef struct {
  mux_decoder base;
  GifFileType *gif;
  const uint8_t *bytes;
  size_t count;
  size_t position;
  int background;  // the index of what the first frame does not cover
} gif_decoder;

static int read_bytes(GifFileType *gif, GifByteType *target, int count) {
  gif_decoder *decoder = gif->UserData;
  const size_t left = decoder->count - decoder->position;
  const size_t taken = (size_t)count < left ? (size_t)count : left;
  memcpy(target, decoder->bytes + decoder->position, taken);
  decoder->position += taken;
  return (int)taken;
}

static void fail(gif_decoder *decoder, int code) {
  const char *text = GifErrorString(code);
  mux_fail(&decoder->base, "%s", text == NULL ? "giflib cannot read it" : text);
}

static void paint(const ColorMapObject *map, int index, uint8_t *pixel) {
  if (map == NULL) {  // grey without a table
    memset(pixel, index, 3);
  } else if (index < map->ColorCount) {
    pixel[0] = map->Colors[index].Red;
    pixel[1] = map->Colors[index].Green;
    pixel[2] = map->Colors[index].Blue;
  } else {
    memset(pixel, 0, 3);
  }
}

static bool read_picture(mux_decoder *base, uint8_t *pixels) {
  gif_decoder *decoder = (gif_decoder *)base;
  GifFileType *gif = decoder->gif;
  const GifImageDesc *frame = &gif->Image;
  const ColorMapObject *map = frame->ColorMap != NULL ? frame->ColorMap : gif->SColorMap;
  const size_t stride = (size_t)base->width * 3;
  if (frame->Width != (int)base->width || frame->Height != (int)base->height) {
    for (size_t i = 0; i < (size_t)base->width * base->height; i += 1) {
      paint(map, decoder->background, pixels + 3 * i);
    }
  }
  GifPixelType *line = malloc((size_t)frame->Width);
  if (line == NULL) {
    mux_fail(base, "no memory");
    return false;
  }
  static const int firsts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass += 1) {
    const int step = frame->Interlace ? steps[pass] : 1;
    for (int y = frame->Interlace ? firsts[pass] : 0; y < frame->Height; y += step) {
      if (DGifGetLine(gif, line, frame->Width) == GIF_ERROR) {
        fail(decoder, gif->Error);
        free(line);
        return false;
      }
      uint8_t *row = pixels + (size_t)(frame->Top + y) * stride + (size_t)frame->Left * 3;
      for (int x = 0; x < frame->Width; x += 1) paint(map, line[x], row + 3 * x);
    }
  }
  free(line);
  return true;
}

static void close_decoder(mux_decoder *base) {
  gif_decoder *decoder = (gif_decoder *)base;
  int code;
  if (decoder->gif != NULL) DGifCloseFile(decoder->gif, &code);
  free(decoder);
}

// Goes on to the first picture; false where there is none.
static bool find_picture(gif_decoder *decoder) {
  GifFileType *gif = decoder->gif;
  GifRecordType kind;
  while (DGifGetRecordType(gif, &kind) != GIF_ERROR) {
    if (kind == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) != GIF_ERROR;
    if (kind == TERMINATE_RECORD_TYPE) {
      mux_fail(&decoder->base, "no picture in it");
      return false;
    }
    int code;
    GifByteType *block;
    if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) return false;
    while (block != NULL) {
      // How the picture is drawn: whether an index is transparent, and which.
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4 && (block[1] & 1) != 0) {
        decoder->background = block[4];
      }
      if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return false;
    }
  }
  return false;
}

mux_decoder *mux_open_gif(const uint8_t *bytes, size_t count) {
  gif_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->bytes = bytes;
  decoder->count = count;
  decoder->base.read = read_picture;
  decoder->base.close = close_decoder;
  int code = 0;
  decoder->gif = DGifOpen(decoder, read_bytes, &code);
  if (decoder->gif == NULL || !find_picture(decoder)) {
    fail(decoder, decoder->gif == NULL ? code : decoder->gif->Error);
    return &decoder->base;
  }
  const GifImageDesc *frame = &decoder->gif->Image;
  if (frame->Width <= 0 || frame->Height <= 0 || frame->Left < 0 || frame->Top < 0) {
    mux_fail(&decoder->base, "a picture without pixels");
    return &decoder->base;
  }
  // A picture that reaches beyond the screen makes it larger.
  const int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
  decoder->base.channels = 3;
  decoder->base.height =
      (uint32_t)(bottom > decoder->gif->SHeight ? bottom : decoder->gif->SHeight);
  decoder->base.width = (uint32_t)(right > decoder->gif->SWidth ? right : decoder->gif->SWidth);
  decoder->base.working_bytes = 1 << 17;
  return &decoder->base;
}
#endif
