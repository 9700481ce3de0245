// SPDX-License-Identifier: Apache-2.0
// The kernels against plain loops, without Swift: for processors on which the test suite cannot run
// here, under an emulator (scripts/check-arm). Prints one line per kernel; exit code 1 on a miss.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMUXKernels.h"
#include "kernel_checks.h"

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
      mux_spatial operation = {.height = sizes[shape][0],
                               .width = sizes[shape][1],
                               .channels = 36 + shape,
                               .stride = stride,
                               .factor = 2,
                               .branch_count = 3,
                               .branches = branches};
      if (mux_spatial_validate(&operation)) continue;
      const int outputs =
          mux_spatial_output_height(&operation) * mux_spatial_output_width(&operation);
      const int inputs = operation.height * operation.width, channels = operation.channels;
      const float *weights[3];
      for (int b = 0; b < 3; b++) weights[b] = noises(mux_spatial_weight_count(&operation, b));
      float *packed = noises(mux_spatial_packed_count(&operation));
      float *scratch = noises(mux_spatial_scratch_count(&operation));
      mux_spatial_pack(&operation, weights, packed);
      float *found = noises((size_t)outputs * channels),
            *expected = noises((size_t)outputs * channels);
      double *sums = calloc(4 * (size_t)channels, sizeof(double));
      mux_spatial_forward_arguments arguments = {
          .packed = packed,
          .input = noises((size_t)inputs * channels),
          .input_stride = channels,
          .input_transform = {noises(channels), noises(channels),
                              mux_usual_activation(
                                  (mux_activation_kind)(variant % MUX_ACTIVATION_COUNT))},
          .output = found,
          .output_stride = channels,
          .sum = sums,
          .sum_squares = sums + channels};
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
  const int shapes[][3] = {{1, 1, 1},    {7, 3, 5},   {33, 16, 24},
                           {50, 40, 17}, {64, 8, 96}, {5, 130, 64}};
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

// --- Inference: the checks of the package's tests -------------------------------------------------

/// Every `part`-th check of each kind in a variant.
static void check_inference(mux_variant variant, int part) {
  for (int kind = 0; kind < MUX_STEP_COUNT; kind++) {
    long long values = 0;
    double difference = 0;
    int faults = 0;
    for (int index = 0; index < kernel_check_count((mux_step_kind)kind); index += part) {
      const kernel_check_result result = kernel_check_run((mux_step_kind)kind, index, variant);
      values += result.values;
      if (result.worst > difference) difference = result.worst;
      if (result.fault[0] && faults++ < 5) printf("%s\n  %s\n", result.name, result.fault);
    }
    char name[64];
    snprintf(name, sizeof name, "inference: %s, %s", mux_step_name((mux_step_kind)kind),
             mux_variant_name(variant));
    printf("%-34s %8lld values, worst difference %.2f of what is allowed%s\n", name, values,
           difference, faults ? "  FAILED" : "");
    fflush(stdout);
    if (faults || values == 0) failures++;
  }
}

/// With an argument N only every N-th check of the inference steps.
int main(int count, char **arguments) {
  const int part = count > 1 ? atoi(arguments[1]) : 1;
  if (part < 1) return 64;
  printf("float32: %s, bfloat16: %s, 8 bits: %s\n",
         mux_variant_name(mux_precision_variant(mux_isa_current(), MUX_FLOAT32)),
         mux_variant_name(mux_precision_variant(mux_isa_current(), MUX_BFLOAT16)),
         mux_variant_name(mux_precision_variant(mux_isa_current(), MUX_INT8)));
  if (!mux_isa_select(MUX_ISA_GENERIC)) return 1;
  check_training_spatial();
  check_training_pointwise();
  for (int variant = 0; variant < MUX_VARIANT_COUNT; variant++) {
    if (mux_variant_available((mux_variant)variant)) check_inference((mux_variant)variant, part);
  }
  return failures ? 1 : 0;
}
