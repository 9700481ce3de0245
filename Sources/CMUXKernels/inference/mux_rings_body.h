// SPDX-License-Identifier: Apache-2.0
// The rings of a spatial step: rows of the expanded tensor, as many as the windows reach over, in
// scratch memory.

/// The rows of the input, counted from the first window's stride times y, that output row y of a
/// unit needs: from `first` to before `end`.
static void MUX_NAME(rows_needed)(const mux_spatial_unit *u, ptrdiff_t *first, ptrdiff_t *end) {
  const ptrdiff_t reach = (ptrdiff_t)(u->kernel - 1) * u->dilation;
  switch (u->mode) {
  case MUX_SPATIAL_SUBPIXEL:
    *first = -(ptrdiff_t)u->factor * u->top;
    *end = *first + u->factor * reach + 1;
    break;
  case MUX_SPATIAL_SUPERPIXEL:
  case MUX_SPATIAL_SUPERPIXEL_NARROW:
    *first = mux_floor_div(-u->top, u->factor);
    *end = mux_floor_div(u->factor - 1 + reach - u->top, u->factor) + 1;
    break;
  default: *first = -u->top; *end = *first + reach + 1;
  }
}

/// The units of a task, and the rings of their input blocks, which all have the same rows.
typedef struct {
  int32_t first_unit, end_unit;
  /// Rows of a ring: all of them, or a multiple of the chunk.
  ptrdiff_t capacity;
  /// Output row y needs rows from y · stride + `first` to before y · stride + `end`.
  ptrdiff_t stride, first, end;
  /// If expanded rows are kept: where, block by block, and which ones are this task's own. These are
  /// not in a ring.
  float *kept;
  ptrdiff_t own_first, own_end;
  /// Floats of a ring.
  ptrdiff_t size;
} MUX_TYPE(rings);

static MUX_TYPE(rings) MUX_NAME(rings_of)(const mux_spatial_step *s, int32_t first_unit) {
  MUX_TYPE(rings) rings = {.first_unit = first_unit, .end_unit = first_unit + s->units_per_task};
  if (rings.end_unit > s->unit_count) rings.end_unit = s->unit_count;
  bool is_alike = true;
  for (int32_t n = first_unit; n < rings.end_unit; ++n) {
    const mux_spatial_unit *u = &s->units[n];
    ptrdiff_t first, end;
    MUX_NAME(rows_needed)(u, &first, &end);
    if (n == first_unit || first < rings.first) rings.first = first;
    if (n == first_unit || end > rings.end) rings.end = end;
    const ptrdiff_t stride = u->mode == MUX_SPATIAL_PLAIN ? u->stride : 1;
    if (n == first_unit) rings.stride = stride;
    if (rings.stride != stride) is_alike = false;
  }
  const ptrdiff_t rows = mux_ceil_div(rings.end - rings.first - 1 + s->chunk, s->chunk) * s->chunk;
  rings.capacity = is_alike && rows < s->in_height ? rows : s->in_height;
  // Of units whose windows move differently every row is kept from the start, whichever row is the
  // task's first.
  if (!is_alike) {
    rings.stride = 0;
    rings.first = 0;
    rings.end = s->in_height;
  }
  rings.size = rings.capacity * s->in_width * MUX_LANES;
  return rings;
}

/// Row `row` of an input block if it is kept by this task, else NULL.
MUX_INLINE float *MUX_NAME(kept_row)(const mux_spatial_step *s, const MUX_TYPE(rings) *rings,
                                     ptrdiff_t block, ptrdiff_t row) {
  if (!rings->kept || row < rings->own_first || row >= rings->own_end) return NULL;
  return rings->kept + (block * s->in_height + row) * s->in_width * MUX_LANES;
}

/// Floats of a unit's line of results, if they are encoded after it.
static size_t MUX_NAME(encoded_scratch)(const mux_spatial_step *s) {
  int32_t most = 0;
  for (int32_t u = 0; s->result_precision != MUX_FLOAT32 && u < s->unit_count; ++u) {
    if (s->units[u].out_count > most) most = s->units[u].out_count;
  }
  return (size_t)(most * s->out_width * MUX_LANES);
}

static size_t MUX_NAME(spatial_scratch)(const mux_spatial_step *s) {
  size_t most = 0;
  for (int32_t first = 0; first < s->unit_count; first += s->units_per_task) {
    const MUX_TYPE(rings) rings = MUX_NAME(rings_of)(s, first);
    size_t size = 0;
    for (int32_t u = first; u < rings.end_unit; ++u) {
      size += (size_t)(rings.size * s->units[u].in_count);
    }
    if (size > most) most = size;
  }
  return most + mux_window_scratch(&s->window) + MUX_NAME(encoded_scratch)(s);
}

/// Expands `pixels` pixels, whose inputs lie at `offsets` from `x`, of a block, or of two if there is
/// a `second`, and activates them.
static void MUX_NAME(expand)(const mux_spatial_step *s, ptrdiff_t block, const float *x,
                             const int32_t *offsets, ptrdiff_t step, ptrdiff_t pixels, float *to,
                             float *second, ptrdiff_t pitch) {
  float low, high;
  const bool clamps = MUX_NAME(clamp_of)(s->producer_activation, &low, &high);
  const MUX_TYPE(tile_function) *tiles = MUX_NAME(tiles_for)(0, step, offsets, s->inner);
  const MUX_TYPE(pair_function) *pairs = MUX_NAME(pairs_for)(0, step, offsets, s->inner);
  const float *weights = s->weights + block * s->inner * MUX_LANES;
  const float *bias = s->bias + block * MUX_LANES;
  const ptrdiff_t most = MUX_NAME(most_for)(second != NULL, step, offsets, s->inner);
  const ptrdiff_t count = mux_ceil_div(pixels, most);
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
    const ptrdiff_t now = (pixels - done) / (count - t);
    if (second) {
      pairs[now - 1](x + done * step, offsets, s->inner, weights, bias, low, high, step,
                     to + done * pitch, second + done * pitch, pitch);
    } else {
      tiles[now - 1](x + done * step, offsets, s->inner, weights, bias, low, high, step,
                     to + done * pitch, pitch);
    }
    done += now;
  }
  if (clamps) return;
  MUX_NAME(activate_line)(s->producer_activation, to, pitch, pixels, NULL);
  if (second) MUX_NAME(activate_line)(s->producer_activation, second, pitch, pixels, NULL);
}

/// Copies `pixels` pixels of a block from lanes.
static void MUX_NAME(copy_lanes)(const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t pixel,
                                 ptrdiff_t pixels, float *to, ptrdiff_t pitch, const float *arena) {
  const float *from = arena + s->offsets[block * MUX_LANES] + pixel * MUX_LANES;
  if (pitch == MUX_LANES) {
    memcpy(to, from, (size_t)(pixels * MUX_LANES) * sizeof(float));
    return;
  }
  for (ptrdiff_t i = 0; i < pixels; ++i) v_store(to + i * pitch, v_load(from + i * MUX_LANES));
}

/// Copies `pixels` pixels of a block from planes.
static void MUX_NAME(copy_planes)(const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t pixel,
                                  ptrdiff_t pixels, float *to, ptrdiff_t pitch,
                                  const float *arena) {
  const int32_t *offsets = s->offsets + block * MUX_LANES;
  for (ptrdiff_t done = 0; done < pixels; done += MUX_LANES) {
    const ptrdiff_t left = pixels - done;
    const int now = left < MUX_LANES ? (int)left : MUX_LANES;
    vf x[MUX_LANES];
    const float *from = arena + pixel + done;
    if (now == MUX_LANES) {
      MUX_UNROLL
      for (int c = 0; c < MUX_LANES; ++c) {
        x[c] = offsets[c] >= 0 ? v_load(from + offsets[c]) : (vf){0};
      }
      MUX_NAME(transpose)(x);
      MUX_UNROLL
      for (int i = 0; i < MUX_LANES; ++i) v_store(to + (done + i) * pitch, x[i]);
    } else {
      for (int c = 0; c < MUX_LANES; ++c) {
        x[c] = offsets[c] >= 0 ? v_load_first(from + offsets[c], now) : (vf){0};
      }
      MUX_NAME(transpose)(x);
      for (int i = 0; i < now; ++i) v_store(to + (done + i) * pitch, x[i]);
    }
  }
}

/// The rows under those of a line of the producer's windows that are not inside the image, which
/// line that is, and which of its pixels are inside.
typedef struct {
  float *rows;
  ptrdiff_t line, first, end;
} MUX_TYPE(gathered);

/// Expands row `row` from windows.
static void MUX_NAME(expand_windows)(const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t row,
                                     float *to, float *second, ptrdiff_t pitch,
                                     MUX_TYPE(gathered) *gathered, const float *arena) {
  const mux_window *w = &s->window;
  if (gathered->line != row) {
    MUX_NAME(windows_inside)(w, row, &gathered->first, &gathered->end);
    MUX_NAME(gather_windows)(w, row, 0, gathered->first, arena, gathered->rows);
    MUX_NAME(gather_windows)(w, row, gathered->end, s->in_width, arena, gathered->rows);
    gathered->line = row;
  }
  // Outside, inside, outside.
  const ptrdiff_t ends[3] = {gathered->first, gathered->end, s->in_width};
  const float *inside = arena + (row * w->stride - w->top) * w->in_width - w->left;
  for (ptrdiff_t part = 0, at = 0; part < 3; at = ends[part++]) {
    if (at >= ends[part]) continue;
    MUX_NAME(expand)(s, block, (part == 1 ? inside : gathered->rows) + at * w->stride,
                     part == 1 ? w->taps : s->offsets, w->stride, ends[part] - at, to + at * pitch,
                     second ? second + at * pitch : NULL, pitch);
  }
}

/// Makes `rows` rows of `count` input blocks from row `row` on, those of `block` at `to` and those
/// of each next block `apart` floats further.
static void MUX_NAME(produce_rows)(const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t count,
                                   ptrdiff_t row, ptrdiff_t rows, float *to, ptrdiff_t apart,
                                   ptrdiff_t pitch, MUX_TYPE(gathered) *gathered,
                                   const float *arena) {
  const ptrdiff_t pixel = row * s->in_width, pixels = rows * s->in_width;
  if (!s->weights) {
    for (ptrdiff_t j = 0; j < count; ++j) {
      if (s->pitch == MUX_LANES) {
        MUX_NAME(copy_lanes)(s, block + j, pixel, pixels, to + j * apart, pitch, arena);
      } else {
        MUX_NAME(copy_planes)(s, block + j, pixel, pixels, to + j * apart, pitch, arena);
      }
      MUX_NAME(activate_line)(s->producer_activation, to + j * apart, pitch, pixels, NULL);
    }
    return;
  }
  for (ptrdiff_t j = 0; j < count; j += 2) {
    float *first = to + j * apart, *second = j + 1 < count ? first + apart : NULL;
    if (s->window.kernel > 0) {
      MUX_NAME(expand_windows)(s, block + j, row, first, second, pitch, gathered, arena);
    } else {
      MUX_NAME(expand)(s, block + j, arena + pixel * s->pitch, s->offsets, s->pitch, pixels, first,
                       second, pitch);
    }
  }
}

/// Makes rows `first` to before `end` of the input blocks of a task's units.
static void MUX_NAME(fill_rings)(const mux_spatial_step *s, const MUX_TYPE(rings) *rings,
                                 float *ring, ptrdiff_t first, ptrdiff_t end,
                                 MUX_TYPE(gathered) *gathered, float *arena) {
  const ptrdiff_t width = s->in_width, capacity = rings->capacity;
  for (int32_t n = rings->first_unit; n < rings->end_unit;) {
    const mux_spatial_unit *u = &s->units[n];
    ptrdiff_t count = u->in_count;
    if (u->mode == MUX_SPATIAL_SUPERPIXEL) {
      // Block j is phase j: every factor-th pixel of every factor-th row of the fine grid.
      const ptrdiff_t r = u->factor;
      for (ptrdiff_t row = first; row < end; ++row) {
        for (ptrdiff_t j = 0; j < r; ++j) {
          float *to = ring + (mux_slot(row, capacity) * r + j) * r * width * MUX_LANES;
          MUX_NAME(produce_rows)(s, u->first_in + j * r, r, row, 1, to, MUX_LANES, r * MUX_LANES,
                                 gathered, arena);
        }
      }
      ++n;
    } else {
      // With the next ones, so that few blocks stay without a partner.
      for (++n; n < rings->end_unit && s->units[n].mode != MUX_SPATIAL_SUPERPIXEL; ++n) {
        count += s->units[n].in_count;
      }
      // Gathered rows serve all blocks.
      const ptrdiff_t rows = s->window.kernel > 0 || s->keeps ? 1 : end - first;
      for (ptrdiff_t row = first; row < end; row += rows) {
        float *kept = MUX_NAME(kept_row)(s, rings, u->first_in, row);
        float *to = kept ? kept : ring + mux_slot(row, capacity) * width * MUX_LANES;
        MUX_NAME(produce_rows)(s, u->first_in, count, row, rows, to,
                               kept ? s->in_height * width * MUX_LANES : rings->size, MUX_LANES,
                               gathered, arena);
      }
    }
    ring += count * rings->size;
  }
}
