// SPDX-License-Identifier: Apache-2.0
// Dense convolutions with windows of 3×3 by Winograd's algorithm: tiles of m×m outputs, m being 4 or 2, are
// products of (m + 2)² transformed inputs and weights, 36 instead of 144 or 16 instead of 36 for each pair
// of channels. A task is some tiles: transformed inputs in scratch memory, then for each pair of blocks of
// outputs a matrix product per place in the tile, and the transform back.
//
// Tiles of 4×4 interpolate at 0, ±3/4, ±3/2 and infinity, whose powers are exact in single precision: the
// error is twice that of a plain sum of products (with 0, ±1, ±2 it is four times).

/// The transform of a line of inputs.
MUX_INLINE void MUX_NAME(winograd_in)(int m, const vf *d, vf *to) {
#define SPLAT MUX_NAME(i_splat)
  if (m == 2) {
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[3] - d[1];
    return;
  }
  to[0] = v_fma(SPLAT(1.265625f), d[0], v_fma(SPLAT(-2.8125f), d[2], d[4]));
  to[5] = v_fma(SPLAT(1.265625f), d[1], v_fma(SPLAT(-2.8125f), d[3], d[5]));
  const vf even = v_fma(SPLAT(-2.25f), d[2], d[4]), odd = v_fma(SPLAT(-2.25f), d[1], d[3]);
  to[1] = v_fma(SPLAT(0.75f), odd, even);
  to[2] = v_fma(SPLAT(-0.75f), odd, even);
  const vf far = v_fma(SPLAT(-0.5625f), d[2], d[4]), off = v_fma(SPLAT(-0.5625f), d[1], d[3]);
  to[3] = v_fma(SPLAT(1.5f), off, far);
  to[4] = v_fma(SPLAT(-1.5f), off, far);
#undef SPLAT
}

/// The transform of a line of products to outputs.
MUX_INLINE void MUX_NAME(winograd_out)(int m, const vf *x, vf *to) {
#define SPLAT MUX_NAME(i_splat)
  const vf sum = x[1] + x[2], difference = x[1] - x[2];
  if (m == 2) {
    to[0] = x[0] + sum;
    to[1] = difference + x[3];
    return;
  }
  const vf far = x[3] + x[4], off = x[3] - x[4];
  to[0] = x[0] + sum + far;
  to[1] = v_fma(SPLAT(1.5f), off, difference * SPLAT(0.75f));
  to[2] = v_fma(SPLAT(2.25f), far, sum * SPLAT(0.5625f));
  to[3] = v_fma(SPLAT(3.375f), off, v_fma(SPLAT(0.421875f), difference, x[5]));
#undef SPLAT
}

/// A tile of inputs, [row][column] with a pixel every MUX_LANES floats and rows `pitch` apart, to
/// [place in the tile] `apart` floats apart.
MUX_INLINE void MUX_NAME(winograd_tile_in)(int m, const float *from, ptrdiff_t pitch, float *to,
                                           ptrdiff_t apart) {
  vf columns[6][6];
  MUX_UNROLL
  for (int j = 0; j < m + 2; ++j) {
    vf d[6], t[6];
    MUX_UNROLL
    for (int i = 0; i < m + 2; ++i) d[i] = v_load(from + i * pitch + j * MUX_LANES);
    MUX_NAME(winograd_in)(m, d, t);
    MUX_UNROLL
    for (int i = 0; i < m + 2; ++i) columns[i][j] = t[i];
  }
  MUX_UNROLL
  for (int i = 0; i < m + 2; ++i) {
    vf t[6];
    MUX_NAME(winograd_in)(m, columns[i], t);
    MUX_UNROLL
    for (int j = 0; j < m + 2; ++j) v_store(to + (i * (m + 2) + j) * apart, t[j]);
  }
}

/// The products of a tile back to outputs, rows `pitch` floats apart.
MUX_INLINE void MUX_NAME(winograd_tile_out)(int m, const float *from, ptrdiff_t apart, vf bias,
                                            float *to, ptrdiff_t pitch) {
  vf columns[4][6];
  MUX_UNROLL
  for (int j = 0; j < m + 2; ++j) {
    vf x[6], t[4];
    MUX_UNROLL
    for (int i = 0; i < m + 2; ++i) x[i] = v_load(from + (i * (m + 2) + j) * apart);
    MUX_NAME(winograd_out)(m, x, t);
    MUX_UNROLL
    for (int i = 0; i < m; ++i) columns[i][j] = t[i];
  }
  MUX_UNROLL
  for (int i = 0; i < m; ++i) {
    vf t[4];
    MUX_NAME(winograd_out)(m, columns[i], t);
    MUX_UNROLL
    for (int j = 0; j < m; ++j) v_store(to + i * pitch + j * MUX_LANES, t[j] + bias);
  }
}

/// How a step's scratch memory is shared out, in floats.
typedef struct {
  /// Outputs and inputs of a tile's side, places in a tile.
  ptrdiff_t m, side, places;
  /// Tiles in a row of the image, and in all.
  ptrdiff_t across, tiles;
  /// From a place in the tiles to the next: of transformed inputs, and of products. Odd numbers of
  /// vectors, so that places do not compete for the same lines of the cache.
  ptrdiff_t apart, products_apart;
  /// From a row of gathered inputs to the next, and of outputs.
  ptrdiff_t in_pitch, out_pitch;
} MUX_TYPE(winograd);

static MUX_TYPE(winograd) MUX_NAME(winograd_of)(const mux_dense *s) {
  const ptrdiff_t m = s->winograd, most = s->winograd_tiles;
  MUX_TYPE(winograd) w = {.m = m, .side = m + 2, .places = (m + 2) * (m + 2)};
  w.across = mux_ceil_div(s->window.out_width, m);
  w.tiles = w.across * mux_ceil_div(s->window.out_height, m);
  w.apart = ((mux_ceil_div(s->inner, MUX_LANES) * most) | 1) * MUX_LANES;
  w.products_apart = (most | 1) * MUX_LANES;
  const ptrdiff_t line = most < w.across ? most : w.across;
  w.in_pitch = (line * m + 2) * MUX_LANES;
  w.out_pitch = line * m * MUX_LANES;
  return w;
}

static size_t MUX_NAME(winograd_scratch)(const mux_dense *s) {
  const MUX_TYPE(winograd) w = MUX_NAME(winograd_of)(s);
  // (Vectors of outputs that are transposed may reach beyond the last one.)
  return (size_t)(w.places * (w.apart + 2 * w.products_apart) + w.side * w.in_pitch +
                  w.m * w.out_pitch + MUX_LANES * MUX_LANES);
}

/// Gathers the inputs of `count` tiles side by side, from a block of channels on: pixels of MUX_LANES
/// channels, with the padding.
static void MUX_NAME(winograd_gather)(const mux_dense *s, const MUX_TYPE(winograd) *w,
                                      ptrdiff_t block, ptrdiff_t tile_row, ptrdiff_t tile_column,
                                      ptrdiff_t count, const float *arena, float *to) {
  const mux_window *window = &s->window;
  const ptrdiff_t left = s->inner - block * MUX_LANES;
  const int channels = left < MUX_LANES ? (int)left : MUX_LANES;
  const int32_t *inputs = window->inputs + block * MUX_LANES;
  const ptrdiff_t column = tile_column * w->m - window->left, width = count * w->m + 2;
  // The columns that are in the image.
  ptrdiff_t first = column < 0 ? -column : 0;
  ptrdiff_t end = window->in_width - column < width ? window->in_width - column : width;
  if (first > width) first = width;
  if (end < first) end = first;
  for (ptrdiff_t i = 0; i < w->side; ++i, to += w->in_pitch) {
    const ptrdiff_t row = tile_row * w->m - window->top + i;
    if (row < 0 || row >= window->in_height || first >= end) {
      memset(to, 0, (size_t)(width * MUX_LANES) * sizeof(float));
      continue;
    }
    memset(to, 0, (size_t)(first * MUX_LANES) * sizeof(float));
    memset(to + end * MUX_LANES, 0, (size_t)((width - end) * MUX_LANES) * sizeof(float));
    if (s->step == MUX_LANES) {
      memcpy(to + first * MUX_LANES,
             arena + inputs[0] + (row * window->in_width + column + first) * MUX_LANES,
             (size_t)((end - first) * MUX_LANES) * sizeof(float));
      continue;
    }
    const float *from = arena + row * window->in_width + column;
    for (ptrdiff_t x = first; x < end; x += MUX_LANES) {
      const int now = end - x < MUX_LANES ? (int)(end - x) : MUX_LANES;
      vf pixels[MUX_LANES];
      if (now == MUX_LANES && channels == MUX_LANES) {
        MUX_UNROLL
        for (int c = 0; c < MUX_LANES; ++c) pixels[c] = v_load(from + inputs[c] + x);
        MUX_NAME(transpose)(pixels);
        MUX_UNROLL
        for (int p = 0; p < MUX_LANES; ++p) v_store(to + (x + p) * MUX_LANES, pixels[p]);
      } else {
        for (int c = 0; c < MUX_LANES; ++c) {
          pixels[c] = c < channels ? v_load_first(from + inputs[c] + x, now) : (vf){0};
        }
        MUX_NAME(transpose)(pixels);
        for (int p = 0; p < now; ++p) v_store(to + (x + p) * MUX_LANES, pixels[p]);
      }
    }
  }
}

/// The products of one block, or two, of `count` tiles, place by place.
static void MUX_NAME(winograd_products)(const mux_dense *s, const MUX_TYPE(winograd) *w,
                                        ptrdiff_t block, bool paired, const float *inputs,
                                        ptrdiff_t count, float *first, float *second) {
  static const float zeros[2 * MUX_LANES];
  const float infinity = __builtin_inff();
  const MUX_TYPE(tile_function) *tiles = MUX_NAME(tiles_for)(0, MUX_LANES, s->offsets, s->inner);
  const MUX_TYPE(pair_function) *pairs = MUX_NAME(pairs_for)(0, MUX_LANES, s->offsets, s->inner);
  const ptrdiff_t size = s->inner * MUX_LANES * (paired ? 2 : 1);
  const float *weights = s->weights + block * w->places * s->inner * MUX_LANES;
  const ptrdiff_t parts =
      mux_ceil_div(count, MUX_NAME(most_for)(paired, MUX_LANES, s->offsets, s->inner));
  for (ptrdiff_t place = 0; place < w->places; ++place, weights += size) {
    const float *from = inputs + place * w->apart;
    for (ptrdiff_t part = 0, at = 0; part < parts; ++part) {
      const ptrdiff_t now = (count - at) / (parts - part);
      float *to = first + place * w->products_apart + at * MUX_LANES;
      if (paired) {
        pairs[now - 1](from + at * MUX_LANES, s->offsets, s->inner, weights, zeros, -infinity,
                       infinity, MUX_LANES, to, second + place * w->products_apart + at * MUX_LANES,
                       MUX_LANES);
      } else {
        tiles[now - 1](from + at * MUX_LANES, s->offsets, s->inner, weights, zeros, -infinity,
                       infinity, MUX_LANES, to, MUX_LANES);
      }
      at += now;
    }
  }
}

/// Stores `count` tiles side by side of a block, rows of outputs of `rows`.
static void MUX_NAME(winograd_store)(const mux_dense *s, const MUX_TYPE(winograd) *w,
                                     ptrdiff_t block, ptrdiff_t tile_row, ptrdiff_t tile_column,
                                     ptrdiff_t count, float *rows, float *arena) {
  const ptrdiff_t column = tile_column * w->m, width = s->window.out_width;
  const ptrdiff_t end = column + count * w->m < width ? count * w->m : width - column;
  for (ptrdiff_t i = 0; i < w->m; ++i, rows += w->out_pitch) {
    const ptrdiff_t row = tile_row * w->m + i;
    if (row >= s->window.out_height) return;
    for (ptrdiff_t x = 0; x < end; x += MUX_LANES) {
      const ptrdiff_t now = end - x < MUX_LANES ? end - x : MUX_LANES;
      const ptrdiff_t pixel = row * width + column + x;
      float *tile = rows + x * MUX_LANES;
      if (s->is_blocked && !s->has_blocked_residual) {
        // Blocked results are activated where they belong.
        float *to = arena + s->blocked + (block * s->pixels + pixel) * MUX_LANES;
        memcpy(to, tile, (size_t)(now * MUX_LANES) * sizeof(float));
        tile = to;
      }
      MUX_NAME(dense_store)(s, block, tile, pixel, now, NULL, arena);
    }
  }
}

/// Calls for each row of tiles that a run of them has a part of.
#define MUX_EACH_ROW(FIRST, END, row, column, at, count)                                          \
  for (ptrdiff_t tile = FIRST, at = 0, count, row, column;                                        \
       tile < END && (row = tile / w.across, column = tile % w.across,                            \
                     count = w.across - column < END - tile ? w.across - column : END - tile, 1); \
       tile += count, at += count)

MUX_INLINE void MUX_NAME(winograd_tiles)(int m, const mux_dense *s, ptrdiff_t first, ptrdiff_t end,
                                         ptrdiff_t first_block, ptrdiff_t end_block, float *arena,
                                         float *scratch) {
  const MUX_TYPE(winograd) w = MUX_NAME(winograd_of)(s);
  float *inputs = scratch, *products[2] = {inputs + w.places * w.apart, NULL};
  products[1] = products[0] + w.places * w.products_apart;
  float *gathered = products[1] + w.places * w.products_apart;
  float *rows = gathered + w.side * w.in_pitch;
  const ptrdiff_t in_blocks = mux_ceil_div(s->inner, MUX_LANES);
  for (ptrdiff_t b = 0; b < in_blocks; ++b) {
    MUX_EACH_ROW(first, end, row, column, at, count) {
      MUX_NAME(winograd_gather)(s, &w, b, row, column, count, arena, gathered);
      for (ptrdiff_t t = 0; t < count; ++t) {
        MUX_NAME(winograd_tile_in)(m, gathered + t * m * MUX_LANES, w.in_pitch,
                                   inputs + (b * s->winograd_tiles + at + t) * MUX_LANES, w.apart);
      }
    }
  }
  for (ptrdiff_t b = first_block; b < end_block; b += 2) {
    const bool paired = b + 1 < end_block;
    MUX_NAME(winograd_products)(s, &w, b, paired, inputs, end - first, products[0], products[1]);
    for (int i = 0; i <= (int)paired; ++i) {
      const vf bias = v_load(s->bias + (b + i) * MUX_LANES);
      MUX_EACH_ROW(first, end, row, column, at, count) {
        for (ptrdiff_t t = 0; t < count; ++t) {
          MUX_NAME(winograd_tile_out)(m, products[i] + (at + t) * MUX_LANES, w.products_apart, bias,
                                      rows + t * m * MUX_LANES, w.out_pitch);
        }
        MUX_NAME(winograd_store)(s, &w, b + i, row, column, count, rows, arena);
      }
    }
  }
}
#undef MUX_EACH_ROW

/// Tiles `first` to before `end` times blocks.
static void MUX_NAME(winograd_task)(const mux_dense *s, ptrdiff_t first, ptrdiff_t end,
                                    ptrdiff_t first_block, ptrdiff_t end_block, float *arena,
                                    float *scratch) {
  if (s->winograd == 4) {
    MUX_NAME(winograd_tiles)(4, s, first, end, first_block, end_block, arena, scratch);
  } else {
    MUX_NAME(winograd_tiles)(2, s, first, end, first_block, end_block, arena, scratch);
  }
}
