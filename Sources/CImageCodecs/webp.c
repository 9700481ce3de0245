// SPDX-License-Identifier: Apache-2.0
#include "codec.h"

#ifdef MUX_WEBP
#include <webp/decode.h>
#include <webp/demux.h>

typedef struct {
  mux_decoder base;
  WebPDemuxer *demuxer;
  WebPIterator frame;  // the first one
  bool has_frame;
} webp_decoder;

static bool read_picture(mux_decoder *base, uint8_t *pixels) {
  webp_decoder *decoder = (webp_decoder *)base;
  const WebPIterator *frame = &decoder->frame;
  const size_t stride = (size_t)base->width * 3;
  const size_t start = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * 3;
  const size_t size = stride * base->height;
  if ((uint32_t)frame->width != base->width || (uint32_t)frame->height != base->height) {
    memset(pixels, 0, size);  // an animation's frame may cover a part only
  }
  if (WebPDecodeRGBInto(frame->fragment.bytes, frame->fragment.size, pixels + start, size - start,
                        (int)stride) == NULL) {
    mux_fail(base, "libwebp finds its data cut off or wrong");
    return false;
  }
  return true;
}

static void close_decoder(mux_decoder *base) {
  webp_decoder *decoder = (webp_decoder *)base;
  if (decoder->has_frame) WebPDemuxReleaseIterator(&decoder->frame);
  WebPDemuxDelete(decoder->demuxer);
  free(decoder);
}

mux_decoder *mux_open_webp(const uint8_t *bytes, size_t count) {
  webp_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->base.read = read_picture;
  decoder->base.close = close_decoder;
  const WebPData data = {bytes, count};
  decoder->demuxer = WebPDemux(&data);
  if (decoder->demuxer != NULL) {
    decoder->has_frame = WebPDemuxGetFrame(decoder->demuxer, 1, &decoder->frame) != 0;
  }
  WebPBitstreamFeatures features;
  if (!decoder->has_frame ||
      WebPGetFeatures(decoder->frame.fragment.bytes, decoder->frame.fragment.size, &features) !=
          VP8_STATUS_OK) {
    mux_fail(&decoder->base, "libwebp finds its data cut off or wrong");
    return &decoder->base;
  }
  const uint32_t width = WebPDemuxGetI(decoder->demuxer, WEBP_FF_CANVAS_WIDTH);
  const uint32_t height = WebPDemuxGetI(decoder->demuxer, WEBP_FF_CANVAS_HEIGHT);
  const WebPIterator *frame = &decoder->frame;
  if (frame->width != features.width || frame->height != features.height ||
      (uint64_t)frame->x_offset + (uint64_t)frame->width > width ||
      (uint64_t)frame->y_offset + (uint64_t)frame->height > height) {
    mux_fail(&decoder->base, "its sizes disagree");
    return &decoder->base;
  }
  decoder->base.channels = 3;
  decoder->base.width = width;
  decoder->base.height = height;
  // Without loss all pixels are unpacked first, in four bytes; else a plane of transparency.
  const uint64_t pixels = (uint64_t)width * height;
  decoder->base.working_bytes = (1 << 20) + pixels * (features.format == 1 ? 2 : 5);
  return &decoder->base;
}
#endif
