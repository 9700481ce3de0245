// SPDX-License-Identifier: Apache-2.0
// Per-channel passes over [pixels][channels], for one instruction set. A tile of channels at a
// time within runs of pixels: the image is read in order, and sums stay in registers in a run.

enum { MUX_NAME(channel_run) = 32 };

MUX_INLINE vf MUX_NAME(load_lanes)(const float *p, int lanes) {
  return lanes == MUX_LANES ? v_load(p) : v_load_first(p, lanes);
}

MUX_INLINE vf MUX_NAME(coefficient)(const float *p, size_t channel, int lanes, float missing) {
  return p ? MUX_NAME(load_lanes)(p + channel, lanes) : v_splat(missing);
}

/// For each run of n pixels from p0 on and each tile of `lanes` channels from c on. `lanes` is a
/// constant but for the last, partial tile.
#define MUX_TILES(statement)                                                              \
  for (size_t p0 = 0; p0 < pixels; p0 += MUX_NAME(channel_run)) {                         \
    size_t n = pixels - p0 < MUX_NAME(channel_run) ? pixels - p0 : MUX_NAME(channel_run); \
    size_t c = 0;                                                                         \
    for (; c + MUX_LANES <= channels; c += MUX_LANES) {                                   \
      const int lanes = MUX_LANES;                                                        \
      statement;                                                                          \
    }                                                                                     \
    if (c < channels) {                                                                   \
      const int lanes = (int)(channels - c);                                              \
      statement;                                                                          \
    }                                                                                     \
  }

static void MUX_NAME(clear)(double *sum, size_t channels) {
  if (sum) memset(sum, 0, channels * sizeof(double));
}

MUX_INLINE void MUX_NAME(statistics_run)(int lanes, const float *x, ptrdiff_t stride, size_t n,
                                         double *sum, double *sum_squares) {
  vf total = {0}, squares = {0};
  for (size_t i = 0; i < n; ++i, x += stride) {
    vf value = MUX_NAME(load_lanes)(x, lanes);
    total += value;
    squares = v_fma(value, value, squares);
  }
  v_add_double(sum, total, lanes);
  v_add_double(sum_squares, squares, lanes);
}

static void MUX_NAME(statistics)(const float *input, ptrdiff_t stride, size_t pixels,
                                 size_t channels, double *sum, double *sum_squares) {
  MUX_NAME(clear)(sum, channels);
  MUX_NAME(clear)(sum_squares, channels);
  MUX_TILES(MUX_NAME(statistics_run)(lanes, input + (ptrdiff_t)p0 * stride + c, stride, n, sum + c,
                                     sum_squares + c))
}

MUX_INLINE void MUX_NAME(activated_run)(mux_activation activation, int lanes, const float *x,
                                        ptrdiff_t stride, size_t n, size_t c,
                                        const mux_transform *t, double *sum) {
  vf scale = MUX_NAME(coefficient)(t->scale, c, lanes, 1);
  vf shift = MUX_NAME(coefficient)(t->shift, c, lanes, 0);
  vf total = {0};
  for (size_t i = 0; i < n; ++i, x += stride) {
    total += v_activate(activation, v_fma(scale, MUX_NAME(load_lanes)(x, lanes), shift));
  }
  v_add_double(sum, total, lanes);
}

MUX_INLINE void MUX_NAME(activated_as)(mux_activation activation, const float *input,
                                       ptrdiff_t stride, size_t pixels, size_t channels,
                                       const mux_transform *t, double *sum) {
  MUX_TILES(MUX_NAME(activated_run)(activation, lanes, input + (ptrdiff_t)p0 * stride + c, stride,
                                    n, c, t, sum + c))
}

static void MUX_NAME(activated_sum)(const float *input, ptrdiff_t stride, size_t pixels,
                                    size_t channels, const mux_transform *t, double *sum) {
  MUX_NAME(clear)(sum, channels);
#define MUX_DO(kind) MUX_NAME(activated_as)(kind, input, stride, pixels, channels, t, sum)
  MUX_SWITCH(t->activation)
#undef MUX_DO
}

MUX_INLINE void MUX_NAME(apply_run)(mux_activation activation, int lanes, const float *x,
                                    ptrdiff_t stride, size_t n, size_t c, const mux_transform *t,
                                    const float *gate, float *y, ptrdiff_t y_stride) {
  vf scale = MUX_NAME(coefficient)(t->scale, c, lanes, 1);
  vf shift = MUX_NAME(coefficient)(t->shift, c, lanes, 0);
  vf factor = MUX_NAME(coefficient)(gate, c, lanes, 1);
  for (size_t i = 0; i < n; ++i, x += stride, y += y_stride) {
    vf value = MUX_NAME(load_lanes)(x, lanes);
    value = factor * v_activate(activation, v_fma(scale, value, shift));
    if (lanes == MUX_LANES)
      v_store(y, value);
    else
      v_store_first(y, value, lanes);
  }
}

MUX_INLINE void MUX_NAME(apply_as)(mux_activation activation, const float *input, ptrdiff_t stride,
                                   size_t pixels, size_t channels, const mux_transform *t,
                                   const float *gate, float *output, ptrdiff_t output_stride) {
  MUX_TILES(MUX_NAME(apply_run)(activation, lanes, input + (ptrdiff_t)p0 * stride + c, stride, n, c,
                                t, gate, output + (ptrdiff_t)p0 * output_stride + c, output_stride))
}

static void MUX_NAME(apply)(const float *input, ptrdiff_t stride, size_t pixels, size_t channels,
                            const mux_transform *t, const float *gate, float *output,
                            ptrdiff_t output_stride) {
#define MUX_DO(kind) \
  MUX_NAME(apply_as)(kind, input, stride, pixels, channels, t, gate, output, output_stride)
  MUX_SWITCH(t->activation)
#undef MUX_DO
}

MUX_INLINE void MUX_NAME(gradients_run)(mux_activation activation, int lanes, const float *g,
                                        ptrdiff_t g_stride, const float *d, ptrdiff_t d_stride,
                                        size_t n, size_t c, const mux_transform *t,
                                        const mux_channel_gradient_sums *sums) {
  vf scale = MUX_NAME(coefficient)(t->scale, c, lanes, 1);
  vf shift = MUX_NAME(coefficient)(t->shift, c, lanes, 0);
  vf value_sum = {0}, plain = {0}, gradient_sum = {0}, raw_sum = {0}, product_sum = {0};
  for (size_t i = 0; i < n; ++i, g += g_stride, d += d_stride) {
    vf gradient = MUX_NAME(load_lanes)(g, lanes), raw = MUX_NAME(load_lanes)(d, lanes);
    vf derivative;
    vf value = v_activate_both(activation, v_fma(scale, raw, shift), &derivative);
    vf product = derivative * gradient;
    value_sum = v_fma(gradient, value, value_sum);
    plain += derivative;
    gradient_sum += product;
    raw_sum = v_fma(derivative, raw, raw_sum);
    product_sum = v_fma(product, raw, product_sum);
  }
  if (sums->gradient_value) v_add_double(sums->gradient_value + c, value_sum, lanes);
  if (sums->derivative) v_add_double(sums->derivative + c, plain, lanes);
  if (sums->derivative_gradient) v_add_double(sums->derivative_gradient + c, gradient_sum, lanes);
  if (sums->derivative_raw) v_add_double(sums->derivative_raw + c, raw_sum, lanes);
  if (sums->derivative_gradient_raw) {
    v_add_double(sums->derivative_gradient_raw + c, product_sum, lanes);
  }
}

MUX_INLINE void MUX_NAME(gradients_as)(mux_activation activation, const float *gradient,
                                       ptrdiff_t gradient_stride, const float *raw,
                                       ptrdiff_t raw_stride, size_t pixels, size_t channels,
                                       const mux_transform *t,
                                       const mux_channel_gradient_sums *sums) {
  MUX_TILES(MUX_NAME(gradients_run)(
      activation, lanes, gradient + (ptrdiff_t)p0 * gradient_stride + c, gradient_stride,
      raw + (ptrdiff_t)p0 * raw_stride + c, raw_stride, n, c, t, sums))
}

static void MUX_NAME(gradients)(const float *gradient, ptrdiff_t gradient_stride, const float *raw,
                                ptrdiff_t raw_stride, size_t pixels, size_t channels,
                                const mux_transform *t, const mux_channel_gradient_sums *sums) {
  MUX_NAME(clear)(sums->gradient_value, channels);
  MUX_NAME(clear)(sums->derivative, channels);
  MUX_NAME(clear)(sums->derivative_gradient, channels);
  MUX_NAME(clear)(sums->derivative_raw, channels);
  MUX_NAME(clear)(sums->derivative_gradient_raw, channels);
#define MUX_DO(kind)     \
  MUX_NAME(gradients_as) \
  (kind, gradient, gradient_stride, raw, raw_stride, pixels, channels, t, sums)
  MUX_SWITCH(t->activation)
#undef MUX_DO
}

static const mux_channel_table MUX_NAME(channel_table) = {
    MUX_NAME(statistics), MUX_NAME(activated_sum), MUX_NAME(apply), MUX_NAME(gradients)};

#undef MUX_TILES
