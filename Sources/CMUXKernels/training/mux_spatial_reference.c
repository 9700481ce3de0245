// SPDX-License-Identifier: Apache-2.0
// Spatial convolutions from the definition: transform, multiplex (materialised), convolve over
// [channels][height][width], de-multiplex. Scalar, double precision, one branch at a time.
#include <stdlib.h>

#include "mux_spatial_internal.h"

/// A branch's tensors on the grid on which its convolution acts.
typedef struct grid {
  int32_t channels, height, width;      // of the multiplexed input
  int32_t output_height, output_width;  // of the multiplexed output
  int32_t image_height, image_width;    // of the plain input or output: what is not padding
  int32_t r;
} grid;

static grid make_grid(const mux_spatial *op, const mux_spatial_branch *branch) {
  int32_t r = branch->multiplex == 0 ? 1 : op->factor;
  grid g = {.image_height = op->height, .image_width = op->width, .r = r};
  if (branch->multiplex < 0) {
    g.channels = branch->channels * r * r;
    g.height = (op->height + r - 1) / r;
    g.width = (op->width + r - 1) / r;
  } else {
    g.channels = branch->channels / (r * r);
    g.height = op->height * r;
    g.width = op->width * r;
  }
  g.output_height = (g.height - 1) / op->stride + 1;
  g.output_width = (g.width - 1) / op->stride + 1;
  return g;
}

/// Where element (c, y, x) of the multiplexed grid is in the plain image; false in the padding.
static _Bool locate(const grid *g, const mux_spatial_branch *branch, int32_t height, int32_t width,
                    int32_t c, int32_t y, int32_t x, size_t *pixel, size_t *channel) {
  int32_t py = y, px = x, pc = c;
  if (branch->multiplex < 0) {
    int32_t phase = c / branch->channels;
    py = y * g->r + phase / g->r;
    px = x * g->r + phase % g->r;
    pc = c % branch->channels;
  } else if (branch->multiplex > 0) {
    py = y / g->r;
    px = x / g->r;
    pc = ((y % g->r) * g->r + x % g->r) * g->channels + c;
  }
  if (py >= height || px >= width) return 0;
  *pixel = (size_t)py * (size_t)width + (size_t)px;
  *channel = (size_t)pc;
  return 1;
}

static double affine(const mux_transform *t, size_t c, double x) {
  return (t->scale ? (double)t->scale[c] : 1) * x + (t->shift ? (double)t->shift[c] : 0);
}

/// The transformed input of a branch on its grid.
static void load_input(const mux_spatial *op, const mux_spatial_branch *branch, const grid *g,
                       size_t offset, const float *input, ptrdiff_t stride, const mux_transform *t,
                       double *z) {
  size_t i = 0;
  for (int32_t c = 0; c < g->channels; ++c) {
    for (int32_t y = 0; y < g->height; ++y) {
      for (int32_t x = 0; x < g->width; ++x, ++i) {
        size_t pixel, channel;
        z[i] = 0;
        if (locate(g, branch, op->height, op->width, c, y, x, &pixel, &channel)) {
          channel += offset;
          const ptrdiff_t at = (ptrdiff_t)pixel * stride + (ptrdiff_t)channel;
          float u = (float)affine(t, channel, input[at]);
          z[i] = mux_activation_value(t->activation, u);
        }
      }
    }
  }
}

typedef void (*visitor)(void *context, size_t output, size_t input, size_t weight);

/// Visits every product of the grouped convolution: index of output, input and weight.
static void convolve(const mux_spatial *op, const mux_spatial_branch *branch, const grid *g,
                     visitor visit, void *context) {
  int32_t k = branch->kernel, w = branch->group_width, p = k / 2;
  for (int32_t o = 0; o < g->channels; ++o) {
    for (int32_t y = 0; y < g->output_height; ++y) {
      for (int32_t x = 0; x < g->output_width; ++x) {
        for (int32_t j = 0; j < w; ++j) {
          for (int32_t dy = 0; dy < k; ++dy) {
            for (int32_t dx = 0; dx < k; ++dx) {
              int32_t c = o / w * w + j, sy = y * op->stride + dy - p, sx = x * op->stride + dx - p;
              if (sy < 0 || sy >= g->height || sx < 0 || sx >= g->width) continue;
              visit(context, (size_t)((o * g->output_height + y) * g->output_width + x),
                    (size_t)((c * g->height + sy) * g->width + sx),
                    (size_t)(((o * w + j) * k + dy) * k + dx));
            }
          }
        }
      }
    }
  }
}

typedef struct products {
  const float *weights;
  double *input, *output, *input_gradient, *weight_gradient;
} products;

static void visit_forward(void *context, size_t output, size_t input, size_t weight) {
  products *p = context;
  p->output[output] += p->input[input] * (double)p->weights[weight];
}

static void visit_backward(void *context, size_t output, size_t input, size_t weight) {
  products *p = context;
  p->input_gradient[input] += p->output[output] * (double)p->weights[weight];
  p->weight_gradient[weight] += p->output[output] * p->input[input];
}

bool mux_spatial_reference_forward(const mux_spatial *op, const mux_spatial_forward_arguments *a,
                                   const float *const *weights) {
  int32_t height = mux_spatial_output_height(op), width = mux_spatial_output_width(op);
  size_t offset = 0;
  for (int32_t b = 0; b < op->branch_count; offset += (size_t)op->branches[b++].channels) {
    const mux_spatial_branch *branch = &op->branches[b];
    grid g = make_grid(op, branch);
    size_t channels = (size_t)g.channels;
    products p = {
        .weights = weights[b],
        .input = calloc(channels * (size_t)g.height * (size_t)g.width, sizeof(double)),
        .output =
            calloc(channels * (size_t)g.output_height * (size_t)g.output_width, sizeof(double)),
    };
    _Bool ok = p.input && p.output;
    if (ok) {
      load_input(op, branch, &g, offset, a->input, a->input_stride, &a->input_transform, p.input);
      convolve(op, branch, &g, visit_forward, &p);
      for (size_t c = offset; a->sum && c < offset + (size_t)branch->channels; ++c) {
        a->sum[c] = 0;
        a->sum_squares[c] = 0;
      }
      size_t i = 0;
      for (int32_t c = 0; c < g.channels; ++c) {
        for (int32_t y = 0; y < g.output_height; ++y) {
          for (int32_t x = 0; x < g.output_width; ++x, ++i) {
            size_t pixel, channel;
            if (!locate(&g, branch, height, width, c, y, x, &pixel, &channel)) continue;
            channel += offset;
            a->output[(ptrdiff_t)pixel * a->output_stride + (ptrdiff_t)channel] =
                (float)p.output[i];
            if (a->sum) {
              a->sum[channel] += p.output[i];
              a->sum_squares[channel] += p.output[i] * p.output[i];
            }
          }
        }
      }
    }
    free(p.input);
    free(p.output);
    if (!ok) return 0;
  }
  return 1;
}

/// dL/dd of one element (see `mux_spatial_backward_arguments`).
static double raw_gradient(const mux_spatial_backward_arguments *a, size_t pixel, size_t channel) {
  double g = a->output_gradient[(ptrdiff_t)pixel * a->output_gradient_stride + (ptrdiff_t)channel];
  double d = a->output[(ptrdiff_t)pixel * a->output_stride + (ptrdiff_t)channel];
  double u = affine(&a->output_transform, channel, d);
  double du =
      (a->gate ? (double)a->gate[channel] : 1) * g + (a->pooled ? (double)a->pooled[channel] : 0);
  du *= (double)mux_activation_derivative(a->output_transform.activation, (float)u);
  return (a->k0 ? (double)a->k0[channel] : 1) * du + (a->k1 ? (double)a->k1[channel] : 0) * d +
         (a->k2 ? (double)a->k2[channel] : 0);
}

bool mux_spatial_reference_backward(const mux_spatial *op, const mux_spatial_backward_arguments *a,
                                    const float *const *weights, float *const *weight_gradients) {
  int32_t height = mux_spatial_output_height(op), width = mux_spatial_output_width(op);
  size_t offset = 0;
  for (int32_t b = 0; b < op->branch_count; offset += (size_t)op->branches[b++].channels) {
    const mux_spatial_branch *branch = &op->branches[b];
    grid g = make_grid(op, branch);
    size_t channels = (size_t)g.channels, weight_count = mux_spatial_weight_count(op, b);
    size_t inputs = channels * (size_t)g.height * (size_t)g.width;
    products p = {
        .weights = weights[b],
        .input = calloc(inputs, sizeof(double)),
        .input_gradient = calloc(inputs, sizeof(double)),
        .output =
            calloc(channels * (size_t)g.output_height * (size_t)g.output_width, sizeof(double)),
        .weight_gradient = calloc(weight_count, sizeof(double)),
    };
    _Bool ok = p.input && p.input_gradient && p.output && p.weight_gradient;
    if (ok) {
      size_t i = 0, pixel, channel;
      load_input(op, branch, &g, offset, a->input, a->input_stride, &a->input_transform, p.input);
      for (int32_t c = 0; c < g.channels; ++c) {
        for (int32_t y = 0; y < g.output_height; ++y) {
          for (int32_t x = 0; x < g.output_width; ++x, ++i) {
            if (locate(&g, branch, height, width, c, y, x, &pixel, &channel)) {
              p.output[i] = raw_gradient(a, pixel, channel + offset);
            }
          }
        }
      }
      convolve(op, branch, &g, visit_backward, &p);
      for (i = 0; weight_gradients && i < weight_count; ++i) {
        weight_gradients[b][i] += (float)p.weight_gradient[i];
      }
      for (size_t c = offset; a->sum_gradient && c < offset + (size_t)branch->channels; ++c) {
        a->sum_gradient[c] = 0;
        a->sum_gradient_input[c] = 0;
      }
      i = 0;
      for (int32_t c = 0; c < g.channels; ++c) {
        for (int32_t y = 0; y < g.height; ++y) {
          for (int32_t x = 0; x < g.width; ++x, ++i) {
            if (!locate(&g, branch, op->height, op->width, c, y, x, &pixel, &channel)) continue;
            channel += offset;
            double e = a->input[(ptrdiff_t)pixel * a->input_stride + (ptrdiff_t)channel];
            double u = affine(&a->input_transform, channel, e);
            double du = p.input_gradient[i] *
                        (double)mux_activation_derivative(a->input_transform.activation, (float)u);
            if (a->input_gradient) {
              a->input_gradient[(ptrdiff_t)pixel * a->input_gradient_stride + (ptrdiff_t)channel] =
                  (float)du;
            }
            if (a->sum_gradient) {
              a->sum_gradient[channel] += du;
              a->sum_gradient_input[channel] += du * e;
            }
          }
        }
      }
    }
    free(p.input);
    free(p.input_gradient);
    free(p.output);
    free(p.weight_gradient);
    if (!ok) return 0;
  }
  return 1;
}
