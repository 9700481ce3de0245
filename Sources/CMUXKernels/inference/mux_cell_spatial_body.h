// SPDX-License-Identifier: Apache-2.0
// The expansion and the spatial convolution in one pass, with products of cells; included by
// mux_cells_body.h.

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
