// SPDX-License-Identifier: Apache-2.0
// Dense convolutions whose results are planes, or means of planes.

/// Writes a tile [pixel][lane] to planes: transposes it, activates, adds the residual. All in
/// registers; what is a constant after inlining decides what code there is.
MUX_INLINE void MUX_NAME(store_activated)(
    const mux_dense *s, mux_activation activation, bool has_residual, bool is_whole,
    const float *tile, ptrdiff_t first_channel, int channels, ptrdiff_t pixel, int pixels,
    float *arena) {
  vf x[MUX_LANES];
  MUX_UNROLL
  for (int i = 0; i < MUX_LANES; ++i) x[i] = v_load(tile + i * MUX_LANES);
  MUX_NAME(transpose)(x);
  const int32_t *outputs = s->outputs + first_channel;
  const int32_t *residuals = has_residual ? s->residuals + first_channel : NULL;
  float *to = arena + pixel;
  MUX_UNROLL
  for (int c = 0; c < MUX_LANES; ++c) {
    if (c < channels) {
      vf y = MUX_NAME(i_activate)(activation, x[c]);
      if (is_whole) {
        if (has_residual) y += v_load(to + residuals[c]);
        v_store(to + outputs[c], y);
      } else {
        if (has_residual) y += v_load_first(to + residuals[c], pixels);
        v_store_first(to + outputs[c], y, pixels);
      }
    }
  }
}

static void MUX_NAME(store_planes)(
    const mux_dense *s, float *tile, ptrdiff_t first_channel, int channels, ptrdiff_t pixel,
    int pixels, float *arena) {
  const bool is_whole = pixels == MUX_LANES;
  const bool is_final = s->final_activation == MUX_IDENTITY;
  if (s->activation != MUX_IDENTITY && (s->residuals || s->activation != MUX_RELU)) {
    MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
  }
  if (!s->residuals) {
    if (s->activation == MUX_RELU) {
      if (is_whole) {
        MUX_NAME(store_activated)(s, MUX_RELU, false, true, tile, first_channel, channels, pixel,
                                  pixels, arena);
      } else {
        MUX_NAME(store_activated)(s, MUX_RELU, false, false, tile, first_channel, channels, pixel,
                                  pixels, arena);
      }
    } else if (is_whole) {
      MUX_NAME(store_activated)(s, MUX_IDENTITY, false, true, tile, first_channel, channels,
                                pixel, pixels, arena);
    } else {
      MUX_NAME(store_activated)(s, MUX_IDENTITY, false, false, tile, first_channel, channels,
                                pixel, pixels, arena);
    }
    return;
  }
  if (is_whole) {
    MUX_NAME(store_activated)(s, MUX_IDENTITY, true, true, tile, first_channel, channels, pixel,
                              pixels, arena);
  } else {
    MUX_NAME(store_activated)(s, MUX_IDENTITY, true, false, tile, first_channel, channels, pixel,
                              pixels, arena);
  }
  if (is_final) return;
  for (int c = 0; c < channels; ++c) {
    float *to = arena + s->outputs[first_channel + c] + pixel;
    v_store_first(
        to, MUX_NAME(i_activate)(s->final_activation, v_load_first(to, pixels)), pixels);
  }
}

/// The weights of a block with the gate multiplied in.
MUX_INLINE void MUX_NAME(gate_weights)(
    const float *weights, const float *gate, ptrdiff_t inner, int half, float *to) {
  if (half) {
    for (ptrdiff_t k = 0; k < inner; ++k) {
      const ptrdiff_t at = k * (MUX_LANES / 2);
      *(MUX_NAME(vhu) *)(to + at) = *(const MUX_NAME(vhu) *)(weights + at) * gate[k];
    }
  } else {
    for (ptrdiff_t k = 0; k < inner; ++k) {
      const ptrdiff_t at = k * MUX_LANES;
      v_store(to + at, v_load(weights + at) * MUX_NAME(i_splat)(gate[k]));
    }
  }
}

/// A run of pixels of one block. `x` is where the offsets start, for pixel 0 of the run.
static void MUX_NAME(dense_run)(
    const mux_dense *s, ptrdiff_t block, int half, const float *weights, const float *x,
    ptrdiff_t pixel, ptrdiff_t pixels, vf *total, float *arena) {
  float tile[MUX_LANES * MUX_LANES] __attribute__((aligned(64))) = {0};
  const ptrdiff_t channel = block * MUX_LANES;
  const ptrdiff_t left = s->outer - channel;
  const ptrdiff_t channels = left < MUX_LANES ? left : MUX_LANES;
  const MUX_NAME(tile_function) *tiles = MUX_NAME(tiles_for)(half, s->step);
  const ptrdiff_t count = mux_ceil_div(pixels, MUX_LANES);
  const float infinity = __builtin_inff();
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
    // Whole vectors where there are many; equal shares where there are few.
    ptrdiff_t now = count > 8 ? MUX_LANES : (pixels - done) / (count - t);
    if (now > pixels - done) now = pixels - done;
    tiles[now - 1](x + done * s->step, s->offsets, s->inner, weights, s->bias + channel, -infinity,
                   infinity, s->step, tile, MUX_LANES);
    if (s->outputs) {
      MUX_NAME(store_planes)(s, tile, channel, (int)channels, pixel + done, (int)now, arena);
    } else {
      MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, now, NULL);
      for (ptrdiff_t i = 0; i < now; ++i) *total += v_load(tile + i * MUX_LANES);
    }
    done += now;
  }
}

/// Gathers the input rows under output row `y`, with the padding: [channel][row][column].
static void MUX_NAME(gather_rows)(
    const mux_window *w, ptrdiff_t y, const float *arena, float *to) {
  const ptrdiff_t length = mux_window_length(w);
  const ptrdiff_t left = w->padding < length ? w->padding : length;
  ptrdiff_t copied = w->in_width < length - left ? w->in_width : length - left;
  if (copied < 0) copied = 0;
  for (ptrdiff_t c = 0; c < w->input_count; ++c) {
    for (ptrdiff_t k = 0; k < w->kernel; ++k) {
      const ptrdiff_t row = y * w->stride - w->padding + k * w->dilation;
      if (row < 0 || row >= w->in_height) {
        memset(to, 0, (size_t)length * sizeof(float));
      } else {
        memset(to, 0, (size_t)left * sizeof(float));
        memcpy(to + left, arena + w->inputs[c] + row * w->in_width,
               (size_t)copied * sizeof(float));
        memset(to + left + copied, 0, (size_t)(length - left - copied) * sizeof(float));
      }
      to += length;
    }
  }
}

static size_t MUX_NAME(dense_scratch)(const mux_dense *s) {
  return (s->gate >= 0 ? (size_t)(s->inner * MUX_LANES) : 0) + mux_window_scratch(&s->window);
}

static void MUX_NAME(dense_task)(const mux_dense *s, int32_t task, float *arena, float *scratch) {
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES);
  ptrdiff_t first_block, end_block, first, end;
  mux_band(blocks, s->block_bands, task % s->block_bands, &first_block, &end_block);
  const bool window = s->window.kernel > 0;
  float *gated = scratch;
  float *rows = scratch + (s->gate >= 0 ? s->inner * MUX_LANES : 0);
  mux_band(window ? s->window.out_height : s->pixels, s->pixel_bands, task / s->block_bands, &first,
           &end);
  if (!window && s->pixel_bands > 1) {
    // Bands start at whole vectors, so that no tile is narrower than it needs to be.
    first = first / MUX_LANES * MUX_LANES;
    if (end < s->pixels) end = end / MUX_LANES * MUX_LANES;
  }
  if (window) {
    for (ptrdiff_t y = first; y < end; ++y) {
      MUX_NAME(gather_rows)(&s->window, y, arena, rows);
      for (ptrdiff_t b = first_block; b < end_block; ++b) {
        const int half = s->has_half_block && b == blocks - 1;
        vf total = {0};
        MUX_NAME(dense_run)(s, b, half, s->weights + b * s->inner * MUX_LANES, rows,
                            y * s->window.out_width, s->window.out_width, &total, arena);
      }
    }
    return;
  }
  for (ptrdiff_t b = first_block; b < end_block; ++b) {
    const int half = s->has_half_block && b == blocks - 1;
    const float *weights = s->weights + b * s->inner * MUX_LANES;
    if (s->gate >= 0) {
      MUX_NAME(gate_weights)(weights, arena + s->gate, s->inner, half, gated);
      weights = gated;
    }
    vf total = {0};
    MUX_NAME(dense_run)(s, b, half, weights, arena + first * s->step, first, end - first, &total,
                        arena);
    if (!s->outputs) {
      const ptrdiff_t left = s->outer - b * MUX_LANES;
      v_store_first(arena + s->means + b * MUX_LANES,
                    total * MUX_NAME(i_splat)(1.0f / (float)s->pixels),
                    (int)(left < MUX_LANES ? left : MUX_LANES));
    }
  }
}
