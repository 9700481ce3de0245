// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>

#include "codec.h"

#include <jpeglib.h>

#include <jerror.h>

// Decodes with libjpeg's defaults, the accurate inverse DCT and smooth chroma upsampling, as Pillow
// and OpenCV do.

// More scans than any program writes; each passes over the whole picture.
enum { scan_limit = 500 };

typedef struct {
  mux_decoder base;
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  uint8_t *row;    // of four channels
  bool has_ended;  // the file was over before its end marker
  bool needs_end;  // that marker alone tells that the picture is complete
} jpeg_decoder;

static void on_error(j_common_ptr jpeg) {
  jpeg_decoder *decoder = jpeg->client_data;
  char text[JMSG_LENGTH_MAX];
  switch (jpeg->err->msg_code) {
  case JERR_ARITH_NOTIMPL:
  case JERR_BAD_PRECISION:
  case JERR_CCIR601_NOTIMPL:
  case JERR_COMPONENT_COUNT:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_NOTIMPL:
  case JERR_SOF_UNSUPPORTED: decoder->base.is_unsupported = true;
  }
  jpeg->err->format_message(jpeg, text);
  mux_fail(&decoder->base, "%s", text);
  longjmp(decoder->failed, 1);
}

// libjpeg goes on after data that are cut off or damaged, with a warning: the first one ends it here,
// but for those that leave every pixel right.
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  jpeg_decoder *decoder = jpeg->client_data;
  switch (jpeg->err->msg_code) {
  case JWRN_EXTRANEOUS_DATA:
  case JWRN_JFIF_MAJOR:
  case JWRN_ADOBE_XFORM:
  case JWRN_NOT_SEQUENTIAL: return;
  case JWRN_JPEG_EOF: decoder->has_ended = true; return;
  default: on_error(jpeg);
  }
}

static void on_progress(j_common_ptr jpeg) {
  jpeg_decoder *decoder = jpeg->client_data;
  if (decoder->jpeg.input_scan_number > scan_limit) {
    mux_fail(&decoder->base, "more than %d scans", scan_limit);
    longjmp(decoder->failed, 1);
  }
}

static bool read_picture(mux_decoder *base, uint8_t *pixels) {
  jpeg_decoder *decoder = (jpeg_decoder *)base;
  j_decompress_ptr jpeg = &decoder->jpeg;
  if (setjmp(decoder->failed)) return false;
  decoder->progress.progress_monitor = on_progress;
  jpeg->progress = &decoder->progress;
  jpeg_start_decompress(jpeg);
  if (jpeg->out_color_space == JCS_CMYK) {
    decoder->row = malloc((size_t)base->width * 4);
    if (decoder->row == NULL) ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
  }
  const size_t stride = (size_t)base->width * base->channels;
  while (jpeg->output_scanline < jpeg->output_height) {
    uint8_t *target = pixels + jpeg->output_scanline * stride;
    if (decoder->row == NULL) {
      // Several rows a call where the library makes several at once.
      JSAMPROW rows[4];
      for (int i = 0; i < 4; i += 1) rows[i] = target + (size_t)i * stride;
      const JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
      jpeg_read_scanlines(jpeg, rows, left < 4 ? left : 4);
    } else {
      JSAMPROW rows[1] = {decoder->row};
      jpeg_read_scanlines(jpeg, rows, 1);
      // Without Adobe's marker too, as Pillow and browsers take it.
      mux_rgb_from_cmyk(decoder->row, base->width, 255, target);
    }
  }
  jpeg_finish_decompress(jpeg);
  if (decoder->has_ended && decoder->needs_end) {
    mux_fail(base, "the file is cut off");
    return false;
  }
  return true;
}

static void close_decoder(mux_decoder *base) {
  jpeg_decoder *decoder = (jpeg_decoder *)base;
  jpeg_destroy_decompress(&decoder->jpeg);
  free(decoder->row);
  free(decoder);
}

static void read_header(jpeg_decoder *decoder, const uint8_t *bytes, size_t count) {
  j_decompress_ptr jpeg = &decoder->jpeg;
  if (setjmp(decoder->failed)) {
    decoder->base.width = 0;
    return;
  }
  jpeg_create_decompress(jpeg);
  jpeg->client_data = decoder;
  jpeg_mem_src(jpeg, (unsigned char *)bytes, count);  // not const in older versions
  jpeg_read_header(jpeg, TRUE);
  if (decoder->has_ended) {
    mux_fail(&decoder->base, "the file is cut off");
    return;
  }
  if (jpeg->data_precision != 8) {
    decoder->base.is_unsupported = true;
    mux_fail(&decoder->base, "%d bits a sample", jpeg->data_precision);
    return;
  }
  switch (jpeg->num_components) {
  case 1: jpeg->out_color_space = JCS_GRAYSCALE; break;
  case 3: jpeg->out_color_space = JCS_RGB; break;
  case 4: jpeg->out_color_space = JCS_CMYK; break;
  default:
    decoder->base.is_unsupported = true;
    mux_fail(&decoder->base, "%d components, not 1, 3 or 4", jpeg->num_components);
    return;
  }
  decoder->base.channels = jpeg->num_components == 1 ? 1 : 3;
  decoder->base.height = jpeg->image_height;
  decoder->base.width = jpeg->image_width;
  // Where one Huffman-coded scan was read to its last bit, only the end marker can be missing. Of
  // several, more may; and arithmetic decoding does not notice the end of its data.
  const bool has_scans = jpeg_has_multiple_scans(jpeg);
  decoder->needs_end = has_scans || jpeg->arith_code;
  // Some rows of blocks; where there are several scans, all coefficients.
  uint64_t working = (uint64_t)jpeg->image_width * 4 * 64 + (1 << 17);
  if (has_scans) {
    for (int i = 0; i < jpeg->num_components; i += 1) {
      const jpeg_component_info *component = &jpeg->comp_info[i];
      working += (uint64_t)component->width_in_blocks * component->height_in_blocks * DCTSIZE2 * 2;
    }
  }
  decoder->base.working_bytes = working;
}

mux_decoder *mux_open_jpeg(const uint8_t *bytes, size_t count) {
  jpeg_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->base.read = read_picture;
  decoder->base.close = close_decoder;
  decoder->jpeg.err = jpeg_std_error(&decoder->errors);
  decoder->jpeg.client_data = decoder;  // jpeg_create_decompress keeps it
  decoder->errors.error_exit = on_error;
  decoder->errors.emit_message = on_message;
  read_header(decoder, bytes, count);
  return &decoder->base;
}
