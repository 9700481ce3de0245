// SPDX-License-Identifier: Apache-2.0
// The backward pass of one image; part of mux_spatial_body.h.

/// The backward pass of a chunk: where its rows lie, and their sizes.
typedef struct MUX_NAME(backward_pass) {
  const mux_spatial_backward_arguments *arguments;
  const chunk *c;
  const mux_branch_plan *plan;
  /// The branch's part of the packed weight gradient, or NULL.
  float *weight_gradient;
  /// Pixels of a plane of the input's rows, and of those of the raw output's gradient.
  int pixels, gradient_pixels;
  int ring_rows;
  /// Floats of a row of one tile of the input; of one tile of the gradient, and of all.
  ptrdiff_t tile_floats, gradient_tile, gradient_row;
  /// The transform of the input, [slice][tile][lane].
  const float *scale, *shift;
  MUX_TYPE(coefficients) coefficients;
  /// Gradients of the raw output, [row][tile][plane][pixel][lane].
  float *ring;
  /// A transformed row of the input and its derivatives, [tile][plane][pixel][lane].
  float *values, *derivatives;
  /// A row of one tile of the input's gradient, [plane][pixel][lane].
  float *line;
  /// For each plane of the input.
  mux_backward_taps taps[MUX_MAXIMUM_FACTOR];
  MUX_TYPE(line_function) line_kernels[MUX_MAXIMUM_FACTOR];
  MUX_TYPE(weight_function) weight_kernels[MUX_MAXIMUM_FACTOR];
} MUX_TYPE(backward_pass);

/// Coefficients of the chunk's channels, at the front of the scratch memory.
static const float *MUX_NAME(take_coefficients)(const chunk *c, const float *coefficients,
                                                float missing, float **scratch) {
  size_t slices = (size_t)(c->plan->fine * c->plan->fine);
  float *to = MUX_NAME(take)(scratch, slices * (size_t)(c->tiles * MUX_LANES));
  MUX_NAME(gather)(c, coefficients, missing, to);
  return to;
}

static void MUX_NAME(gather_coefficients)(MUX_TYPE(backward_pass) *p, float **scratch) {
  const mux_spatial_backward_arguments *a = p->arguments;
  const mux_transform *input = &a->input_transform, *output = &a->output_transform;
  MUX_TYPE(coefficients) *k = &p->coefficients;
  p->scale = MUX_NAME(take_coefficients)(p->c, input->scale, 1, scratch);
  p->shift = MUX_NAME(take_coefficients)(p->c, input->shift, 0, scratch);
  k->scale = MUX_NAME(take_coefficients)(p->c, output->scale, 1, scratch);
  k->shift = MUX_NAME(take_coefficients)(p->c, output->shift, 0, scratch);
  k->gate = MUX_NAME(take_coefficients)(p->c, a->gate, 1, scratch);
  k->pooled = MUX_NAME(take_coefficients)(p->c, a->pooled, 0, scratch);
  k->k0 = MUX_NAME(take_coefficients)(p->c, a->k0, 1, scratch);
  k->k1 = MUX_NAME(take_coefficients)(p->c, a->k1, 0, scratch);
  k->k2 = MUX_NAME(take_coefficients)(p->c, a->k2, 0, scratch);
}

static void MUX_NAME(choose_kernels)(MUX_TYPE(backward_pass) *p) {
  for (int b = 0; b < p->plan->input_planes; ++b) {
    p->taps[b] = mux_plan_taps(p->plan, b);
    p->line_kernels[b] = MUX_NAME(choose_line)(p->taps[b].taps, p->plan->partners, 1);
    p->weight_kernels[b] = MUX_NAME(choose_weight)(p->taps[b].taps, p->plan->partners);
  }
}

/// Divides the scratch memory, and fills in what does not change from row to row.
static void MUX_NAME(begin_backward)(MUX_TYPE(backward_pass) *p, float *scratch) {
  const mux_branch_plan *plan = p->plan;
  int tiles = p->c->tiles;
  p->pixels = mux_plane_pixels(plan->width, plan->input_planes, 0);
  p->gradient_pixels = mux_plane_pixels(plan->output_width, plan->dilation, plan->padding);
  p->ring_rows = mux_ring_rows(plan);
  p->tile_floats = (ptrdiff_t)mux_input_tile(plan, MUX_LANES);
  p->gradient_tile = (ptrdiff_t)mux_gradient_tile(plan, MUX_LANES);
  p->gradient_row = p->gradient_tile * tiles;
  MUX_NAME(choose_kernels)(p);
  MUX_NAME(gather_coefficients)(p, &scratch);
  p->ring = MUX_NAME(take)(&scratch, (size_t)(p->ring_rows * p->gradient_row));
  p->values = MUX_NAME(take)(&scratch, (size_t)(p->tile_floats * tiles));
  p->derivatives = MUX_NAME(take)(&scratch, (size_t)(p->tile_floats * tiles));
  p->line = scratch;
  MUX_NAME(clear_edges)
  (p->ring, (size_t)(p->ring_rows * tiles), plan->dilation, p->gradient_pixels, plan->padding,
   plan->output_width);
  MUX_NAME(clear_edges)(p->values, (size_t)tiles, plan->input_planes, p->pixels, 0, plan->width);
}

/// The gradient of row y of the raw output, into the ring.
MUX_INLINE void MUX_NAME(load_gradient_row)(const MUX_TYPE(backward_pass) *p, int y) {
  const mux_branch_plan *plan = p->plan;
  span spans[MUX_MAXIMUM_FACTOR];
  int count = MUX_NAME(make_spans)(plan, y, plan->output_width, plan->dilation, p->gradient_pixels,
                                   plan->padding, spans);
  for (int i = 0; i < count; ++i) {
    MUX_NAME(load_gradient)
    (p->arguments->output_transform.activation, p->c, &spans[i], p->arguments, &p->coefficients,
     p->gradient_tile, p->ring + mux_slot(y, p->ring_rows) * p->gradient_row);
  }
}

/// Transforms a row of the input, with derivatives.
MUX_INLINE void MUX_NAME(load_values)(const MUX_TYPE(backward_pass) *p, const span *spans,
                                      int span_count) {
  const mux_spatial_backward_arguments *arguments = p->arguments;
  for (int i = 0; i < span_count; ++i) {
    ptrdiff_t at = (ptrdiff_t)spans[i].slice * p->c->tiles * MUX_LANES;
    MUX_NAME(load_span_both)
    (arguments->input_transform.activation, p->c, &spans[i], arguments->input,
     arguments->input_stride, p->scale + at, p->shift + at, p->tile_floats, p->values,
     p->derivatives);
  }
}

/// The gradient rows whose windows see one plane of input row y; weights and their gradients (or
/// NULL) are those of the plane's phase.
MUX_INLINE void MUX_NAME(find_gradient_rows)(const MUX_TYPE(backward_pass) *p, int y, int tile,
                                             int plane, const float *weights, float *gradients,
                                             MUX_TYPE(window_rows) *found) {
  const mux_branch_plan *plan = p->plan;
  const mux_backward_taps *taps = &p->taps[plane];
  int k = plan->kernel, gradient_plane = plan->dilation > 1 ? plane : 0, n = 0;
  ptrdiff_t tap_floats = (ptrdiff_t)plan->partners * MUX_LANES, slot = 0;
  for (int dy = k - 1; dy >= 0; --dy) {
    int from = y + (plan->padding - dy) * plan->dilation;
    if (from < 0 || from % plan->stride != 0) continue;
    from /= plan->stride;
    if (from >= plan->output_height) continue;
    int pixel = gradient_plane * p->gradient_pixels + plan->padding + taps->first;
    // There is no dilation where there is a stride, so that each row is as far from the last one.
    slot =
        n == 0 ? mux_slot(from, p->ring_rows) : mux_next_slot(slot, plan->dilation, p->ring_rows);
    found->rows[n] = p->ring + slot * p->gradient_row +
                     (plan->partners ? tile : 0) * p->gradient_tile + (ptrdiff_t)pixel * MUX_LANES;
    ptrdiff_t at = (((ptrdiff_t)(p->c->first + tile) * k + dy) * k + taps->position) * tap_floats;
    found->weights[n] = weights + at;
    found->gradients[n] = gradients ? gradients + at : NULL;
    found->kernel_rows[n++] = dy;
  }
  found->count = n;
}

/// One plane of row y of a tile: the input's gradient into the line, and that of the weights.
MUX_INLINE void MUX_NAME(differentiate_plane)(const MUX_TYPE(backward_pass) *p, int y, int tile,
                                              int plane) {
  const mux_branch_plan *plan = p->plan;
  size_t phase = MUX_NAME(phase_offset)(plan, y, plane);
  const float *weights = p->arguments->packed + plan->backward_weights + phase;
  float *gradients = p->weight_gradient ? p->weight_gradient + phase : NULL;
  int count = MUX_NAME(plane_count)(plan->width, plan->input_planes, plane);
  MUX_TYPE(window_rows) found;
  MUX_NAME(find_gradient_rows)(p, y, tile, plane, weights, gradients, &found);
  int taps = p->taps[plane].taps;
  const float *x = p->values + tile * p->tile_floats + (ptrdiff_t)plane * p->pixels * MUX_LANES;
  float *to = p->line + (ptrdiff_t)plane * p->pixels * MUX_LANES;
  if (plan->partners) {
    p->line_kernels[plane](taps, found.rows, found.weights, found.count, to, count);
    if (gradients) {
      p->weight_kernels[plane](taps, x, found.rows, found.gradients, found.count, count);
    }
  } else {
    MUX_TYPE(wide) w = {.plan = plan,
                        .tile_stride = p->gradient_tile,
                        .rows = found.rows,
                        .kernel_rows = found.kernel_rows,
                        .row_count = found.count,
                        .taps = taps,
                        .step = 1,
                        .position = p->taps[plane].position,
                        .count = count};
    MUX_NAME(wide_line)(&w, tile, weights, to);
    if (gradients) MUX_NAME(wide_gradient)(&w, tile, x, gradients);
  }
}

/// Multiplies the line of a tile by the derivatives, writes it to the spans of the input's gradient
/// if that is wanted, and adds its sums.
MUX_INLINE void MUX_NAME(store_gradient_line)(const MUX_TYPE(backward_pass) *p, const span *spans,
                                              int span_count, int tile) {
  const mux_spatial_backward_arguments *a = p->arguments;
  int lanes = MUX_NAME(lanes_of)(p->c, tile);
  const float *derivative = p->derivatives + tile * p->tile_floats;
  for (int i = 0; i < span_count; ++i) {
    const span *s = &spans[i];
    ptrdiff_t channel = s->channel + (p->c->first + tile) * MUX_LANES;
    const float *e = a->input + s->pixel * a->input_stride + channel;
    ptrdiff_t e_step = s->pixel_step * a->input_stride;
    ptrdiff_t to_step = s->pixel_step * a->input_gradient_stride;
    float *to = a->input_gradient
                    ? a->input_gradient + s->pixel * a->input_gradient_stride + channel
                    : NULL;
    double *sum = a->sum_gradient ? a->sum_gradient + channel : NULL;
    double *products = sum ? a->sum_gradient_input + channel : NULL;
    if (lanes == MUX_LANES) {
      MUX_NAME(store_gradient_as)
      (MUX_LANES, s, p->line, derivative, e, e_step, to, to_step, sum, products);
    } else {
      MUX_NAME(store_gradient_as)
      (lanes, s, p->line, derivative, e, e_step, to, to_step, sum, products);
    }
  }
}

static void MUX_NAME(backward_chunk)(const mux_spatial_backward_arguments *arguments,
                                     const chunk *c, float *weight_gradient, float *scratch) {
  const mux_branch_plan *plan = c->plan;
  MUX_TYPE(backward_pass) pass = {
      .arguments = arguments, .c = c, .plan = plan, .weight_gradient = weight_gradient};
  MUX_NAME(begin_backward)(&pass, scratch);
  int next = 0, reach = plan->padding * plan->dilation;
  for (int y = 0; y < plan->height; ++y) {
    for (; next * plan->stride <= y + reach && next < plan->output_height; ++next) {
      MUX_NAME(load_gradient_row)(&pass, next);
    }
    span spans[MUX_MAXIMUM_FACTOR];
    int span_count =
        MUX_NAME(make_spans)(plan, y, plan->width, plan->input_planes, pass.pixels, 0, spans);
    MUX_NAME(load_values)(&pass, spans, span_count);
    for (int t = 0; t < c->tiles; ++t) {
      for (int b = 0; b < plan->input_planes; ++b) {
        MUX_NAME(differentiate_plane)(&pass, y, t, b);
      }
      MUX_NAME(store_gradient_line)(&pass, spans, span_count, t);
    }
  }
}

static void MUX_NAME(backward)(const mux_spatial *op,
                               const mux_spatial_backward_arguments *arguments, float *scratch) {
  for (int i = 0; i < op->channels && arguments->sum_gradient; ++i) {
    arguments->sum_gradient[i] = 0;
    arguments->sum_gradient_input[i] = 0;
  }
  for (int i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, MUX_LANES);
    int size = mux_plan_chunk(&plan, mux_backward_scratch(&plan, MUX_LANES));
    // Gradients lie as the forward weights do.
    float *gradient =
        arguments->weight_gradient ? arguments->weight_gradient + plan.forward_weights : NULL;
    for (int first = 0; first < plan.tiles; first += size) {
      chunk c = MUX_NAME(make_chunk)(&plan, first, size);
      MUX_NAME(backward_chunk)(arguments, &c, gradient, MUX_NAME(align)(scratch));
    }
  }
}
