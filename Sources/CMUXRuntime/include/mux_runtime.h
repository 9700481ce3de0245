// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_RUNTIME_H
#define MUX_RUNTIME_H

// The inference runtime for programs in other languages: link libMUXRuntimeC, or load it (ctypes, dlopen).
//
//   mux_model model;
//   if (mux_model_open("pets.muxnet", 1, &model) != MUX_OK) puts(mux_last_error());
//   mux_image image = {.bytes = pixels, .size = 3 * 640 * 480, .width = 640, .height = 480};
//   mux_guess guesses[5];
//   int32_t found;
//   if (mux_classify(model, &image, 5, guesses, &found) != MUX_OK) puts(mux_last_error());
//   mux_model_close(model);
//
// Every function may be called from any thread, also several at a time with one model: each call that
// runs has memory of its own. All but two return MUX_OK or another status, and then have written nothing
// but mux_last_error. Pointers that are null, models that were closed and buffers of another size than
// is needed are such errors; a pointer to less memory than a count says is not found out.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What functions return.
enum {
  MUX_OK = 0,
  /// A null pointer, or a number that makes no sense.
  MUX_ERROR_ARGUMENT = 1,
  /// A model that is not open (any more).
  MUX_ERROR_MODEL = 2,
  /// A buffer of another size than is needed.
  MUX_ERROR_SIZE = 3,
  /// A file that cannot be read, or is no model that this machine can run.
  MUX_ERROR_FILE = 4,
  /// An image that cannot be prepared, or numbers that are not finite.
  MUX_ERROR_IMAGE = 5,
  /// A network that is for something else: a detector asked for classes, or the other way round.
  MUX_ERROR_TASK = 6,
};

/// What the bytes of an image are. Alpha is passed over.
enum {
  MUX_RGB = 0,
  MUX_BGR = 1,
  MUX_RGBA = 2,
  MUX_BGRA = 3,
  MUX_ARGB = 4,
  MUX_GREY = 5,
  /// The rows of luma, then half as many of blue and red chroma in turns, all with the same stride:
  /// ITU-R BT.601 in the range of video (16…235).
  MUX_NV12 = 6,
};

/// An open model; 0 is none. Numbers are never used again.
typedef uint64_t mux_model;

/// An image of any size in memory.
typedef struct mux_image {
  const uint8_t *bytes;
  /// Bytes in all.
  size_t size;
  /// Pixels per row, and rows from top to bottom.
  int32_t width, height;
  /// MUX_RGB …
  int32_t format;
  /// Bytes from one row to the next; 0 where rows follow each other without gaps.
  int64_t bytes_per_row;
} mux_image;

/// What is known of a model.
typedef struct mux_model_info {
  /// Of the images that go into the network.
  int32_t channels, height, width;
  /// Numbers that come out of it, and of its features (0 if it has none).
  int32_t outputs, features;
  /// Classes that have names; 0 where the file does not name them.
  int32_t classes;
  /// Whether it finds things in images (mux_detect); 0 or 1.
  int32_t is_detector;
} mux_model_info;

/// One class of an image.
typedef struct mux_guess {
  /// Its place among the outputs.
  int32_t index;
  /// 0…1
  float probability;
} mux_guess;

/// A thing in an image.
typedef struct mux_box {
  /// The place of its class among the classes.
  int32_t index;
  /// 0…1
  float probability;
  /// Edges in pixels of the image.
  float left, top, right, bottom;
} mux_box;

/// The version of this interface: 1. It grows when functions or fields come to it.
int32_t mux_runtime_version(void);

/// What was wrong with the last call of this thread that failed: one line of UTF-8, until the next one
/// fails. Never null.
const char *mux_last_error(void);

/// Opens a model file: of `muxnet convert --to runtime` or `muxnet quantize`, or a run's
/// best.safetensors. `path` is UTF-8. An image is computed on `threads` threads.
int32_t mux_model_open(const char *path, int32_t threads, mux_model *model);

/// Closes a model. Calls that use it go on to their end; its memory is given back after them.
int32_t mux_model_close(mux_model model);

/// What is known of a model.
int32_t mux_model_describe(mux_model model, mux_model_info *info);

/// The name of a class, ended by a zero. MUX_ERROR_SIZE if it takes more than `size` bytes with that.
int32_t mux_class_name(mux_model model, int32_t index, char *name, size_t size);

/// The most likely classes of an image, most likely first: at most `count`. `found` says how many.
int32_t mux_classify(mux_model model, const mux_image *image, int32_t count, mux_guess *guesses,
                     int32_t *found);

/// The things in an image, most likely first: at most `count`, with at least the probability
/// `threshold` (below 0: as the model says). `found` says how many.
int32_t mux_detect(mux_model model, const mux_image *image, double threshold, int32_t count,
                   mux_box *boxes, int32_t *found);

/// An image's features (an embedding): what the last layer makes classes of. `count` is exactly
/// `features` of mux_model_info.
int32_t mux_features(mux_model model, const mux_image *image, float *features, size_t count);

/// The image as the network takes it: resized, cut and normalised as in training, [C, H, W]. `count` is
/// exactly channels · height · width.
int32_t mux_prepare(mux_model model, const mux_image *image, float *pixels, size_t count);

/// The network's outputs for an image's prepared numbers. `pixel_count` is exactly
/// channels · height · width, and `output_count` is `outputs` of mux_model_info.
int32_t mux_run(mux_model model, const float *pixels, size_t pixel_count, float *outputs,
                size_t output_count);

#ifdef __cplusplus
}
#endif

#endif
