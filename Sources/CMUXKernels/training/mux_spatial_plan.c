// SPDX-License-Identifier: Apache-2.0
// Layouts of packed weights and scratch memory, packing, and the choice of the variant.
#include "mux_spatial_internal.h"

mux_branch_plan mux_plan_branch(const mux_spatial *op, int32_t index, int32_t lanes) {
  size_t before = 0, total = 0, mine = 0;
  mux_branch_plan plan = {0};
  for (int32_t i = 0; i < op->branch_count; ++i) {
    const mux_spatial_branch *branch = &op->branches[i];
    int32_t r = branch->multiplex == 0 ? 1 : op->factor;
    int32_t channels = mux_phase_channels(op, branch), tiles = (channels + lanes - 1) / lanes;
    int32_t taps = branch->kernel * branch->kernel;
    size_t phase = (size_t)(tiles * lanes * branch->group_width) * (size_t)taps;
    size_t weights = phase * (size_t)(branch->multiplex < 0 ? r * r : 1);
    if (i < index) {
      before += weights;
      plan.offset += branch->channels;
    } else if (i == index) {
      int32_t w = branch->group_width;
      plan.channels = channels;
      plan.tiles = tiles;
      plan.kernel = branch->kernel;
      plan.padding = branch->kernel / 2;
      plan.stride = op->stride;
      plan.group_width = w;
      plan.partners = w == 1 || w == 2 || w == 4 || w == 8 ? w : 0;
      plan.fine = branch->multiplex > 0 ? r : 1;
      plan.dilation = branch->multiplex < 0 ? r : 1;
      plan.input_planes = branch->multiplex < 0 ? r : op->stride;
      plan.height = op->height * plan.fine;
      plan.width = op->width * plan.fine;
      plan.output_height = (plan.height - 1) / op->stride + 1;
      plan.output_width = (plan.width - 1) / op->stride + 1;
      plan.phase_weights = phase;
      mine = before;
    }
    total += weights;
  }
  // All forward weights first: then a gradient has the layout of the rest.
  plan.forward_weights = mine;
  plan.backward_weights = total + mine;
  return plan;
}

mux_backward_taps mux_plan_taps(const mux_branch_plan *plan, int32_t plane) {
  int32_t k = plan->kernel, p = plan->padding;
  if (plan->stride == 1) {
    return (mux_backward_taps){.first = -p, .taps = k, .kernel_column = k - 1};
  }
  // Input column 2i + b meets output column o under kernel column 2i + b + p - 2o.
  int32_t last = (k - 1 - plane - p) % 2 == 0 ? k - 1 : k - 2;
  mux_backward_taps taps = {
      .first = (plane + p - last) / 2, .taps = last < 0 ? 0 : last / 2 + 1, .kernel_column = last};
  if (plane == 1) taps.position = k - taps.taps;
  return taps;
}

int32_t mux_plan_chunk(const mux_branch_plan *plan, size_t floats_per_tile) {
  // The scalar kernels read other tiles of the group, so they take all at once.
  if (plan->partners == 0) return plan->tiles;
  size_t tiles = MUX_RING_FLOATS / floats_per_tile;
  if (tiles < 1) tiles = 1;
  if (tiles >= (size_t)plan->tiles) return plan->tiles;
  int32_t passes = (plan->tiles + (int32_t)tiles - 1) / (int32_t)tiles;
  return (plan->tiles + passes - 1) / passes;
}

// MARK: Packing

/// Calls the visitor with the index in PyTorch's layout and the packed indices (within the
/// operation's forward and backward part) of each weight of a branch.
typedef void (*weight_visitor)(void *context, size_t plain, size_t forward, size_t backward);

static void visit_weights(const mux_branch_plan *plan, int32_t lanes, weight_visitor visit,
                          void *context) {
  int32_t k = plan->kernel, w = plan->group_width, phases = plan->dilation * plan->dilation;
  size_t plain = 0;
  for (int32_t phase = 0; phase < phases; ++phase) {
    size_t base = (size_t)phase * plan->phase_weights;
    for (int32_t o = 0; o < plan->channels; ++o) {
      for (int32_t j = 0; j < w; ++j) {
        int32_t c = o / w * w + j;
        for (int32_t dy = 0; dy < k; ++dy) {
          for (int32_t dx = 0; dx < k; ++dx, ++plain) {
            int32_t b = plan->stride == 1 ? 0 : (dx + plan->padding) & 1;
            mux_backward_taps taps = mux_plan_taps(plan, b);
            int32_t t = (taps.kernel_column - dx) / plan->stride;
            size_t forward, backward;
            if (plan->partners) {
              // [tile][dy][partner][dx][lane] and [tile][dy][plane][partner][tap][lane], where
              // partner j of channel c is channel c xor j.
              int32_t partner = o ^ c, n = plan->partners;
              forward = (size_t)((((o / lanes * k + dy) * n + partner) * k + dx) * lanes) +
                        (size_t)(o % lanes);
              backward = (size_t)((((c / lanes * k + dy) * k + taps.position) * n +
                                   partner * taps.taps + t) *
                                  lanes) +
                         (size_t)(c % lanes);
            } else {
              forward = (size_t)(((o * w + j) * k + dy) * k + dx);
              backward = (size_t)(((c * w + o % w) * k + dy) * k + taps.position + t);
            }
            visit(context, plain, base + forward, base + backward);
          }
        }
      }
    }
  }
}

typedef struct packing {
  const float *weights;
  float *forward, *backward;
} packing;

static void pack_weight(void *context, size_t plain, size_t forward, size_t backward) {
  packing *p = context;
  p->forward[forward] = p->weights[plain];
  p->backward[backward] = p->weights[plain];
}

typedef struct unpacking {
  const float *packed;
  float *weights;
} unpacking;

static void unpack_weight(void *context, size_t plain, size_t forward, size_t backward) {
  unpacking *u = context;
  (void)forward;
  u->weights[plain] += u->packed[backward];
}

// MARK: The public functions

extern const mux_spatial_table *const mux_spatial_tables[MUX_ISA_COUNT];

static const mux_spatial_table *table(void) { return mux_spatial_tables[mux_isa_current()]; }

size_t mux_spatial_gradient_count(const mux_spatial *op) {
  mux_branch_plan plan = mux_plan_branch(op, 0, table()->lanes);
  return plan.backward_weights - plan.forward_weights;
}

size_t mux_spatial_packed_count(const mux_spatial *op) {
  return 2 * mux_spatial_gradient_count(op);
}

void mux_spatial_pack(const mux_spatial *op, const float *const *weights, float *packed) {
  int32_t lanes = table()->lanes;
  memset(packed, 0, mux_spatial_packed_count(op) * sizeof(float));
  for (int32_t i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, lanes);
    packing p = {weights[i], packed + plan.forward_weights, packed + plan.backward_weights};
    visit_weights(&plan, lanes, pack_weight, &p);
  }
}

void mux_spatial_unpack_gradient(const mux_spatial *op, const float *packed_gradient,
                                 float *const *weight_gradients) {
  int32_t lanes = table()->lanes;
  for (int32_t i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, lanes);
    unpacking u = {packed_gradient + plan.forward_weights, weight_gradients[i]};
    visit_weights(&plan, lanes, unpack_weight, &u);
  }
}

size_t mux_spatial_scratch_count(const mux_spatial *op) {
  int32_t lanes = table()->lanes;
  size_t most = 0;
  for (int32_t i = 0; i < op->branch_count; ++i) {
    mux_branch_plan plan = mux_plan_branch(op, i, lanes);
    size_t forward = mux_forward_scratch(&plan, lanes);
    size_t backward = mux_backward_scratch(&plan, lanes);
    // The chunk's share, and one line of one tile.
    forward = forward * (size_t)mux_plan_chunk(&plan, forward) + mux_forward_tile(&plan, lanes);
    backward = backward * (size_t)mux_plan_chunk(&plan, backward) + mux_input_tile(&plan, lanes);
    if (forward > most) most = forward;
    if (backward > most) most = backward;
  }
  return most + 16;  // the kernels align it
}

void mux_spatial_forward(const mux_spatial *op, const mux_spatial_forward_arguments *arguments,
                         float *scratch) {
  table()->forward(op, arguments, scratch);
}

void mux_spatial_backward(const mux_spatial *op, const mux_spatial_backward_arguments *arguments,
                          float *scratch) {
  table()->backward(op, arguments, scratch);
}
