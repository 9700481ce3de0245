// SPDX-License-Identifier: Apache-2.0
//
// Register tiles of the pointwise kernels and the products of whole panels made of them; part of
// mux_pointwise_body.h.

/// c[mr × (units · UNIT)] (row stride KB) = tile rows · packed panel.
MUX_INLINE void NAME(multiply)(const float *a, const float *b, ptrdiff_t inner, float *c,
                               const int mr, const int units) {
  const int full = HALF ? units / 2 : units;
  vf acc[MR][3];
#if HALF
  const int half = units & 1;
  vh acch[MR];
#endif
#pragma clang loop unroll(full)
  for (int r = 0; r < mr; r++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < full; j++) acc[r][j] = v_splat(0);
#if HALF
    if (half) acch[r] = (vh){0};
#endif
  }
  for (ptrdiff_t k0 = 0; k0 < inner; k0 += KB) {
    const ptrdiff_t kn = inner - k0 < KB ? inner - k0 : KB;
    const float *ak = a;
    for (ptrdiff_t k = 0; k < kn; k++) {
      vf bv[3];
#pragma clang loop unroll(full)
      for (int j = 0; j < full; j++) bv[j] = v_load(b + j * VW);
#if HALF
      vh bh = {0};
      if (half) bh = *(const vhu *)(b + full * VW);
#endif
#pragma clang loop unroll(full)
      for (int r = 0; r < mr; r++) {
        const float s = ak[r * KB];
#pragma clang loop unroll(full)
        for (int j = 0; j < full; j++) acc[r][j] += s * bv[j];
#if HALF
        if (half) acch[r] += s * bh;
#endif
      }
      b += PW;
      ak++;
    }
    a += MB * KB;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < mr; r++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < full; j++) v_store(c + r * KB + j * VW, acc[r][j]);
#if HALF
    if (half) *(vhu *)(c + r * KB + full * VW) = acch[r];
#endif
  }
}

/// p[mr × (units · UNIT)] (row stride PW) += narrowᵀ · wide over `rows` rows.
MUX_INLINE void NAME(outer)(const float *narrow, ptrdiff_t narrow_stride, const float *wide,
                            ptrdiff_t rows, float *p, const int mr, const int units) {
  const int full = HALF ? units / 2 : units;
  vf acc[MR][3];
#if HALF
  const int half = units & 1;
  vh acch[MR];
#endif
#pragma clang loop unroll(full)
  for (int r = 0; r < mr; r++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < full; j++) acc[r][j] = v_load(p + r * PW + j * VW);
#if HALF
    if (half) acch[r] = *(const vhu *)(p + r * PW + full * VW);
#endif
  }
  for (ptrdiff_t i = 0; i < rows; i++) {
    vf wv[3];
#pragma clang loop unroll(full)
    for (int j = 0; j < full; j++) wv[j] = v_load(wide + j * VW);
#if HALF
    vh wh = {0};
    if (half) wh = *(const vhu *)(wide + full * VW);
#endif
#pragma clang loop unroll(full)
    for (int r = 0; r < mr; r++) {
      const float s = narrow[r];
#pragma clang loop unroll(full)
      for (int j = 0; j < full; j++) acc[r][j] += s * wv[j];
#if HALF
      if (half) acch[r] += s * wh;
#endif
    }
    narrow += narrow_stride;
    wide += KB;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < mr; r++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < full; j++) v_store(p + r * PW + j * VW, acc[r][j]);
#if HALF
    if (half) *(vhu *)(p + r * PW + full * VW) = acch[r];
#endif
  }
}

#define TILE(mr, units)                                                                      \
  static void NAME(multiply_##mr##_##units)(const float *a, const float *b, ptrdiff_t inner, \
                                            float *c) {                                      \
    NAME(multiply)(a, b, inner, c, mr, units);                                               \
  }                                                                                          \
  static void NAME(outer_##mr##_##units)(const float *narrow, ptrdiff_t narrow_stride,       \
                                         const float *wide, ptrdiff_t rows, float *p) {      \
    NAME(outer)(narrow, narrow_stride, wide, rows, p, mr, units);                            \
  }
#if HALF
#define TILES(mr) TILE(mr, 1) TILE(mr, 2) TILE(mr, 3) TILE(mr, 4) TILE(mr, 5) TILE(mr, 6)
#define ROW_OF(f, mr)                                          \
  {NAME(f##_##mr##_1), NAME(f##_##mr##_2), NAME(f##_##mr##_3), \
   NAME(f##_##mr##_4), NAME(f##_##mr##_5), NAME(f##_##mr##_6)}
#else
#define TILES(mr) TILE(mr, 1) TILE(mr, 2) TILE(mr, 3)
#define ROW_OF(f, mr) {NAME(f##_##mr##_1), NAME(f##_##mr##_2), NAME(f##_##mr##_3)}
#endif
// clang-format off
TILES(1) TILES(2) TILES(3) TILES(4)
#if MR == 8
TILES(5) TILES(6) TILES(7) TILES(8)
#endif
    // clang-format on

    typedef void (*NAME(multiply_function))(const float *, const float *, ptrdiff_t, float *);
typedef void (*NAME(outer_function))(const float *, ptrdiff_t, const float *, ptrdiff_t, float *);
#if MR == 8
#define TABLE(f)                                           \
  {ROW_OF(f, 1), ROW_OF(f, 2), ROW_OF(f, 3), ROW_OF(f, 4), \
   ROW_OF(f, 5), ROW_OF(f, 6), ROW_OF(f, 7), ROW_OF(f, 8)}
#else
#define TABLE(f) {ROW_OF(f, 1), ROW_OF(f, 2), ROW_OF(f, 3), ROW_OF(f, 4)}
#endif
static const NAME(multiply_function) NAME(multiply_table)[MR][KINDS] = TABLE(multiply);
static const NAME(outer_function) NAME(outer_table)[MR][KINDS] = TABLE(outer);

/// One panel of a product: c[rows × columns] (row stride KB).
static void NAME(panel_product)(const float *tile, ptrdiff_t rows, ptrdiff_t inner,
                                const float *panel, ptrdiff_t columns, float *c) {
  const ptrdiff_t units = (columns + UNIT - 1) / UNIT;
  const ptrdiff_t strips = (rows + MR - 1) / MR;
  ptrdiff_t r = 0;
  for (ptrdiff_t s = 0; s < strips; s++) {
    const ptrdiff_t next = rows * (s + 1) / strips;
    NAME(multiply_table)[next - r - 1][units - 1](tile + r * KB, panel, inner, c + r * KB);
    r = next;
  }
}

/// One panel of a partial weight gradient: p[narrow × columns] += narrowᵀ · wide. The narrow matrix
/// is a tile (`stride` 0) or plain rows.
static void NAME(panel_outer)(const float *narrow, ptrdiff_t stride, ptrdiff_t narrow_columns,
                              const float *wide, ptrdiff_t columns, ptrdiff_t rows, float *p) {
  const ptrdiff_t units = (columns + UNIT - 1) / UNIT;
  for (ptrdiff_t k0 = 0; k0 < narrow_columns; k0 += KB) {
    const ptrdiff_t kn = narrow_columns - k0 < KB ? narrow_columns - k0 : KB;
    const float *base = stride ? narrow + k0 : narrow + (k0 / KB) * MB * KB;
    const ptrdiff_t strips = (kn + MR - 1) / MR;
    ptrdiff_t k = 0;
    for (ptrdiff_t s = 0; s < strips; s++) {
      const ptrdiff_t next = kn * (s + 1) / strips;
      NAME(outer_table)
      [next - k - 1][units - 1](base + k, stride ? stride : KB, wide, rows, p + (k0 + k) * PW);
      k = next;
    }
  }
}
