// SPDX-License-Identifier: Apache-2.0
//
// Tiles filled from rows or from the windows of an image; part of mux_pointwise_body.h.

MUX_INLINE void NAME(tile_transform)(const float *x, ptrdiff_t stride, ptrdiff_t rows,
                                     ptrdiff_t columns, const float *scale, const float *shift,
                                     const float *gate, float *tile, const mux_activation kind,
                                     const int affine, const int gated) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    float *to = tile + r * KB;
    for (ptrdiff_t k0 = 0; k0 < columns; k0 += KB, to += MB * KB) {
      const ptrdiff_t kn = columns - k0 < KB ? columns - k0 : KB;
      for (ptrdiff_t k = 0; k < kn; k += VW) {
        vf v = NAME(loadn)(from + k0 + k, kn - k);
        if (affine) v = v * v_load(scale + k0 + k) + v_load(shift + k0 + k);
        v = v_activate(kind, v);
        if (gated) v = v * v_load(gate + k0 + k);
        v_store(to + k, v);
      }
    }
  }
}

static void NAME(load_tile)(const float *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
                            const mux_transform *t, const float *scale, const float *shift,
                            const float *gate, float *tile) {
  if (!t->scale && t->activation.kind == MUX_IDENTITY && !gate) {
    NAME(tile_transform)(x, stride, rows, columns, 0, 0, 0, tile, MUX_PLAIN(MUX_IDENTITY), 0, 0);
  } else if (gate) {
#define CALL(kind) \
  NAME(tile_transform)(x, stride, rows, columns, scale, shift, gate, tile, kind, 1, 1)
    MUX_EACH_ACTIVATION(t->activation, CALL)
#undef CALL
  } else {
#define CALL(kind) \
  NAME(tile_transform)(x, stride, rows, columns, scale, shift, gate, tile, kind, 1, 0)
    MUX_EACH_ACTIVATION(t->activation, CALL)
#undef CALL
  }
}

/// Rows `first ..< first + rows` of the window matrix of an image.
static void NAME(window_tile)(const float *image, const mux_pointwise_window *w, ptrdiff_t first,
                              ptrdiff_t rows, float *tile) {
  const ptrdiff_t inner = w->kernel * w->kernel * w->channels;
  const ptrdiff_t blocks = (inner + KB - 1) / KB;
  for (ptrdiff_t r = 0; r < rows; r++) {
    const ptrdiff_t oy = (first + r) / w->out_width, ox = (first + r) % w->out_width;
    ptrdiff_t k = 0;
    for (ptrdiff_t ky = 0; ky < w->kernel; ky++) {
      const ptrdiff_t y = oy * w->stride - w->top + ky;
      for (ptrdiff_t kx = 0; kx < w->kernel; kx++) {
        const ptrdiff_t x = ox * w->stride - w->left + kx;
        const int inside = y >= 0 && y < w->height && x >= 0 && x < w->width;
        const float *from = image + (y * w->width + x) * w->channels;
        for (ptrdiff_t c = 0; c < w->channels; c++, k++) {
          tile[(k / KB) * MB * KB + r * KB + k % KB] = inside ? from[c] : 0.0f;
        }
      }
    }
    for (; k < blocks * KB; k++) tile[(k / KB) * MB * KB + r * KB + k % KB] = 0.0f;
  }
}

/// A copy of per-channel coefficients, padded to whole blocks.
static const float *NAME(padded)(const float *from, ptrdiff_t columns, float **scratch) {
  if (!from) return 0;
  float *to = *scratch;
  const ptrdiff_t size = (columns + KB - 1) / KB * KB;
  memcpy(to, from, (size_t)columns * sizeof(float));
  for (ptrdiff_t k = columns; k < size; k++) to[k] = 0.0f;
  *scratch += size;
  return to;
}

static ptrdiff_t NAME(block_rows)(ptrdiff_t rows) {
  const ptrdiff_t blocks = (rows + MB - 1) / MB;
  return ((rows + blocks - 1) / blocks + 7) / 8 * 8;
}
