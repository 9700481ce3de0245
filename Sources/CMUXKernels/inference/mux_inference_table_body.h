// SPDX-License-Identifier: Apache-2.0
// What the variant offers: the steps by kind, the processor's peak, and the copy of the input.

static size_t MUX_NAME(step_scratch)(const mux_step *step) {
  if (step->kind == MUX_STEP_LINEAR && mux_step_precision(step) == MUX_INT8) {
    return MUX_NAME(linear_cells_scratch)(step->argument);
  }
  switch (mux_step_precision(step)) {
  case MUX_BFLOAT16: return MUX_PASTE(MUX_NAME(step_scratch), bf16)(step);
  case MUX_INT8: return MUX_PASTE(MUX_NAME(step_scratch), int8)(step);
  case MUX_FLOAT32: break;
  }
  switch (step->kind) {
  case MUX_STEP_DENSE: return MUX_NAME(dense_scratch)(step->argument);
  case MUX_STEP_SPATIAL: return MUX_NAME(spatial_scratch)(step->argument);
  case MUX_STEP_LINEAR: return MUX_NAME(linear_scratch)(step->argument);
  default: return 0;
  }
}

static void MUX_NAME(step_run)(
    const mux_step *step, int32_t first, int32_t end, float *arena, float *scratch) {
  if (step->kind == MUX_STEP_LINEAR && mux_step_precision(step) == MUX_INT8) {
    for (int32_t task = first; task < end; ++task) {
      MUX_NAME(linear_cells_task)(step->argument, task, arena, scratch);
    }
    return;
  }
  switch (mux_step_precision(step)) {
  case MUX_BFLOAT16:
    MUX_PASTE(MUX_NAME(step_run), bf16)(step, first, end, arena, scratch);
    return;
  case MUX_INT8:
    MUX_PASTE(MUX_NAME(step_run), int8)(step, first, end, arena, scratch);
    return;
  case MUX_FLOAT32: break;
  }
  if (step->kind == MUX_STEP_SPATIAL) {
    MUX_NAME(spatial_tasks)(step->argument, first, end, arena, scratch);
    return;
  }
  for (int32_t task = first; task < end; ++task) {
    switch (step->kind) {
    case MUX_STEP_DENSE: MUX_NAME(dense_task)(step->argument, task, arena, scratch); break;
    case MUX_STEP_SPATIAL: break;
    case MUX_STEP_LINEAR: MUX_NAME(linear_task)(step->argument, task, arena, scratch); break;
    case MUX_STEP_ELEMENTWISE: MUX_NAME(elementwise_task)(step->argument, task, arena); break;
    case MUX_STEP_UNBLOCK: MUX_NAME(unblock_task)(step->argument, task, arena); break;
    case MUX_STEP_POOL: MUX_NAME(pool_task)(step->argument, task, arena); break;
    case MUX_STEP_MULTIPLEX: MUX_NAME(multiplex_task)(step->argument, task, arena); break;
#define MUX_STEP(NAME, TYPE) case MUX_STEP_##NAME:
      MUX_PLAIN_STEPS(MUX_STEP) MUX_CELL_STEPS(MUX_STEP)
      break;  // not of a variant, or not of this precision
#undef MUX_STEP
    }
  }
}

static bool MUX_NAME(copy_finite)(float *to, const float *from, size_t count) {
  // An infinity or a NaN times zero is a NaN, and a NaN stays in the sum.
  vf sums[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 4 * MUX_LANES <= count; i += 4 * MUX_LANES) {
    MUX_UNROLL
    for (int j = 0; j < 4; ++j) {
      const vf x = v_load(from + i + j * MUX_LANES);
      v_store(to + i + j * MUX_LANES, x);
      sums[j] = v_fma(x, (vf){0}, sums[j]);
    }
  }
  for (; i < count; ++i) {
    to[i] = from[i];
    sums[0][0] += from[i] * 0.0f;
  }
  const vf sum = sums[0] + sums[1] + sums[2] + sums[3];
  float total = 0;
  for (int j = 0; j < MUX_LANES; ++j) total += sum[j];
  return total == 0;
}

static double MUX_NAME(measure_peak)(void) {
  double best = 0;
  volatile float seed = 1.0f;
  for (int run = 0; run < 20; ++run) {
    enum { CHAINS = 12, ROUNDS = 20000 };
    vf sum[CHAINS];
    const vf factor = MUX_NAME(i_splat)(seed);
    MUX_UNROLL
    for (int i = 0; i < CHAINS; ++i) sum[i] = factor;
    const uint64_t start = mux_now();
    for (int n = 0; n < ROUNDS; ++n) {
      MUX_UNROLL
      for (int i = 0; i < CHAINS; ++i) {
        sum[i] = v_fma(sum[i], factor, factor);
#if defined(MUX_IS_AVX512)
        __asm__ volatile("" : "+v"(sum[i]));  // keeps the chains apart and alive
#elif defined(MUX_IS_AVX2)
        __asm__ volatile("" : "+x"(sum[i]));
#endif
      }
    }
    const double seconds = (double)(mux_now() - start) * 1e-9;
    vf total = sum[0];
    MUX_UNROLL
    for (int i = 1; i < CHAINS; ++i) total += sum[i];
    seed = total[0] > 0 ? 1.0f : 2.0f;
    const double rate = (double)CHAINS * ROUNDS * MUX_LANES / seconds;
    if (rate > best) best = rate;
  }
  return best;
}

const mux_inference_table MUX_NAME(mux_inference_steps) = {
    MUX_LANES, MUX_NAME(step_scratch), MUX_NAME(step_run), MUX_NAME(measure_peak),
    MUX_NAME(copy_finite)};
