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
} MUX_NAME(span);
#define span MUX_NAME(span)

/// The spans of grid row y of an image that is `width` pixels wide (on the grid), for rows with
/// `planes` planes of `plane_pixels` pixels, of which `lead` zeros.
static int MUX_NAME(make_spans)(
    const mux_branch_plan *plan, int y, int width, int planes, int plane_pixels, int lead,
    span *spans) {
  if (plan->fine > 1) {
    int r = plan->fine, image_width = width / r;
    for (int b = 0; b < r; ++b) {
      int slice = y % r * r + b;
      spans[b] = (span){
          .pixel = (ptrdiff_t)(y / r) * image_width,
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
    spans[b] = (span){
        .pixel = (ptrdiff_t)y * width + b,
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
} MUX_NAME(chunk);
#define chunk MUX_NAME(chunk)

MUX_INLINE int MUX_NAME(lanes_of)(const chunk *c, int tile) {
  return tile == c->tiles - 1 ? c->last_lanes : MUX_LANES;
}

/// Copies per-channel coefficients to [slice][tile][lane], zero in lanes without channel.
static void MUX_NAME(gather)(
    const chunk *c, const float *coefficients, float missing, float *to) {
  int slices = c->plan->fine * c->plan->fine, n = (c->tiles - 1) * MUX_LANES + c->last_lanes;
  for (int s = 0; s < slices; ++s) {
    ptrdiff_t from = c->plan->offset + s * c->plan->channels + c->first * MUX_LANES;
    for (int i = 0; i < n; ++i) to[i] = coefficients ? coefficients[from + i] : missing;
    for (int i = n; i < c->tiles * MUX_LANES; ++i) to[i] = 0;
    to += c->tiles * MUX_LANES;
  }
}

/// Zeros around the pixels of `rows` rows of tiles; they stay while the pixels are overwritten.
static void MUX_NAME(clear_edges)(
    float *row, size_t tiles, int planes, int plane_pixels, int lead, int width) {
  for (size_t t = 0; t < tiles; ++t) {
    for (int b = 0; b < planes; ++b, row += (ptrdiff_t)plane_pixels * MUX_LANES) {
      int count = width <= b ? 0 : (width - b + planes - 1) / planes;
      memset(row, 0, sizeof(float) * MUX_LANES * (size_t)lead);
      memset(
          row + (ptrdiff_t)(lead + count) * MUX_LANES, 0,
          sizeof(float) * MUX_LANES * (size_t)(plane_pixels - lead - count));
    }
  }
}

/// Pixels taken together in one tile: enough to amortise the coefficients, few enough that the
/// image is read about in order.
enum { MUX_NAME(run) = 8 };

/// z = act(scale · e + shift) of a span, and act′ if `derivative` is given (a constant NULL or
/// not, after inlining).
MUX_INLINE void MUX_NAME(load_span_as)(
    mux_activation activation, const chunk *c, const span *s, const float *image,
    ptrdiff_t stride, const float *scale, const float *shift, ptrdiff_t tile_stride, float *row,
    float *derivative) {
  const float *from = image + s->pixel * stride + s->channel + c->first * MUX_LANES;
  ptrdiff_t from_step = s->pixel_step * stride, ahead = s->row * stride;
  for (int x = 0; x < s->count; x += MUX_NAME(run)) {
    int n = s->count - x < MUX_NAME(run) ? s->count - x : MUX_NAME(run);
    for (int t = 0; t < c->tiles; ++t) {
      int lanes = MUX_NAME(lanes_of)(c, t);
      vf a = v_load(scale + t * MUX_LANES), b = v_load(shift + t * MUX_LANES);
      const float *source = from + x * from_step + t * MUX_LANES;
      ptrdiff_t to = t * tile_stride + s->target + x * s->target_step;
      for (int i = 0; i < n; ++i, source += from_step, to += s->target_step) {
        vf e = lanes == MUX_LANES ? v_load(source) : v_load_first(source, lanes);
        __builtin_prefetch(source + ahead, 0, 2);
        vf u = v_fma(a, e, b);
        if (derivative) {
          vf d;
          v_store(row + to, v_activate_both(activation, u, &d));
          v_store(derivative + to, d);
        } else {
          v_store(row + to, v_activate(activation, u));
        }
      }
    }
  }
}

static void MUX_NAME(load_span)(
    mux_activation activation, const chunk *c, const span *s, const float *image,
    ptrdiff_t stride, const float *scale, const float *shift, ptrdiff_t tile_stride, float *row) {
#define MUX_DO(kind)                                                                           \
  MUX_NAME(load_span_as)(kind, c, s, image, stride, scale, shift, tile_stride, row, NULL)
  MUX_SWITCH(activation)
#undef MUX_DO
}

static void MUX_NAME(load_span_both)(
    mux_activation activation, const chunk *c, const span *s, const float *image,
    ptrdiff_t stride, const float *scale, const float *shift, ptrdiff_t tile_stride, float *row,
    float *derivative) {
#define MUX_DO(kind)                                                                           \
  MUX_NAME(load_span_as)                                                                       \
  (kind, c, s, image, stride, scale, shift, tile_stride, row, derivative)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// Per-channel coefficients of the raw output's gradient, gathered.
typedef struct MUX_NAME(coefficients) {
  const float *scale, *shift, *gate, *pooled, *k0, *k1, *k2;
} MUX_NAME(coefficients);

/// dL/dd of a span.
MUX_INLINE void MUX_NAME(load_gradient_as)(
    mux_activation activation, const chunk *c, const span *s,
    const mux_spatial_backward_arguments *arguments, const MUX_NAME(coefficients) *k,
    ptrdiff_t tile_stride, float *row) {
  ptrdiff_t channel = s->channel + c->first * MUX_LANES;
  ptrdiff_t g_stride = arguments->output_gradient_stride, d_stride = arguments->output_stride;
  const float *g_from = arguments->output_gradient + s->pixel * g_stride + channel;
  const float *d_from = arguments->output + s->pixel * d_stride + channel;
  ptrdiff_t slice = (ptrdiff_t)s->slice * c->tiles * MUX_LANES;
  for (int x = 0; x < s->count; x += MUX_NAME(run)) {
    int n = s->count - x < MUX_NAME(run) ? s->count - x : MUX_NAME(run);
    for (int t = 0; t < c->tiles; ++t) {
      int lanes = MUX_NAME(lanes_of)(c, t);
      ptrdiff_t at = slice + t * MUX_LANES;
      vf scale = v_load(k->scale + at), shift = v_load(k->shift + at);
      vf gate = v_load(k->gate + at), pooled = v_load(k->pooled + at);
      vf k0 = v_load(k->k0 + at), k1 = v_load(k->k1 + at), k2 = v_load(k->k2 + at);
      for (int i = 0; i < n; ++i) {
        ptrdiff_t pixel = (x + i) * s->pixel_step;
        const float *gp = g_from + pixel * g_stride + t * MUX_LANES;
        const float *dp = d_from + pixel * d_stride + t * MUX_LANES;
        vf g = lanes == MUX_LANES ? v_load(gp) : v_load_first(gp, lanes);
        vf d = lanes == MUX_LANES ? v_load(dp) : v_load_first(dp, lanes);
        __builtin_prefetch(gp + s->row * g_stride, 0, 2);
        __builtin_prefetch(dp + s->row * d_stride, 0, 2);
        vf du = v_derivative(activation, v_fma(scale, d, shift)) * v_fma(gate, g, pooled);
        v_store(
            row + t * tile_stride + s->target + (x + i) * s->target_step,
            v_fma(k0, du, v_fma(k1, d, k2)));
      }
    }
  }
}

static void MUX_NAME(load_gradient)(
    mux_activation activation, const chunk *c, const span *s,
    const mux_spatial_backward_arguments *arguments, const MUX_NAME(coefficients) *k,
    ptrdiff_t tile_stride, float *row) {
#define MUX_DO(kind) MUX_NAME(load_gradient_as)(kind, c, s, arguments, k, tile_stride, row)
  MUX_SWITCH(activation)
#undef MUX_DO
}

/// Writes a span of one tile's line to the image, and adds its sums (two of each: additions
/// take several cycles).
MUX_INLINE void MUX_NAME(store_as)(
    int lanes, const span *s, const float *line, float *to, ptrdiff_t step, double *sum,
    double *sum_squares) {
  vf total0 = {0}, total1 = {0}, squares0 = {0}, squares1 = {0};
  const float *from = line + s->target;
  ptrdiff_t from_step = s->target_step, ahead = s->row * step / s->pixel_step;
  for (int i = 0; i < s->count; ++i, from += from_step, to += step) {
    vf x = v_load(from);
    __builtin_prefetch(to + ahead, 1, 2);
    if (lanes == MUX_LANES) v_store(to, x);
    else v_store_first(to, x, lanes);
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
MUX_INLINE void MUX_NAME(store_gradient_as)(
    int lanes, const span *s, const float *line, const float *derivative, const float *e,
    ptrdiff_t e_step, float *to, ptrdiff_t to_step, double *sum, double *sum_input) {
  vf total0 = {0}, total1 = {0}, products0 = {0}, products1 = {0};
  ptrdiff_t from = s->target, ahead = s->row * to_step / s->pixel_step;
  for (int i = 0; i < s->count; ++i, from += s->target_step, e += e_step) {
    vf du = v_load(line + from) * v_load(derivative + from);
    if (to) {
      if (lanes == MUX_LANES) v_store(to, du);
      else v_store_first(to, du, lanes);
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
