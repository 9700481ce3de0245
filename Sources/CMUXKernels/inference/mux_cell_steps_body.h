// SPDX-License-Identifier: Apache-2.0
// The steps with products of cells; included by mux_cells_body.h.

/// Bytes from one gathered row of values to the next.
static ptrdiff_t CELL(row_pitch)(const mux_window *w) {
  return mux_ceil_div((mux_window_length(w) + 4) * (4 / MUX_CELL), 4) * 4;
}

/// Floats of scratch for gathered rows.
static size_t CELL(gather_scratch)(const mux_window *w) {
  return w->kernel == 0 ? 0 : (size_t)(w->input_count * w->kernel * CELL(row_pitch)(w) / 4);
}

/// Encodes `count` values one after the other.
static void CELL(encode_values)(
    const float *from, ptrdiff_t count, mux_quantization quantization, char *to) {
  enum { SIZE = 4 / MUX_CELL };
  ptrdiff_t i = 0;
  for (; i + MUX_LANES <= count; i += MUX_LANES) {
    CELL(write)(to + i * SIZE, CELL(encode)(v_load(from + i), quantization));
  }
  if (i == count) return;
  char rest[MUX_LANES * SIZE];
  CELL(write)(rest, CELL(encode)(v_load_first(from + i, (int)(count - i)), quantization));
  memcpy(to + i * SIZE, rest, (size_t)((count - i) * SIZE));
}

/// Gathers the rows under output row `y`, with the padding, and encodes them:
/// [channel][row][column]. Gives where they are.
static const int32_t *CELL(gather)(
    const mux_window *w, ptrdiff_t y, mux_quantization quantization, float *observed,
    const float *arena, float *scratch) {
  enum { SIZE = 4 / MUX_CELL };
  const ptrdiff_t length = mux_window_length(w), pitch = CELL(row_pitch)(w);
  const ptrdiff_t left = w->padding < length ? w->padding : length;
  const ptrdiff_t most = length - left, copied = w->in_width < most ? w->in_width : most;
  // One of a cell's values, all of which are the same.
  const int zero = CELL(zero)(quantization) & 255;
  char *to = (char *)scratch;
  if (observed) MUX_NAME(observe_floats)(&(const float){0}, 1, observed);
  for (ptrdiff_t c = 0; c < w->input_count; ++c) {
    for (ptrdiff_t k = 0; k < w->kernel; ++k, to += pitch) {
      const ptrdiff_t row = y * w->stride - w->padding + k * w->dilation;
      if (row < 0 || row >= w->in_height) {
        memset(to, zero, (size_t)pitch);
        continue;
      }
      const float *from = arena + w->inputs[c] + row * w->in_width;
      if (observed) MUX_NAME(observe_floats)(from, copied, observed);
      memset(to, zero, (size_t)(left * SIZE));
      CELL(encode_values)(from, copied, quantization, to + left * SIZE);
      memset(to + (left + copied) * SIZE, zero, (size_t)(pitch - (left + copied) * SIZE));
    }
  }
  return (const int32_t *)scratch;
}

static void CELL(pack_task)(const mux_pack *s, int32_t task, float *arena) {
  const ptrdiff_t cells = mux_ceil_div(s->planes, MUX_CELL);
  ptrdiff_t first, end;
  mux_band(cells, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    int32_t *to = (int32_t *)arena + s->output + c * s->pixels;
    const float *from[MUX_CELL];
    for (int j = 0; j < MUX_CELL; ++j) {
      const ptrdiff_t plane = c * MUX_CELL + j < s->planes ? c * MUX_CELL + j : s->planes - 1;
      from[j] = arena + s->inputs[plane];
      if (s->observed >= 0) {
        MUX_NAME(observe_floats)(from[j], s->pixels, arena + s->observed);
      }
    }
    for (ptrdiff_t i = 0; i < s->pixels; i += MUX_LANES) {
      const ptrdiff_t left = s->pixels - i;
      const int now = left < MUX_LANES ? (int)left : MUX_LANES;
      vi cell = {0};
      MUX_UNROLL
      for (int j = 0; j < MUX_CELL; ++j) {
        cell = CELL(push)(
            cell, CELL(encode)(v_load_first(from[j] + i, now), s->quantization));
      }
      v_store_first((float *)to + i, (vf)cell, now);
    }
  }
}

static size_t CELL(dense_scratch)(const mux_dense *s) {
  size_t size = CELL(gather_scratch)(&s->window);
  if (s->gate >= 0) size += (size_t)(2 * s->cells * MUX_LANES + 4 * MUX_LANES);
  return size;
}

/// The cells of a block's weights times the gate; for 8 bits also the scale and the bias, which
/// depend on it.
static void CELL(gate_cells)(
    const mux_dense *s, ptrdiff_t block, const float *gate, int32_t *to, float *scale,
    float *bias) {
  const float *weights = s->weights + block * s->cells * MUX_CELL * MUX_LANES;
#if MUX_CELL == 2
  (void)scale;
  v_store(bias, v_load(s->bias + block * MUX_LANES));
  for (ptrdiff_t k = 0; k < s->cells; ++k) {
    vi cell = {0};
    MUX_UNROLL
    for (int j = 0; j < 2; ++j) {
      const vf weight = v_load(weights + (k * 2 + j) * MUX_LANES);
      cell = CELL(push)(
          cell, CELL(encode)(weight * MUX_NAME(i_splat)(gate[k * 2 + j]), s->quantization));
    }
    MUX_NAME(store_cells)(to + k * MUX_LANES, cell);
  }
#else
  // The greatest gate uses the whole range.
  float greatest = 1e-20f;
  for (ptrdiff_t k = 0; k < s->cells * 4; ++k) {
    const float size = gate[k] < 0 ? -gate[k] : gate[k];
    if (size > greatest) greatest = size;
  }
  const float inverse = 1 / greatest;
  vi sum = {0};
  for (ptrdiff_t k = 0; k < s->cells; ++k) {
    vi cell = {0};
    MUX_UNROLL
    for (int j = 0; j < 4; ++j) {
      const vf weight =
          v_load(weights + (k * 4 + j) * MUX_LANES) * MUX_NAME(i_splat)(gate[k * 4 + j] * inverse);
      // Adding 1.5 · 2²³ rounds to an integer, in the low bits.
      const vi value = (vi)(weight + MUX_NAME(i_splat)(12582912.0f));
      sum += value << 24 >> 24;
      cell = CELL(push)(cell, value & 255);
    }
    MUX_NAME(store_cells)(to + k * MUX_LANES, cell);
  }
  const vf unit = v_load(s->scale + block * MUX_LANES) * MUX_NAME(i_splat)(greatest);
  v_store(scale, unit);
  v_store(bias, v_load(s->bias + block * MUX_LANES) -
                    unit * __builtin_convertvector(sum, vf) *
                        MUX_NAME(i_splat)(s->quantization.zero));
#endif
}

/// Adds the blocked residual in bfloat16 to a tile.
static void CELL(add_kept)(
    const mux_dense *s, ptrdiff_t block, float *tile, ptrdiff_t pixel, ptrdiff_t pixels,
    const float *arena) {
  const char *from = (const char *)(arena + s->blocked_residual) +
                     (block * s->pixels + pixel) * 2 * MUX_LANES;
  for (ptrdiff_t i = 0; i < pixels; ++i) {
    float *to = tile + i * MUX_LANES;
    v_store(to, v_load(to) + MUX_NAME(load_kept)(from + i * 2 * MUX_LANES));
  }
}

/// Activates a tile and encodes it as cells of the next step.
static void CELL(store_packed)(
    const mux_dense *s, ptrdiff_t block, float *tile, ptrdiff_t pixel, int pixels, float *arena) {
  MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
  vf x[MUX_LANES];
  MUX_UNROLL
  for (int i = 0; i < MUX_LANES; ++i) x[i] = v_load(tile + i * MUX_LANES);
  MUX_NAME(transpose)(x);
  const ptrdiff_t first = block * (MUX_LANES / MUX_CELL);
  const ptrdiff_t wanted = mux_ceil_div(s->outer, MUX_CELL) - first;
  float *to = arena + s->packed + first * s->pixels + pixel;
  MUX_UNROLL
  for (int c = 0; c < MUX_LANES / MUX_CELL; ++c) {
    if (c < wanted) {
      vi cell = {0};
      MUX_UNROLL
      for (int j = 0; j < MUX_CELL; ++j) {
        cell = CELL(push)(cell, CELL(encode)(x[c * MUX_CELL + j], s->packed_quantization));
      }
      v_store_first(to + c * s->pixels, (vf)cell, pixels);
    }
  }
}

static void CELL(dense_task)(
    const mux_dense *step, int32_t task, float *arena, float *scratch) {
  const bool adds_kept =
      step->has_blocked_residual && step->blocked_residual_precision == MUX_BFLOAT16;
  mux_dense rest = *step;
  if (adds_kept) rest.has_blocked_residual = 0;
  const mux_dense *s = &rest;
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES);
  const bool window = s->window.kernel > 0;
  ptrdiff_t first_block, end_block, first, end;
  // Blocks are done in pairs.
  mux_band(mux_ceil_div(blocks, 2), s->block_bands, task % s->block_bands, &first_block,
           &end_block);
  first_block *= 2;
  end_block = 2 * end_block < blocks ? 2 * end_block : blocks;
  mux_band(window ? s->window.out_height : s->pixels, s->pixel_bands, task / s->block_bands,
           &first, &end);
  if (!window && s->pixel_bands > 1) {
    first = first / MUX_LANES * MUX_LANES;
    if (end < s->pixels) end = end / MUX_LANES * MUX_LANES;
  }
  float *extra = scratch, *gated = scratch + 4 * MUX_LANES;
  float *rows = scratch + (s->gate >= 0 ? (2 * s->cells + 4) * MUX_LANES : 0);
  const int kind = CELL(tile_kind)(window, s->step != 1, s->window.stride);
  // Lines of windows one by one; else all pixels are one line.
  for (ptrdiff_t y = window ? first : 0; y < (window ? end : 1); ++y) {
    const ptrdiff_t start = window ? y * s->window.out_width : first;
    const ptrdiff_t pixels = window ? s->window.out_width : end - first;
    const int32_t *x = window ? CELL(gather)(&s->window, y, s->quantization,
                                             s->observed < 0 ? NULL : arena + s->observed, arena,
                                             rows)
                              : (const int32_t *)arena + first * s->step;
    for (ptrdiff_t b = first_block; b < end_block; b += 2) {
      const int count = b + 1 < end_block ? 2 : 1;
      const int32_t *weights = (const int32_t *)s->weights + b * s->cells * MUX_LANES;
      const float *bias = s->bias + b * MUX_LANES;
      const float *scale = s->scale ? s->scale + b * MUX_LANES : NULL;
      if (s->gate >= 0) {
        for (int i = 0; i < count; ++i) {
          CELL(gate_cells)(s, b + i, arena + s->gate, (int32_t *)gated + i * s->cells * MUX_LANES,
                           extra + i * MUX_LANES, extra + (2 + i) * MUX_LANES);
        }
        weights = (const int32_t *)gated;
        scale = extra;
        bias = extra + 2 * MUX_LANES;
      }
      float tile[2][MUX_LANES * MUX_LANES] __attribute__((aligned(64))) = {0};
      const CELL(sink) sinks[2] = {{.mode = CELL(to_floats), .floats = tile[0]},
                                   {.mode = CELL(to_floats), .floats = tile[1]}};
      vf totals[2] = {{0}, {0}};
      for (ptrdiff_t done = 0; done < pixels; done += MUX_LANES) {
        const ptrdiff_t rest = pixels - done;
        const int now = rest < MUX_LANES ? (int)rest : MUX_LANES;
        const int32_t *from = window
                                  ? (const int32_t *)((const char *)x + done * s->step)
                                  : x + done * s->step;
        CELL(run_tiles)(kind, from, s->offsets, s->cells, weights, scale, bias, s->step, now,
                        sinks[0], count == 2 ? &sinks[1] : NULL);
        for (int i = 0; i < count; ++i) {
          if (adds_kept) CELL(add_kept)(s, b + i, tile[i], start + done, now, arena);
          if (s->packs) {
            CELL(store_packed)(s, b + i, tile[i], start + done, now, arena);
          } else {
            MUX_NAME(dense_store)(s, b + i, tile[i], start + done, now, &totals[i], arena);
          }
        }
      }
      for (int i = 0; !s->outputs && !s->packs && i < count; ++i) {
        const ptrdiff_t left = s->outer - (b + i) * MUX_LANES;
        v_store_first(arena + s->means + (b + i) * MUX_LANES,
                      totals[i] * MUX_NAME(i_splat)(1.0f / (float)s->pixels),
                      left < MUX_LANES ? (int)left : MUX_LANES);
      }
    }
  }
}

// A unit's ring: rows of cells, each with the padding of its windows left and right.

/// Columns of a ring's row: as far as whole tiles read.
static ptrdiff_t CELL(ring_columns)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  const ptrdiff_t covered = (mux_ceil_div(s->out_width, 7) * 7 - 1) * u->stride + u->kernel;
  const ptrdiff_t needed = s->in_width + u->padding;
  return covered > needed ? covered : needed;
}

/// Rows that are made, those of the padding below included.
static ptrdiff_t CELL(total_rows)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  const ptrdiff_t last = (s->out_height - 1) * u->stride - u->padding + u->kernel;
  return last > s->in_height ? last : s->in_height;
}

static ptrdiff_t CELL(ring_rows)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  const ptrdiff_t rows = u->kernel + s->chunk, total = CELL(total_rows)(s, u);
  return rows < total ? rows : total;
}

static size_t CELL(ring_size)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  return (size_t)(CELL(ring_rows)(s, u) * CELL(ring_columns)(s, u) * u->in_count * MUX_LANES);
}

/// The widest row of cells of the units.
static ptrdiff_t CELL(widest)(const mux_spatial_step *s) {
  ptrdiff_t most = 0;
  for (int32_t u = 0; u < s->unit_count; ++u) {
    const ptrdiff_t columns = CELL(ring_columns)(s, &s->units[u]);
    if (columns > most) most = columns;
  }
  return most;
}

static size_t CELL(spatial_scratch)(const mux_spatial_step *s) {
  size_t most = 0;
  for (int32_t first = 0; first < s->unit_count; first += s->units_per_task) {
    size_t size = 0;
    for (int32_t u = first; u < first + s->units_per_task && u < s->unit_count; ++u) {
      size += CELL(ring_size)(s, &s->units[u]);
    }
    if (size > most) most = size;
  }
  return most + CELL(gather_scratch)(&s->window) + (size_t)(CELL(widest)(s) * MUX_LANES) +
         (size_t)mux_ceil_div(s->units_per_task, 16) * 16;
}

/// Where a band's work keeps its things.
typedef struct {
  float *gather;
  const int32_t *gathered;
  ptrdiff_t gathered_line;
  int32_t *padding;
  int32_t *produced;
  float *rings;
  /// If expanded rows are kept: those that are the task's own.
  ptrdiff_t own_first, own_end;
} CELL(work);

/// Pushes `count` pixels [pixel][lane] from pixel `pixel` of the image on into a ring; to `kept` as
/// well, if that is not NULL.
static void CELL(push_pixels)(
    const mux_spatial_step *s, const mux_spatial_unit *u, const float *values, ptrdiff_t pixel,
    ptrdiff_t count, ptrdiff_t first_row, const int32_t *padding, int32_t *ring,
    ptrdiff_t capacity, ptrdiff_t columns, mux_activation activation, char *kept) {
  while (count > 0) {
    const ptrdiff_t row = pixel / s->in_width, column = pixel % s->in_width;
    const ptrdiff_t now = count < s->in_width - column ? count : s->in_width - column;
    const ptrdiff_t at = (u->padding + column) * MUX_LANES;
    int32_t *to = ring + row % capacity * columns * MUX_LANES + at;
    const int32_t *before =
        row == first_row ? padding + at : ring + (row - 1) % capacity * columns * MUX_LANES + at;
    CELL(push_line)(activation, values, now, s->middle, before, to, kept);
    if (kept) kept += now * 2 * MUX_LANES;
    values += now * MUX_LANES;
    pixel += now;
    count -= now;
  }
}

/// Whether the rings of two units are alike.
MUX_INLINE bool CELL(is_alike)(const mux_spatial_unit *a, const mux_spatial_unit *b) {
  return a->kernel == b->kernel && a->stride == b->stride && a->padding == b->padding;
}

/// Makes rows `first` to before `end` of input block `j` of a unit, and of the next one if `count`
/// is 2; `start` is the first row of all. The next block's ring lies behind the first one's.
static void CELL(produce)(
    const mux_spatial_step *s, const mux_spatial_unit *u, int32_t j, int count, ptrdiff_t start,
    ptrdiff_t first, ptrdiff_t end, CELL(work) *work, int32_t *rings, float *arena) {
  const ptrdiff_t capacity = CELL(ring_rows)(s, u), columns = CELL(ring_columns)(s, u);
  const ptrdiff_t width = s->in_width, block = u->first_in + j;
  const int32_t zero = CELL(zero)(s->middle);
  float *observed = s->observed < 0 ? NULL : arena + s->observed;
  // Left and right of the image.
  const ptrdiff_t ring_size = capacity * columns * MUX_LANES;
  for (ptrdiff_t n = 0; n < count * (end - first); ++n) {
    const ptrdiff_t row = first + n / count;
    int32_t *ring = rings + n % count * ring_size;
    int32_t *to = ring + row % capacity * columns * MUX_LANES;
    for (ptrdiff_t i = 0; i < u->padding * MUX_LANES; ++i) to[i] = zero;
    for (ptrdiff_t i = (u->padding + width) * MUX_LANES; i < columns * MUX_LANES; ++i) {
      to[i] = zero;
    }
    if (row >= s->in_height) {
      // Below the image.
      const int32_t *before =
          row == start ? work->padding : ring + (row - 1) % capacity * columns * MUX_LANES;
      for (ptrdiff_t i = u->padding; i < u->padding + width; ++i) {
        MUX_NAME(store_cells)(
            to + i * MUX_LANES,
            CELL(push)(MUX_NAME(load_cells)(before + i * MUX_LANES),
                       CELL(encode)((vf){0}, s->middle)));
      }
    }
  }
  if (end > s->in_height) end = s->in_height;
  // Planes are copied a vector of pixels at a time; else as many as fill two tiles.
  enum { CHUNK = 28 };
  float values[2][CHUNK * MUX_LANES] __attribute__((aligned(64)));
  const int chunk = s->weights ? CHUNK : MUX_LANES;
  mux_activation activation = s->producer_activation;
  const int32_t *weights = (const int32_t *)s->weights + block * s->inner * MUX_LANES;
  const float *bias = s->bias + block * MUX_LANES;
  const float *scale = s->scale ? s->scale + block * MUX_LANES : NULL;
  const bool window = s->window.kernel > 0;
  const int kind = CELL(tile_kind)(window, false, s->window.stride);
  // A tile goes straight into the ring if it lies in one row; where rows are short, or the values
  // are measured, copied, kept or more than clamped, it goes through a buffer.
  CELL(sink) sink = CELL(sink_for)(activation, s->middle);
  const bool by_row =
      s->weights && !observed && !s->keeps && width >= 12 && sink.mode != CELL(to_floats);
  char *kept_from =
      (char *)(arena + s->kept) + block * s->in_height * width * 2 * MUX_LANES;
  const ptrdiff_t rows = window || by_row || s->keeps ? 1 : end - first;
  for (ptrdiff_t row = first; row < end; row += rows) {
    const int32_t *source = (const int32_t *)arena + row * width;
    ptrdiff_t step = 1;
    if (window) {
      if (work->gathered_line != row) {
        work->gathered =
            CELL(gather)(&s->window, row, s->gathered, observed, arena, work->gather);
        work->gathered_line = row;
      }
      source = work->gathered;
      step = s->window.stride * (4 / MUX_CELL);
    }
    if (by_row) {
      const ptrdiff_t at = u->padding * MUX_LANES;
      sink.cells = rings + row % capacity * columns * MUX_LANES + at;
      sink.before =
          row == start ? work->padding + at
                       : rings + (row - 1) % capacity * columns * MUX_LANES + at;
      CELL(sink) second = sink;
      second.cells += ring_size;
      if (row != start) second.before += ring_size;
      CELL(run_tiles)(kind, source, s->offsets, s->inner, weights, scale, bias, step,
                      width, sink, count == 2 ? &second : NULL);
      continue;
    }
    const ptrdiff_t pixels = rows * width;
    for (ptrdiff_t done = 0; done < pixels; done += chunk) {
      const ptrdiff_t left = pixels - done;
      const int now = left < chunk ? (int)left : chunk;
      const ptrdiff_t pixel = row * width + done;
      if (s->weights) {
        const int32_t *from = window ? (const int32_t *)((const char *)source + done * step)
                                     : source + done;
        const CELL(sink) floats[2] = {{.mode = CELL(to_floats), .floats = values[0]},
                                      {.mode = CELL(to_floats), .floats = values[1]}};
        CELL(run_tiles)(kind, from, s->offsets, s->inner, weights, scale, bias, step,
                        now, floats[0], count == 2 ? &floats[1] : NULL);
      } else {
        for (int n = 0; n < count; ++n) {
          const int32_t *offsets = s->offsets + (block + n) * MUX_LANES;
          vf x[MUX_LANES];
          for (int c = 0; c < MUX_LANES; ++c) {
            x[c] = offsets[c] >= 0 ? v_load_first(arena + offsets[c] + pixel, now) : (vf){0};
          }
          MUX_NAME(transpose)(x);
          MUX_UNROLL
          for (int i = 0; i < MUX_LANES; ++i) v_store(values[n] + i * MUX_LANES, x[i]);
        }
        activation = MUX_IDENTITY;
      }
      for (int n = 0; n < count; ++n) {
        if (observed) MUX_NAME(observe_values)(activation, values[n], now, observed + 2);
        // A row is kept by the task whose output row it is.
        const bool keeps = s->keeps && row >= work->own_first && row < work->own_end;
        char *kept = kept_from + (n * s->in_height * width + pixel) * 2 * MUX_LANES;
        CELL(push_pixels)(s, u, values[n], pixel, now, start, work->padding,
                          rings + n * ring_size, capacity, columns, activation,
                          keeps ? kept : NULL);
      }
    }
  }
}

static void CELL(spatial_bands)(
    const mux_spatial_step *s, int32_t first_unit, ptrdiff_t first_band, ptrdiff_t end_band,
    float *arena, float *scratch) {
  int32_t end_unit = first_unit + s->units_per_task;
  if (end_unit > s->unit_count) end_unit = s->unit_count;
  const ptrdiff_t first = first_band * s->rows_per_task;
  ptrdiff_t end = end_band * s->rows_per_task;
  if (end > s->out_height) end = s->out_height;
  const ptrdiff_t value_size = 4 / MUX_CELL, row_size = s->out_width * MUX_LANES * value_size;
  const ptrdiff_t plane = s->out_height * row_size, widest = CELL(widest)(s);
  CELL(work) work = {
      .gather = scratch, .gathered_line = -1, .own_first = first, .own_end = end};
  scratch += CELL(gather_scratch)(&s->window);
  work.padding = (int32_t *)scratch;
  scratch += widest * MUX_LANES;
  work.produced = (int32_t *)scratch;
  scratch += mux_ceil_div(s->units_per_task, 16) * 16;
  work.rings = scratch;
  const int32_t zero = CELL(zero)(s->middle);
  for (ptrdiff_t i = 0; i < widest * MUX_LANES; ++i) work.padding[i] = zero;
  float *sums = NULL;
  MUX_NAME(line) line;
  for (ptrdiff_t y = first; y < end; ++y) {
    if (s->sums >= 0 && y % s->rows_per_task == 0) {
      sums = arena + s->sums + y / s->rows_per_task * s->out_blocks * MUX_LANES;
      for (int32_t u = first_unit; u < end_unit; ++u) {
        memset(sums + s->units[u].first_out * MUX_LANES, 0,
               (size_t)s->units[u].out_count * MUX_LANES * sizeof(float));
      }
    }
    float *rings = work.rings;
    int32_t run_end = first_unit;
    for (int32_t n = first_unit; n < end_unit; ++n) {
      const mux_spatial_unit *u = &s->units[n];
      // The first of units that are alike makes the rows of all, so that few blocks stay without a
      // partner.
      const bool leads = n == run_end;
      int32_t blocks = 0;
      for (; leads && run_end < end_unit && CELL(is_alike)(u, &s->units[run_end]); ++run_end) {
        blocks += s->units[run_end].in_count;
      }
      const ptrdiff_t capacity = CELL(ring_rows)(s, u), columns = CELL(ring_columns)(s, u);
      const ptrdiff_t ring_size = capacity * columns * MUX_LANES;
      int32_t *produced = &work.produced[n - first_unit];
      // Windows start at row `top` and end at row `bottom`, which may lie below the image.
      const ptrdiff_t top = y * u->stride - u->padding, bottom = top + u->kernel - 1;
      const ptrdiff_t start_top = first * u->stride - u->padding;
      const ptrdiff_t start = start_top > 0 ? start_top : 0;
      if (y == first) *produced = (int32_t)start;
      while (leads && *produced <= bottom) {
        ptrdiff_t to = *produced + 1;
        if (*produced < s->in_height) {
          to = *produced + s->chunk < s->in_height ? *produced + s->chunk : s->in_height;
        }
        if (s->window.kernel > 0) {
          // Row by row, so that the gathered rows serve all blocks.
          to = *produced + 1;
        }
        for (int32_t j = 0; j < blocks; j += 2) {
          CELL(produce)(s, u, j, j + 1 < blocks ? 2 : 1, start, *produced, to, &work,
                        (int32_t *)rings + j * ring_size, arena);
        }
        *produced = (int32_t)to;
      }
      line.taps = u->kernel;
      line.stride = u->stride;
      line.count = s->out_width;
      const ptrdiff_t cell_rows = mux_ceil_div(u->kernel, MUX_CELL);
      for (int32_t o = 0; o < u->out_count; ++o) {
        line.row_count = 0;
        for (int32_t j = 0; j < u->in_count; ++j) {
          for (ptrdiff_t c = 0; c < cell_rows; ++c) {
            const ptrdiff_t row = bottom - c * MUX_CELL;
            if (row < 0 && zero == 0) continue;
            line.rows[line.row_count] =
                row < 0 ? (const float *)work.padding
                        : rings + j * ring_size + row % capacity * columns * MUX_LANES;
            line.weights[line.row_count++] =
                u->weights +
                ((o * u->in_count + j) * cell_rows + c) * u->kernel * MUX_LANES;
          }
        }
        line.bias = u->bias + o * MUX_LANES;
        const CELL(target) target = {
            s->activation, s->result, u->scale ? u->scale + o * MUX_LANES : NULL,
            (char *)(arena + s->out) + (u->first_out + o) * plane + y * row_size,
            sums ? sums + (u->first_out + o) * MUX_LANES : NULL,
            s->observed < 0 ? NULL : arena + s->observed + 4};
        CELL(run_line)(&line, &target);
      }
      rings += CELL(ring_size)(s, u);
    }
  }
}

static void CELL(spatial_tasks)(
    const mux_spatial_step *s, int32_t first, int32_t end, float *arena, float *scratch) {
  const int32_t groups = (int32_t)mux_ceil_div(s->unit_count, s->units_per_task);
  if (groups == 1) {
    CELL(spatial_bands)(s, 0, first, end, arena, scratch);
    return;
  }
  for (int32_t task = first; task < end; ++task) {
    CELL(spatial_bands)(s, task % groups * s->units_per_task, task / groups, task / groups + 1,
                        arena, scratch);
  }
}

static size_t CELL(step_scratch)(const mux_step *step) {
  switch (step->kind) {
  case MUX_STEP_DENSE: return CELL(dense_scratch)(step->argument);
  case MUX_STEP_SPATIAL: return CELL(spatial_scratch)(step->argument);
  default: return 0;
  }
}

static void CELL(step_run)(
    const mux_step *step, int32_t first, int32_t end, float *arena, float *scratch) {
  if (step->kind == MUX_STEP_SPATIAL) {
    CELL(spatial_tasks)(step->argument, first, end, arena, scratch);
    return;
  }
  for (int32_t task = first; task < end; ++task) {
    if (step->kind == MUX_STEP_DENSE) {
      CELL(dense_task)(step->argument, task, arena, scratch);
    } else {
      CELL(pack_task)(step->argument, task, arena);
    }
  }
}
