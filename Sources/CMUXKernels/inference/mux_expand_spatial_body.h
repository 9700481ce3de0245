// SPDX-License-Identifier: Apache-2.0
// The expansion and the spatial convolution in one pass over bands of rows. The expanded rows
// live in a ring of scratch memory, as many as the windows reach over.

/// Rows of the ring of a unit: all of them, or a multiple of the chunk.
static ptrdiff_t MUX_NAME(ring_rows)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  const ptrdiff_t reach = (ptrdiff_t)(u->kernel - 1) * u->dilation + 1;
  ptrdiff_t span = reach;
  if (u->mode == MUX_SPATIAL_SUBPIXEL) span = (reach - 1) * u->factor + 1;
  if (u->mode >= MUX_SPATIAL_SUPERPIXEL) span = (reach + u->factor - 2) / u->factor + 2;
  const ptrdiff_t rows = mux_ceil_div(span - 1 + s->chunk, s->chunk) * s->chunk;
  return rows < s->in_height ? rows : s->in_height;
}

static size_t MUX_NAME(ring_size)(const mux_spatial_step *s, const mux_spatial_unit *u) {
  return (size_t)(MUX_NAME(ring_rows)(s, u) * s->in_width * u->in_count * MUX_LANES);
}

static size_t MUX_NAME(spatial_scratch)(const mux_spatial_step *s) {
  size_t most = 0;
  for (int32_t first = 0; first < s->unit_count; first += s->units_per_task) {
    size_t size = 0;
    for (int32_t u = first; u < first + s->units_per_task && u < s->unit_count; ++u) {
      size += MUX_NAME(ring_size)(s, &s->units[u]);
    }
    if (size > most) most = size;
  }
  return most + mux_window_scratch(&s->window);
}

/// Expands `pixels` pixels of a block, or copies them from planes.
static void MUX_NAME(produce_run)(
    const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t pixel, ptrdiff_t pixels, float *to,
    ptrdiff_t pitch, const float *arena) {
  if (s->weights) {
    float low, high;
    const bool clamps = MUX_NAME(clamp_of)(s->producer_activation, &low, &high);
    const MUX_NAME(tile_function) *tiles = MUX_NAME(tiles_for)(0, 1);
    const float *weights = s->weights + block * s->inner * MUX_LANES;
    const ptrdiff_t most = MUX_NAME(most_pixels);
    const ptrdiff_t count = mux_ceil_div(pixels, most);
    ptrdiff_t done = 0;
    for (ptrdiff_t t = 0; t < count; ++t) {
      const ptrdiff_t now = (pixels - done) / (count - t);
      tiles[now - 1](arena + pixel + done, s->offsets, s->inner, weights,
                     s->bias + block * MUX_LANES, low, high, 1, to + done * pitch, pitch);
      done += now;
    }
    if (!clamps) MUX_NAME(activate_line)(s->producer_activation, to, pitch, pixels, NULL);
    return;
  }
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

/// The rows under a line of the producer's windows, and which line that is.
typedef struct {
  float *rows;
  ptrdiff_t line;
} MUX_NAME(gathered);

/// A row of a block from windows.
static void MUX_NAME(produce_windows)(
    const mux_spatial_step *s, ptrdiff_t block, ptrdiff_t row, float *to,
    MUX_NAME(gathered) *gathered, const float *arena) {
  const mux_window *w = &s->window;
  if (gathered->line != row) {
    MUX_NAME(gather_rows)(w, row, arena, gathered->rows);
    gathered->line = row;
  }
  float low, high;
  const bool clamps = MUX_NAME(clamp_of)(s->producer_activation, &low, &high);
  const MUX_NAME(tile_function) *tiles = MUX_NAME(tiles_for)(0, w->stride);
  const float *weights = s->weights + block * s->inner * MUX_LANES;
  const ptrdiff_t count = mux_ceil_div(w->out_width, MUX_NAME(most_pixels));
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
    const ptrdiff_t now = (w->out_width - done) / (count - t);
    tiles[now - 1](gathered->rows + done * w->stride, s->offsets, s->inner, weights,
                   s->bias + block * MUX_LANES, low, high, w->stride, to + done * MUX_LANES,
                   MUX_LANES);
    done += now;
  }
  if (!clamps) {
    MUX_NAME(activate_line)(s->producer_activation, to, MUX_LANES, w->out_width, NULL);
  }
}

static void MUX_NAME(produce_rows)(
    const mux_spatial_step *s, const mux_spatial_unit *u, float *ring, ptrdiff_t capacity,
    ptrdiff_t first, ptrdiff_t end, MUX_NAME(gathered) *gathered, const float *arena) {
  const ptrdiff_t width = s->in_width;
  if (s->window.kernel > 0) {
    // Row by row, so that the gathered rows serve all blocks.
    for (ptrdiff_t row = first; row < end; ++row) {
      for (int32_t j = 0; j < u->in_count; ++j) {
        float *to = ring + (j * capacity + row % capacity) * width * MUX_LANES;
        MUX_NAME(produce_windows)(s, u->first_in + j, row, to, gathered, arena);
      }
    }
    return;
  }
  for (int32_t j = 0; j < u->in_count; ++j) {
    const ptrdiff_t block = u->first_in + j;
    if (u->mode != MUX_SPATIAL_SUPERPIXEL) {
      float *to = ring + (j * capacity + first % capacity) * width * MUX_LANES;
      MUX_NAME(produce_run)(s, block, first * width, (end - first) * width, to, MUX_LANES, arena);
      continue;
    }
    // Block j is phase j: every factor-th pixel of every factor-th row of the fine grid.
    const ptrdiff_t r = u->factor;
    for (ptrdiff_t row = first; row < end; ++row) {
      float *to = ring + (((row % capacity) * r + j / r) * r * width + j % r) * MUX_LANES;
      MUX_NAME(produce_run)(s, block, row * width, width, to, r * MUX_LANES, arena);
    }
  }
}

/// The last input row (plus one) that output row `y` of a unit needs.
static ptrdiff_t MUX_NAME(rows_end)(
    const mux_spatial_step *s, const mux_spatial_unit *u, ptrdiff_t y) {
  const ptrdiff_t reach = (ptrdiff_t)(u->kernel - 1) * u->dilation;
  ptrdiff_t last;
  switch (u->mode) {
  case MUX_SPATIAL_SUBPIXEL: last = y + u->factor * (reach - u->padding); break;
  case MUX_SPATIAL_SUPERPIXEL:
  case MUX_SPATIAL_SUPERPIXEL_NARROW:
    last = mux_floor_div((y + 1) * u->factor - 1 + reach - u->padding, u->factor);
    break;
  default: last = y * u->stride - u->padding + reach;
  }
  return last < s->in_height - 1 ? last + 1 : s->in_height;
}

/// The first input row that output row `y` of a unit needs.
static ptrdiff_t MUX_NAME(rows_start)(const mux_spatial_unit *u, ptrdiff_t y) {
  ptrdiff_t first;
  switch (u->mode) {
  case MUX_SPATIAL_SUBPIXEL: first = y - (ptrdiff_t)u->factor * u->padding; break;
  case MUX_SPATIAL_SUPERPIXEL:
  case MUX_SPATIAL_SUPERPIXEL_NARROW:
    first = mux_floor_div(y * u->factor - u->padding, u->factor);
    break;
  default: first = y * u->stride - u->padding;
  }
  return first > 0 ? first : 0;
}

static void MUX_NAME(plain_lines)(
    const mux_spatial_step *s, const mux_spatial_unit *u, const float *ring, ptrdiff_t capacity,
    ptrdiff_t y, float *out, ptrdiff_t plane) {
  MUX_NAME(line) line;
  const ptrdiff_t kernel = u->kernel, row_size = s->in_width * MUX_LANES;
  line.columns = s->in_width;
  line.pitch = line.out_pitch = MUX_LANES;
  line.padding = u->padding;
  line.taps = u->kernel;
  line.dilation = u->dilation;
  line.stride = u->stride;
  line.count = s->out_width;
  for (int32_t o = 0; o < u->out_count; ++o) {
    line.row_count = 0;
    for (int32_t j = 0; j < u->in_count; ++j) {
      for (ptrdiff_t k = 0; k < kernel; ++k) {
        const ptrdiff_t row = y * u->stride - u->padding + k * u->dilation;
        if (row < 0 || row >= s->in_height) continue;
        line.rows[line.row_count] = ring + (j * capacity + row % capacity) * row_size;
        line.weights[line.row_count++] =
            u->weights + ((o * u->in_count + j) * kernel + k) * kernel * MUX_LANES;
      }
    }
    line.bias = u->bias + o * MUX_LANES;
    line.out = out + o * plane;
    MUX_NAME(run_line)(&line);
  }
}

static void MUX_NAME(subpixel_lines)(
    const mux_spatial_step *s, const mux_spatial_unit *u, const float *ring, ptrdiff_t capacity,
    ptrdiff_t y, float *out) {
  MUX_NAME(line) line;
  const ptrdiff_t kernel = u->kernel, r = u->factor;
  line.pitch = line.out_pitch = r * MUX_LANES;
  line.padding = u->padding;
  line.taps = u->kernel;
  line.dilation = u->dilation;
  line.stride = 1;
  for (ptrdiff_t x = 0; x < r && x < s->in_width; ++x) {
    const ptrdiff_t phase = y % r * r + x;
    line.row_count = 0;
    line.columns = line.count = mux_ceil_div(s->in_width - x, r);
    for (ptrdiff_t k = 0; k < kernel; ++k) {
      const ptrdiff_t row = y + r * (k * u->dilation - u->padding);
      if (row < 0 || row >= s->in_height) continue;
      line.rows[line.row_count] =
          ring + ((row % capacity) * s->in_width + x) * MUX_LANES;
      line.weights[line.row_count++] =
          u->weights + (phase * kernel + k) * kernel * MUX_LANES;
    }
    line.bias = u->bias + phase * MUX_LANES;
    line.out = out + x * MUX_LANES;
    MUX_NAME(run_line)(&line);
  }
}

static void MUX_NAME(superpixel_lines)(
    const mux_spatial_step *s, const mux_spatial_unit *u, const float *ring, ptrdiff_t capacity,
    ptrdiff_t y, float *out, ptrdiff_t plane) {
  MUX_NAME(line) line;
  const ptrdiff_t kernel = u->kernel, r = u->factor, width = r * s->in_width;
  line.columns = width;
  line.pitch = line.out_pitch = MUX_LANES;
  line.taps = u->kernel;
  line.dilation = u->dilation;
  line.stride = u->factor;
  line.count = s->out_width;
  for (ptrdiff_t phase = 0; phase < r * r; ++phase) {
    line.row_count = 0;
    for (ptrdiff_t k = 0; k < kernel; ++k) {
      const ptrdiff_t row = y * r + phase / r + k * u->dilation - u->padding;
      if (row < 0 || row >= s->in_height * r) continue;
      line.rows[line.row_count] =
          ring + ((row / r % capacity) * r + row % r) * width * MUX_LANES;
      line.weights[line.row_count++] =
          u->weights + (phase * kernel + k) * kernel * MUX_LANES;
    }
    line.padding = u->padding - phase % r;
    line.bias = u->bias + phase * MUX_LANES;
    line.out = out + phase * plane;
    MUX_NAME(run_line)(&line);
  }
}

/// All phases at once: each lane has the window of its own phase, with zeros around it.
static void MUX_NAME(narrow_lines)(
    const mux_spatial_step *s, const mux_spatial_unit *u, const float *ring, ptrdiff_t capacity,
    ptrdiff_t y, float *out) {
  MUX_NAME(line) line;
  const ptrdiff_t row_size = s->in_width * MUX_LANES;
  const ptrdiff_t taps = 4 * ((u->kernel / 2 + 1) / 2) + 2;
  line.columns = line.count = s->in_width;
  line.pitch = line.out_pitch = MUX_LANES;
  line.row_count = 0;
  for (ptrdiff_t k = 0; k <= u->kernel; ++k) {
    const ptrdiff_t fine = 2 * y + k - u->padding;
    if (fine < 0 || fine >= 2 * s->in_height) continue;
    line.rows[line.row_count] =
        ring + (fine / 2 % capacity) * row_size + fine % 2 * (MUX_LANES / 2);
    line.weights[line.row_count++] = u->weights + k * taps * MUX_LANES;
  }
  line.bias = u->bias;
  line.out = out;
  switch (u->kernel) {
  case 3: MUX_NAME(narrow_3)(&line); break;
  case 5: MUX_NAME(narrow_5)(&line); break;
  default: MUX_NAME(narrow_7)(&line); break;
  }
}

/// Runs bands `first_band` to before `end_band` of the units from `first_unit` on; what one band
/// has expanded, the next one finds there.
static void MUX_NAME(spatial_bands)(
    const mux_spatial_step *s, int32_t first_unit, ptrdiff_t first_band, ptrdiff_t end_band,
    float *arena, float *scratch) {
  int32_t end_unit = first_unit + s->units_per_task;
  if (end_unit > s->unit_count) end_unit = s->unit_count;
  const ptrdiff_t first = first_band * s->rows_per_task;
  ptrdiff_t end = end_band * s->rows_per_task;
  if (end > s->out_height) end = s->out_height;
  const ptrdiff_t row_size = s->out_width * MUX_LANES, plane = s->out_height * row_size;
  const ptrdiff_t chunk = s->chunk;
  MUX_NAME(gathered) gathered = {scratch, -1};
  scratch += mux_window_scratch(&s->window);
  float *sums = NULL;
  for (ptrdiff_t y = first; y < end; ++y) {
    if (s->sums >= 0 && y % s->rows_per_task == 0) {
      sums = arena + s->sums + y / s->rows_per_task * s->out_blocks * MUX_LANES;
      for (int32_t u = first_unit; u < end_unit; ++u) {
        memset(sums + s->units[u].first_out * MUX_LANES, 0,
               (size_t)s->units[u].out_count * MUX_LANES * sizeof(float));
      }
    }
    float *ring = scratch;
    for (int32_t n = first_unit; n < end_unit; ++n) {
      const mux_spatial_unit *u = &s->units[n];
      const ptrdiff_t capacity = MUX_NAME(ring_rows)(s, u);
      // Rows are expanded in whole chunks; what was needed before is there.
      const ptrdiff_t needed = MUX_NAME(rows_end)(s, u, y);
      ptrdiff_t from = MUX_NAME(rows_start)(u, y) / chunk * chunk;
      if (y > first) {
        const ptrdiff_t before =
            mux_ceil_div(MUX_NAME(rows_end)(s, u, y - 1), chunk) * chunk;
        if (before > from) from = before;
      }
      for (; from < needed; from += chunk) {
        const ptrdiff_t to = from + chunk < s->in_height ? from + chunk : s->in_height;
        MUX_NAME(produce_rows)(s, u, ring, capacity, from, to, &gathered, arena);
      }
      float *out = arena + s->out + u->first_out * plane + y * row_size;
      switch (u->mode) {
      case MUX_SPATIAL_PLAIN:
        MUX_NAME(plain_lines)(s, u, ring, capacity, y, out, plane);
        break;
      case MUX_SPATIAL_SUBPIXEL:
        MUX_NAME(subpixel_lines)(s, u, ring, capacity, y, out);
        break;
      case MUX_SPATIAL_SUPERPIXEL:
        MUX_NAME(superpixel_lines)(s, u, ring, capacity, y, out, plane);
        break;
      case MUX_SPATIAL_SUPERPIXEL_NARROW:
        MUX_NAME(narrow_lines)(s, u, ring, capacity, y, out);
        break;
      }
      for (int32_t o = 0; o < u->out_count; ++o) {
        MUX_NAME(activate_line)(s->activation, out + o * plane, MUX_LANES, s->out_width,
                                sums ? sums + (u->first_out + o) * MUX_LANES : NULL);
      }
      ring += MUX_NAME(ring_size)(s, u);
    }
  }
}

static void MUX_NAME(spatial_tasks)(
    const mux_spatial_step *s, int32_t first, int32_t end, float *arena, float *scratch) {
  const int32_t groups = (int32_t)mux_ceil_div(s->unit_count, s->units_per_task);
  if (groups == 1) {
    MUX_NAME(spatial_bands)(s, 0, first, end, arena, scratch);
    return;
  }
  for (int32_t task = first; task < end; ++task) {
    MUX_NAME(spatial_bands)(s, task % groups * s->units_per_task, task / groups, task / groups + 1,
                            arena, scratch);
  }
}
