// SPDX-License-Identifier: Apache-2.0
//
// Passes over elements: sums per column, and batch norm with activation; part of
// mux_pointwise_body.h.

MUX_INLINE void NAME(column_sums)(const float *y, const float *gh, ptrdiff_t rows,
                                  ptrdiff_t columns, const float *scale, const float *shift,
                                  double *sums, const mux_activation kind) {
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += MB) {
    const ptrdiff_t rn = rows - r0 < MB ? rows - r0 : MB;
    for (ptrdiff_t j = 0; j < columns; j += VW) {
      const ptrdiff_t n = columns - j;
      const vf a = v_load(scale + j), b = v_load(shift + j);
      vf s0 = {0}, s1 = {0}, s2 = {0};
      for (ptrdiff_t r = r0; r < r0 + rn; r++) {
        const vf v = NAME(loadn)(y + r * columns + j, n);
        vf slope;
        const vf h = v_activate_both(kind, a * v + b, &slope);
        if (gh) slope = slope * NAME(loadn)(gh + r * columns + j, n);
        s0 += h;
        s1 += slope;
        s2 += slope * v;
      }
      const int lanes = (int)(n < VW ? n : VW);
      double *to = sums + j;
      if (!gh) {
        v_add_double(to, s0, lanes);
        to += columns;
      }
      v_add_double(to, s1, lanes);
      v_add_double(to + columns, s2, lanes);
    }
  }
}

static void NAME(sums)(const float *y, const float *gh, ptrdiff_t rows, ptrdiff_t columns,
                       const mux_transform *t, double *sums, float *scratch) {
  const float *scale = NAME(padded)(t->scale, columns, &scratch);
  const float *shift = NAME(padded)(t->shift, columns, &scratch);
#define CALL(kind) NAME(column_sums)(y, gh, rows, columns, scale, shift, sums, kind)
  MUX_EACH_ACTIVATION(t->activation, CALL)
#undef CALL
}

MUX_INLINE void NAME(apply_kind)(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                                 const float *scale, const float *shift, float *out,
                                 const mux_activation kind) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    for (ptrdiff_t j = 0; j < columns; j += VW) {
      const vf v = NAME(loadn)(y + r * columns + j, columns - j);
      const vf u = v_load(scale + j) * v + v_load(shift + j);
      NAME(storen)(out + r * columns + j, v_activate(kind, u), columns - j);
    }
  }
}

static void NAME(apply)(const float *y, ptrdiff_t rows, ptrdiff_t columns, const mux_transform *t,
                        float *out, float *scratch) {
  const float *scale = NAME(padded)(t->scale, columns, &scratch);
  const float *shift = NAME(padded)(t->shift, columns, &scratch);
#define CALL(kind) NAME(apply_kind)(y, rows, columns, scale, shift, out, kind)
  MUX_EACH_ACTIVATION(t->activation, CALL)
#undef CALL
}
