// SPDX-License-Identifier: Apache-2.0
// The forward pass of one image; part of mux_spatial_body.h.

/// The forward pass of a chunk: where its rows lie, and their sizes.
typedef struct MUX_NAME(forward_pass) {
  const mux_spatial_forward_arguments *arguments;
  const chunk *c;
  const mux_branch_plan *plan;
  /// Pixels of a plane of the input's rows, and of the line of outputs.
  int pixels, line_pixels;
  int ring_rows;
  /// Floats of a row of the ring: of one tile, and of all.
  ptrdiff_t tile_floats, row_floats;
  /// The transform of the input, [slice][tile][lane].
  float *scale, *shift;
  /// Transformed rows, [row][tile][plane][pixel][lane].
  float *ring;
  /// An output row of one tile, [plane][pixel][lane].
  float *line;
  MUX_TYPE(line_function) line_kernel;
} MUX_TYPE(forward_pass);

/// Divides the scratch memory, and fills in what does not change from row to row.
MUX_INLINE MUX_TYPE(forward_pass) MUX_NAME(begin_forward)(
    const mux_spatial_forward_arguments *arguments, const chunk *c, float *scratch) {
  const mux_branch_plan *plan = c->plan;
  ptrdiff_t tile_floats = (ptrdiff_t)mux_forward_tile(plan, MUX_LANES);
  size_t coefficient_floats = (size_t)(c->tiles * MUX_LANES) * (size_t)(plan->fine * plan->fine);
  MUX_TYPE(forward_pass) p = {
      .arguments = arguments,
      .c = c,
      .plan = plan,
      .pixels = mux_plane_pixels(plan->width, plan->dilation, plan->padding),
      .line_pixels = mux_plane_pixels(plan->output_width, plan->dilation, 0),
      .ring_rows = mux_ring_rows(plan),
      .tile_floats = tile_floats,
      .row_floats = tile_floats * c->tiles,
      .line_kernel = MUX_NAME(choose_line)(plan->kernel, plan->partners, plan->stride)};
  p.scale = MUX_NAME(take)(&scratch, coefficient_floats);
  p.shift = MUX_NAME(take)(&scratch, coefficient_floats);
  p.ring = MUX_NAME(take)(&scratch, (size_t)(p.ring_rows * p.row_floats));
  p.line = scratch;
  MUX_NAME(gather)(c, arguments->input_transform.scale, 1, p.scale);
  MUX_NAME(gather)(c, arguments->input_transform.shift, 0, p.shift);
  MUX_NAME(clear_edges)
  (p.ring, (size_t)(p.ring_rows * c->tiles), plan->dilation, p.pixels, plan->padding, plan->width);
  return p;
}

/// Transforms row y of the input into the ring.
MUX_INLINE void MUX_NAME(load_input_row)(const MUX_TYPE(forward_pass) *p, int y) {
  const mux_branch_plan *plan = p->plan;
  const mux_spatial_forward_arguments *arguments = p->arguments;
  span spans[MUX_MAXIMUM_FACTOR];
  int count =
      MUX_NAME(make_spans)(plan, y, plan->width, plan->dilation, p->pixels, plan->padding, spans);
  for (int i = 0; i < count; ++i) {
    ptrdiff_t at = (ptrdiff_t)spans[i].slice * p->c->tiles * MUX_LANES;
    MUX_NAME(load_span)
    (arguments->input_transform.activation, p->c, &spans[i], arguments->input,
     arguments->input_stride, p->scale + at, p->shift + at, p->tile_floats,
     p->ring + mux_slot(y, p->ring_rows) * p->row_floats);
  }
}

/// The rows under the windows of one plane of output row y.
MUX_INLINE void MUX_NAME(find_input_rows)(const MUX_TYPE(forward_pass) *p, int y, int tile,
                                          int plane, const float *weights,
                                          MUX_TYPE(window_rows) *found) {
  const mux_branch_plan *plan = p->plan;
  int k = plan->kernel, top = y * plan->stride - plan->padding * plan->dilation, n = 0;
  ptrdiff_t row_weights = (ptrdiff_t)k * plan->partners * MUX_LANES, slot = 0;
  for (int dy = 0; dy < k; ++dy) {
    int from = top + dy * plan->dilation;
    if (from < 0 || from >= plan->height) continue;
    slot =
        n == 0 ? mux_slot(from, p->ring_rows) : mux_next_slot(slot, plan->dilation, p->ring_rows);
    found->rows[n] = p->ring + slot * p->row_floats + (plan->partners ? tile : 0) * p->tile_floats +
                     (ptrdiff_t)plane * p->pixels * MUX_LANES;
    found->weights[n] = weights + ((ptrdiff_t)(p->c->first + tile) * k + dy) * row_weights;
    found->kernel_rows[n++] = dy;
  }
  found->count = n;
}

/// Convolves one plane of output row y of a tile into the line.
MUX_INLINE void MUX_NAME(convolve_plane)(const MUX_TYPE(forward_pass) *p, int y, int tile,
                                         int plane) {
  const mux_branch_plan *plan = p->plan;
  const float *weights =
      p->arguments->packed + plan->forward_weights + MUX_NAME(phase_offset)(plan, y, plane);
  int count = MUX_NAME(plane_count)(plan->output_width, plan->dilation, plane);
  MUX_TYPE(window_rows) found;
  MUX_NAME(find_input_rows)(p, y, tile, plane, weights, &found);
  float *to = p->line + (ptrdiff_t)plane * p->line_pixels * MUX_LANES;
  if (plan->partners) {
    p->line_kernel(plan->kernel, found.rows, found.weights, found.count, to, count);
  } else {
    MUX_TYPE(wide) w = {.plan = plan,
                        .tile_stride = p->tile_floats,
                        .rows = found.rows,
                        .kernel_rows = found.kernel_rows,
                        .row_count = found.count,
                        .taps = plan->kernel,
                        .step = plan->stride,
                        .position = 0,
                        .count = count};
    MUX_NAME(wide_line)(&w, tile, weights, to);
  }
}

/// Writes the line of a tile to the spans of the output, and adds its sums.
MUX_INLINE void MUX_NAME(store_line)(const MUX_TYPE(forward_pass) *p, const span *spans,
                                     int span_count, int tile) {
  const mux_spatial_forward_arguments *arguments = p->arguments;
  int lanes = MUX_NAME(lanes_of)(p->c, tile);
  for (int i = 0; i < span_count; ++i) {
    const span *s = &spans[i];
    ptrdiff_t channel = s->channel + (p->c->first + tile) * MUX_LANES;
    float *to = arguments->output + s->pixel * arguments->output_stride + channel;
    ptrdiff_t step = s->pixel_step * arguments->output_stride;
    double *sum = arguments->sum ? arguments->sum + channel : NULL;
    double *squares = arguments->sum ? arguments->sum_squares + channel : NULL;
    if (lanes == MUX_LANES) {
      MUX_NAME(store_as)(MUX_LANES, s, p->line, to, step, sum, squares);
    } else {
      MUX_NAME(store_as)(lanes, s, p->line, to, step, sum, squares);
    }
  }
}

static void MUX_NAME(forward_chunk)(const mux_spatial_forward_arguments *arguments, const chunk *c,
                                    float *scratch) {
  const mux_branch_plan *plan = c->plan;
  MUX_TYPE(forward_pass) pass = MUX_NAME(begin_forward)(arguments, c, scratch);
  int next = 0;
  for (int y = 0; y < plan->output_height; ++y) {
    int last = y * plan->stride + (plan->kernel - 1 - plan->padding) * plan->dilation;
    for (; next <= last && next < plan->height; ++next) MUX_NAME(load_input_row)(&pass, next);
    span spans[MUX_MAXIMUM_FACTOR];
    int span_count = MUX_NAME(make_spans)(plan, y, plan->output_width, plan->dilation,
                                          pass.line_pixels, 0, spans);
    for (int t = 0; t < c->tiles; ++t) {
      for (int b = 0; b < plan->dilation; ++b) MUX_NAME(convolve_plane)(&pass, y, t, b);
      MUX_NAME(store_line)(&pass, spans, span_count, t);
    }
  }
}

static void MUX_NAME(forward)(const mux_spatial *op, const mux_spatial_forward_arguments *arguments,
                              float *scratch) {
  for (int i = 0; i < op->channels && arguments->sum; ++i) {
    arguments->sum[i] = 0;
    arguments->sum_squares[i] = 0;
  }
  for (int i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, MUX_LANES);
    int size = mux_plan_chunk(&plan, mux_forward_scratch(&plan, MUX_LANES));
    for (int first = 0; first < plan.tiles; first += size) {
      chunk c = MUX_NAME(make_chunk)(&plan, first, size);
      MUX_NAME(forward_chunk)(arguments, &c, MUX_NAME(align)(scratch));
    }
  }
}
