// SPDX-License-Identifier: Apache-2.0
// The rings of a spatial step with products of cells; included by mux_cells_body.h.

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
