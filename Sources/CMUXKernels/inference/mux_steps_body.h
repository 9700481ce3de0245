// SPDX-License-Identifier: Apache-2.0
// The steps that come in several precisions, and those with scratch memory: which function does what.

#define MUX_BF16(x) MUX_PASTE(MUX_NAME(x), bf16)
#define MUX_INT8S(x) MUX_PASTE(MUX_NAME(x), int8)

static size_t MUX_NAME(dense_step_scratch)(const mux_dense *s) {
  switch (s->precision) {
  case MUX_FLOAT32: return MUX_NAME(dense_scratch)(s);
  case MUX_BFLOAT16: return MUX_BF16(dense_scratch)(s);
  case MUX_INT8: return MUX_INT8S(dense_scratch)(s);
  }
  return 0;
}

static void MUX_NAME(dense_step)(const mux_dense *s, int32_t first, int32_t end, float *arena,
                                 float *scratch) {
  for (int32_t task = first; task < end; ++task) {
    switch (s->precision) {
    case MUX_FLOAT32: MUX_NAME(dense_task)(s, task, arena, scratch); break;
    case MUX_BFLOAT16: MUX_BF16(dense_task)(s, task, arena, scratch); break;
    case MUX_INT8: MUX_INT8S(dense_task)(s, task, arena, scratch); break;
    }
  }
}

static size_t MUX_NAME(spatial_step_scratch)(const mux_spatial_step *s) {
  switch (s->precision) {
  case MUX_FLOAT32: return MUX_NAME(spatial_scratch)(s);
  case MUX_BFLOAT16: return MUX_BF16(spatial_scratch)(s);
  case MUX_INT8: return MUX_INT8S(spatial_scratch)(s);
  }
  return 0;
}

static void MUX_NAME(spatial_step)(const mux_spatial_step *s, int32_t first, int32_t end,
                                   float *arena, float *scratch) {
  switch (s->precision) {
  case MUX_FLOAT32: MUX_NAME(spatial_tasks)(s, first, end, arena, scratch); break;
  case MUX_BFLOAT16: MUX_BF16(spatial_tasks)(s, first, end, arena, scratch); break;
  case MUX_INT8: MUX_INT8S(spatial_tasks)(s, first, end, arena, scratch); break;
  }
}

static size_t MUX_NAME(linear_step_scratch)(const mux_linear *s) {
  return s->cells ? MUX_NAME(linear_cells_scratch)(s) : MUX_NAME(linear_scratch)(s);
}

static void MUX_NAME(linear_step)(const mux_linear *s, int32_t first, int32_t end, float *arena,
                                  float *scratch) {
  for (int32_t task = first; task < end; ++task) {
    if (s->cells) {
      MUX_NAME(linear_cells_task)(s, task, arena, scratch);
    } else {
      MUX_NAME(linear_task)(s, task, arena, scratch);
    }
  }
}

static void MUX_NAME(pack_task)(const mux_pack *s, int32_t task, float *arena) {
  switch (s->precision) {
  case MUX_FLOAT32: break;  // there is nothing to pack
  case MUX_BFLOAT16: MUX_BF16(pack_task)(s, task, arena); break;
  case MUX_INT8: MUX_INT8S(pack_task)(s, task, arena); break;
  }
}

#undef MUX_BF16
#undef MUX_INT8S
