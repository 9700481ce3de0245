// SPDX-License-Identifier: Apache-2.0
// Steps of the networks that the paper compares with, plane by plane, the same on every processor.
#include "mux_inference_internal.h"

#include <math.h>
#include <string.h>

void mux_adaptive_pool_task(const mux_adaptive_pool *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  mux_band(s->planes, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    const float *in = arena + s->inputs[c];
    float *out = arena + s->outputs[c];
    for (ptrdiff_t y = 0; y < s->out_height; ++y) {
      const ptrdiff_t top = y * s->in_height / s->out_height;
      const ptrdiff_t bottom = mux_ceil_div((y + 1) * s->in_height, s->out_height);
      for (ptrdiff_t x = 0; x < s->out_width; ++x) {
        const ptrdiff_t left = x * s->in_width / s->out_width;
        const ptrdiff_t right = mux_ceil_div((x + 1) * s->in_width, s->out_width);
        float sum = 0;
        for (ptrdiff_t i = top; i < bottom; ++i) {
          for (ptrdiff_t j = left; j < right; ++j) sum += in[i * s->in_width + j];
        }
        *out++ = sum / (float)((bottom - top) * (right - left));
      }
    }
  }
}

void mux_pad_task(const mux_pad *s, int32_t task, float *arena) {
  ptrdiff_t first, end;
  mux_band(s->planes, s->tasks, task, &first, &end);
  // The columns of the result that come from the plane.
  const ptrdiff_t from = s->left > 0 ? s->left : 0;
  const ptrdiff_t limit = s->in_width + s->left;
  ptrdiff_t to = limit < s->out_width ? limit : s->out_width;
  if (to < from) to = from < s->out_width ? from : s->out_width;
  for (ptrdiff_t c = first; c < end; ++c) {
    const float *in = arena + s->inputs[c];
    float *out = arena + s->outputs[c];
    for (ptrdiff_t y = 0; y < s->out_height; ++y, out += s->out_width) {
      const ptrdiff_t row = y - s->top;
      if (row < 0 || row >= s->in_height || from >= to) {
        memset(out, 0, (size_t)s->out_width * sizeof(float));
        continue;
      }
      if (from > 0) memset(out, 0, (size_t)from * sizeof(float));
      memcpy(out + from, in + row * s->in_width + from - s->left,
             (size_t)(to - from) * sizeof(float));
      if (to < s->out_width) memset(out + to, 0, (size_t)(s->out_width - to) * sizeof(float));
    }
  }
}

void mux_l2_norm_task(const mux_l2_norm *s, int32_t task, float *arena) {
  // Some pixels at a time, so that their sums stay in the nearest cache.
  enum { CHUNK = 256 };
  ptrdiff_t first, end;
  mux_band(s->pixels, s->tasks, task, &first, &end);
  for (ptrdiff_t at = first; at < end; at += CHUNK) {
    const ptrdiff_t count = end - at < CHUNK ? end - at : CHUNK;
    float factor[CHUNK] = {0};
    for (ptrdiff_t c = 0; c < s->planes; ++c) {
      const float *in = arena + s->inputs[c] + at;
      for (ptrdiff_t i = 0; i < count; ++i) factor[i] += in[i] * in[i];
    }
    for (ptrdiff_t i = 0; i < count; ++i) {
      const float norm = sqrtf(factor[i]);
      // (A norm that is not a number stays one.)
      factor[i] = 1 / (norm < s->epsilon ? s->epsilon : norm);
    }
    for (ptrdiff_t c = 0; c < s->planes; ++c) {
      const float *in = arena + s->inputs[c] + at;
      float *out = arena + s->outputs[c] + at;
      for (ptrdiff_t i = 0; i < count; ++i) out[i] = s->scale[c] * (in[i] * factor[i]);
    }
  }
}
