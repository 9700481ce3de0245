// SPDX-License-Identifier: Apache-2.0
//
// The pointwise kernels for one instruction set; included by mux_each_isa.h.
//
// A tile holds up to MB rows, its columns in blocks of KB: element (row, k) lies at
// (k / KB) * MB * KB + row * KB + k % KB, so that the rows of a register tile are a constant apart.
// A register tile is MR rows × 3 vectors, PW columns. Where vectors have 16 lanes, half a vector is
// worth a panel width of its own: 24 columns are common.

#ifndef MUX_POINTWISE_NAMES
#define MUX_POINTWISE_NAMES
#define NAME(x) MUX_NAME(x)
#define vh MUX_NAME(vh)
#define vhu MUX_NAME(vhu)
#endif

#undef HALF
#undef MR
#undef UNIT
#undef KINDS
#undef TILES
#undef ROW_OF
#undef TABLE
#if defined(MUX_IS_AVX512)
#define HALF 1
#define MR 8
#define UNIT (MUX_LANES / 2)
#define KINDS 6
typedef float vh __attribute__((vector_size(MUX_LANES * 2)));
typedef float vhu __attribute__((vector_size(MUX_LANES * 2), aligned(4)));
#else
#define HALF 0
#define MR 4
#define UNIT MUX_LANES
#define KINDS 3
#endif
#define VW MUX_LANES
#define PW (3 * VW)

/// As `v_load_first` and `v_store_first`, for n that may exceed a vector.
MUX_INLINE vf NAME(loadn)(const float *p, ptrdiff_t n) {
  return n >= VW ? v_load(p) : v_load_first(p, (int)n);
}
MUX_INLINE void NAME(storen)(float *p, vf v, ptrdiff_t n) {
  if (n >= VW) {
    v_store(p, v);
  } else {
    v_store_first(p, v, (int)n);
  }
}

// MARK: Register tiles

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

#define TILE(mr, units)                                                                        \
  static void NAME(multiply_##mr##_##units)(const float *a, const float *b, ptrdiff_t inner,   \
                                            float *c) {                                        \
    NAME(multiply)(a, b, inner, c, mr, units);                                                 \
  }                                                                                            \
  static void NAME(outer_##mr##_##units)(const float *narrow, ptrdiff_t narrow_stride,         \
                                         const float *wide, ptrdiff_t rows, float *p) {        \
    NAME(outer)(narrow, narrow_stride, wide, rows, p, mr, units);                              \
  }
#if HALF
#define TILES(mr) TILE(mr, 1) TILE(mr, 2) TILE(mr, 3) TILE(mr, 4) TILE(mr, 5) TILE(mr, 6)
#define ROW_OF(f, mr)                                                             \
  {NAME(f##_##mr##_1), NAME(f##_##mr##_2), NAME(f##_##mr##_3), NAME(f##_##mr##_4), \
   NAME(f##_##mr##_5), NAME(f##_##mr##_6)}
#else
#define TILES(mr) TILE(mr, 1) TILE(mr, 2) TILE(mr, 3)
#define ROW_OF(f, mr) {NAME(f##_##mr##_1), NAME(f##_##mr##_2), NAME(f##_##mr##_3)}
#endif
TILES(1) TILES(2) TILES(3) TILES(4)
#if MR == 8
TILES(5) TILES(6) TILES(7) TILES(8)
#endif

typedef void (*NAME(multiply_function))(const float *, const float *, ptrdiff_t, float *);
typedef void (*NAME(outer_function))(const float *, ptrdiff_t, const float *, ptrdiff_t, float *);
#if MR == 8
#define TABLE(f)                                                                       \
  {ROW_OF(f, 1), ROW_OF(f, 2), ROW_OF(f, 3), ROW_OF(f, 4), ROW_OF(f, 5), ROW_OF(f, 6), \
   ROW_OF(f, 7), ROW_OF(f, 8)}
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
      NAME(outer_table)[next - k - 1][units - 1](base + k, stride ? stride : KB, wide, rows,
                                                  p + (k0 + k) * PW);
      k = next;
    }
  }
}

// MARK: Packing

static size_t NAME(packed_size)(ptrdiff_t inner, ptrdiff_t outer) {
  return (size_t)((outer + PW - 1) / PW * PW * inner);
}

static void NAME(pack)(const float *weight, ptrdiff_t inner, ptrdiff_t outer,
                       ptrdiff_t inner_stride, ptrdiff_t outer_stride, float *packed) {
  for (ptrdiff_t n0 = 0; n0 < outer; n0 += PW) {
    const ptrdiff_t columns = outer - n0 < PW ? outer - n0 : PW;
    for (ptrdiff_t k = 0; k < inner; k++) {
      const float *from = weight + k * inner_stride + n0 * outer_stride;
      for (ptrdiff_t n = 0; n < columns; n++) packed[n] = from[n * outer_stride];
      for (ptrdiff_t n = columns; n < PW; n++) packed[n] = 0.0f;
      packed += PW;
    }
  }
}

static void NAME(reduce_partials)(const float *partials, ptrdiff_t count, ptrdiff_t stride,
                                  ptrdiff_t narrow, ptrdiff_t wide, float *out,
                                  ptrdiff_t narrow_stride, ptrdiff_t wide_stride) {
  for (ptrdiff_t w0 = 0; w0 < wide; w0 += PW) {
    const ptrdiff_t columns = wide - w0 < PW ? wide - w0 : PW;
    for (ptrdiff_t s = 0; s < narrow; s++) {
      const float *from = partials + (w0 / PW * narrow + s) * PW;
      vf total[3] = {{0}, {0}, {0}};
      for (ptrdiff_t i = 0; i < count; i++) {
        for (int j = 0; j < 3; j++) total[j] += v_load(from + i * stride + j * VW);
      }
      float *to = out + s * narrow_stride + w0 * wide_stride;
      const float *lanes = (const float *)total;
      for (ptrdiff_t n = 0; n < columns; n++) to[n * wide_stride] = lanes[n];
    }
  }
}

// MARK: Loading tiles

#undef BY_ACTIVATION
#define BY_ACTIVATION(kind, call)                         \
  switch (kind) {                                         \
    case MUX_IDENTITY: call(MUX_IDENTITY); break;         \
    case MUX_RELU: call(MUX_RELU); break;                 \
    case MUX_RELU6: call(MUX_RELU6); break;               \
    case MUX_SWISH: call(MUX_SWISH); break;               \
    case MUX_HARD_SWISH: call(MUX_HARD_SWISH); break;     \
    case MUX_SIGMOID: call(MUX_SIGMOID); break;           \
    case MUX_HARD_SIGMOID: call(MUX_HARD_SIGMOID); break; \
  }

MUX_INLINE void NAME(tile_transform)(const float *x, ptrdiff_t stride, ptrdiff_t rows,
                                        ptrdiff_t columns, const float *scale, const float *shift,
                                        const float *gate, float *tile, const mux_activation kind,
                                        const int affine, const int gated) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    float *to = tile + r * KB;
    for (ptrdiff_t k0 = 0; k0 < columns; k0 += KB, to += MB * KB) {
      const ptrdiff_t kn = columns - k0 < KB ? columns - k0 : KB;
      for (ptrdiff_t k = 0; k < kn; k += VW) {
        vf v = NAME(loadn)(from + k0 + k, kn - k);
        if (affine) v = v * v_load(scale + k0 + k) + v_load(shift + k0 + k);
        v = v_activate(kind, v);
        if (gated) v = v * v_load(gate + k0 + k);
        v_store(to + k, v);
      }
    }
  }
}

static void NAME(load_tile)(const float *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
                            const mux_transform *t, const float *scale, const float *shift,
                            const float *gate, float *tile) {
  if (!t->scale && t->activation == MUX_IDENTITY && !gate) {
    NAME(tile_transform)(x, stride, rows, columns, 0, 0, 0, tile, MUX_IDENTITY, 0, 0);
  } else if (gate) {
#define CALL(kind) \
  NAME(tile_transform)(x, stride, rows, columns, scale, shift, gate, tile, kind, 1, 1)
    BY_ACTIVATION(t->activation, CALL)
#undef CALL
  } else {
#define CALL(kind) \
  NAME(tile_transform)(x, stride, rows, columns, scale, shift, gate, tile, kind, 1, 0)
    BY_ACTIVATION(t->activation, CALL)
#undef CALL
  }
}

/// Rows `first ..< first + rows` of the window matrix of an image.
static void NAME(window_tile)(const float *image, const mux_pointwise_window *w, ptrdiff_t first,
                              ptrdiff_t rows, float *tile) {
  const ptrdiff_t inner = w->kernel * w->kernel * w->channels;
  const ptrdiff_t blocks = (inner + KB - 1) / KB;
  for (ptrdiff_t r = 0; r < rows; r++) {
    const ptrdiff_t oy = (first + r) / w->out_width, ox = (first + r) % w->out_width;
    ptrdiff_t k = 0;
    for (ptrdiff_t ky = 0; ky < w->kernel; ky++) {
      const ptrdiff_t y = oy * w->stride - w->padding + ky;
      for (ptrdiff_t kx = 0; kx < w->kernel; kx++) {
        const ptrdiff_t x = ox * w->stride - w->padding + kx;
        const int inside = y >= 0 && y < w->height && x >= 0 && x < w->width;
        const float *from = image + (y * w->width + x) * w->channels;
        for (ptrdiff_t c = 0; c < w->channels; c++, k++) {
          tile[(k / KB) * MB * KB + r * KB + k % KB] = inside ? from[c] : 0.0f;
        }
      }
    }
    for (; k < blocks * KB; k++) tile[(k / KB) * MB * KB + r * KB + k % KB] = 0.0f;
  }
}

/// A copy of per-channel coefficients, padded to whole blocks.
static const float *NAME(padded)(const float *from, ptrdiff_t columns, float **scratch) {
  if (!from) return 0;
  float *to = *scratch;
  const ptrdiff_t size = (columns + KB - 1) / KB * KB;
  memcpy(to, from, (size_t)columns * sizeof(float));
  for (ptrdiff_t k = columns; k < size; k++) to[k] = 0.0f;
  *scratch += size;
  return to;
}

static ptrdiff_t NAME(block_rows)(ptrdiff_t rows) {
  const ptrdiff_t blocks = (rows + MB - 1) / MB;
  return ((rows + blocks - 1) / blocks + 7) / 8 * 8;
}

// MARK: Forward

MUX_INLINE void NAME(forward_epilogue)(const float *c, ptrdiff_t rows, ptrdiff_t columns,
                                          float *y, ptrdiff_t stride, double *sum,
                                          double *square_sum) {
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

static void NAME(forward_blocks)(const float *x, ptrdiff_t x_stride, const mux_pointwise_window *window,
                                 ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t outer,
                                 const mux_transform *t, const float *gates,
                                 const float *packed, float *y,
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
      NAME(forward_epilogue)(c, rn, columns, y + r0 * y_stride + n0, y_stride,
                             sum ? sum + n0 : 0, sum ? square_sum + n0 : 0);
    }
  }
}

// MARK: Backward of the projection

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
        v_store(to + c, v_load(k0 + c0 + c) * gv +
                                (v_load(k1 + c0 + c) * yv + v_load(k2 + c0 + c)));
      }
    }
  }
}

MUX_INLINE void NAME(project_epilogue)(const float *c, ptrdiff_t rows, ptrdiff_t columns,
                                          ptrdiff_t stride, const float *d, const float *scale,
                                          const float *shift, const float *gate, float *gz,
                                          float *z, double *sums, ptrdiff_t sums_stride,
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
#define CALL(kind)                                                                              \
  NAME(project_epilogue)(c, rn, columns, mid, q->d + r0 * mid + n0, scale + n0, shift + n0,     \
                         gate ? gate + n0 : 0, q->gz + r0 * mid + n0, z, q->sums + n0, mid, kind)
      BY_ACTIVATION(q->transform.activation, CALL)
#undef CALL
      NAME(panel_outer)(tile, 0, out, z, columns, rn, q->partial + n0 * out);
    }
  }
}

// MARK: Backward of the expansion

MUX_INLINE void NAME(slope_tile)(const float *g, ptrdiff_t g_stride, const float *y,
                                    ptrdiff_t rows, ptrdiff_t columns, const float *scale,
                                    const float *shift, const float *k0, const float *k1,
                                    const float *k2, float *tile, const mux_activation kind) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    float *to = tile + r * KB;
    for (ptrdiff_t c0 = 0; c0 < columns; c0 += KB, to += MB * KB) {
      const ptrdiff_t cn = columns - c0 < KB ? columns - c0 : KB;
      for (ptrdiff_t c = 0; c < cn; c += VW) {
        const vf gv = NAME(loadn)(g + r * g_stride + c0 + c, cn - c);
        const vf yv = NAME(loadn)(y + r * columns + c0 + c, cn - c);
        vf slope;
        v_activate_both(kind, v_load(scale + c0 + c) * yv + v_load(shift + c0 + c),
                            &slope);
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
#define CALL(kind) \
  NAME(slope_tile)(g, g_stride, y, rn, outer, scale, shift, k0, k1, k2, tile, kind)
      BY_ACTIVATION(q->transform.activation, CALL)
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

// MARK: Passes over elements

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
  BY_ACTIVATION(t->activation, CALL)
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

static void NAME(apply)(const float *y, ptrdiff_t rows, ptrdiff_t columns,
                        const mux_transform *t, float *out, float *scratch) {
  const float *scale = NAME(padded)(t->scale, columns, &scratch);
  const float *shift = NAME(padded)(t->shift, columns, &scratch);
#define CALL(kind) NAME(apply_kind)(y, rows, columns, scale, shift, out, kind)
  BY_ACTIVATION(t->activation, CALL)
#undef CALL
}

static size_t NAME(partial_size)(ptrdiff_t narrow, ptrdiff_t wide) {
  return (size_t)((wide + PW - 1) / PW * PW * narrow);
}

static const mux_pointwise_kernels NAME(mux_pointwise_table) = {
    NAME(packed_size), NAME(partial_size),     NAME(pack),            NAME(reduce_partials),
    NAME(forward_blocks), NAME(project_backward), NAME(expand_backward), NAME(sums),
    NAME(apply),
};

#undef VW
#undef PW
