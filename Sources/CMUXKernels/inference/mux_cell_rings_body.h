// SPDX-License-Identifier: Apache-2.0
// The rings of a spatial step with products of cells; included by mux_cells_body.h.

// A unit's ring: rows of cells, each with the padding of its windows left and right. A subpixel
// unit's cells hold every factor-th row, as its windows do. A block with all phases of a superpixel
// branch holds, for each row, two rows of the fine grid side by side, whose cells go on through both.

/// A unit's ring. What does not change is worked out once per task, since rows can be as short as a
/// division is long.
typedef struct {
  const mux_spatial_unit *unit;
  /// Two rows of the fine grid side by side in each row.
  bool has_phases;
  /// Rows, and columns, from one tap of a window to the next.
  ptrdiff_t step;
  /// Columns left of the image: as far as windows stick out.
  ptrdiff_t margin;
  /// Columns of a row: as far as whole tiles read.
  ptrdiff_t columns;
  /// Rows that lie in the ring at a time.
  ptrdiff_t capacity;
  /// Cells of the ring of one block; those of a unit's other blocks lie behind it.
  ptrdiff_t size;
  int32_t *cells;
  /// The first row that the task makes, and the next one to be made.
  ptrdiff_t start, next;
} CELL_TYPE(ring);

/// The first and the last row under the windows of output row `y`, which may lie outside the image.
MUX_INLINE ptrdiff_t CELL(top_row)(const CELL_TYPE(ring) *r, ptrdiff_t y) {
  // The margin is what is left of the image, of phases also what is above it.
  return r->has_phases ? y - r->margin : y * r->unit->stride - r->step * r->unit->top;
}
MUX_INLINE ptrdiff_t CELL(bottom_row)(const CELL_TYPE(ring) *r, ptrdiff_t y) {
  return r->has_phases ? y + r->margin : CELL(top_row)(r, y) + r->step * (r->unit->kernel - 1);
}

/// A row's place in the ring.
MUX_INLINE int32_t *CELL(ring_row)(const CELL_TYPE(ring) *r, ptrdiff_t row) {
  return r->cells + mux_slot(row, r->capacity) * r->columns * MUX_LANES;
}

/// The ring of a unit, whose memory is not set.
static CELL_TYPE(ring) CELL(ring_of)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  CELL_TYPE(ring) r = {.unit = u, .has_phases = u->mode == MUX_SPATIAL_SUPERPIXEL_NARROW};
  r.step = u->mode == MUX_SPATIAL_SUBPIXEL ? u->factor : 1;
  r.margin = r.has_phases ? (u->kernel / 2 + 1) / 2 : r.step * u->left;
  const ptrdiff_t windows = mux_ceil_div(mux_ceil_div(s->out_width, r.step), 7) * 7;
  const ptrdiff_t covered =
      r.has_phases ? windows + 2 * r.margin : r.step * ((windows - 1) * u->stride + u->kernel);
  const ptrdiff_t needed = s->in_width + r.margin;
  r.columns = covered > needed ? covered : needed;
  // All that are made, those of the padding below included, if they are fewer.
  ptrdiff_t total = CELL(bottom_row)(&r, s->out_height - 1) + 1;
  if (total < s->in_height) total = s->in_height;
  r.capacity = CELL(bottom_row)(&r, 0) - CELL(top_row)(&r, 0) + 1 + s->chunk;
  if (r.capacity > total) r.capacity = total;
  r.size = r.capacity * r.columns * MUX_LANES;
  return r;
}

/// Floats that hold the rings' descriptions.
static size_t CELL(ring_list)(const mux_spatial_step *s) {
  return (size_t)mux_ceil_div(s->units_per_task * (ptrdiff_t)sizeof(CELL_TYPE(ring)), 64) * 16;
}

/// Floats for zipped weights of two blocks.
static size_t CELL(zipped_scratch)(const mux_spatial_step *s) {
#if defined(MUX_ZIPS)
  return s->weights ? (size_t)(2 * CELL(weight_pitch)(s->inner)) : 0;
#else
  (void)s;
  return 0;
#endif
}

/// The widest row of cells of the units.
static ptrdiff_t CELL(widest)(const mux_spatial_step *s) {
  ptrdiff_t most = 0;
  for (int32_t u = 0; u < s->unit_count; ++u) {
    const CELL_TYPE(ring) ring = CELL(ring_of)(s, &s->units[u]);
    if (ring.columns > most) most = ring.columns;
  }
  return most;
}

static size_t CELL(spatial_scratch)(const mux_spatial_step *s) {
  size_t most = 0;
  for (int32_t first = 0; first < s->unit_count; first += s->units_per_task) {
    size_t size = 0;
    for (int32_t u = first; u < first + s->units_per_task && u < s->unit_count; ++u) {
      size += (size_t)(CELL(ring_of)(s, &s->units[u]).size * s->units[u].in_count);
    }
    if (size > most) most = size;
  }
  return most + CELL(gather_scratch)(&s->window) + (size_t)(CELL(widest)(s) * MUX_LANES) +
         CELL(ring_list)(s) + CELL(zipped_scratch)(s);
}

/// Where a band's work keeps its things.
typedef struct {
  float *gather;
  const int32_t *gathered;
  ptrdiff_t gathered_line;
  /// A row of zeros.
  int32_t *padding;
  /// Weights of two blocks, if they are zipped.
  int32_t *zipped;
  int32_t zero;
  /// If expanded rows are kept: those that are the task's own.
  ptrdiff_t own_first, own_end;
} CELL_TYPE(work);

/// The cells onto which those of row `row` are pushed.
MUX_INLINE const int32_t *CELL(row_before)(const CELL_TYPE(ring) *r, ptrdiff_t row,
                                           const CELL_TYPE(work) *work) {
  const ptrdiff_t before = row - r->step;
  return before < r->start ? work->padding : CELL(ring_row)(r, before);
}

/// Pushes `count` pixels [pixel][lane] from pixel `pixel` of the image on into a ring; to `kept` as
/// well, if that is not NULL.
static void CELL(push_pixels)(const mux_spatial_step *s, const CELL_TYPE(ring) *r,
                              const float *values, ptrdiff_t pixel, ptrdiff_t count,
                              const CELL_TYPE(work) *work, mux_activation activation, char *kept) {
  while (count > 0) {
    const ptrdiff_t row = pixel / s->in_width, column = pixel % s->in_width;
    const ptrdiff_t now = count < s->in_width - column ? count : s->in_width - column;
    const ptrdiff_t at = (r->margin + column) * MUX_LANES;
    CELL(push_line)(activation, r->has_phases, values, now, s->middle,
                    CELL(row_before)(r, row, work) + at, CELL(ring_row)(r, row) + at, kept);
    if (kept) kept += now * 2 * MUX_LANES;
    values += now * MUX_LANES;
    pixel += now;
    count -= now;
  }
}

/// Whether the rings of two units are alike.
MUX_INLINE bool CELL(is_alike)(const mux_spatial_unit *a, const mux_spatial_unit *b) {
  return a->mode == b->mode && a->factor == b->factor && a->kernel == b->kernel &&
         a->stride == b->stride && a->top == b->top && a->left == b->left;
}

/// Sets what is outside the image in rows `first` to before `end` of a ring: left, right and below.
static void CELL(surround)(const mux_spatial_step *s, const CELL_TYPE(ring) *r, ptrdiff_t first,
                           ptrdiff_t end, const CELL_TYPE(work) *work) {
  const ptrdiff_t right = r->margin + s->in_width;
  const vi zeros = (vi){0} + work->zero, value = CELL(encode)((vf){0}, s->middle);
  for (ptrdiff_t row = first; row < end; ++row) {
    int32_t *to = CELL(ring_row)(r, row);
    // What was there stays there.
    if (row < r->start + r->capacity) {
      for (ptrdiff_t i = 0; i < r->margin; ++i) MUX_NAME(store_cells)(to + i * MUX_LANES, zeros);
      for (ptrdiff_t i = right; i < r->columns; ++i) {
        MUX_NAME(store_cells)(to + i * MUX_LANES, zeros);
      }
    }
    if (row < s->in_height) continue;
    const int32_t *before = CELL(row_before)(r, row, work);
    for (ptrdiff_t i = r->margin; i < right; ++i) {
      const vi cells = MUX_NAME(load_cells)(before + i * MUX_LANES);
      MUX_NAME(store_cells)(to + i * MUX_LANES, r->has_phases ? CELL(push_phases)(cells, value)
                                                              : CELL(push)(cells, value));
    }
  }
}
