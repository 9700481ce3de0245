// SPDX-License-Identifier: Apache-2.0
// Between images in memory and rows of tiles in scratch, for one instruction set: batch norm and
// activation on the way in, statistics on the way out.

/// A run of pixels of one grid row that are evenly spaced both in the image and in the row.
typedef struct MUX_NAME(span) {
  ptrdiff_t pixel, pixel_step;    // in the image
  ptrdiff_t channel;              // first channel in the image
  ptrdiff_t target, target_step;  // in the row of one tile, floats
  int count, slice;
  ptrdiff_t row;  // pixels of an image row: how far ahead to prefetch
} MUX_TYPE(span);
#define span MUX_NAME(span)

/// The spans of grid row y of an image that is `width` pixels wide (on the grid), for rows with
/// `planes` planes of `plane_pixels` pixels, of which `lead` zeros.
static int MUX_NAME(make_spans)(const mux_branch_plan *plan, int y, int width, int planes,
                                int plane_pixels, int lead, span *spans) {
  if (plan->fine > 1) {
    int r = plan->fine, image_width = width / r;
    for (int b = 0; b < r; ++b) {
      int slice = y % r * r + b;
      spans[b] = (span){.pixel = (ptrdiff_t)(y / r) * image_width,
                        .pixel_step = 1,
                        .channel = plan->offset + slice * plan->channels,
                        .target = (ptrdiff_t)(lead + b) * MUX_LANES,
                        .target_step = (ptrdiff_t)r * MUX_LANES,
                        .count = image_width,
                        .slice = slice,
                        .row = image_width};
    }
    return r;
  }
  for (int b = 0; b < planes; ++b) {
    spans[b] = (span){.pixel = (ptrdiff_t)y * width + b,
                      .pixel_step = planes,
                      .channel = plan->offset,
                      .target = ((ptrdiff_t)b * plane_pixels + lead) * MUX_LANES,
                      .target_step = MUX_LANES,
                      .count = width <= b ? 0 : (width - b + planes - 1) / planes,
                      .row = width};
  }
  return planes;
}

/// The part of a branch's tiles that one pass takes.
typedef struct MUX_NAME(chunk) {
  const mux_branch_plan *plan;
  int first, tiles;
  /// Valid lanes of the last tile.
  int last_lanes;
} MUX_TYPE(chunk);
#define chunk MUX_NAME(chunk)

MUX_INLINE int MUX_NAME(lanes_of)(const chunk *c, int tile) {
  return tile == c->tiles - 1 ? c->last_lanes : MUX_LANES;
}

/// Copies per-channel coefficients to [slice][tile][lane], zero in lanes without channel.
static void MUX_NAME(gather)(const chunk *c, const float *coefficients, float missing, float *to) {
  int slices = c->plan->fine * c->plan->fine, n = (c->tiles - 1) * MUX_LANES + c->last_lanes;
  for (int s = 0; s < slices; ++s) {
    ptrdiff_t from = c->plan->offset + s * c->plan->channels + c->first * MUX_LANES;
    for (int i = 0; i < n; ++i) to[i] = coefficients ? coefficients[from + i] : missing;
    for (int i = n; i < c->tiles * MUX_LANES; ++i) to[i] = 0;
    to += c->tiles * MUX_LANES;
  }
}

/// Zeros around the pixels of `rows` rows of tiles; they stay while the pixels are overwritten.
static void MUX_NAME(clear_edges)(float *row, size_t tiles, int planes, int plane_pixels, int lead,
                                  int width) {
  for (size_t t = 0; t < tiles; ++t) {
    for (int b = 0; b < planes; ++b, row += (ptrdiff_t)plane_pixels * MUX_LANES) {
      int count = width <= b ? 0 : (width - b + planes - 1) / planes;
      memset(row, 0, sizeof(float) * MUX_LANES * (size_t)lead);
      memset(row + (ptrdiff_t)(lead + count) * MUX_LANES, 0,
             sizeof(float) * MUX_LANES * (size_t)(plane_pixels - lead - count));
    }
  }
}

/// Pixels taken together in one tile: enough to amortise the coefficients, few enough that the
/// image is read about in order.
enum { MUX_NAME(run) = 8 };

MUX_INLINE vf MUX_NAME(load_first)(const float *p, int lanes) {
  return lanes == MUX_LANES ? v_load(p) : v_load_first(p, lanes);
}

/// n pixels of one tile: z = act(scale · e + shift), and act′ if `both`. Two pixels at a time, as
/// the activations are long chains of dependent operations. All but the pointers, n and perhaps
/// `lanes` are constants after inlining.
MUX_INLINE void MUX_NAME(load_tile)(mux_activation activation, bool both, int lanes, int n,
                                    const float *from, ptrdiff_t from_step, ptrdiff_t ahead,
                                    vf scale, vf shift, float *row, float *derivative,
                                    ptrdiff_t step) {
  int i = 0;
  for (; i + 2 <= n; i += 2, from += 2 * from_step, row += 2 * step, derivative += 2 * step) {
    __builtin_prefetch(from + ahead, 0, 2);
    __builtin_prefetch(from + from_step + ahead, 0, 2);
    vf u0 = v_fma(scale, MUX_NAME(load_first)(from, lanes), shift);
    vf u1 = v_fma(scale, MUX_NAME(load_first)(from + from_step, lanes), shift);
    vf d0, d1;
    vf z0 = v_activate_both(activation, u0, &d0);
    vf z1 = v_activate_both(activation, u1, &d1);
    v_store(row, z0);
    v_store(row + step, z1);
    if (both) {
      v_store(derivative, d0);
      v_store(derivative + step, d1);
    }
  }
  if (i < n) {
    __builtin_prefetch(from + ahead, 0, 2);
    vf d,
        z = v_activate_both(activation, v_fma(scale, MUX_NAME(load_first)(from, lanes), shift), &d);
    v_store(row, z);
    if (both) v_store(derivative, d);
  }
}

MUX_INLINE void MUX_NAME(load_span_as)(mux_activation activation, bool both, const chunk *c,
                                       const span *s, const float *image, ptrdiff_t stride,
                                       const float *scale, const float *shift,
                                       ptrdiff_t tile_stride, float *row, float *derivative) {
  const float *from = image + s->pixel * stride + s->channel + c->first * MUX_LANES;
  ptrdiff_t from_step = s->pixel_step * stride, ahead = s->row * stride;
  for (int x = 0; x < s->count; x += MUX_NAME(run)) {
    int n = s->count - x < MUX_NAME(run) ? s->count - x : MUX_NAME(run);
    for (int t = 0; t < c->tiles; ++t) {
      int lanes = MUX_NAME(lanes_of)(c, t);
      vf a = v_load(scale + t * MUX_LANES), b = v_load(shift + t * MUX_LANES);
      const float *source = from + x * from_step + t * MUX_LANES;
      ptrdiff_t to = t * tile_stride + s->target + x * s->target_step;
      if (lanes == MUX_LANES) {
        MUX_NAME(load_tile)
        (activation, both, MUX_LANES, n, source, from_step, ahead, a, b, row + to, derivative + to,
         s->target_step);
      } else {
        MUX_NAME(load_tile)
        (activation, both, lanes, n, source, from_step, ahead, a, b, row + to, derivative + to,
         s->target_step);
      }
    }
  }
}

static void MUX_NAME(load_span)(mux_activation activation, const chunk *c, const span *s,
                                const float *image, ptrdiff_t stride, const float *scale,
                                const float *shift, ptrdiff_t tile_stride, float *row) {
#define MUX_DO(kind)     \
  MUX_NAME(load_span_as) \
  (kind, false, c, s, image, stride, scale, shift, tile_stride, row, row)
  MUX_SWITCH(activation)
#undef MUX_DO
}

static void MUX_NAME(load_span_both)(mux_activation activation, const chunk *c, const span *s,
                                     const float *image, ptrdiff_t stride, const float *scale,
                                     const float *shift, ptrdiff_t tile_stride, float *row,
                                     float *derivative) {
#define MUX_DO(kind)     \
  MUX_NAME(load_span_as) \
  (kind, true, c, s, image, stride, scale, shift, tile_stride, row, derivative)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// Per-channel coefficients of the raw output's gradient, gathered.
typedef struct MUX_NAME(coefficients) {
  const float *scale, *shift, *gate, *pooled, *k0, *k1, *k2;
} MUX_TYPE(coefficients);

/// dL/dd of n pixels of one tile.
MUX_INLINE void MUX_NAME(gradient_tile)(mux_activation activation, int lanes, int n, const float *g,
                                        ptrdiff_t g_step, ptrdiff_t g_ahead, const float *d,
                                        ptrdiff_t d_step, ptrdiff_t d_ahead,
                                        const MUX_TYPE(coefficients) *k, ptrdiff_t at, float *row,
                                        ptrdiff_t step) {
  vf scale = v_load(k->scale + at), shift = v_load(k->shift + at);
  vf gate = v_load(k->gate + at), pooled = v_load(k->pooled + at);
  vf k0 = v_load(k->k0 + at), k1 = v_load(k->k1 + at), k2 = v_load(k->k2 + at);
  int i = 0;
  for (; i + 2 <= n; i += 2, g += 2 * g_step, d += 2 * d_step, row += 2 * step) {
    __builtin_prefetch(g + g_ahead, 0, 2);
    __builtin_prefetch(d + d_ahead, 0, 2);
    __builtin_prefetch(g + g_step + g_ahead, 0, 2);
    __builtin_prefetch(d + d_step + d_ahead, 0, 2);
    vf d0 = MUX_NAME(load_first)(d, lanes), d1 = MUX_NAME(load_first)(d + d_step, lanes);
    vf g0 = MUX_NAME(load_first)(g, lanes), g1 = MUX_NAME(load_first)(g + g_step, lanes);
    vf s0 = v_derivative(activation, v_fma(scale, d0, shift));
    vf s1 = v_derivative(activation, v_fma(scale, d1, shift));
    s0 *= v_fma(gate, g0, pooled);
    s1 *= v_fma(gate, g1, pooled);
    v_store(row, v_fma(k0, s0, v_fma(k1, d0, k2)));
    v_store(row + step, v_fma(k0, s1, v_fma(k1, d1, k2)));
  }
  if (i < n) {
    __builtin_prefetch(g + g_ahead, 0, 2);
    __builtin_prefetch(d + d_ahead, 0, 2);
    vf d0 = MUX_NAME(load_first)(d, lanes);
    vf s0 = v_derivative(activation, v_fma(scale, d0, shift));
    s0 *= v_fma(gate, MUX_NAME(load_first)(g, lanes), pooled);
    v_store(row, v_fma(k0, s0, v_fma(k1, d0, k2)));
  }
}

MUX_INLINE void MUX_NAME(load_gradient_as)(mux_activation activation, const chunk *c, const span *s,
                                           const mux_spatial_backward_arguments *arguments,
                                           const MUX_TYPE(coefficients) *k, ptrdiff_t tile_stride,
                                           float *row) {
  ptrdiff_t channel = s->channel + c->first * MUX_LANES;
  ptrdiff_t g_stride = arguments->output_gradient_stride, d_stride = arguments->output_stride;
  const float *g_from = arguments->output_gradient + s->pixel * g_stride + channel;
  const float *d_from = arguments->output + s->pixel * d_stride + channel;
  ptrdiff_t g_step = s->pixel_step * g_stride, d_step = s->pixel_step * d_stride;
  ptrdiff_t g_ahead = s->row * g_stride, d_ahead = s->row * d_stride;
  ptrdiff_t slice = (ptrdiff_t)s->slice * c->tiles * MUX_LANES;
  for (int x = 0; x < s->count; x += MUX_NAME(run)) {
    int n = s->count - x < MUX_NAME(run) ? s->count - x : MUX_NAME(run);
    for (int t = 0; t < c->tiles; ++t) {
      int lanes = MUX_NAME(lanes_of)(c, t);
      ptrdiff_t at = t * MUX_LANES;
      const float *g = g_from + x * g_step + at, *d = d_from + x * d_step + at;
      float *to = row + t * tile_stride + s->target + x * s->target_step;
      if (lanes == MUX_LANES) {
        MUX_NAME(gradient_tile)
        (activation, MUX_LANES, n, g, g_step, g_ahead, d, d_step, d_ahead, k, slice + at, to,
         s->target_step);
      } else {
        MUX_NAME(gradient_tile)
        (activation, lanes, n, g, g_step, g_ahead, d, d_step, d_ahead, k, slice + at, to,
         s->target_step);
      }
    }
  }
}

static void MUX_NAME(load_gradient)(mux_activation activation, const chunk *c, const span *s,
                                    const mux_spatial_backward_arguments *arguments,
                                    const MUX_TYPE(coefficients) *k, ptrdiff_t tile_stride,
                                    float *row) {
#define MUX_DO(kind) MUX_NAME(load_gradient_as)(kind, c, s, arguments, k, tile_stride, row)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// Writes a span of one tile's line to the image, and adds its sums (two of each: additions
/// take several cycles).
MUX_INLINE void MUX_NAME(store_as)(int lanes, const span *s, const float *line, float *to,
                                   ptrdiff_t step, double *sum, double *sum_squares) {
  vf total0 = {0}, total1 = {0}, squares0 = {0}, squares1 = {0};
  const float *from = line + s->target;
  ptrdiff_t from_step = s->target_step, ahead = s->row * step / s->pixel_step;
  for (int i = 0; i < s->count; ++i, from += from_step, to += step) {
    vf x = v_load(from);
    __builtin_prefetch(to + ahead, 1, 2);
    if (lanes == MUX_LANES)
      v_store(to, x);
    else
      v_store_first(to, x, lanes);
    vf total = total1 + x, squares = v_fma(x, x, squares1);
    total1 = total0;
    squares1 = squares0;
    total0 = total;
    squares0 = squares;
  }
  if (sum) {
    v_add_double(sum, total0 + total1, lanes);
    v_add_double(sum_squares, squares0 + squares1, lanes);
  }
}

/// Multiplies a span of the gradient line by act′, writes it, and adds its sums.
MUX_INLINE void MUX_NAME(store_gradient_as)(int lanes, const span *s, const float *line,
                                            const float *derivative, const float *e,
                                            ptrdiff_t e_step, float *to, ptrdiff_t to_step,
                                            double *sum, double *sum_input) {
  vf total0 = {0}, total1 = {0}, products0 = {0}, products1 = {0};
  ptrdiff_t from = s->target, ahead = s->row * to_step / s->pixel_step;
  for (int i = 0; i < s->count; ++i, from += s->target_step, e += e_step) {
    vf du = v_load(line + from) * v_load(derivative + from);
    if (to) {
      if (lanes == MUX_LANES)
        v_store(to, du);
      else
        v_store_first(to, du, lanes);
      __builtin_prefetch(to + ahead, 1, 2);
      to += to_step;
    }
    if (sum) {
      vf x = lanes == MUX_LANES ? v_load(e) : v_load_first(e, lanes);
      vf total = total1 + du, products = v_fma(du, x, products1);
      total1 = total0;
      products1 = products0;
      total0 = total;
      products0 = products;
    }
  }
  if (sum) {
    v_add_double(sum, total0 + total1, lanes);
    v_add_double(sum_input, products0 + products1, lanes);
  }
}
