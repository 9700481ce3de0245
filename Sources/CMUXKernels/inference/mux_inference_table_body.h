// SPDX-License-Identifier: Apache-2.0
// What the variant offers: the steps by kind, the processor's peak, and the copy of the input.

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

// The steps behind one signature.
#define MUX_CODE_LARGE(name, type)                                                             \
  static size_t MUX_NAME(scratch_of_##name)(const void *step) {                                \
    return MUX_NAME(name##_step_scratch)((const type *)step);                                  \
  }                                                                                            \
  static void MUX_NAME(run_##name)(const void *step, int32_t first, int32_t end, float *arena, \
                                   float *scratch) {                                           \
    MUX_NAME(name##_step)((const type *)step, first, end, arena, scratch);                     \
  }
#define MUX_CODE_TASKS(name, type, task_function)                                              \
  static size_t MUX_NAME(scratch_of_##name)(const void *step) {                                \
    (void)step;                                                                                \
    return 0;                                                                                  \
  }                                                                                            \
  static void MUX_NAME(run_##name)(const void *step, int32_t first, int32_t end, float *arena, \
                                   float *scratch) {                                           \
    (void)scratch;                                                                             \
    for (int32_t t = first; t < end; ++t) task_function((const type *)step, t, arena);         \
  }
#define MUX_CODE_SMALL(name, type) MUX_CODE_TASKS(name, type, MUX_NAME(name##_task))
#define MUX_CODE_PLAIN(name, type) MUX_CODE_TASKS(name, type, mux_##name##_task)

#define MUX_STEP(NAME, name, type, SORT, PRECISION) MUX_CODE_##SORT(name, type)
MUX_STEPS(MUX_STEP)
#undef MUX_STEP

#define MUX_STEP(NAME, name, type, SORT, PRECISION) \
  [MUX_STEP_##NAME] = {MUX_NAME(scratch_of_##name), MUX_NAME(run_##name)},
const mux_inference_table MUX_NAME(mux_inference_table) = {
    .lanes = MUX_LANES,
    .peak = MUX_NAME(measure_peak),
    .copy_finite = MUX_NAME(copy_finite),
    .steps = {MUX_STEPS(MUX_STEP)},
};
#undef MUX_STEP
#undef MUX_CODE_LARGE
#undef MUX_CODE_TASKS
#undef MUX_CODE_SMALL
#undef MUX_CODE_PLAIN
