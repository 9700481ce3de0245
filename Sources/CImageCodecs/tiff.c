// SPDX-License-Identifier: Apache-2.0
#include "codec.h"

#ifdef MUX_TIFF
#include <math.h>
#include <tiffio.h>

// libtiff unpacks; what the samples mean is read here, since its own conversion blends transparency
// and rounds 16 bits.

typedef struct {
  mux_decoder base;
  TIFF *tiff;
  const uint8_t *bytes;
  size_t count;
  size_t position;
  uint16_t bits;     // of a sample
  uint16_t samples;  // of a pixel as stored
  uint16_t photometric;
  bool is_separate;  // a plane for each sample
  bool is_premultiplied;
  bool is_converted;  // by libtiff: colours in formats of its own
  bool is_ycbcr;      // brightness and colour as JPEG has them, converted here
  uint16_t *map[3];
} tiff_decoder;

// --- The file in memory ---

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t count) {
  tiff_decoder *decoder = handle;
  const size_t left = decoder->count - decoder->position;
  const size_t taken = (size_t)count < left ? (size_t)count : left;
  memcpy(target, decoder->bytes + decoder->position, taken);
  decoder->position += taken;
  return (tmsize_t)taken;
}

static tmsize_t write_bytes(thandle_t handle, void *source, tmsize_t count) {
  (void)handle, (void)source, (void)count;
  return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int origin) {
  tiff_decoder *decoder = handle;
  const size_t base = origin == SEEK_SET   ? 0
                      : origin == SEEK_CUR ? decoder->position
                                           : decoder->count;
  const uint64_t place = base + offset;
  decoder->position = place < decoder->count ? (size_t)place : decoder->count;
  return decoder->position;
}

static int close_file(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size_of_file(thandle_t handle) { return ((tiff_decoder *)handle)->count; }

static int map_file(thandle_t handle, void **base, toff_t *size) {
  tiff_decoder *decoder = handle;
  *base = (void *)decoder->bytes;
  *size = decoder->count;
  return 1;
}

static void unmap_file(thandle_t handle, void *base, toff_t size) {
  (void)handle, (void)base, (void)size;
}

#if TIFFLIB_VERSION >= 20221213
static int on_error(TIFF *tiff, void *data, const char *module, const char *format,
                    va_list values) {
  (void)tiff, (void)module;
  mux_decoder *decoder = data;
  if (decoder->message[0] == 0) {
    vsnprintf(decoder->message, sizeof decoder->message, format, values);
  }
  return 1;
}

static int on_warning(TIFF *tiff, void *data, const char *module, const char *format,
                      va_list values) {
  (void)tiff, (void)data, (void)module, (void)format, (void)values;
  return 1;
}
#endif

static TIFF *open_file(tiff_decoder *decoder) {
#if TIFFLIB_VERSION >= 20221213
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (options == NULL) return NULL;
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, decoder);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, NULL);
  TIFF *tiff = TIFFClientOpenExt("image", "r", decoder, read_bytes, write_bytes, seek, close_file,
                                 size_of_file, map_file, unmap_file, options);
  TIFFOpenOptionsFree(options);
  return tiff;
#else
  TIFFSetErrorHandler(NULL);  // older versions only know one for the whole program
  TIFFSetWarningHandler(NULL);
  return TIFFClientOpen("image", "r", decoder, read_bytes, write_bytes, seek, close_file,
                        size_of_file, map_file, unmap_file);
#endif
}

// --- Samples to pixels ---

// The sample at `index` of a row as libtiff gives it, its high byte where it has 16 bits.
static inline uint8_t sample(const tiff_decoder *decoder, const uint8_t *row, size_t index) {
  switch (decoder->bits) {
  case 8: return row[index];
  case 16: return (uint8_t)(((const uint16_t *)(const void *)row)[index] >> 8);
  default: {
    const size_t bit = index * decoder->bits;
    return (uint8_t)(row[bit / 8] >> (8 - bit % 8 - decoder->bits)) & ((1 << decoder->bits) - 1);
  }
  }
}

// A part of a colour in sixty-fourths: `coefficient` hundred-thousandths of how far a sample is from
// grey. Adding a half and cutting off towards zero is how Pillow rounds, also below zero.
static inline int colour_part(int coefficient, int sample) {
  return (coefficient * 64 * (sample - 128) + 50000) / 100000;
}

static inline uint8_t in_a_byte(int value) {
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Red, green and blue as Pillow has them, which cuts off the sixty-fourths where libtiff rounds.
static void rgb_from_ycbcr(int y, int cb, int cr, uint8_t *target) {
  target[0] = in_a_byte(y + (colour_part(140200, cr) >> 6));
  target[1] = in_a_byte(y + ((colour_part(-34414, cb) + colour_part(-71414, cr)) >> 6));
  target[2] = in_a_byte(y + (colour_part(177200, cb) >> 6));
}

// Writes `count` pixels whose samples stand `step` apart in `rows`, one for each plane.
static void convert(const tiff_decoder *decoder, const uint8_t *const *rows, size_t step,
                    size_t count, uint8_t *target) {
  const size_t planes = decoder->is_separate ? 1 : 0;
#define SAMPLE(channel) \
  (planes ? sample(decoder, rows[channel], x) : sample(decoder, rows[0], x * step + (channel)))
  const int largest = decoder->bits >= 8 ? 255 : (1 << decoder->bits) - 1;
  for (size_t x = 0; x < count; x += 1) {
    switch (decoder->photometric) {
    case PHOTOMETRIC_MINISWHITE: target[x] = (uint8_t)(255 - SAMPLE(0) * 255 / largest); break;
    case PHOTOMETRIC_MINISBLACK: target[x] = (uint8_t)(SAMPLE(0) * 255 / largest); break;
    case PHOTOMETRIC_PALETTE:
      for (int c = 0; c < 3; c += 1) target[3 * x + c] = (uint8_t)(decoder->map[c][SAMPLE(0)] >> 8);
      break;
    case PHOTOMETRIC_SEPARATED: {
      const uint8_t four[4] = {SAMPLE(0), SAMPLE(1), SAMPLE(2), SAMPLE(3)};
      mux_rgb_from_cmyk(four, 1, 0, target + 3 * x);
      break;
    }
    default:
      if (decoder->is_ycbcr) {
        rgb_from_ycbcr(SAMPLE(0), SAMPLE(1), SAMPLE(2), target + 3 * x);
        break;
      }
      for (int c = 0; c < 3; c += 1) {
        int value = SAMPLE(c);
        if (decoder->is_premultiplied) {
          const int alpha = SAMPLE(3);
          value = alpha == 0 ? 0 : value * 255 / alpha;
        }
        target[3 * x + c] = (uint8_t)(value > 255 ? 255 : value);
      }
    }
  }
#undef SAMPLE
}

// The planes that are read: at most CMYK, or RGB with transparency.
static uint16_t planes_of(const tiff_decoder *decoder) {
  if (!decoder->is_separate) return 1;
  return decoder->samples < 4 ? decoder->samples : 4;
}

static bool read_rows(tiff_decoder *decoder, uint8_t *pixels) {
  const size_t length = (size_t)TIFFScanlineSize(decoder->tiff);
  const uint16_t planes = planes_of(decoder);
  const uint32_t height = decoder->base.height;
  const size_t stride = (size_t)decoder->base.width * decoder->base.channels;
  // Planes stand one after the other, and libtiff unpacks a strip from its first row on: whole planes
  // are kept, since rows of all in turn would unpack each strip again for every row.
  const size_t plane_size = planes == 1 ? length : length * height;
  uint8_t *rows = calloc(planes, plane_size);
  if (rows == NULL) return false;
  bool is_read = true;
  for (uint16_t plane = 0; plane < planes; plane += 1) {
    for (uint32_t y = 0; y < height && is_read; y += 1) {
      uint8_t *row = rows + plane * plane_size + (planes == 1 ? 0 : y * length);
      is_read = TIFFReadScanline(decoder->tiff, row, y, plane) == 1;
      if (is_read && planes == 1) {
        const uint8_t *place = row;
        convert(decoder, &place, decoder->samples, decoder->base.width, pixels + y * stride);
      }
    }
  }
  for (uint32_t y = 0; y < height && is_read && planes > 1; y += 1) {
    const uint8_t *places[4];
    for (uint16_t plane = 0; plane < planes; plane += 1) {
      places[plane] = rows + plane * plane_size + y * length;
    }
    convert(decoder, places, 1, decoder->base.width, pixels + y * stride);
  }
  free(rows);
  return is_read;
}

static bool read_tiles(tiff_decoder *decoder, uint8_t *pixels) {
  const size_t size = (size_t)TIFFTileSize(decoder->tiff);
  const size_t length = (size_t)TIFFTileRowSize(decoder->tiff);
  const uint16_t planes = planes_of(decoder);
  const uint32_t width = decoder->base.width, height = decoder->base.height;
  const size_t channels = decoder->base.channels;
  uint32_t across = 0, down = 0;
  TIFFGetField(decoder->tiff, TIFFTAG_TILEWIDTH, &across);
  TIFFGetField(decoder->tiff, TIFFTAG_TILELENGTH, &down);
  if (across == 0 || down == 0) return false;
  uint8_t *tiles = calloc(planes, size);
  if (tiles == NULL) return false;
  bool is_read = true;
  for (uint32_t top = 0; top < height && is_read; top += down) {
    for (uint32_t left = 0; left < width && is_read; left += across) {
      for (uint16_t plane = 0; plane < planes && is_read; plane += 1) {
        is_read = TIFFReadTile(decoder->tiff, tiles + plane * size, left, top, 0, plane) >= 0;
      }
      if (!is_read) break;
      const uint32_t columns = across < width - left ? across : width - left;
      for (uint32_t y = top; y < height && y - top < down; y += 1) {
        const uint8_t *places[4];
        for (uint16_t plane = 0; plane < planes; plane += 1) {
          places[plane] = tiles + plane * size + (y - top) * length;
        }
        convert(decoder, places, decoder->samples, columns,
                pixels + ((size_t)y * width + left) * channels);
      }
    }
  }
  free(tiles);
  return is_read;
}

static bool read_converted(tiff_decoder *decoder, uint8_t *pixels) {
  const uint32_t width = decoder->base.width, height = decoder->base.height;
  const size_t count = (size_t)width * height;
  uint32_t *packed = malloc(count * sizeof *packed);
  if (packed == NULL) return false;
  uint16_t orientation = ORIENTATION_TOPLEFT;
  TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_ORIENTATION, &orientation);
  const bool is_read =
      TIFFReadRGBAImageOriented(decoder->tiff, width, height, packed, orientation, 1) == 1;
  for (size_t i = 0; i < count && is_read; i += 1) {
    pixels[3 * i] = (uint8_t)TIFFGetR(packed[i]);
    pixels[3 * i + 1] = (uint8_t)TIFFGetG(packed[i]);
    pixels[3 * i + 2] = (uint8_t)TIFFGetB(packed[i]);
  }
  free(packed);
  return is_read;
}

static bool read_picture(mux_decoder *base, uint8_t *pixels) {
  tiff_decoder *decoder = (tiff_decoder *)base;
  const bool is_read = decoder->is_converted        ? read_converted(decoder, pixels)
                       : TIFFIsTiled(decoder->tiff) ? read_tiles(decoder, pixels)
                                                    : read_rows(decoder, pixels);
  if (!is_read) mux_fail(base, "its data are cut off or wrong");
  return is_read;
}

static void close_decoder(mux_decoder *base) {
  tiff_decoder *decoder = (tiff_decoder *)base;
  if (decoder->tiff != NULL) TIFFClose(decoder->tiff);
  free(decoder);
}

// --- What a file is ---

// Says that the file is of a kind that is not read.
static void refuse(tiff_decoder *decoder, const char *format, int value) {
  decoder->base.is_unsupported = true;
  decoder->base.message[0] = 0;
  mux_fail(&decoder->base, format, value);
}

// Whether colours are stored for each pixel and mean what they mean in JPEG. Of others libtiff knows
// the meaning.
static bool is_plain_ycbcr(TIFF *tiff) {
  static const float weights[3] = {0.299f, 0.587f, 0.114f};
  static const float range[6] = {0, 255, 128, 255, 128, 255};
  uint16_t across = 0, down = 0;
  float *own_weights = NULL, *own_range = NULL;
  if (!TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRSUBSAMPLING, &across, &down) || across != 1 ||
      down != 1) {
    return false;
  }
  if (!TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRCOEFFICIENTS, &own_weights) ||
      !TIFFGetFieldDefaulted(tiff, TIFFTAG_REFERENCEBLACKWHITE, &own_range)) {
    return false;
  }
  for (int i = 0; i < 3; i += 1) {
    if (!(fabsf(own_weights[i] - weights[i]) < 1e-4f)) return false;
  }
  for (int i = 0; i < 6; i += 1) {
    if (own_range[i] != range[i]) return false;
  }
  return true;
}

// Whether the samples of a pixel are such as are read. Gives the number of them that make a colour, 0 where they
// are not.
static uint16_t check_samples(tiff_decoder *decoder, uint16_t compression) {
  const uint16_t bits = decoder->bits;
  const bool is_small = bits == 1 || bits == 2 || bits == 4;
  const bool is_whole = bits == 8 || bits == 16;
  uint16_t needed = 3;
  bool is_right = is_whole;
  switch (decoder->photometric) {
  case PHOTOMETRIC_MINISWHITE:
  case PHOTOMETRIC_MINISBLACK:
    needed = 1;
    is_right = is_small || is_whole;
    break;
  case PHOTOMETRIC_PALETTE:
    needed = 1;
    is_right = is_small || bits == 8;
    if (!TIFFGetField(decoder->tiff, TIFFTAG_COLORMAP, &decoder->map[0], &decoder->map[1],
                      &decoder->map[2])) {
      mux_fail(&decoder->base, "no colours for its palette");
      return 0;
    }
    break;
  case PHOTOMETRIC_RGB: break;
  case PHOTOMETRIC_SEPARATED: needed = 4; break;
  case PHOTOMETRIC_YCBCR:
    is_right = bits == 8;
    if (compression == COMPRESSION_JPEG) {
      TIFFSetField(decoder->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      decoder->is_converted = decoder->is_separate;
    } else {
      // Pillow converts what is not compressed by itself, and leaves all else to libtiff.
      decoder->is_ycbcr = compression == COMPRESSION_NONE && is_plain_ycbcr(decoder->tiff);
      decoder->is_converted = !decoder->is_ycbcr;
    }
    break;
  default: refuse(decoder, "colours of kind %d", decoder->photometric); return 0;
  }
  if (!is_right) {
    refuse(decoder, "%d bits a sample", bits);
    return 0;
  }
  if (decoder->samples < needed) {
    refuse(decoder, "%d samples a pixel", decoder->samples);
    return 0;
  }
  return needed;
}

static void read_header(tiff_decoder *decoder) {
  TIFF *tiff = decoder->tiff;
  uint32_t width = 0, height = 0;
  uint16_t planar = PLANARCONFIG_CONTIG, format = SAMPLEFORMAT_UINT, compression = COMPRESSION_NONE;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &decoder->bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &decoder->samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) {
    mux_fail(&decoder->base, "the header gives no size");
    return;
  }
  if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &decoder->photometric)) {
    decoder->photometric = decoder->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  }
  void *version = NULL;
  if (TIFFGetField(tiff, TIFFTAG_DNGVERSION, &version)) {
    return refuse(decoder, "a camera's raw file, DNG", 0);
  }
  if (!TIFFIsCODECConfigured(compression)) {
    return refuse(decoder, "compression %d", compression);
  }
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
    return refuse(decoder, "samples of format %d, not unsigned integers", format);
  }
  decoder->is_separate = planar == PLANARCONFIG_SEPARATE && decoder->samples > 1;

  const uint16_t needed = check_samples(decoder, compression);
  if (needed == 0) return;
  uint16_t count = 0;
  uint16_t *extra = NULL;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &extra) && count > 0) {
    decoder->is_premultiplied = decoder->photometric == PHOTOMETRIC_RGB && decoder->samples > 3 &&
                                extra[0] == EXTRASAMPLE_ASSOCALPHA;
  }
  const uint64_t unit = TIFFIsTiled(tiff) ? TIFFTileSize64(tiff) : TIFFScanlineSize64(tiff);
  if (unit == 0 || unit > (uint64_t)1 << 30) {
    mux_fail(&decoder->base, "its sizes disagree");
    return;
  }
  decoder->base.channels = needed == 1 && decoder->photometric != PHOTOMETRIC_PALETTE ? 1 : 3;
  decoder->base.height = height;
  decoder->base.width = width;
  const uint64_t units =
      !decoder->is_separate ? 1 : planes_of(decoder) * (TIFFIsTiled(tiff) ? 1ull : height);
  decoder->base.working_bytes =
      (1 << 20) + unit * units + (decoder->is_converted ? (uint64_t)width * height * 8 : 0);
}

mux_decoder *mux_open_tiff(const uint8_t *bytes, size_t count) {
  tiff_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->bytes = bytes;
  decoder->count = count;
  decoder->base.read = read_picture;
  decoder->base.close = close_decoder;
  decoder->tiff = open_file(decoder);
  if (decoder->tiff == NULL) {
    mux_fail(&decoder->base, "libtiff finds no picture in it");
  } else {
    read_header(decoder);
  }
  return &decoder->base;
}
#endif
