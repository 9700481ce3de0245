// SPDX-License-Identifier: Apache-2.0
// Large fully connected layers with weights of 8 bits. What is read once per image is as slow as
// memory, so fewer bytes are less time. The inputs are quantised here, in two digits of 8 bits, so
// that only the weights are rounded noticeably.

/// Bytes of a digit of every input, in whole vectors.
MUX_INLINE ptrdiff_t MUX_NAME(digit_bytes)(const mux_linear *s) {
  return mux_ceil_div(s->inner, MUX_LANES) * MUX_LANES;
}

static size_t MUX_NAME(linear_cells_scratch)(const mux_linear *s) {
  return (size_t)(s->inner + 2 * MUX_NAME(digit_bytes)(s) / 4);
}

/// x[k] ≈ least + unit · (256 · high[k] + low[k]).
typedef struct {
  float least, unit;
  char *high, *low;
} MUX_TYPE(digits);

static MUX_TYPE(digits) MUX_NAME(digits_of)(const mux_linear *s, const float *x, float *scratch) {
  const ptrdiff_t count = s->inner;
  MUX_TYPE(digits) digits = {.high = (char *)scratch,
                             .low = (char *)scratch + MUX_NAME(digit_bytes)(s)};
  vf least = MUX_NAME(i_splat)(x[0]), greatest = least, check = {0};
  for (ptrdiff_t k = 0; k < count; k += MUX_LANES) {
    const ptrdiff_t left = count - k;
    const vf value = left < MUX_LANES ? v_load_first(x + k, (int)left) : v_load(x + k);
    // (Zeros after the end may widen the range; they do no harm.)
    least = v_min(least, value);
    greatest = v_max(greatest, value);
    check += value * 0.0f;  // not a number if one is infinite or not a number
  }
  float low = least[0], high = greatest[0], error = 0;
  for (int i = 0; i < MUX_LANES; ++i) {
    if (least[i] < low) low = least[i];
    if (greatest[i] > high) high = greatest[i];
    error += check[i];
  }
  digits.unit = high > low ? (high - low) / 65535 : 1;
  const float inverse = 1 / digits.unit;
  for (ptrdiff_t k = 0; k < count; k += MUX_LANES) {
    const ptrdiff_t left = count - k;
    const vf value = left < MUX_LANES ? v_load_first(x + k, (int)left) : v_load(x + k);
    const vf steps = v_fma(value - low, MUX_NAME(i_splat)(inverse), MUX_NAME(i_splat)(0.5f));
    const vi whole =
        __builtin_convertvector(MUX_NAME(i_min)(65535.0f, MUX_NAME(i_max)(0.0f, steps)), vi) ^
        (MUX_BYTE_FLIP * 0x101);
    MUX_PASTE(MUX_NAME(write), int8)(digits.high + k, whole >> 8 & 255);
    MUX_PASTE(MUX_NAME(write), int8)(digits.low + k, whole & 255);
  }
  digits.least = low + error;
  return digits;
}

static void MUX_NAME(linear_cells_task)(const mux_linear *s, int32_t task, float *arena,
                                        float *scratch) {
  const ptrdiff_t blocks = mux_ceil_div(s->outer, MUX_LANES), cells = s->inner / 4;
  ptrdiff_t first, end;
  mux_band(blocks, s->tasks, task, &first, &end);
  const float *x = MUX_NAME(linear_inputs)(s, arena, scratch);
  const MUX_TYPE(digits) digits = MUX_NAME(digits_of)(s, x, scratch + s->inner);
  for (ptrdiff_t b = first; b < end; ++b) {
    const int32_t *weights = s->cells + b * cells * MUX_LANES;
    enum { CHAINS = 4 };
    vi high[CHAINS] = {{0}}, low[CHAINS] = {{0}};
#if defined(MUX_IS_NEON)
    vi lowered[CHAINS] = {{0}};
#endif
    for (ptrdiff_t k = 0; k < cells; k += CHAINS) {
      MUX_UNROLL
      for (int i = 0; i < CHAINS; ++i) {
        if (k + i < cells) {
          __builtin_prefetch(weights + (k + i) * MUX_LANES + MUX_PREFETCH_FLOATS);
          const vi weight = MUX_NAME(load_cells)(weights + (k + i) * MUX_LANES);
          int32_t cell;
          memcpy(&cell, digits.high + 4 * (k + i), sizeof cell);
          high[i] = MUX_PASTE(MUX_NAME(dot), int8)((vi){0} + cell, weight, high[i]);
          memcpy(&cell, digits.low + 4 * (k + i), sizeof cell);
          low[i] = MUX_PASTE(MUX_NAME(dot), int8)((vi){0} + cell, weight, low[i]);
#if defined(MUX_IS_NEON)
          lowered[i] =
              MUX_PASTE(MUX_NAME(lowered), int8)(weights + (k + i) * MUX_LANES, lowered[i]);
#endif
        }
      }
    }
#if defined(MUX_IS_NEON)
    MUX_UNROLL
    for (int i = 0; i < CHAINS; ++i) high[i] -= lowered[i], low[i] -= lowered[i];
#endif
    vf sum = {0};
    MUX_UNROLL
    for (int i = 0; i < CHAINS; ++i) {
      sum += v_fma(__builtin_convertvector(high[i], vf), MUX_NAME(i_splat)(256.0f),
                   __builtin_convertvector(low[i], vf));
    }
    sum = v_fma(sum, MUX_NAME(i_splat)(digits.unit),
                MUX_NAME(i_splat)(digits.least) * v_load(s->cell_sums + b * MUX_LANES));
    const vf total =
        v_fma(sum, v_load(s->cell_scale + b * MUX_LANES), v_load(s->bias + b * MUX_LANES));
    const ptrdiff_t left = s->outer - b * MUX_LANES;
    v_store_first(arena + s->output + b * MUX_LANES, MUX_NAME(i_activate)(s->activation, total),
                  left < MUX_LANES ? (int)left : MUX_LANES);
  }
}
