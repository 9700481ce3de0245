// SPDX-License-Identifier: Apache-2.0
// What fills the rings of a spatial step with products of cells: the expansion, or planes as they are.
// Included by mux_cells_body.h.

/// What makes the rows of an input block, or of two, whose rings lie one behind the other.
typedef struct {
  const mux_spatial_step *step;
  CELL_TYPE(work) *work;
  float *arena;
  /// The first block, and how many.
  ptrdiff_t block;
  int count;
  CELL_TYPE(ring) rings[2];
  mux_activation activation;
  /// The least and the greatest value of gathered rows, of the expansion and of the result; or NULL.
  float *observed;
  /// Of an expansion: where its cells lie (CELL(tile_kind)), and the operands of the blocks.
  int kind;
  const int32_t *weights;
  const float *scale, *bias;
#if defined(MUX_LIFTS)
  int32_t lifts[2][MUX_LANES];
#endif
} CELL_TYPE(producer);

/// The cells that a row's pixels are made of, and from one pixel to the next.
typedef struct {
  const int32_t *cells;
  ptrdiff_t step;
} CELL_TYPE(pixels);

enum {
  /// Pixels of an expansion that are made at a time, unless they are a row: as many as fill two tiles.
  CELL(expanded_pixels) = 28,
  /// Of rows that are shorter, more than one is made at a time.
  CELL(shortest_row) = 12,
};

/// The operands of an expansion.
static void CELL(prepare_expansion)(CELL_TYPE(producer) *p) {
  const mux_spatial_step *s = p->step;
  p->kind = CELL(tile_kind)(s->window.kernel > 0, false, s->window.stride, s->offsets, s->inner);
  p->weights = (const int32_t *)s->weights + p->block * s->inner * MUX_LANES;
  p->bias = s->bias + p->block * MUX_LANES;
  p->scale = s->scale ? s->scale + p->block * MUX_LANES : NULL;
#if defined(MUX_LIFTS)
  for (int n = 0; n < p->count; ++n) {
    CELL(lift)(p->weights + n * s->inner * MUX_LANES, s->inner, p->lifts[n]);
  }
#endif
#if defined(MUX_ZIPS)
  for (int n = 0; n < p->count; ++n) {
    CELL(zip)(p->weights + n * s->inner * MUX_LANES, s->inner,
              p->work->zipped + n * CELL(weight_pitch)(s->inner));
  }
  p->weights = p->work->zipped;
#endif
}

/// Where row `row` of the expansion has its cells: in the arena, or gathered from under its windows.
static CELL_TYPE(pixels) CELL(pixels_of_row)(const CELL_TYPE(producer) *p, ptrdiff_t row) {
  const mux_spatial_step *s = p->step;
  CELL_TYPE(work) *work = p->work;
  if (s->window.kernel == 0) {
    return (CELL_TYPE(pixels)){(const int32_t *)p->arena + row * s->in_width, 1};
  }
  if (work->gathered_line != row) {
    work->gathered =
        CELL(gather)(&s->window, row, s->gathered, p->observed, p->arena, work->gather);
    work->gathered_line = row;
  }
  return (CELL_TYPE(pixels)){work->gathered, s->window.stride * (4 / MUX_CELL)};
}

/// Expands a row straight into the rings.
MUX_INLINE void CELL(expand_row)(const CELL_TYPE(producer) *p, ptrdiff_t row,
                                 CELL_TYPE(sink) sink) {
  const mux_spatial_step *s = p->step;
  const CELL_TYPE(ring) *r = &p->rings[0];
  const CELL_TYPE(pixels) from = CELL(pixels_of_row)(p, row);
  const ptrdiff_t at = r->margin * MUX_LANES;
  const int32_t *before = CELL(row_before)(r, row, p->work);
  sink.cells = CELL(ring_row)(r, row) + at;
  sink.before = before + at;
  CELL_TYPE(sink) second = sink;
  second.cells += r->size;
  if (before != p->work->padding) second.before += r->size;
#if defined(MUX_LIFTS)
  sink.first = p->lifts[0];
  second.first = p->lifts[1];
#endif
  CELL(run_tiles)(p->kind, from.cells, s->offsets, s->inner, p->weights, p->scale, p->bias,
                  from.step, s->in_width, sink, p->count == 2 ? &second : NULL);
}

/// Expands `count` pixels, from pixel `first` of a row on, to [pixel][lane] of each block.
MUX_INLINE void CELL(expand_pixels)(const CELL_TYPE(producer) *p, CELL_TYPE(pixels) from,
                                    ptrdiff_t first, int count, float *values, float *beside) {
  const mux_spatial_step *s = p->step;
  const int32_t *cells = CELL(is_in_bytes)(p->kind)
                             ? (const int32_t *)((const char *)from.cells + first * from.step)
                             : from.cells + first * from.step;
  const CELL_TYPE(sink) sinks[2] = {
      {.mode = CELL(to_floats), .floats = values MUX_BEGIN(p->lifts[0])},
      {.mode = CELL(to_floats), .floats = beside MUX_BEGIN(p->lifts[1])}};
  CELL(run_tiles)(p->kind, cells, s->offsets, s->inner, p->weights, p->scale, p->bias, from.step,
                  count, sinks[0], p->count == 2 ? &sinks[1] : NULL);
}

/// Copies `count` pixels of a block's planes, a vector at most, to [pixel][lane].
MUX_INLINE void CELL(copy_planes)(const CELL_TYPE(producer) *p, ptrdiff_t block, ptrdiff_t pixel,
                                  int count, float *values) {
  const int32_t *offsets = p->step->offsets + block * MUX_LANES;
  vf x[MUX_LANES];
  for (int c = 0; c < MUX_LANES; ++c) {
    x[c] = offsets[c] >= 0 ? v_load_first(p->arena + offsets[c] + pixel, count) : (vf){0};
  }
  MUX_NAME(transpose)(x);
  MUX_UNROLL
  for (int i = 0; i < MUX_LANES; ++i) v_store(values + i * MUX_LANES, x[i]);
}

/// Pushes `count` pixels [pixel][lane] of block `n` of the producer's into its ring; those of row `row`
/// and of the following ones are measured, and kept, if that is wanted.
MUX_INLINE void CELL(push_block)(const CELL_TYPE(producer) *p, int n, const float *values,
                                 ptrdiff_t row, ptrdiff_t pixel, int count) {
  const mux_spatial_step *s = p->step;
  if (p->observed) MUX_NAME(observe_values)(p->activation, values, count, p->observed + 2);
  char *kept = NULL;
  // A row is kept by the task whose output row it is.
  if (s->keeps && row >= p->work->own_first && row < p->work->own_end) {
    const ptrdiff_t before = (p->block + n) * s->in_height * s->in_width + pixel;
    kept = (char *)(p->arena + s->kept) + before * 2 * MUX_LANES;
  }
  CELL(push_pixels)(s, &p->rings[n], values, pixel, count, p->work, p->activation, kept);
}

/// Makes `rows` rows from row `row` on: pixels are expanded or copied to a buffer, and pushed from there.
static void CELL(produce_buffered)(const CELL_TYPE(producer) *p, ptrdiff_t row, ptrdiff_t rows) {
  float values[2][CELL(expanded_pixels) * MUX_LANES] __attribute__((aligned(64)));
  const mux_spatial_step *s = p->step;
  const bool expands = s->weights != NULL;
  // Planes are copied a vector of pixels at a time.
  const int most = expands ? CELL(expanded_pixels) : MUX_LANES;
  const ptrdiff_t first = row * s->in_width, count = rows * s->in_width;
  CELL_TYPE(pixels) from = {NULL, 0};
  if (expands) from = CELL(pixels_of_row)(p, row);
  for (ptrdiff_t done = 0; done < count; done += most) {
    const int now = count - done < most ? (int)(count - done) : most;
    if (expands) CELL(expand_pixels)(p, from, done, now, values[0], values[1]);
    for (int n = 0; n < p->count; ++n) {
      if (!expands) CELL(copy_planes)(p, p->block + n, first + done, now, values[n]);
      CELL(push_block)(p, n, values[n], row, first + done, now);
    }
  }
}

/// Makes rows `first` to before `end` of an input block whose ring is `r`, and of the next one if
/// `count` is 2, whose ring lies behind it.
static void CELL(produce)(const mux_spatial_step *s, const CELL_TYPE(ring) *r, ptrdiff_t block,
                          int count, ptrdiff_t first, ptrdiff_t end, CELL_TYPE(work) *work,
                          float *arena) {
  CELL_TYPE(producer) p = {.step = s,
                           .work = work,
                           .arena = arena,
                           .block = block,
                           .count = count,
                           .rings = {*r, *r},
                           .observed = s->observed < 0 ? NULL : arena + s->observed};
  p.rings[1].cells += r->size;
  for (int n = 0; n < count; ++n) CELL(surround)(s, &p.rings[n], first, end, work);
  if (end > s->in_height) end = s->in_height;
  p.activation = s->weights ? s->producer_activation : MUX_PLAIN(MUX_IDENTITY);
  if (s->weights) CELL(prepare_expansion)(&p);
  // A tile goes straight into the ring if it lies in one row; where rows are short, or the values
  // are measured, copied, kept or more than clamped, or are phases, it goes through a buffer.
  const CELL_TYPE(sink) sink = CELL(sink_for)(p.activation, s->middle);
  if (s->weights && !p.observed && !s->keeps && s->in_width >= CELL(shortest_row) &&
      sink.mode != CELL(to_floats) && !r->has_phases) {
    for (ptrdiff_t row = first; row < end; ++row) CELL(expand_row)(&p, row, sink);
    return;
  }
  const ptrdiff_t rows = s->window.kernel > 0 || s->keeps ? 1 : end - first;
  for (ptrdiff_t row = first; row < end; row += rows) CELL(produce_buffered)(&p, row, rows);
}
