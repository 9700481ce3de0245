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

#include "mux_pointwise_tiles_body.h"
#include "mux_pointwise_packing_body.h"
#include "mux_pointwise_load_body.h"
#include "mux_pointwise_forward_body.h"
#include "mux_pointwise_backward_body.h"
#include "mux_pointwise_passes_body.h"

static const mux_pointwise_kernels NAME(mux_pointwise_table) = {
    NAME(packed_size),     NAME(partial_size),   NAME(pack),
    NAME(reduce_partials), NAME(forward_blocks), NAME(project_backward),
    NAME(expand_backward), NAME(sums),           NAME(apply),
};

#undef VW
#undef PW
