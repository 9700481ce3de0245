// SPDX-License-Identifier: Apache-2.0
//
// Packed weights and partial weight gradients of the pointwise kernels; part of
// mux_pointwise_body.h.

static size_t NAME(packed_size)(ptrdiff_t inner, ptrdiff_t outer) {
  return (size_t)((outer + PW - 1) / PW * PW * inner);
}

static size_t NAME(partial_size)(ptrdiff_t narrow, ptrdiff_t wide) {
  return (size_t)((wide + PW - 1) / PW * PW * narrow);
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
