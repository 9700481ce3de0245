// SPDX-License-Identifier: Apache-2.0
// Prints the most likely classes of a binary PPM image:
//
//   swift build -c release --product MUXRuntimeC
//   cc -ISources/CMUXRuntime/include Samples/RunFromC/classify.c -o classify
//     -L.build/release -lMUXRuntimeC -Wl,-rpath,$PWD/.build/release
//   ./classify pets.muxnet photo.ppm
#include <stdio.h>
#include <stdlib.h>

#include "mux_runtime.h"

static int fail(const char *message) {
  fprintf(stderr, "error: %s\n", message);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: classify MODEL IMAGE.ppm\n");
    return 64;
  }
  FILE *file = fopen(arguments[2], "rb");
  int width, height;
  if (!file || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || fgetc(file) == EOF ||
      width < 1 || height < 1 || width > 32768 || height > 32768) {
    return fail("the image cannot be read; give a binary PPM (P6) without comments");
  }
  const size_t size = (size_t)width * (size_t)height * 3;
  uint8_t *pixels = malloc(size);
  if (!pixels || fread(pixels, 1, size, file) != size) return fail("the image is cut off");

  mux_model model;
  if (mux_model_open(arguments[1], 1, &model) != MUX_OK) return fail(mux_last_error());
  const mux_image image = {.bytes = pixels, .size = size, .width = width, .height = height};
  mux_guess guesses[5];
  int32_t found;
  if (mux_classify(model, &image, 5, guesses, &found) != MUX_OK) return fail(mux_last_error());
  for (int32_t i = 0; i < found; ++i) {
    char name[256];
    if (mux_class_name(model, guesses[i].index, name, sizeof name) != MUX_OK) {
      snprintf(name, sizeof name, "%d", guesses[i].index);
    }
    printf("%s: %.1f %%\n", name, 100 * guesses[i].probability);
  }
  free(pixels);
  return mux_model_close(model) == MUX_OK ? 0 : fail(mux_last_error());
}
