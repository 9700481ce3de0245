// SPDX-License-Identifier: Apache-2.0
// The expansion and the spatial convolution in one pass over bands of rows. The expanded rows
// live in a ring of scratch memory, as many as the windows reach over.

/// What lines do with the outputs of a unit: activate them, and add them to `sums` [out][lane].
typedef struct {
  mux_activation activation;
  float *sums;
} MUX_TYPE(ending);

MUX_INLINE void MUX_NAME(end_line)(MUX_TYPE(line) *line, const MUX_TYPE(ending) *ending,
                                   ptrdiff_t block) {
  line->activation = ending->activation;
  line->sums = ending->sums ? ending->sums + block * MUX_LANES : NULL;
}

/// The rows under a line of windows: `kernel` rows from `top` on, `step` apart, without those outside
/// the image.
typedef struct {
  /// The first and the end of those that are inside, and the place of the first in a ring.
  ptrdiff_t first, end, slot;
} MUX_TYPE(window_rows);

MUX_INLINE MUX_TYPE(window_rows) MUX_NAME(rows_inside)(ptrdiff_t top, ptrdiff_t step,
                                                       ptrdiff_t kernel, ptrdiff_t height,
                                                       ptrdiff_t capacity) {
  ptrdiff_t first = 0, end = kernel;
  while (first < end && top + first * step < 0) ++first;
  while (first < end && top + (end - 1) * step >= height) --end;
  return (MUX_TYPE(window_rows)){first, end,
                                 first < end ? mux_slot(top + first * step, capacity) : 0};
}

#include "mux_fine_line_body.h"

static void MUX_NAME(plain_lines)(const mux_spatial_step *s, const mux_spatial_unit *u,
                                  const MUX_TYPE(rings) *rings, float *ring, ptrdiff_t y,
                                  float *out, ptrdiff_t plane, const MUX_TYPE(ending) *ending) {
  MUX_TYPE(line) line;
  const ptrdiff_t kernel = u->kernel, top = y * u->stride - u->top;
  const MUX_TYPE(window_rows) rows =
      MUX_NAME(rows_inside)(top, u->dilation, kernel, s->in_height, rings->capacity);
  line.columns = s->in_width;
  line.pitch = line.out_pitch = MUX_LANES;
  line.padding = u->left;
  line.taps = u->kernel;
  line.dilation = u->dilation;
  line.stride = u->stride;
  line.count = s->out_width;
  line.row_count = 0;
  const ptrdiff_t row_size = s->in_width * MUX_LANES, capacity = rings->capacity;
  for (int32_t j = 0; j < u->in_count; ++j, ring += capacity * row_size) {
    ptrdiff_t slot = rows.slot;
    for (ptrdiff_t k = rows.first; k < rows.end; ++k) {
      line.rows[line.row_count++] = ring + slot * row_size;
      slot = mux_next_slot(slot, u->dilation, capacity);
    }
  }
  if (rings->kept) {
    // Of these rows, some are not in the rings.
    int n = 0;
    for (int32_t j = 0; j < u->in_count; ++j) {
      for (ptrdiff_t k = rows.first; k < rows.end; ++k, ++n) {
        const float *kept = MUX_NAME(kept_row)(s, rings, u->first_in + j, top + k * u->dilation);
        if (kept) line.rows[n] = kept;
      }
    }
  }
  const float *weights = u->weights;
  for (int32_t o = 0; o < u->out_count; ++o) {
    for (int n = 0; n < line.row_count; weights += kernel * kernel * MUX_LANES) {
      for (ptrdiff_t k = rows.first; k < rows.end; ++k) {
        line.weights[n++] = weights + k * kernel * MUX_LANES;
      }
    }
    line.bias = u->bias + o * MUX_LANES;
    line.out = out + o * plane;
    MUX_NAME(end_line)(&line, ending, o);
    MUX_NAME(run_line)(&line);
  }
}

static void MUX_NAME(subpixel_lines)(const mux_spatial_step *s, const mux_spatial_unit *u,
                                     const float *ring, ptrdiff_t capacity, ptrdiff_t y, float *out,
                                     const MUX_TYPE(ending) *ending) {
  MUX_TYPE(line) line;
  const ptrdiff_t kernel = u->kernel, r = u->factor, apart = r * u->dilation;
  const MUX_TYPE(window_rows) rows =
      MUX_NAME(rows_inside)(y - r * u->top, apart, kernel, s->in_height, capacity);
  line.pitch = line.out_pitch = r * MUX_LANES;
  line.padding = u->left;
  line.taps = u->kernel;
  line.dilation = u->dilation;
  line.stride = 1;
  for (ptrdiff_t x = 0; x < r && x < s->in_width; ++x) {
    const ptrdiff_t phase = y % r * r + x;
    line.row_count = 0;
    line.columns = line.count = mux_ceil_div(s->in_width - x, r);
    ptrdiff_t slot = rows.slot;
    for (ptrdiff_t k = rows.first; k < rows.end; ++k) {
      line.rows[line.row_count] = ring + (slot * s->in_width + x) * MUX_LANES;
      line.weights[line.row_count++] = u->weights + (phase * kernel + k) * kernel * MUX_LANES;
      slot = mux_next_slot(slot, apart, capacity);
    }
    line.bias = u->bias + phase * MUX_LANES;
    line.out = out + x * MUX_LANES;
    MUX_NAME(end_line)(&line, ending, 0);
    MUX_NAME(run_line)(&line);
  }
}

static void MUX_NAME(superpixel_lines)(const mux_spatial_step *s, const mux_spatial_unit *u,
                                       const float *ring, ptrdiff_t capacity, ptrdiff_t y,
                                       float *out, ptrdiff_t plane,
                                       const MUX_TYPE(ending) *ending) {
  MUX_TYPE(line) line;
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
      const ptrdiff_t row = y * r + phase / r + k * u->dilation - u->top;
      if (row < 0 || row >= s->in_height * r) continue;
      line.rows[line.row_count] =
          ring + (mux_slot(row / r, capacity) * r + row % r) * width * MUX_LANES;
      line.weights[line.row_count++] = u->weights + (phase * kernel + k) * kernel * MUX_LANES;
    }
    line.padding = u->left - phase % r;
    line.bias = u->bias + phase * MUX_LANES;
    line.out = out + phase * plane;
    MUX_NAME(end_line)(&line, ending, phase);
    MUX_NAME(run_line)(&line);
  }
}

/// All phases at once: each lane has the window of its own phase, with zeros around it.
static void MUX_NAME(narrow_lines)(const mux_spatial_step *s, const mux_spatial_unit *u,
                                   const float *ring, ptrdiff_t capacity, ptrdiff_t y, float *out,
                                   const MUX_TYPE(ending) *ending) {
#if defined(MUX_IS_AVX512)
  if (u->kernel == 3) {
    MUX_NAME(fine_line)(s, u, ring, capacity, y, out, ending);
    return;
  }
#endif
  MUX_TYPE(line) line;
  const ptrdiff_t row_size = s->in_width * MUX_LANES;
  const ptrdiff_t taps = 4 * ((u->kernel / 2 + 1) / 2) + 2;
  line.columns = line.count = s->in_width;
  line.pitch = line.out_pitch = MUX_LANES;
  line.row_count = 0;
  for (ptrdiff_t k = 0; k <= u->kernel; ++k) {
    const ptrdiff_t fine = 2 * y + k - u->top;
    if (fine < 0 || fine >= 2 * s->in_height) continue;
    line.rows[line.row_count] =
        ring + mux_slot(fine / 2, capacity) * row_size + fine % 2 * (MUX_LANES / 2);
    line.weights[line.row_count++] = u->weights + k * taps * MUX_LANES;
  }
  line.bias = u->bias;
  line.out = out;
  MUX_NAME(end_line)(&line, ending, 0);
  switch (u->kernel) {
  case 3: MUX_NAME(narrow_3)(&line); break;
  case 5: MUX_NAME(narrow_5)(&line); break;
  default: MUX_NAME(narrow_7)(&line); break;
  }
}

static void MUX_PASTE(MUX_NAME(emit_line), bf16)(mux_activation, const float *, ptrdiff_t,
                                                 mux_quantization, ptrdiff_t, char *, float *);
static void MUX_PASTE(MUX_NAME(emit_line), int8)(mux_activation, const float *, ptrdiff_t,
                                                 mux_quantization, ptrdiff_t, char *, float *);

/// Encodes line `y` of the results of a unit, [out][pixel][lane], and writes it where it belongs.
static void MUX_NAME(encode_line)(const mux_spatial_step *s, const mux_spatial_unit *u, ptrdiff_t y,
                                  const float *line, float *arena) {
  const ptrdiff_t row = s->out_width * MUX_LANES;
  const ptrdiff_t size = s->result_precision == MUX_BFLOAT16 ? 2 : 1;
  for (int32_t o = 0; o < u->out_count; ++o) {
    const float *x = line + o * row;
    char *to = (char *)(arena + s->out) + ((u->first_out + o) * s->out_height + y) * row * size;
    if (s->observed >= 0) {
      MUX_NAME(observe_values)(MUX_PLAIN(MUX_IDENTITY), x, s->out_width, arena + s->observed);
    }
    if (s->result_precision == MUX_BFLOAT16) {
      MUX_PASTE(MUX_NAME(emit_line), bf16)(MUX_PLAIN(MUX_IDENTITY), x, s->out_width, s->result, 1,
                                           to, NULL);
    } else {
      MUX_PASTE(MUX_NAME(emit_line), int8)(MUX_PLAIN(MUX_IDENTITY), x, s->out_width, s->result, 1,
                                           to, NULL);
    }
  }
}

/// Runs bands `first_band` to before `end_band` of the units from `first_unit` on; what one band
/// has expanded, the next one finds there.
static void MUX_NAME(spatial_bands)(const mux_spatial_step *s, int32_t first_unit,
                                    ptrdiff_t first_band, ptrdiff_t end_band, float *arena,
                                    float *scratch) {
  MUX_TYPE(rings) rings = MUX_NAME(rings_of)(s, first_unit);
  const int32_t end_unit = rings.end_unit;
  const ptrdiff_t first = first_band * s->rows_per_task;
  ptrdiff_t end = end_band * s->rows_per_task;
  if (end > s->out_height) end = s->out_height;
  rings.own_first = first;
  rings.own_end = end;
  if (s->keeps) rings.kept = arena + s->kept;
  const bool encodes = s->result_precision != MUX_FLOAT32;
  const ptrdiff_t row_size = s->out_width * MUX_LANES;
  const ptrdiff_t plane = encodes ? row_size : s->out_height * row_size;
  const ptrdiff_t chunk = s->chunk;
  MUX_TYPE(gathered) gathered = {.rows = scratch, .line = -1};
  scratch += mux_window_scratch(&s->window);
  float *encoded_line = scratch;
  scratch += MUX_NAME(encoded_scratch)(s);
  float *sums = NULL;
  const bool ends_line = MUX_NAME(ends_line)(s->activation);
  MUX_TYPE(ending) ending = {.activation = ends_line ? s->activation : MUX_PLAIN(MUX_IDENTITY)};
  for (ptrdiff_t y = first; y < end; ++y) {
    if (s->sums >= 0 && y % s->rows_per_task == 0) {
      sums = arena + s->sums + y / s->rows_per_task * s->out_blocks * MUX_LANES;
      for (int32_t u = first_unit; u < end_unit; ++u) {
        memset(sums + s->units[u].first_out * MUX_LANES, 0,
               (size_t)s->units[u].out_count * MUX_LANES * sizeof(float));
      }
    }
    // Rows are expanded in whole chunks; what was needed before is there.
    const ptrdiff_t capacity = rings.capacity, top = y * rings.stride + rings.first;
    const ptrdiff_t bottom = y * rings.stride + rings.end;
    const ptrdiff_t needed = bottom < s->in_height ? bottom : s->in_height;
    ptrdiff_t from = (top > 0 ? top : 0) / chunk * chunk;
    if (y > first) {
      const ptrdiff_t last =
          bottom - rings.stride < s->in_height ? bottom - rings.stride : s->in_height;
      const ptrdiff_t before = last > 0 ? mux_ceil_div(last, chunk) * chunk : 0;
      if (before > from) from = before;
    }
    for (; from < needed; from += chunk) {
      const ptrdiff_t to = from + chunk < s->in_height ? from + chunk : s->in_height;
      MUX_NAME(fill_rings)(s, &rings, scratch, from, to, &gathered, arena);
    }
    float *ring = scratch;
    for (int32_t n = first_unit; n < end_unit; ++n) {
      const mux_spatial_unit *u = &s->units[n];
      float *out = encodes ? encoded_line : arena + s->out + u->first_out * plane + y * row_size;
      float *unit_sums = sums ? sums + u->first_out * MUX_LANES : NULL;
      ending.sums = ends_line ? unit_sums : NULL;
      switch (u->mode) {
      case MUX_SPATIAL_PLAIN:
        MUX_NAME(plain_lines)(s, u, &rings, ring, y, out, plane, &ending);
        break;
      case MUX_SPATIAL_SUBPIXEL:
        MUX_NAME(subpixel_lines)(s, u, ring, capacity, y, out, &ending);
        break;
      case MUX_SPATIAL_SUPERPIXEL:
        MUX_NAME(superpixel_lines)(s, u, ring, capacity, y, out, plane, &ending);
        break;
      case MUX_SPATIAL_SUPERPIXEL_NARROW:
        MUX_NAME(narrow_lines)(s, u, ring, capacity, y, out, &ending);
        break;
      }
      for (int32_t o = 0; !ends_line && o < u->out_count; ++o) {
        MUX_NAME(activate_line)(s->activation, out + o * plane, MUX_LANES, s->out_width,
                                unit_sums ? unit_sums + o * MUX_LANES : NULL);
      }
      if (encodes) MUX_NAME(encode_line)(s, u, y, out, arena);
      ring += rings.size * u->in_count;
    }
  }
}

static void MUX_NAME(spatial_tasks)(const mux_spatial_step *s, int32_t first, int32_t end,
                                    float *arena, float *scratch) {
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
