// SPDX-License-Identifier: Apache-2.0
// Forward and backward of one image, for one instruction set: rows of the transformed input (or
// of the output's gradient) go through a ring, each computed once.

/// Group widths without vector kernel: one lane at a time. `rows` point into the first tile.
typedef struct MUX_NAME(wide) {
  const mux_branch_plan *plan;
  ptrdiff_t tile_stride;
  const float *const *rows;
  const int *kernel_rows;
  int row_count, taps, step, position, count;
} MUX_TYPE(wide);

static ptrdiff_t MUX_NAME(wide_weight)(const MUX_TYPE(wide) *w, int channel, int partner, int row,
                                       int tap) {
  int k = w->plan->kernel;
  return (ptrdiff_t)((channel * w->plan->group_width + partner) * k + w->kernel_rows[row]) * k +
         w->position + tap;
}

static const float *MUX_NAME(wide_source)(const MUX_TYPE(wide) *w, int channel, int partner,
                                          int row) {
  int other = channel - channel % w->plan->group_width + partner;
  return w->rows[row] + other / MUX_LANES * w->tile_stride + other % MUX_LANES;
}

static void MUX_NAME(wide_line)(const MUX_TYPE(wide) *w, int tile, const float *weights,
                                float *out) {
  memset(out, 0, sizeof(float) * MUX_LANES * (size_t)w->count);
  for (int lane = 0, c = tile * MUX_LANES; lane < MUX_LANES && c < w->plan->channels; ++lane, ++c) {
    for (int a = 0; a < w->row_count; ++a) {
      for (int j = 0; j < w->plan->group_width; ++j) {
        const float *from = MUX_NAME(wide_source)(w, c, j, a);
        for (int t = 0; t < w->taps; ++t) {
          float weight = weights[MUX_NAME(wide_weight)(w, c, j, a, t)];
          for (int i = 0; i < w->count; ++i) {
            out[(ptrdiff_t)i * MUX_LANES + lane] +=
                weight * from[(ptrdiff_t)(i * w->step + t) * MUX_LANES];
          }
        }
      }
    }
  }
}

static void MUX_NAME(wide_gradient)(const MUX_TYPE(wide) *w, int tile, const float *x,
                                    float *gradient) {
  for (int lane = 0, c = tile * MUX_LANES; lane < MUX_LANES && c < w->plan->channels; ++lane, ++c) {
    for (int a = 0; a < w->row_count; ++a) {
      for (int j = 0; j < w->plan->group_width; ++j) {
        const float *from = MUX_NAME(wide_source)(w, c, j, a);
        for (int t = 0; t < w->taps; ++t) {
          float sum = 0;
          for (int i = 0; i < w->count; ++i) {
            sum += x[(ptrdiff_t)i * MUX_LANES + lane] * from[(ptrdiff_t)(i + t) * MUX_LANES];
          }
          gradient[MUX_NAME(wide_weight)(w, c, j, a, t)] += sum;
        }
      }
    }
  }
}

MUX_INLINE float *MUX_NAME(take)(float **scratch, size_t floats) {
  float *taken = *scratch;
  *scratch += floats;
  return taken;
}

static int MUX_NAME(plane_count)(int width, int planes, int plane) {
  return width <= plane ? 0 : (width - plane + planes - 1) / planes;
}

static void MUX_NAME(forward_chunk)(const mux_spatial_forward_arguments *arguments, const chunk *c,
                                    float *scratch) {
  const mux_branch_plan *plan = c->plan;
  int k = plan->kernel, planes = plan->dilation, ring_rows = mux_ring_rows(plan);
  int pixels = mux_plane_pixels(plan->width, planes, plan->padding);
  int line_pixels = mux_plane_pixels(plan->output_width, planes, 0);
  ptrdiff_t tile_floats = (ptrdiff_t)mux_forward_tile(plan, MUX_LANES);
  ptrdiff_t row_floats = tile_floats * c->tiles;
  size_t slice_floats = (size_t)c->tiles * MUX_LANES;
  size_t coefficient_floats = slice_floats * (size_t)(plan->fine * plan->fine);
  ptrdiff_t tile_weights = (ptrdiff_t)k * k * plan->partners * MUX_LANES;
  MUX_TYPE(line_function) line_kernel = MUX_NAME(choose_line)(k, plan->partners, plan->stride);

  float *scale = MUX_NAME(take)(&scratch, coefficient_floats);
  float *shift = MUX_NAME(take)(&scratch, coefficient_floats);
  float *ring = MUX_NAME(take)(&scratch, (size_t)(ring_rows * row_floats));
  float *line = scratch;
  MUX_NAME(gather)(c, arguments->input_transform.scale, 1, scale);
  MUX_NAME(gather)(c, arguments->input_transform.shift, 0, shift);
  MUX_NAME(clear_edges)
  (ring, (size_t)(ring_rows * c->tiles), planes, pixels, plan->padding, plan->width);

  span spans[MUX_MAXIMUM_FACTOR];
  int next = 0;
  for (int y = 0; y < plan->output_height; ++y) {
    int top = y * plan->stride - plan->padding * plan->dilation;
    int last = top + (k - 1) * plan->dilation;
    for (; next <= last && next < plan->height; ++next) {
      int n = MUX_NAME(make_spans)(plan, next, plan->width, planes, pixels, plan->padding, spans);
      for (int i = 0; i < n; ++i) {
        size_t at = slice_floats * (size_t)spans[i].slice;
        MUX_NAME(load_span)
        (arguments->input_transform.activation, c, &spans[i], arguments->input,
         arguments->input_stride, scale + at, shift + at, tile_floats,
         ring + next % ring_rows * row_floats);
      }
    }
    int span_count =
        MUX_NAME(make_spans)(plan, y, plan->output_width, planes, line_pixels, 0, spans);
    for (int t = 0; t < c->tiles; ++t) {
      for (int b = 0; b < planes; ++b) {
        const float *rows[MUX_MAXIMUM_KERNEL], *weights[MUX_MAXIMUM_KERNEL];
        int kernel_rows[MUX_MAXIMUM_KERNEL], n = 0;
        int phase = plan->dilation > 1 ? y % plan->dilation * plan->dilation + b : 0;
        const float *phase_weights =
            arguments->packed + plan->forward_weights + (size_t)phase * plan->phase_weights;
        int count = MUX_NAME(plane_count)(plan->output_width, planes, b);
        float *to = line + (ptrdiff_t)b * line_pixels * MUX_LANES;
        for (int dy = 0; dy < k; ++dy) {
          int from = top + dy * plan->dilation;
          if (from < 0 || from >= plan->height) continue;
          rows[n] = ring + from % ring_rows * row_floats + (plan->partners ? t : 0) * tile_floats +
                    (ptrdiff_t)b * pixels * MUX_LANES;
          weights[n] = phase_weights + (c->first + t) * tile_weights +
                       (ptrdiff_t)dy * k * plan->partners * MUX_LANES;
          kernel_rows[n++] = dy;
        }
        if (plan->partners) {
          line_kernel(k, rows, weights, n, to, count);
        } else {
          MUX_TYPE(wide) w = {plan, tile_floats, rows, kernel_rows, n, k, plan->stride, 0, count};
          MUX_NAME(wide_line)(&w, t, phase_weights, to);
        }
      }
      int lanes = MUX_NAME(lanes_of)(c, t);
      for (int i = 0; i < span_count; ++i) {
        const span *s = &spans[i];
        ptrdiff_t channel = s->channel + (c->first + t) * MUX_LANES;
        float *to = arguments->output + s->pixel * arguments->output_stride + channel;
        ptrdiff_t step = s->pixel_step * arguments->output_stride;
        double *sum = arguments->sum ? arguments->sum + channel : NULL;
        double *squares = arguments->sum ? arguments->sum_squares + channel : NULL;
        if (lanes == MUX_LANES) {
          MUX_NAME(store_as)(MUX_LANES, s, line, to, step, sum, squares);
        } else {
          MUX_NAME(store_as)(lanes, s, line, to, step, sum, squares);
        }
      }
    }
  }
}

static void MUX_NAME(backward_chunk)(const mux_spatial_backward_arguments *arguments,
                                     const chunk *c, size_t gradient_base, float *scratch) {
  const mux_branch_plan *plan = c->plan;
  int k = plan->kernel, p = plan->padding, ring_rows = mux_ring_rows(plan);
  int planes = plan->input_planes, gradient_planes = plan->dilation;
  int pixels = mux_plane_pixels(plan->width, planes, 0);
  int gradient_pixels = mux_plane_pixels(plan->output_width, gradient_planes, p);
  ptrdiff_t tile_floats = (ptrdiff_t)mux_input_tile(plan, MUX_LANES);
  ptrdiff_t gradient_tile = (ptrdiff_t)mux_gradient_tile(plan, MUX_LANES);
  ptrdiff_t gradient_row = gradient_tile * c->tiles;
  size_t slice_floats = (size_t)c->tiles * MUX_LANES;
  size_t coefficient_floats = slice_floats * (size_t)(plan->fine * plan->fine);
  ptrdiff_t tap_floats = (ptrdiff_t)plan->partners * MUX_LANES;
  mux_backward_taps taps[MUX_MAXIMUM_FACTOR];
  MUX_TYPE(line_function) line_kernels[MUX_MAXIMUM_FACTOR];
  MUX_TYPE(weight_function) weight_kernels[MUX_MAXIMUM_FACTOR];
  for (int b = 0; b < planes; ++b) {
    taps[b] = mux_plan_taps(plan, b);
    line_kernels[b] = MUX_NAME(choose_line)(taps[b].taps, plan->partners, 1);
    weight_kernels[b] = MUX_NAME(choose_weight)(taps[b].taps, plan->partners);
  }

  float *coefficients[9];
  const float *const sources[9] = {arguments->input_transform.scale,
                                   arguments->input_transform.shift,
                                   arguments->output_transform.scale,
                                   arguments->output_transform.shift,
                                   arguments->gate,
                                   arguments->pooled,
                                   arguments->k0,
                                   arguments->k1,
                                   arguments->k2};
  const float missing[9] = {1, 0, 1, 0, 1, 0, 1, 0, 0};
  for (int i = 0; i < 9; ++i) {
    coefficients[i] = MUX_NAME(take)(&scratch, coefficient_floats);
    MUX_NAME(gather)(c, sources[i], missing[i], coefficients[i]);
  }
  MUX_TYPE(coefficients) output_coefficients = {coefficients[2], coefficients[3], coefficients[4],
                                                coefficients[5], coefficients[6], coefficients[7],
                                                coefficients[8]};
  float *ring = MUX_NAME(take)(&scratch, (size_t)(ring_rows * gradient_row));
  float *values = MUX_NAME(take)(&scratch, (size_t)(tile_floats * c->tiles));
  float *derivatives = MUX_NAME(take)(&scratch, (size_t)(tile_floats * c->tiles));
  float *line = scratch;
  MUX_NAME(clear_edges)
  (ring, (size_t)(ring_rows * c->tiles), gradient_planes, gradient_pixels, p, plan->output_width);
  MUX_NAME(clear_edges)(values, (size_t)c->tiles, planes, pixels, 0, plan->width);

  span spans[MUX_MAXIMUM_FACTOR];
  int next = 0;
  for (int y = 0; y < plan->height; ++y) {
    int reach = p * plan->dilation;
    for (; next * plan->stride <= y + reach && next < plan->output_height; ++next) {
      int n = MUX_NAME(make_spans)(plan, next, plan->output_width, gradient_planes, gradient_pixels,
                                   p, spans);
      for (int i = 0; i < n; ++i) {
        MUX_NAME(load_gradient)
        (arguments->output_transform.activation, c, &spans[i], arguments, &output_coefficients,
         gradient_tile, ring + next % ring_rows * gradient_row);
      }
    }
    int span_count = MUX_NAME(make_spans)(plan, y, plan->width, planes, pixels, 0, spans);
    for (int i = 0; i < span_count; ++i) {
      size_t at = slice_floats * (size_t)spans[i].slice;
      MUX_NAME(load_span_both)
      (arguments->input_transform.activation, c, &spans[i], arguments->input,
       arguments->input_stride, coefficients[0] + at, coefficients[1] + at, tile_floats, values,
       derivatives);
    }
    for (int t = 0; t < c->tiles; ++t) {
      const float *tile_values = values + t * tile_floats;
      for (int b = 0; b < planes; ++b) {
        const float *rows[MUX_MAXIMUM_KERNEL], *weights[MUX_MAXIMUM_KERNEL];
        float *gradients[MUX_MAXIMUM_KERNEL];
        int kernel_rows[MUX_MAXIMUM_KERNEL], n = 0;
        int phase = plan->dilation > 1 ? y % plan->dilation * plan->dilation + b : 0;
        size_t phase_base = (size_t)phase * plan->phase_weights;
        const float *phase_weights = arguments->packed + plan->backward_weights + phase_base;
        float *phase_gradient = arguments->weight_gradient
                                    ? arguments->weight_gradient + gradient_base + phase_base
                                    : NULL;
        int count = MUX_NAME(plane_count)(plan->width, planes, b);
        int gradient_plane = gradient_planes > 1 ? b : 0;
        for (int dy = k - 1; dy >= 0; --dy) {
          int from = y + (p - dy) * plan->dilation;
          if (from < 0 || from % plan->stride != 0) continue;
          from /= plan->stride;
          if (from >= plan->output_height) continue;
          rows[n] = ring + from % ring_rows * gradient_row +
                    (plan->partners ? t : 0) * gradient_tile +
                    (ptrdiff_t)(gradient_plane * gradient_pixels + p + taps[b].first) * MUX_LANES;
          ptrdiff_t at = (((ptrdiff_t)(c->first + t) * k + dy) * k + taps[b].position) * tap_floats;
          weights[n] = phase_weights + at;
          gradients[n] = phase_gradient ? phase_gradient + at : NULL;
          kernel_rows[n++] = dy;
        }
        const float *x = tile_values + (ptrdiff_t)b * pixels * MUX_LANES;
        float *to = line + (ptrdiff_t)b * pixels * MUX_LANES;
        if (plan->partners) {
          line_kernels[b](taps[b].taps, rows, weights, n, to, count);
          if (phase_gradient) weight_kernels[b](taps[b].taps, x, rows, gradients, n, count);
        } else {
          MUX_TYPE(wide) w = {plan, gradient_tile,    rows, kernel_rows, n, taps[b].taps,
                              1,    taps[b].position, count};
          MUX_NAME(wide_line)(&w, t, phase_weights, to);
          if (phase_gradient) MUX_NAME(wide_gradient)(&w, t, x, phase_gradient);
        }
      }
      int lanes = MUX_NAME(lanes_of)(c, t);
      const float *derivative = derivatives + t * tile_floats;
      for (int i = 0; i < span_count; ++i) {
        const span *s = &spans[i];
        ptrdiff_t channel = s->channel + (c->first + t) * MUX_LANES;
        const float *e = arguments->input + s->pixel * arguments->input_stride + channel;
        ptrdiff_t e_step = s->pixel_step * arguments->input_stride;
        ptrdiff_t to_step = s->pixel_step * arguments->input_gradient_stride;
        float *to =
            arguments->input_gradient
                ? arguments->input_gradient + s->pixel * arguments->input_gradient_stride + channel
                : NULL;
        double *sum = arguments->sum_gradient ? arguments->sum_gradient + channel : NULL;
        double *products = sum ? arguments->sum_gradient_input + channel : NULL;
        if (lanes == MUX_LANES) {
          MUX_NAME(store_gradient_as)
          (MUX_LANES, s, line, derivative, e, e_step, to, to_step, sum, products);
        } else {
          MUX_NAME(store_gradient_as)
          (lanes, s, line, derivative, e, e_step, to, to_step, sum, products);
        }
      }
    }
  }
}

static float *MUX_NAME(align)(float *scratch) {
  return (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
}

static chunk MUX_NAME(make_chunk)(const mux_branch_plan *plan, int first, int size) {
  int tiles = plan->tiles - first < size ? plan->tiles - first : size;
  int channels = plan->channels - first * MUX_LANES;
  return (chunk){plan, first, tiles,
                 channels >= tiles * MUX_LANES ? MUX_LANES : channels - (tiles - 1) * MUX_LANES};
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

static void MUX_NAME(backward)(const mux_spatial *op,
                               const mux_spatial_backward_arguments *arguments, float *scratch) {
  for (int i = 0; i < op->channels && arguments->sum_gradient; ++i) {
    arguments->sum_gradient[i] = 0;
    arguments->sum_gradient_input[i] = 0;
  }
  for (int i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, MUX_LANES);
    int size = mux_plan_chunk(&plan, mux_backward_scratch(&plan, MUX_LANES));
    for (int first = 0; first < plan.tiles; first += size) {
      chunk c = MUX_NAME(make_chunk)(&plan, first, size);
      MUX_NAME(backward_chunk)(arguments, &c, plan.forward_weights, MUX_NAME(align)(scratch));
    }
  }
}

static const mux_spatial_table MUX_NAME(spatial) = {MUX_LANES, MUX_NAME(forward),
                                                    MUX_NAME(backward)};

#undef span
#undef chunk
