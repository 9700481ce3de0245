// SPDX-License-Identifier: Apache-2.0
// The weights of Winograd's tiles; see mux_winograd_body.h.
#include "mux_inference_internal.h"

/// The transform of three taps in double precision, so that what is stored is rounded once.
static void transform(int tile, const double *g, double *to) {
  if (tile == 2) {
    to[0] = g[0];
    to[1] = (g[0] + g[1] + g[2]) / 2;
    to[2] = (g[0] - g[1] + g[2]) / 2;
    to[3] = g[2];
    return;
  }
  // Row p of (1, p, p²) divided by the product of p − q over the other finite points q.
  const double points[5] = {0, 0.75, -0.75, 1.5, -1.5};
  for (int i = 0; i < 5; ++i) {
    double product = 1;
    for (int j = 0; j < 5; ++j) {
      if (j != i) product *= points[i] - points[j];
    }
    to[i] = (g[0] + points[i] * (g[1] + points[i] * g[2])) / product;
  }
  to[5] = g[2];
}

void mux_winograd_weights(int tile, int lanes, ptrdiff_t channels, ptrdiff_t blocks,
                          bool has_half_block, const float *weights, float *to) {
  const int side = tile + 2;
  for (ptrdiff_t block = 0; block < blocks; ++block) {
    const bool is_half = has_half_block && block == blocks - 1;
    const ptrdiff_t width = is_half ? lanes / 2 : lanes;
    // Blocks come in pairs but for a last one.
    const ptrdiff_t partners = block % 2 == 1 || block + 1 < blocks ? 2 : 1;
    float *pair = to + (block - block % 2) * side * side * channels * lanes;
    for (ptrdiff_t c = 0; c < channels; ++c) {
      const float *taps = weights + block * channels * 9 * lanes + c * 9 * width;
      for (ptrdiff_t lane = 0; lane < lanes; ++lane) {
        double rows[3][6], result[6][6] = {{0}};
        for (int i = 0; i < 3; ++i) {
          double g[3] = {0};
          for (int j = 0; j < 3 && lane < width; ++j) g[j] = taps[(i * 3 + j) * width + lane];
          transform(tile, g, rows[i]);
        }
        for (int j = 0; j < side; ++j) {
          const double g[3] = {rows[0][j], rows[1][j], rows[2][j]};
          double column[6];
          transform(tile, g, column);
          for (int i = 0; i < side; ++i) result[i][j] = column[i];
        }
        for (int place = 0; place < side * side; ++place) {
          pair[((place * partners + block % 2) * channels + c) * lanes + lane] =
              (float)result[place / side][place % side];
        }
      }
    }
  }
}
