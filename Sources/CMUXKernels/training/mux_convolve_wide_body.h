// SPDX-License-Identifier: Apache-2.0
// Lines of group widths without vector kernel, for one instruction set.

/// A line of windows, computed one lane at a time. `rows` point into the first tile.
typedef struct MUX_NAME(wide) {
  const mux_branch_plan *plan;
  ptrdiff_t tile_stride;
  const float *const *rows;
  const int *kernel_rows;
  int row_count, taps, step, position, count;
} MUX_TYPE(wide);

static ptrdiff_t MUX_NAME(wide_weight)(const MUX_TYPE(wide) *w, int channel, int partner, int row,
                                       int tap) {
  int k = w->plan->kernel;
  return (ptrdiff_t)((channel * w->plan->group_width + partner) * k + w->kernel_rows[row]) * k +
         w->position + tap;
}

static const float *MUX_NAME(wide_source)(const MUX_TYPE(wide) *w, int channel, int partner,
                                          int row) {
  int other = channel - channel % w->plan->group_width + partner;
  return w->rows[row] + other / MUX_LANES * w->tile_stride + other % MUX_LANES;
}

static void MUX_NAME(wide_line)(const MUX_TYPE(wide) *w, int tile, const float *weights,
                                float *out) {
  memset(out, 0, sizeof(float) * MUX_LANES * (size_t)w->count);
  for (int lane = 0, c = tile * MUX_LANES; lane < MUX_LANES && c < w->plan->channels; ++lane, ++c) {
    for (int a = 0; a < w->row_count; ++a) {
      for (int j = 0; j < w->plan->group_width; ++j) {
        const float *from = MUX_NAME(wide_source)(w, c, j, a);
        for (int t = 0; t < w->taps; ++t) {
          float weight = weights[MUX_NAME(wide_weight)(w, c, j, a, t)];
          for (int i = 0; i < w->count; ++i) {
            out[(ptrdiff_t)i * MUX_LANES + lane] +=
                weight * from[(ptrdiff_t)(i * w->step + t) * MUX_LANES];
          }
        }
      }
    }
  }
}

static void MUX_NAME(wide_gradient)(const MUX_TYPE(wide) *w, int tile, const float *x,
                                    float *gradient) {
  for (int lane = 0, c = tile * MUX_LANES; lane < MUX_LANES && c < w->plan->channels; ++lane, ++c) {
    for (int a = 0; a < w->row_count; ++a) {
      for (int j = 0; j < w->plan->group_width; ++j) {
        const float *from = MUX_NAME(wide_source)(w, c, j, a);
        for (int t = 0; t < w->taps; ++t) {
          float sum = 0;
          for (int i = 0; i < w->count; ++i) {
            sum += x[(ptrdiff_t)i * MUX_LANES + lane] * from[(ptrdiff_t)(i + t) * MUX_LANES];
          }
          gradient[MUX_NAME(wide_weight)(w, c, j, a, t)] += sum;
        }
      }
    }
  }
}
