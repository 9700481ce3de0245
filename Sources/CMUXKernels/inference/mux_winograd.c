// SPDX-License-Identifier: Apache-2.0
// The weights of Winograd's tiles; see mux_winograd_body.h.
#include "mux_inference_internal.h"

enum { MOST_LANES = 16 };

/// What each place of a transformed line is made of three taps with.
typedef struct {
  double of[6][3];
} line_transform;

static line_transform transform_of(int tile) {
  if (tile == 2) {
    return (line_transform){{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}};
  }
  // Row p of (1, p, p²) divided by the product of p − q over the other finite points q.
  const double points[5] = {0, 0.75, -0.75, 1.5, -1.5};
  line_transform result = {{{0}}};
  for (int i = 0; i < 5; ++i) {
    double product = 1;
    for (int j = 0; j < 5; ++j) {
      if (j != i) product *= points[i] - points[j];
    }
    result.of[i][0] = 1 / product;
    result.of[i][1] = points[i] / product;
    result.of[i][2] = points[i] * points[i] / product;
  }
  result.of[5][2] = 1;
  return result;
}

/// A line of taps, lane by lane, in double precision, so that what is stored is rounded once.
static void transform(const line_transform *transform, int side,
                      double taps[const restrict 3][MOST_LANES],
                      double to[const restrict 6][MOST_LANES]) {
  for (int i = 0; i < side; ++i) {
    const double *of = transform->of[i];
    for (int lane = 0; lane < MOST_LANES; ++lane) {
      to[i][lane] = of[0] * taps[0][lane] + of[1] * taps[1][lane] + of[2] * taps[2][lane];
    }
  }
}

void mux_winograd_weights(int tile, int lanes, ptrdiff_t channels, ptrdiff_t blocks,
                          bool has_half_block, const float *weights, float *to) {
  const int side = tile + 2;
  const line_transform line = transform_of(tile);
  for (ptrdiff_t block = 0; block < blocks; ++block) {
    const bool is_half = has_half_block && block == blocks - 1;
    const ptrdiff_t width = is_half ? lanes / 2 : lanes;
    // Blocks come in pairs but for a last one.
    const ptrdiff_t partners = block % 2 == 1 || block + 1 < blocks ? 2 : 1;
    float *pair = to + (block - block % 2) * side * side * channels * lanes;
    // Some channels at a time, so that what is stored at a place are whole stretches.
    enum { CHUNK = 8 };
    for (ptrdiff_t first = 0; first < channels; first += CHUNK) {
      const ptrdiff_t count = channels - first < CHUNK ? channels - first : CHUNK;
      float stretch[36][CHUNK * MOST_LANES];
      for (ptrdiff_t c = 0; c < count; ++c) {
        const float *taps = weights + block * channels * 9 * lanes + (first + c) * 9 * width;
        double rows[3][6][MOST_LANES];
        for (int i = 0; i < 3; ++i) {
          double g[3][MOST_LANES] = {{0}};
          for (int j = 0; j < 3; ++j) {
            const float *tap = taps + (i * 3 + j) * width;
            for (ptrdiff_t lane = 0; lane < width; ++lane) g[j][lane] = tap[lane];
          }
          transform(&line, side, g, rows[i]);
        }
        for (int j = 0; j < side; ++j) {
          double g[3][MOST_LANES], column[6][MOST_LANES];
          for (int i = 0; i < 3; ++i) memcpy(g[i], rows[i][j], sizeof g[i]);
          transform(&line, side, g, column);
          for (int i = 0; i < side; ++i) {
            float *place = stretch[i * side + j] + c * lanes;
            for (ptrdiff_t lane = 0; lane < lanes; ++lane) place[lane] = (float)column[i][lane];
          }
        }
      }
      for (int place = 0; place < side * side; ++place) {
        memcpy(pair + ((place * partners + block % 2) * channels + first) * lanes, stretch[place],
               (size_t)(count * lanes) * sizeof(float));
      }
    }
  }
}
