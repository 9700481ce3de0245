// SPDX-License-Identifier: Apache-2.0
// The kernels against plain loops, without Swift: for processors on which the test suite cannot run
// here, under an emulator (scripts/check-arm). Prints one line per kernel; exit code 1 on a miss.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMUXKernels.h"

static uint64_t state = 1;
static int failures = 0;

static float noise(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)((int32_t)(state >> 33) % 2001 - 1000) / 1000.0f;
}

static float *noises(size_t count) {
  float *values = malloc(count * sizeof(float) + 64);
  for (size_t i = 0; i < count; i++) values[i] = noise();
  return values;
}

static double act(double x, mux_activation_kind activation) {
  switch (activation) {
  case MUX_RELU: return x > 0 ? x : 0;
  case MUX_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
  case MUX_SWISH: return x / (1 + exp(-x));
  case MUX_HARD_SWISH: return x * fmin(fmax(x + 3, 0), 6) / 6;
  case MUX_SIGMOID: return 1 / (1 + exp(-x));
  case MUX_HARD_SIGMOID: return fmin(fmax(x + 3, 0), 6) / 6;
  default: return x;
  }
}

/// Keeps the worst miss of a kernel, relative to 1 + the expected magnitude.
static double worst;
static int checked;

static void compare(float found, double expected) {
  const double miss = fabs(found - expected) / (1 + fabs(expected));
  if (!(miss <= worst)) worst = isnan(miss) ? INFINITY : miss;
  checked++;
}

static void report(const char *name) {
  const int passes = worst < 5e-5 && checked > 0;
  printf("%-34s %8d values, worst relative difference %.1e%s\n", name, checked, worst,
         passes ? "" : "  FAILED");
  if (!passes) failures++;
  worst = 0;
  checked = 0;
}

// --- Training: spatial convolutions against the library's own scalar reference ------------------

static void check_training_spatial(void) {
  const int sizes[][2] = {{1, 1}, {2, 5}, {7, 7}, {9, 6}, {14, 15}, {5, 28}};
  for (int shape = 0; shape < 6; shape++) {
    for (int variant = 0; variant < 12; variant++) {
      const int stride = variant % 3 == 2 ? 2 : 1;
      mux_spatial_branch branches[3] = {
          {.channels = 8 + shape, .kernel = 3 + 2 * (variant % 3), .group_width = 1},
          {.channels = 16, .kernel = 3, .group_width = 1 << variant % 4},
          {.channels = 12, .kernel = 3, .group_width = 1},
      };
      if (stride == 1) branches[2].multiplex = variant % 2 ? -1 : 1;
      mux_spatial operation = {.height = sizes[shape][0], .width = sizes[shape][1],
                               .channels = 36 + shape, .stride = stride, .factor = 2,
                               .branch_count = 3, .branches = branches};
      if (mux_spatial_validate(&operation)) continue;
      const int outputs =
          mux_spatial_output_height(&operation) * mux_spatial_output_width(&operation);
      const int inputs = operation.height * operation.width, channels = operation.channels;
      const float *weights[3];
      for (int b = 0; b < 3; b++) weights[b] = noises(mux_spatial_weight_count(&operation, b));
      float *packed = noises(mux_spatial_packed_count(&operation));
      float *scratch = noises(mux_spatial_scratch_count(&operation));
      mux_spatial_pack(&operation, weights, packed);
      float *found = noises((size_t)outputs * channels), *expected = noises((size_t)outputs * channels);
      double *sums = calloc(4 * (size_t)channels, sizeof(double));
      mux_spatial_forward_arguments arguments = {
          .packed = packed, .input = noises((size_t)inputs * channels), .input_stride = channels,
          .input_transform = {noises(channels), noises(channels),
                              mux_usual_activation((mux_activation_kind)(variant % MUX_ACTIVATION_COUNT))},
          .output = found, .output_stride = channels, .sum = sums, .sum_squares = sums + channels};
      mux_spatial_forward(&operation, &arguments, scratch);
      arguments.output = expected;
      arguments.sum = sums + 2 * channels;
      arguments.sum_squares = sums + 3 * channels;
      mux_spatial_reference_forward(&operation, &arguments, weights);
      for (int i = 0; i < outputs * channels; i++) compare(found[i], expected[i]);
      for (int i = 0; i < 2 * channels; i++) compare((float)sums[i], sums[2 * channels + i]);
    }
  }
  report("training: spatial, forward");
}

static void check_training_pointwise(void) {
  const int shapes[][3] = {{1, 1, 1}, {7, 3, 5}, {33, 16, 24}, {50, 40, 17}, {64, 8, 96}, {5, 130, 64}};
  for (int shape = 0; shape < 6; shape++) {
    const int rows = shapes[shape][0], inner = shapes[shape][1], outer = shapes[shape][2];
    float *weight = noises((size_t)inner * outer), *x = noises((size_t)rows * inner);
    float *packed = noises(mux_pointwise_packed_size(inner, outer));
    float *scratch = noises(mux_pointwise_scratch_size(inner, outer));
    float *y = noises((size_t)rows * outer), *gate = noises(inner);
    const mux_transform transform = {noises(inner), noises(inner), {MUX_SWISH, 0, 0}};
    mux_pointwise_pack(weight, inner, outer, outer, 1, packed);
    mux_pointwise_forward(x, inner, rows, inner, outer, &transform, gate, packed, y, outer, NULL,
                          NULL, scratch);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < outer; o++) {
        double sum = 0;
        for (int i = 0; i < inner; i++) {
          const double u = transform.scale[i] * x[r * inner + i] + transform.shift[i];
          sum += act(u, MUX_SWISH) * gate[i] * weight[i * outer + o];
        }
        compare(y[r * outer + o], sum);
      }
    }
  }
  report("training: pointwise, forward");
}

// --- Inference -----------------------------------------------------------------------------------

static void run(const mux_step *step, float *arena) {
  float *scratch = noises(mux_step_scratch(MUX_ISA_GENERIC, step));
  mux_step_run(MUX_ISA_GENERIC, step, 0, mux_step_tasks(step), arena, scratch);
  free(scratch);
}

static void check_dense(void) {
  const int lanes = mux_inference_lanes(MUX_ISA_GENERIC);
  const int shapes[][3] = {{3, 5, 7}, {8, 8, 49}, {17, 40, 64}, {33, 9, 196}, {16, 24, 225}, {100, 100, 50}};
  for (int shape = 0; shape < 6; shape++) {
    for (int variant = 0; variant < 4; variant++) {
      const int inner = shapes[shape][0], outer = shapes[shape][1], pixels = shapes[shape][2];
      const int blocks = (outer + lanes - 1) / lanes, plane = (pixels + 15) / 16 * 16;
      float *weight = noises((size_t)inner * outer), *arena = noises((size_t)(inner + outer) * plane + inner);
      float *packed = calloc((size_t)blocks * lanes * inner, sizeof(float));
      float *bias = calloc((size_t)blocks * lanes, sizeof(float));
      int32_t *offsets = malloc(sizeof(int32_t) * inner), *outputs = malloc(sizeof(int32_t) * outer);
      for (int i = 0; i < inner; i++) offsets[i] = (inner - 1 - i) * plane;
      for (int o = 0; o < outer; o++) {
        outputs[o] = (inner + o) * plane;
        bias[o] = noise();
        for (int i = 0; i < inner; i++)
          packed[(o / lanes * inner + i) * lanes + o % lanes] = weight[o * inner + i];
      }
      const int gate = (inner + outer) * plane;
      const mux_activation_kind activation = (mux_activation_kind)(shape % MUX_ACTIVATION_COUNT);
      const mux_dense dense = {.offsets = offsets, .inner = inner, .outer = outer, .weights = packed,
                               .bias = bias, .activation = mux_usual_activation(activation),
                               .final_activation = mux_usual_activation(variant & 1 ? MUX_RELU : MUX_IDENTITY), .step = 1,
                               .pixels = pixels, .gate = variant & 2 ? gate : -1, .outputs = outputs,
                               .residuals = variant & 1 ? outputs : NULL, .means = -1, .observed = -1,
                               .pixel_bands = 1, .block_bands = 1};
      const mux_step step = {MUX_STEP_DENSE, &dense};
      float *before = malloc(sizeof(float) * ((size_t)(inner + outer) * plane + inner));
      memcpy(before, arena, sizeof(float) * ((size_t)(inner + outer) * plane + inner));
      run(&step, arena);
      for (int o = 0; o < outer; o++) {
        for (int p = 0; p < pixels; p++) {
          double sum = bias[o];
          for (int i = 0; i < inner; i++)
            sum += (double)weight[o * inner + i] * before[offsets[i] + p] *
                   (variant & 2 ? before[gate + i] : 1);
          sum = act(sum, activation);
          if (variant & 1) sum = act(sum + before[outputs[o] + p], MUX_RELU);
          compare(arena[outputs[o] + p], sum);
        }
      }
    }
  }
  report("inference: dense");
}

static void check_spatial(void) {
  const int lanes = mux_inference_lanes(MUX_ISA_GENERIC);
  const int kernels[] = {3, 5, 7};
  for (int variant = 0; variant < 24; variant++) {
    const int kernel = kernels[variant % 3], stride = variant % 2 + 1;
    const int height = 5 + variant, width = 29 - variant, inner = 3 + variant, blocks = 1 + variant % 3;
    const int out_height = (height + 2 * (kernel / 2) - kernel) / stride + 1;
    const int out_width = (width + 2 * (kernel / 2) - kernel) / stride + 1;
    const int channels = blocks * lanes, taps = kernel * kernel, plane = height * width;
    const size_t out = (size_t)inner * plane, total = out + (size_t)channels * out_height * out_width;
    float *arena = noises(total), *expand = noises((size_t)channels * inner), *bias = noises(channels);
    float *weights = noises((size_t)channels * taps), *shift = noises(channels);
    int32_t *offsets = malloc(sizeof(int32_t) * inner);
    for (int i = 0; i < inner; i++) offsets[i] = i * plane;
    mux_spatial_unit *units = calloc(blocks, sizeof(mux_spatial_unit));
    for (int b = 0; b < blocks; b++)
      units[b] = (mux_spatial_unit){.mode = MUX_SPATIAL_PLAIN, .first_in = b, .in_count = 1,
                                    .first_out = b, .out_count = 1, .kernel = kernel,
                                    .stride = stride, .dilation = 1, .top = kernel / 2, .left = kernel / 2,
                                    .factor = 1, .weights = weights + (size_t)b * taps * lanes,
                                    .bias = shift + b * lanes};
    const mux_spatial_step spatial = {
        .in_height = height, .in_width = width, .out_height = out_height, .out_width = out_width,
        .offsets = offsets, .inner = inner, .pitch = 1, .weights = expand, .bias = bias,
        .producer_activation = mux_usual_activation(MUX_SWISH), .units = units, .unit_count = blocks,
        .units_per_task = variant % 4 ? 1 : blocks, .rows_per_task = variant % 5 ? out_height : 2,
        .chunk = 1 + variant % 4, .out_blocks = blocks, .activation = mux_usual_activation(MUX_RELU6),
        .out = (ptrdiff_t)out, .sums = -1, .observed = -1};
    const mux_step step = {MUX_STEP_SPATIAL, &spatial};
    run(&step, arena);
    double *expanded = calloc((size_t)plane, sizeof(double));
    for (int c = 0; c < channels; c++) {
      const int block = c / lanes, lane = c % lanes;
      for (int p = 0; p < plane; p++) {
        double sum = bias[c];
        for (int i = 0; i < inner; i++)
          sum += (double)expand[(block * inner + i) * lanes + lane] * arena[i * plane + p];
        expanded[p] = act(sum, MUX_SWISH);
      }
      for (int y = 0; y < out_height; y++) {
        for (int x = 0; x < out_width; x++) {
          double sum = shift[c];
          for (int tap = 0; tap < taps; tap++) {
            const int row = y * stride - kernel / 2 + tap / kernel;
            const int column = x * stride - kernel / 2 + tap % kernel;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            sum += weights[(block * taps + tap) * lanes + lane] * expanded[row * width + column];
          }
          compare(arena[out + ((size_t)(block * out_height + y) * out_width + x) * lanes + lane],
                  act(sum, MUX_RELU6));
        }
      }
    }
  }
  report("inference: expansion and spatial");
}

static void check_linear(void) {
  const int lanes = mux_inference_lanes(MUX_ISA_GENERIC);
  for (int variant = 0; variant < 8; variant++) {
    const int inner = 1 + variant * 19, outer = 3 + variant * 7, blocks = (outer + lanes - 1) / lanes;
    float *weight = noises((size_t)inner * outer), *arena = noises(2 * (size_t)inner + outer);
    float *packed = calloc((size_t)blocks * lanes * inner, sizeof(float));
    float *bias = calloc((size_t)blocks * lanes, sizeof(float));
    for (int o = 0; o < outer; o++) {
      bias[o] = noise();
      for (int i = 0; i < inner; i++)
        packed[(o / lanes * inner + i) * lanes + o % lanes] = weight[o * inner + i];
    }
    const mux_linear linear = {.input = 0, .bands = 2, .band_stride = inner, .scale = 0.25f,
                               .inner = inner, .outer = outer, .weights = packed, .bias = bias,
                               .activation = mux_usual_activation(MUX_HARD_SIGMOID), .output = 2 * inner, .tasks = 1};
    const mux_step step = {MUX_STEP_LINEAR, &linear};
    run(&step, arena);
    for (int o = 0; o < outer; o++) {
      double sum = bias[o];
      for (int i = 0; i < inner; i++)
        sum += weight[o * inner + i] * 0.25 * ((double)arena[i] + arena[inner + i]);
      compare(arena[2 * inner + o], act(sum, MUX_HARD_SIGMOID));
    }
  }
  report("inference: linear");
}

int main(void) {
#if defined(__aarch64__)
  puts("arm64, vectors of the compiler (NEON)");
#else
  puts("generic vectors of this processor");
#endif
  if (!mux_isa_select(MUX_ISA_GENERIC)) return 1;
  check_training_spatial();
  check_training_pointwise();
  check_dense();
  check_spatial();
  check_linear();
  return failures ? 1 : 0;
}
