// SPDX-License-Identifier: Apache-2.0
// The expansion and the spatial convolution in one pass, with products of cells; included by
// mux_cells_body.h.

/// Sets the rows of cells under the windows of output row `y`, and their weights, those of output
/// block (or phase) `o`. The rows start `shift` cells further on.
static void CELL(collect_rows)(const CELL_TYPE(ring) *r, ptrdiff_t o, ptrdiff_t y, ptrdiff_t shift,
                               const CELL_TYPE(work) *work, MUX_TYPE(line) *line) {
  const mux_spatial_unit *u = r->unit;
  const ptrdiff_t taps = r->has_phases ? 4 * r->margin + 2 : u->kernel;
  const ptrdiff_t cell_rows = mux_ceil_div(r->has_phases ? u->kernel + 1 : u->kernel, MUX_CELL);
  const float *weights = u->weights + o * u->in_count * cell_rows * taps * MUX_LANES;
  line->row_count = 0;
  for (ptrdiff_t c = 0; c < cell_rows; ++c) {
    ptrdiff_t row, at = shift;
    if (r->has_phases) {
      // The last row of the fine grid, of which each row of the ring has two.
      const ptrdiff_t fine = 2 * y + u->kernel / 2 + 1 - c * MUX_CELL;
      row = mux_floor_div(fine, 2);
      at += (fine - 2 * row) * (MUX_LANES / 2);
    } else {
      row = CELL(bottom_row)(r, y) - c * MUX_CELL * r->step;
    }
    // Zeros add nothing.
    if (row < 0 && work->zero == CELL(zero)((mux_quantization){0})) continue;
    const int32_t *cells = row < 0 ? work->padding : CELL(ring_row)(r, row);
    const ptrdiff_t apart = row < 0 ? 0 : r->size;
    for (int32_t j = 0; j < u->in_count; ++j) {
      line->rows[line->row_count] = (const float *)(cells + j * apart + at);
      line->weights[line->row_count++] = weights + (j * cell_rows + c) * taps * MUX_LANES;
    }
  }
}

/// Output row `y` of a unit, each block of which starts at `out` and has `plane` bytes.
static void CELL(unit_line)(const mux_spatial_step *s, const CELL_TYPE(ring) *r,
                            const CELL_TYPE(work) *work, ptrdiff_t y, char *out, ptrdiff_t plane,
                            float *sums, float *arena) {
  const mux_spatial_unit *u = r->unit;
  MUX_TYPE(line) line;
  line.taps = u->kernel;
  line.stride = u->stride;
  CELL_TYPE(target) target = {.activation = s->activation,
                              .quantization = s->result,
                              .spread = (int)r->step,
                              .observed = s->observed < 0 ? NULL : arena + s->observed + 4};
  if (u->mode == MUX_SPATIAL_SUBPIXEL) {
    target.sums = sums;
    for (ptrdiff_t x = 0; x < r->step && x < s->out_width; ++x) {
      const ptrdiff_t phase = y % r->step * r->step + x;
      CELL(collect_rows)(r, phase, y, x * MUX_LANES, work, &line);
      line.count = mux_ceil_div(s->out_width - x, r->step);
      line.bias = u->bias + phase * MUX_LANES;
      target.scale = u->scale ? u->scale + phase * MUX_LANES : NULL;
      target.to = out + x * MUX_LANES * (4 / MUX_CELL);
      CELL(run_line)(&line, &target);
    }
    return;
  }
  line.count = s->out_width;
  for (int32_t o = 0; o < u->out_count; ++o) {
    CELL(collect_rows)(r, o, y, 0, work, &line);
    line.bias = u->bias + o * MUX_LANES;
    target.scale = u->scale ? u->scale + o * MUX_LANES : NULL;
    target.to = out + o * plane;
    target.sums = sums ? sums + o * MUX_LANES : NULL;
    if (r->has_phases) {
      CELL(run_narrow)(&line, u->kernel, &target);
    } else {
      CELL(run_line)(&line, &target);
    }
  }
}

/// Makes the rows that output row `y` needs and that are not there yet, of `blocks` blocks.
static void CELL(fill_ring)(const mux_spatial_step *s, CELL_TYPE(ring) *r, int32_t blocks,
                            ptrdiff_t y, CELL_TYPE(work) *work, float *arena) {
  const ptrdiff_t bottom = CELL(bottom_row)(r, y);
  while (r->next <= bottom) {
    // Rows below the image, and gathered ones, which serve all blocks, are made one by one.
    ptrdiff_t end = r->next + 1;
    if (r->next < s->in_height && s->window.kernel == 0) {
      end = r->next + s->chunk < s->in_height ? r->next + s->chunk : s->in_height;
    }
    CELL_TYPE(ring) pair = *r;
    for (int32_t j = 0; j < blocks; j += 2) {
      CELL(produce)(s, &pair, r->unit->first_in + j, j + 1 < blocks ? 2 : 1, r->next, end, work,
                    arena);
      pair.cells += 2 * r->size;
    }
    r->next = end;
  }
}

static void CELL(spatial_bands)(const mux_spatial_step *s, int32_t first_unit, ptrdiff_t first_band,
                                ptrdiff_t end_band, float *arena, float *scratch) {
  int32_t count = s->units_per_task;
  if (count > s->unit_count - first_unit) count = s->unit_count - first_unit;
  const mux_spatial_unit *units = s->units + first_unit;
  const ptrdiff_t first = first_band * s->rows_per_task;
  ptrdiff_t end = end_band * s->rows_per_task;
  if (end > s->out_height) end = s->out_height;
  const ptrdiff_t row_size = s->out_width * MUX_LANES * (4 / MUX_CELL);
  const ptrdiff_t plane = s->out_height * row_size, widest = CELL(widest)(s);
  CELL_TYPE(work) work = {.gather = scratch,
                          .gathered_line = -1,
                          .zero = CELL(zero)(s->middle),
                          .own_first = first,
                          .own_end = end};
  scratch += CELL(gather_scratch)(&s->window);
  work.padding = (int32_t *)scratch;
  for (ptrdiff_t i = 0; i < widest * MUX_LANES; ++i) work.padding[i] = work.zero;
  scratch += widest * MUX_LANES;
  CELL_TYPE(ring) *rings = (CELL_TYPE(ring) *)scratch;
  scratch += CELL(ring_list)(s);
  work.zipped = (int32_t *)scratch;
  scratch += CELL(zipped_scratch)(s);
  for (int32_t n = 0; n < count; ++n) {
    rings[n] = CELL(ring_of)(s, &units[n]);
    rings[n].cells = (int32_t *)scratch;
    scratch += rings[n].size * units[n].in_count;
    const ptrdiff_t top = CELL(top_row)(&rings[n], first);
    rings[n].start = rings[n].next = top > 0 ? top : 0;
  }
  float *sums = NULL;
  for (ptrdiff_t y = first; y < end; ++y) {
    if (s->sums >= 0 && y % s->rows_per_task == 0) {
      sums = arena + s->sums + y / s->rows_per_task * s->out_blocks * MUX_LANES;
      for (int32_t n = 0; n < count; ++n) {
        memset(sums + units[n].first_out * MUX_LANES, 0,
               (size_t)units[n].out_count * MUX_LANES * sizeof(float));
      }
    }
    // The first of units that are alike makes the rows of all, so that few blocks stay without a
    // partner.
    for (int32_t n = 0; n < count;) {
      CELL_TYPE(ring) *leader = &rings[n];
      int32_t blocks = 0;
      for (; n < count && CELL(is_alike)(leader->unit, &units[n]); ++n) {
        blocks += units[n].in_count;
      }
      CELL(fill_ring)(s, leader, blocks, y, &work, arena);
    }
    for (int32_t n = 0; n < count; ++n) {
      CELL(unit_line)(s, &rings[n], &work, y,
                      (char *)(arena + s->out) + units[n].first_out * plane + y * row_size, plane,
                      sums ? sums + units[n].first_out * MUX_LANES : NULL, arena);
    }
  }
}

static void CELL(spatial_tasks)(const mux_spatial_step *s, int32_t first, int32_t end, float *arena,
                                float *scratch) {
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
