// SPDX-License-Identifier: Apache-2.0
//
// Gradients of a block's projection and expansion; part of mux_pointwise_body.h.

MUX_INLINE void NAME(gradient_tile)(const float *g, ptrdiff_t g_stride, const float *y,
                                    ptrdiff_t rows, ptrdiff_t columns, const float *k0,
                                    const float *k1, const float *k2, float *tile) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    float *to = tile + r * KB;
    for (ptrdiff_t c0 = 0; c0 < columns; c0 += KB, to += MB * KB) {
      const ptrdiff_t cn = columns - c0 < KB ? columns - c0 : KB;
      for (ptrdiff_t c = 0; c < cn; c += VW) {
        const vf gv = NAME(loadn)(g + r * g_stride + c0 + c, cn - c);
        const vf yv = NAME(loadn)(y + r * columns + c0 + c, cn - c);
        v_store(to + c,
                v_load(k0 + c0 + c) * gv + (v_load(k1 + c0 + c) * yv + v_load(k2 + c0 + c)));
      }
    }
  }
}

MUX_INLINE void NAME(project_epilogue)(const float *c, ptrdiff_t rows, ptrdiff_t columns,
                                       ptrdiff_t stride, const float *d, const float *scale,
                                       const float *shift, const float *gate, float *gz, float *z,
                                       double *sums, ptrdiff_t sums_stride,
                                       const mux_activation kind) {
  for (ptrdiff_t j = 0; j < columns; j += VW) {
    const ptrdiff_t n = columns - j;
    const vf a = v_load(scale + j), b = v_load(shift + j);
    const vf g = gate ? v_load(gate + j) : v_splat(1);
    vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0};
    for (ptrdiff_t r = 0; r < rows; r++) {
      const vf gv = v_load(c + r * KB + j);
      const vf dv = NAME(loadn)(d + r * stride + j, n);
      vf slope;
      const vf h = v_activate_both(kind, a * dv + b, &slope);
      const vf sg = slope * gv;
      s0 += gv * h;
      s1 += slope;
      s2 += sg;
      s3 += slope * dv;
      s4 += sg * dv;
      v_store(z + r * KB + j, h * g);
      NAME(storen)(gz + r * stride + j, gv, n);
    }
    const int lanes = (int)(n < VW ? n : VW);
    v_add_double(sums + j, s0, lanes);
    v_add_double(sums + sums_stride + j, s1, lanes);
    v_add_double(sums + 2 * sums_stride + j, s2, lanes);
    v_add_double(sums + 3 * sums_stride + j, s3, lanes);
    v_add_double(sums + 4 * sums_stride + j, s4, lanes);
  }
}

static void NAME(project_backward)(const mux_pointwise_project_gradient *q, float *scratch) {
  const ptrdiff_t out = q->out, mid = q->mid;
  const float *k0 = NAME(padded)(q->k0, out, &scratch);
  const float *k1 = NAME(padded)(q->k1, out, &scratch);
  const float *k2 = NAME(padded)(q->k2, out, &scratch);
  const float *scale = NAME(padded)(q->transform.scale, mid, &scratch);
  const float *shift = NAME(padded)(q->transform.shift, mid, &scratch);
  const float *gate = NAME(padded)(q->gate, mid, &scratch);
  float *c = scratch, *z = c + MB * KB, *tile = z + MB * KB;
  const ptrdiff_t step = NAME(block_rows)(q->rows);
  for (ptrdiff_t r0 = 0; r0 < q->rows; r0 += step) {
    const ptrdiff_t rn = q->rows - r0 < step ? q->rows - r0 : step;
    NAME(gradient_tile)(q->gy + r0 * q->gy_stride, q->gy_stride, q->p + r0 * out, rn, out, k0, k1,
                        k2, tile);
    for (ptrdiff_t n0 = 0; n0 < mid; n0 += PW) {
      const ptrdiff_t columns = mid - n0 < PW ? mid - n0 : PW;
      NAME(panel_product)(tile, rn, out, q->packed + n0 * out, columns, c);
#define CALL(kind)                                                                          \
  NAME(project_epilogue)(c, rn, columns, mid, q->d + r0 * mid + n0, scale + n0, shift + n0, \
                         gate ? gate + n0 : 0, q->gz + r0 * mid + n0, z, q->sums + n0, mid, kind)
      MUX_EACH_ACTIVATION(q->transform.activation, CALL)
#undef CALL
      NAME(panel_outer)(tile, 0, out, z, columns, rn, q->partial + n0 * out);
    }
  }
}

MUX_INLINE void NAME(slope_tile)(const float *g, ptrdiff_t g_stride, const float *y, ptrdiff_t rows,
                                 ptrdiff_t columns, const float *scale, const float *shift,
                                 const float *k0, const float *k1, const float *k2, float *tile,
                                 const mux_activation kind) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    float *to = tile + r * KB;
    for (ptrdiff_t c0 = 0; c0 < columns; c0 += KB, to += MB * KB) {
      const ptrdiff_t cn = columns - c0 < KB ? columns - c0 : KB;
      for (ptrdiff_t c = 0; c < cn; c += VW) {
        const vf gv = NAME(loadn)(g + r * g_stride + c0 + c, cn - c);
        const vf yv = NAME(loadn)(y + r * columns + c0 + c, cn - c);
        vf slope;
        v_activate_both(kind, v_load(scale + c0 + c) * yv + v_load(shift + c0 + c), &slope);
        v_store(to + c, v_load(k0 + c0 + c) * (slope * gv) +
                            (v_load(k1 + c0 + c) * yv + v_load(k2 + c0 + c)));
      }
    }
  }
}

static void NAME(expand_backward)(const mux_pointwise_expand_gradient *q, float *scratch) {
  const ptrdiff_t inner = q->inner, outer = q->outer;
  const float *k0 = NAME(padded)(q->k0, outer, &scratch);
  const float *k1 = NAME(padded)(q->k1, outer, &scratch);
  const float *k2 = NAME(padded)(q->k2, outer, &scratch);
  const float *scale = NAME(padded)(q->transform.scale, outer, &scratch);
  const float *shift = NAME(padded)(q->transform.shift, outer, &scratch);
  const float *pooled = q->du || q->gh ? 0 : NAME(padded)(q->pooled, outer, &scratch);
  float *c = scratch, *tile = c + MB * KB;
  float *x_tile = tile + MB * ((outer + KB - 1) / KB * KB);
  const ptrdiff_t step = NAME(block_rows)(q->rows);
  for (ptrdiff_t r0 = 0; r0 < q->rows; r0 += step) {
    const ptrdiff_t rn = q->rows - r0 < step ? q->rows - r0 : step;
    const float *y = q->y + r0 * outer;
    if (q->du) {
      NAME(gradient_tile)(q->du + r0 * outer, outer, y, rn, outer, k0, k1, k2, tile);
    } else {
      const float *g = q->gh ? q->gh + r0 * outer : pooled;
      const ptrdiff_t g_stride = q->gh ? outer : 0;
#define CALL(kind) NAME(slope_tile)(g, g_stride, y, rn, outer, scale, shift, k0, k1, k2, tile, kind)
      MUX_EACH_ACTIVATION(q->transform.activation, CALL)
#undef CALL
    }
    if (q->gx) {
      for (ptrdiff_t n0 = 0; n0 < inner; n0 += PW) {
        const ptrdiff_t columns = inner - n0 < PW ? inner - n0 : PW;
        NAME(panel_product)(tile, rn, outer, q->packed + n0 * outer, columns, c);
        float *to = q->gx + r0 * q->gx_stride + n0;
        const float *add = q->add ? q->add + r0 * q->add_stride + n0 : 0;
        for (ptrdiff_t r = 0; r < rn; r++) {
          for (ptrdiff_t j = 0; j < columns; j += VW) {
            vf v = v_load(c + r * KB + j);
            if (add) v += NAME(loadn)(add + r * q->add_stride + j, columns - j);
            NAME(storen)(to + r * q->gx_stride + j, v, columns - j);
          }
        }
      }
    }
    const float *narrow = x_tile;
    ptrdiff_t narrow_stride = 0;
    if (q->window) {
      NAME(window_tile)(q->x, q->window, r0, rn, x_tile);
    } else {
      narrow = q->x + r0 * q->x_stride;
      narrow_stride = q->x_stride;
    }
    for (ptrdiff_t n0 = 0; n0 < outer; n0 += PW) {
      const ptrdiff_t columns = outer - n0 < PW ? outer - n0 : PW;
      NAME(panel_outer)(narrow, narrow_stride, inner, tile + n0 / KB * MB * KB + n0 % KB, columns,
                        rn, q->partial + n0 * inner);
    }
  }
}
