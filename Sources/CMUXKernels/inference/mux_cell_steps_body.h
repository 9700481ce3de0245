// SPDX-License-Identifier: Apache-2.0
// The steps with products of cells; included by mux_cells_body.h.

static void CELL(pack_task)(const mux_pack *s, int32_t task, float *arena) {
  const ptrdiff_t cells = mux_ceil_div(s->planes, MUX_CELL);
  ptrdiff_t first, end;
  mux_band(cells, s->tasks, task, &first, &end);
  for (ptrdiff_t c = first; c < end; ++c) {
    int32_t *to = (int32_t *)arena + s->output + c * s->pixels;
    const float *from[MUX_CELL];
    for (int j = 0; j < MUX_CELL; ++j) {
      const ptrdiff_t plane = c * MUX_CELL + j < s->planes ? c * MUX_CELL + j : s->planes - 1;
      from[j] = arena + s->inputs[plane];
      if (s->observed >= 0) {
        MUX_NAME(observe_floats)(from[j], s->pixels, arena + s->observed);
      }
    }
    for (ptrdiff_t i = 0; i < s->pixels; i += MUX_LANES) {
      const ptrdiff_t left = s->pixels - i;
      const int now = left < MUX_LANES ? (int)left : MUX_LANES;
      vi cell = {0};
      MUX_UNROLL
      for (int j = 0; j < MUX_CELL; ++j) {
        cell = CELL(push)(cell, CELL(encode)(v_load_first(from[j] + i, now), s->quantization));
      }
      v_store_first((float *)to + i, (vf)cell, now);
    }
  }
}

/// Floats for the gates as factors of a step's weights.
MUX_INLINE size_t CELL(factors_scratch)(const mux_dense *s) {
  return s->gate >= 0 && MUX_CELL == 4 ? (size_t)mux_ceil_div(2 * s->cells, MUX_LANES) * MUX_LANES
                                       : 0;
}

/// Floats for weights of two blocks that are not used as they are, and for their scales and biases.
MUX_INLINE size_t CELL(changed_scratch)(const mux_dense *s) {
#if defined(MUX_ZIPS)
  const bool changes = true;
#else
  const bool changes = s->gate >= 0;
#endif
  return changes ? (size_t)(2 * CELL(weight_pitch)(s->cells) + 4 * MUX_LANES) : 0;
}

static size_t CELL(dense_scratch)(const mux_dense *s) {
  const size_t size =
      s->joins_channels ? CELL(joined_scratch)(&s->window) : CELL(gather_scratch)(&s->window);
  return size + CELL(changed_scratch)(s) + CELL(factors_scratch)(s);
}

#if MUX_CELL == 4
/// The gates as factors of 16 bits, of which the greatest is 2¹⁵ − 1; gives what that one was. For each
/// cell there are two of 32 bits: of values 0 and 2, and of values 1 and 3.
static float CELL(gate_factors)(const mux_dense *s, const float *gate, int32_t *to) {
  const ptrdiff_t count = s->cells * 4;
  vf most = v_splat(1e-20f);
  for (ptrdiff_t k = 0; k < count; k += MUX_LANES) {
    const int now = count - k < MUX_LANES ? (int)(count - k) : MUX_LANES;
    const vf size = (vf)((vi)v_load_first(gate + k, now) & 0x7fffffff);
    most = v_select(size > most, size, most);
  }
  float greatest = 0;
  for (int l = 0; l < MUX_LANES; ++l) greatest = most[l] > greatest ? most[l] : greatest;
  typedef int32_t half __attribute__((vector_size(MUX_LANES * 2), aligned(4)));
  for (ptrdiff_t k = 0; k < count; k += MUX_LANES) {
    const int now = count - k < MUX_LANES ? (int)(count - k) : MUX_LANES;
    // Adding 1.5 · 2²³ rounds to an integer, in the low bits.
    const vi factors = (vi)v_fma(v_load_first(gate + k, now), MUX_NAME(i_splat)(32767 / greatest),
                                 MUX_NAME(i_splat)(12582912.0f));
#if MUX_LANES == 16
    const half low = __builtin_shufflevector(factors, factors, 0, 1, 4, 5, 8, 9, 12, 13);
    const half high = __builtin_shufflevector(factors, factors, 2, 3, 6, 7, 10, 11, 14, 15);
#else
    const half low = __builtin_shufflevector(factors, factors, 0, 1, 4, 5);
    const half high = __builtin_shufflevector(factors, factors, 2, 3, 6, 7);
#endif
    *(half *)(to + k / 2) = (low & 0xffff) | high << 16;
  }
  return greatest;
}

/// A cell of weights times its factors, rounded.
MUX_INLINE vi CELL(gated)(vi cell, const int32_t *factors) {
#if defined(MUX_IS_AVX512)
  const __m512i even = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)cell, 8), 8);
  const __m512i odd = _mm512_srai_epi16((__m512i)cell, 8);
  const __m512i low = _mm512_mulhrs_epi16(even, _mm512_set1_epi32(factors[0]));
  const __m512i high = _mm512_mulhrs_epi16(odd, _mm512_set1_epi32(factors[1]));
  // Bits of `low` where the mask has ones, else of `high` moved up.
  return (vi)_mm512_ternarylogic_epi32(_mm512_set1_epi16(255), low, _mm512_slli_epi16(high, 8),
                                       0xca);
#elif defined(MUX_IS_NEON)
  const int16x8_t even = vreinterpretq_s16_s32(vdupq_n_s32(factors[0]));
  const int16x8_t odd = vreinterpretq_s16_s32(vdupq_n_s32(factors[1]));
  int32x4_t parts[2] = {MUX_LOW(cell), MUX_HIGH(cell)};
  MUX_UNROLL
  for (int i = 0; i < 2; ++i) {
    const int16x8_t x = vreinterpretq_s16_s32(parts[i]);
    const int16x8_t low = vqrdmulhq_s16(vshrq_n_s16(vshlq_n_s16(x, 8), 8), even);
    const int16x8_t high = vqrdmulhq_s16(vshrq_n_s16(x, 8), odd);
    // The low bytes of both, side by side.
    parts[i] = vreinterpretq_s32_s16(vsliq_n_s16(low, high, 8));
  }
  return MUX_JOIN(parts[0], parts[1]);
#else
  vi result = {0};
  for (int j = 0; j < 4; ++j) {
    const int32_t factor = (int16_t)(factors[j % 2] >> (j / 2 * 16));
    const vi product = ((cell << (24 - 8 * j) >> 24) * factor + 0x4000) >> 15;
    result |= (product & 255) << (8 * j);
  }
  return result;
#endif
}
#endif

/// The cells of a block's weights times the gate; for 8 bits also the scale and the bias, which
/// depend on it: `greatest` is the greatest gate.
static void CELL(gate_cells)(const mux_dense *s, ptrdiff_t block, const float *gate,
                             const int32_t *factors, float greatest, int32_t *to, float *scale,
                             float *bias) {
  const int32_t *weights = (const int32_t *)s->weights + block * s->cells * MUX_LANES;
#if MUX_CELL == 2
  (void)factors, (void)greatest, (void)scale;
  v_store(bias, v_load(s->bias + block * MUX_LANES));
  for (ptrdiff_t k = 0; k < s->cells; ++k) {
    const vi weight = MUX_NAME(load_cells)(weights + k * MUX_LANES);
    const vf first = (vf)(weight << 16), second = (vf)(weight & (int32_t)0xffff0000u);
    const vi cell =
        CELL(push)((vi){0}, CELL(encode)(first * MUX_NAME(i_splat)(gate[k * 2]), s->quantization));
    MUX_NAME(store_cells)(to + k * MUX_LANES,
                          CELL(push)(cell, CELL(encode)(second * MUX_NAME(i_splat)(gate[k * 2 + 1]),
                                                        s->quantization)));
  }
#else
  (void)gate;
  vi sum = {0};
  const vi ones = (vi){0} + 0x01010101;
  for (ptrdiff_t k = 0; k < s->cells; ++k) {
    const vi cell = CELL(gated)(MUX_NAME(load_cells)(weights + k * MUX_LANES), factors + 2 * k);
    sum = CELL(dot)(ones, cell, sum);
    MUX_NAME(store_cells)(to + k * MUX_LANES, cell);
  }
  const vf unit = v_load(s->scale + block * MUX_LANES) * MUX_NAME(i_splat)(greatest);
  v_store(scale, unit);
  v_store(bias, v_load(s->bias + block * MUX_LANES) - unit * __builtin_convertvector(sum, vf) *
                                                          MUX_NAME(i_splat)(s->quantization.zero));
#endif
}

/// Adds the blocked residual in bfloat16 to a tile.
static void CELL(add_kept)(const mux_dense *s, ptrdiff_t block, float *tile, ptrdiff_t pixel,
                           ptrdiff_t pixels, const float *arena) {
  const char *from =
      (const char *)(arena + s->blocked_residual) + (block * s->pixels + pixel) * 2 * MUX_LANES;
  for (ptrdiff_t i = 0; i < pixels; ++i) {
    float *to = tile + i * MUX_LANES;
    v_store(to, v_load(to) + MUX_NAME(load_kept)(from + i * 2 * MUX_LANES));
  }
}

/// Activates a tile and encodes it as cells of the next step.
static void CELL(store_packed)(const mux_dense *s, ptrdiff_t block, float *tile, ptrdiff_t pixel,
                               int pixels, float *arena) {
  MUX_NAME(activate_line)(s->activation, tile, MUX_LANES, pixels, NULL);
  vf x[MUX_LANES];
  MUX_UNROLL
  for (int i = 0; i < MUX_LANES; ++i) x[i] = v_load(tile + i * MUX_LANES);
  MUX_NAME(transpose)(x);
  const ptrdiff_t first = block * (MUX_LANES / MUX_CELL);
  const ptrdiff_t wanted = mux_ceil_div(s->outer, MUX_CELL) - first;
  float *to = arena + s->packed + first * s->pixels + pixel;
  MUX_UNROLL
  for (int c = 0; c < MUX_LANES / MUX_CELL; ++c) {
    if (c < wanted) {
      vi cell = {0};
      MUX_UNROLL
      for (int j = 0; j < MUX_CELL; ++j) {
        cell = CELL(push)(cell, CELL(encode)(x[c * MUX_CELL + j], s->packed_quantization));
      }
      v_store_first(to + c * s->pixels, (vf)cell, pixels);
    }
  }
}

/// Pixels of one line, of which a pair of blocks makes outputs.
typedef struct {
  /// Their cells, or their values where windows are over bytes.
  const int32_t *x;
  bool in_bytes;
  /// The first one in the image, and how many.
  ptrdiff_t start, pixels;
  /// Of the tiles: what `tile_kind` says.
  int kind;
} CELL_TYPE(line);

/// What a gate makes of weights, and where.
typedef struct {
  const int32_t *factors;
  float greatest;
  /// Scale and bias of two blocks.
  float *extra;
  /// Their cells, also those that are changed without a gate.
  int32_t *cells;
} CELL_TYPE(gate);

/// The outputs of `count` blocks, one or two, from the one numbered `b`, of a line.
static void CELL(dense_pair)(const mux_dense *s, bool adds_kept, ptrdiff_t b, int count,
                             const CELL_TYPE(line) *line, const CELL_TYPE(gate) *gate,
                             float *arena) {
  const int32_t *weights = (const int32_t *)s->weights + b * s->cells * MUX_LANES;
  const float *bias = s->bias + b * MUX_LANES;
  const float *scale = s->scale ? s->scale + b * MUX_LANES : NULL;
  const ptrdiff_t changed_pitch = CELL(weight_pitch)(s->cells);
  ptrdiff_t pitch = s->cells * MUX_LANES;
  if (s->gate >= 0) {
    float *extra = gate->extra;
    pitch = changed_pitch;
    for (int i = 0; i < count; ++i) {
      CELL(gate_cells)(s, b + i, arena + s->gate, gate->factors, gate->greatest,
                       gate->cells + i * pitch, extra + i * MUX_LANES, extra + (2 + i) * MUX_LANES);
    }
    weights = gate->cells;
    scale = extra;
    bias = extra + 2 * MUX_LANES;
  }
  float tile[2][MUX_LANES * MUX_LANES] __attribute__((aligned(64))) = {0};
#if defined(MUX_LIFTS)
  int32_t lifts[2][MUX_LANES];
  for (int i = 0; i < count; ++i) CELL(lift)(weights + i * pitch, s->cells, lifts[i]);
#endif
#if defined(MUX_ZIPS)
  for (int i = 0; i < count; ++i) {
    CELL(zip)(weights + i * pitch, s->cells, gate->cells + i * changed_pitch);
  }
  weights = gate->cells;
#endif
  const CELL_TYPE(sink) sinks[2] = {
      {.mode = CELL(to_floats), .floats = tile[0] MUX_BEGIN(lifts[0])},
      {.mode = CELL(to_floats), .floats = tile[1] MUX_BEGIN(lifts[1])}};
  vf totals[2] = {{0}, {0}};
  for (ptrdiff_t done = 0; done < line->pixels; done += MUX_LANES) {
    const ptrdiff_t left = line->pixels - done;
    const int now = left < MUX_LANES ? (int)left : MUX_LANES;
    const int32_t *from = line->in_bytes ? (const int32_t *)((const char *)line->x + done * s->step)
                                         : line->x + done * s->step;
    CELL(run_tiles)(line->kind, from, s->offsets, s->cells, weights, scale, bias, s->step, now,
                    sinks[0], count == 2 ? &sinks[1] : NULL);
    for (int i = 0; i < count; ++i) {
      if (adds_kept) CELL(add_kept)(s, b + i, tile[i], line->start + done, now, arena);
      if (s->packs) {
        CELL(store_packed)(s, b + i, tile[i], line->start + done, now, arena);
      } else {
        MUX_NAME(dense_store)(s, b + i, tile[i], line->start + done, now, &totals[i], arena);
      }
    }
  }
  for (int i = 0; !s->outputs && !s->packs && i < count; ++i) {
    const ptrdiff_t left = s->outer - (b + i) * MUX_LANES;
    v_store_first(arena + s->means + (b + i) * MUX_LANES,
                  totals[i] * MUX_NAME(i_splat)(1.0f / (float)s->pixels),
                  left < MUX_LANES ? (int)left : MUX_LANES);
  }
}

static void CELL(dense_task)(const mux_dense *step, int32_t task, float *arena, float *scratch) {
  const bool adds_kept =
      step->has_blocked_residual && step->blocked_residual_precision == MUX_BFLOAT16;
  mux_dense rest = *step;
  if (adds_kept) rest.has_blocked_residual = 0;
  const mux_dense *s = &rest;
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES);
  const bool window = s->window.kernel > 0;
  ptrdiff_t first_block, end_block, first, end;
  // Blocks are done in pairs.
  mux_band(mux_ceil_div(blocks, 2), s->block_bands, task % s->block_bands, &first_block,
           &end_block);
  first_block *= 2;
  end_block = 2 * end_block < blocks ? 2 * end_block : blocks;
  mux_band(window ? s->window.out_height : s->pixels, s->pixel_bands, task / s->block_bands, &first,
           &end);
  if (!window && s->pixel_bands > 1) {
    first = first / MUX_LANES * MUX_LANES;
    if (end < s->pixels) end = end / MUX_LANES * MUX_LANES;
  }
  float *rows = scratch + CELL(changed_scratch)(s);
  int32_t *factors = (int32_t *)rows;
  float greatest = 1;
#if MUX_CELL == 4
  if (s->gate >= 0) greatest = CELL(gate_factors)(s, arena + s->gate, factors);
#endif
  const CELL_TYPE(gate) gate = {.factors = factors,
                                .greatest = greatest,
                                .extra = scratch,
                                .cells = (int32_t *)scratch + 4 * MUX_LANES};
  rows += CELL(factors_scratch)(s);
  // Whether the rows under windows are values and not cells.
  const bool in_bytes = window && !s->joins_channels;
  const int kind = CELL(tile_kind)(in_bytes, s->step != 1, s->window.stride, s->offsets, s->cells);
  float *observed = s->observed < 0 ? NULL : arena + s->observed;
  // Lines of windows one by one; else all pixels are one line.
  for (ptrdiff_t y = window ? first : 0; y < (window ? end : 1); ++y) {
    const int32_t *x =
        !window    ? (const int32_t *)arena + first * s->step
        : in_bytes ? CELL(gather)(&s->window, y, s->quantization, observed, arena, rows)
                   : CELL(gather_joined)(&s->window, y, s->quantization, observed, arena, rows);
    const CELL_TYPE(line) line = {.x = x,
                                  .in_bytes = in_bytes,
                                  .start = window ? y * s->window.out_width : first,
                                  .pixels = window ? s->window.out_width : end - first,
                                  .kind = kind};
    for (ptrdiff_t b = first_block; b < end_block; b += 2) {
      CELL(dense_pair)(s, adds_kept, b, b + 1 < end_block ? 2 : 1, &line, &gate, arena);
    }
  }
}
