// SPDX-License-Identifier: Apache-2.0
// Dense convolutions whose results are planes, blocks, or means of planes.

/// Writes a tile [pixel][lane] to planes: transposes it, activates, adds the residual. All in
/// registers; what is a constant after inlining decides what code there is.
MUX_INLINE void MUX_NAME(store_activated)(const mux_dense *s, mux_activation activation,
                                          bool has_residual, bool is_whole, const float *tile,
                                          ptrdiff_t first_channel, int channels, ptrdiff_t pixel,
                                          int pixels, float *arena) {
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

static void MUX_NAME(store_planes)(const mux_dense *s, float *tile, ptrdiff_t first_channel,
                                   int channels, ptrdiff_t pixel, int pixels, float *arena) {
  // Constants after inlining, as all that decides what code there is.
  const mux_activation relu = MUX_PLAIN(MUX_RELU), none = MUX_PLAIN(MUX_IDENTITY);
  const bool is_whole = pixels == MUX_LANES;
  const bool is_final = s->final_activation.kind == MUX_IDENTITY;
  if (s->activation.kind != MUX_IDENTITY && (s->residuals || s->activation.kind != MUX_RELU)) {
    MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
  }
  if (!s->residuals) {
    if (s->activation.kind == MUX_RELU) {
      if (is_whole) {
        MUX_NAME(store_activated)(s, relu, false, true, tile, first_channel, channels, pixel,
                                  pixels, arena);
      } else {
        MUX_NAME(store_activated)(s, relu, false, false, tile, first_channel, channels, pixel,
                                  pixels, arena);
      }
    } else if (is_whole) {
      MUX_NAME(store_activated)(s, none, false, true, tile, first_channel, channels, pixel, pixels,
                                arena);
    } else {
      MUX_NAME(store_activated)(s, none, false, false, tile, first_channel, channels, pixel, pixels,
                                arena);
    }
    return;
  }
  if (is_whole) {
    MUX_NAME(store_activated)(s, none, true, true, tile, first_channel, channels, pixel, pixels,
                              arena);
  } else {
    MUX_NAME(store_activated)(s, none, true, false, tile, first_channel, channels, pixel, pixels,
                              arena);
  }
  if (is_final) return;
  for (int c = 0; c < channels; ++c) {
    float *to = arena + s->outputs[first_channel + c] + pixel;
    v_store_first(to, MUX_NAME(i_activate)(s->final_activation, v_load_first(to, pixels)), pixels);
  }
}

/// The weights of a block with the gate multiplied in.
MUX_INLINE void MUX_NAME(gate_weights)(const float *weights, const float *gate, ptrdiff_t inner,
                                       int half, float *to) {
  if (half) {
    for (ptrdiff_t k = 0; k < inner; ++k) {
      const ptrdiff_t at = k * (MUX_LANES / 2);
      *(MUX_TYPE(vhu) *)(to + at) = *(const MUX_TYPE(vhu) *)(weights + at) * gate[k];
    }
  } else {
    for (ptrdiff_t k = 0; k < inner; ++k) {
      const ptrdiff_t at = k * MUX_LANES;
      v_store(to + at, v_load(weights + at) * MUX_NAME(i_splat)(gate[k]));
    }
  }
}

/// Stores a tile [pixel][lane] of a block where it belongs (blocked results are there already, unless
/// there is a residual); `total` gets the sums if only means are wanted.
MUX_INLINE void MUX_NAME(dense_store)(const mux_dense *s, ptrdiff_t block, float *tile,
                                      ptrdiff_t pixel, ptrdiff_t pixels, vf *total, float *arena) {
  const ptrdiff_t channel = block * MUX_LANES, left = s->outer - channel;
  if (s->has_blocked_residual) {
    const ptrdiff_t at = (block * s->pixels + pixel) * MUX_LANES;
    const float *residual = arena + s->blocked_residual + at;
    float *to = s->is_blocked ? arena + s->blocked + at : tile;
    for (ptrdiff_t i = 0; i < pixels * MUX_LANES; i += MUX_LANES) {
      v_store(to + i, v_load(tile + i) + v_load(residual + i));
    }
    if (s->is_blocked) return;
  }
  if (s->is_blocked) {
    MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
  } else if (s->outputs) {
    MUX_NAME(store_planes)(s, tile, channel, (int)(left < MUX_LANES ? left : MUX_LANES), pixel,
                           (int)pixels, arena);
  } else {
    MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
    for (ptrdiff_t i = 0; i < pixels; ++i) *total += v_load(tile + i * MUX_LANES);
  }
}

/// A run of pixels of a block, or of two (`paired`). `x` is where the offsets start, for pixel 0 of
/// the run.
static void MUX_NAME(dense_run)(const mux_dense *s, ptrdiff_t block, bool paired, int half,
                                const float *weights, const float *x, ptrdiff_t pixel,
                                ptrdiff_t pixels, vf *totals, float *arena) {
  float tile[2][MUX_LANES * MUX_LANES] __attribute__((aligned(64))) = {0};
  const MUX_TYPE(tile_function) *tiles = MUX_NAME(tiles_for)(half, s->step, s->offsets, s->inner);
  const MUX_TYPE(pair_function) *pairs = MUX_NAME(pairs_for)(half, s->step, s->offsets, s->inner);
  const float *bias = s->bias + block * MUX_LANES;
  const ptrdiff_t count = mux_ceil_div(pixels, MUX_LANES);
  // Blocks whose activation is clamping get it in registers.
  float low = 0, high = 0;
  const bool clamps = s->is_blocked && !s->has_blocked_residual && !half &&
                      MUX_NAME(clamp_of)(s->activation, &low, &high);
  if (!clamps) low = -__builtin_inff(), high = -low;
  ptrdiff_t done = 0;
  for (ptrdiff_t t = 0; t < count; ++t) {
    // Whole vectors where there are many; equal shares where there are few.
    ptrdiff_t now = count > 8 ? MUX_LANES : (pixels - done) / (count - t);
    if (now > pixels - done) now = pixels - done;
    const float *from = x + done * s->step;
    float *to[2] = {tile[0], tile[1]};
    for (ptrdiff_t i = 0; s->is_blocked && !s->has_blocked_residual && i < 2; ++i) {
      to[i] = arena + s->blocked + ((block + i) * s->pixels + pixel + done) * MUX_LANES;
    }
    if (paired) {
      // In as few tiles as there are registers for.
      const ptrdiff_t parts = mux_ceil_div(now, MUX_NAME(most_paired));
      for (ptrdiff_t part = 0, at = 0; part < parts; ++part) {
        const ptrdiff_t size = (now - at) / (parts - part);
        pairs[size - 1](from + at * s->step, s->offsets, s->inner, weights, bias, low, high,
                        s->step, to[0] + at * MUX_LANES, to[1] + at * MUX_LANES, MUX_LANES);
        at += size;
      }
      if (!clamps) {
        MUX_NAME(dense_store)(s, block, to[0], pixel + done, now, totals, arena);
        MUX_NAME(dense_store)(s, block + 1, to[1], pixel + done, now, totals + 1, arena);
      }
    } else {
      tiles[now - 1](from, s->offsets, s->inner, weights, bias, low, high, s->step, to[0],
                     MUX_LANES);
      if (!clamps) MUX_NAME(dense_store)(s, block, to[0], pixel + done, now, totals, arena);
    }
    done += now;
  }
}

#include "mux_winograd_body.h"

static size_t MUX_NAME(dense_scratch)(const mux_dense *s) {
  if (s->winograd) return MUX_NAME(winograd_scratch)(s);
  return (s->gate >= 0 ? (size_t)(2 * s->inner * MUX_LANES) : 0) + mux_window_scratch(&s->window);
}

static void MUX_NAME(dense_task)(const mux_dense *s, int32_t task, float *arena, float *scratch) {
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES), size = s->inner * MUX_LANES;
  // Blocks are done in pairs.
  ptrdiff_t first_block, end_block, first, end;
  mux_band(mux_ceil_div(blocks, 2), s->block_bands, task % s->block_bands, &first_block,
           &end_block);
  first_block *= 2;
  end_block = 2 * end_block < blocks ? 2 * end_block : blocks;
  // More bands than pairs leave some without any.
  if (first_block >= end_block) return;
  if (s->winograd) {
    const ptrdiff_t m = s->winograd;
    mux_band(mux_ceil_div(s->window.out_height, m) * mux_ceil_div(s->window.out_width, m),
             s->pixel_bands, task / s->block_bands, &first, &end);
    MUX_NAME(winograd_task)(s, first, end, first_block, end_block, arena, scratch);
    return;
  }
  const bool window = s->window.kernel > 0;
  float *gated = scratch;
  float *rows = scratch + (s->gate >= 0 ? 2 * size : 0);
  mux_band(window ? s->window.out_height : s->pixels, s->pixel_bands, task / s->block_bands, &first,
           &end);
  if (!window && s->pixel_bands > 1) {
    // Bands start at whole vectors, so that no tile is narrower than it needs to be.
    first = first / MUX_LANES * MUX_LANES;
    if (end < s->pixels) end = end / MUX_LANES * MUX_LANES;
  }
  if (MUX_NAME(is_narrow_dense)(s)) {
    const float *weights = s->weights;
    if (s->gate >= 0) {
      MUX_NAME(gate_weights)(weights, arena + s->gate, s->inner, 1, gated);
      weights = gated;
    }
    MUX_NAME(narrow_dense)(s, weights, first, end, arena);
    return;
  }
  // Lines of windows one by one; else all pixels are one line.
  for (ptrdiff_t y = window ? first : 0; y < (window ? end : 1); ++y) {
    const ptrdiff_t pixel = window ? y * s->window.out_width : first;
    const ptrdiff_t pixels = window ? s->window.out_width : end - first;
    const float *x = window ? rows : arena + first * s->step;
    if (window) MUX_NAME(gather_windows)(&s->window, y, 0, pixels, arena, rows);
    for (ptrdiff_t b = first_block; b < end_block; b += 2) {
      const bool paired = b + 1 < end_block;
      const int half = s->has_half_block && b + 2 >= blocks;
      const float *weights = s->weights + b * size;
      if (s->gate >= 0) {
        const float *gate = arena + s->gate;
        MUX_NAME(gate_weights)(weights, gate, s->inner, half && !paired, gated);
        if (paired) {
          MUX_NAME(gate_weights)(weights + size, gate, s->inner, half, gated + size);
        }
        weights = gated;
      }
      vf totals[2] = {{0}, {0}};
      MUX_NAME(dense_run)(s, b, paired, half, weights, x, pixel, pixels, totals, arena);
      for (int i = 0; !s->outputs && !s->is_blocked && i <= (int)paired; ++i) {
        const ptrdiff_t left = s->outer - (b + i) * MUX_LANES;
        v_store_first(arena + s->means + (b + i) * MUX_LANES,
                      totals[i] * MUX_NAME(i_splat)(1.0f / (float)s->pixels),
                      (int)(left < MUX_LANES ? left : MUX_LANES));
      }
    }
  }
}
