// SPDX-License-Identifier: Apache-2.0
//
// Y = T(X) · B, with the sums that batch norm needs; part of mux_pointwise_body.h.

MUX_INLINE void NAME(forward_epilogue)(const float *c, ptrdiff_t rows, ptrdiff_t columns, float *y,
                                       ptrdiff_t stride, double *sum, double *square_sum) {
  for (ptrdiff_t j = 0; j < columns; j += VW) {
    const ptrdiff_t n = columns - j;
    vf s = {0}, q = {0};
    if (n >= VW) {
      for (ptrdiff_t r = 0; r < rows; r++) {
        const vf v = v_load(c + r * KB + j);
        s += v;
        q += v * v;
        v_store(y + r * stride + j, v);
      }
    } else {
      for (ptrdiff_t r = 0; r < rows; r++) {
        const vf v = v_load(c + r * KB + j);
        s += v;
        q += v * v;
        v_store_first(y + r * stride + j, v, (int)n);
      }
    }
    if (sum) {
      const int lanes = (int)(n < VW ? n : VW);
      v_add_double(sum + j, s, lanes);
      v_add_double(square_sum + j, q, lanes);
    }
  }
}

static void NAME(forward_blocks)(const float *x, ptrdiff_t x_stride,
                                 const mux_pointwise_window *window, ptrdiff_t rows,
                                 ptrdiff_t inner, ptrdiff_t outer, const mux_transform *t,
                                 const float *gates, const float *packed, float *y,
                                 ptrdiff_t y_stride, double *sum, double *square_sum,
                                 float *scratch) {
  const float *scale = NAME(padded)(t->scale, inner, &scratch);
  const float *shift = NAME(padded)(t->shift, inner, &scratch);
  const float *gate = NAME(padded)(gates, inner, &scratch);
  float *c = scratch, *tile = scratch + MB * KB;
  const ptrdiff_t step = NAME(block_rows)(rows);
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += step) {
    const ptrdiff_t rn = rows - r0 < step ? rows - r0 : step;
    if (window) {
      NAME(window_tile)(x, window, r0, rn, tile);
    } else {
      NAME(load_tile)(x + r0 * x_stride, x_stride, rn, inner, t, scale, shift, gate, tile);
    }
    for (ptrdiff_t n0 = 0; n0 < outer; n0 += PW) {
      const ptrdiff_t columns = outer - n0 < PW ? outer - n0 : PW;
      NAME(panel_product)(tile, rn, inner, packed + n0 * inner, columns, c);
      NAME(forward_epilogue)(c, rn, columns, y + r0 * y_stride + n0, y_stride, sum ? sum + n0 : 0,
                             sum ? square_sum + n0 : 0);
    }
  }
}
