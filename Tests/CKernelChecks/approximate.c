// SPDX-License-Identifier: Apache-2.0
#include "approximate.h"

static double clamped(double x, double low, double high) { return fmin(fmax(x, low), high); }

/// The activation as it is defined, with what the steepest place makes of an error, and what the kernels'
/// arithmetic adds (`mux_inference_vector.h` says how exact its exponentials are).
approx approximate_activation(const reference_context *context, mux_activation activation,
                              approx x) {
  const double v = x.value, size = fabs(v);
  // e^−x has the rounding of x · log₂ e in its exponent.
  const double exponential = 1e-6 + 2 * size * ROUNDING;
  switch (activation.kind) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return (approx){v > 0 ? v : 0, x.error};
  case MUX_RELU6: return (approx){clamped(v, 0, 6), x.error};
  case MUX_SWISH: {
    const double y = v / (1 + exp(-v));
    const double own = context->has_coarse_swish ? 5e-4 * size : fabs(y) * exponential;
    return (approx){y, 1.1 * x.error + own};
  }
  case MUX_HARD_SWISH:
    return (approx){v * clamped(v + 3, 0, 6) / 6,
                    1.5 * x.error + 4 * ROUNDING * (size + size * size / 6)};
  case MUX_SIGMOID: {
    const double y = 1 / (1 + exp(-v));
    return (approx){y, 0.25 * x.error + y * exponential};
  }
  case MUX_HARD_SIGMOID: {
    const double a = activation.alpha, low = activation.beta / a;
    return (approx){clamped(v + low, 0, 1 / a) * a,
                    a * x.error + 4 * ROUNDING * (a * (size + low) + 1)};
  }
  }
  return x;
}

uint16_t to_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)((bits + 0x8000) >> 16);
}

float from_bfloat16(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &wide, sizeof x);
  return x;
}

approx encoded(mux_precision precision, approx x, mux_quantization quantization) {
  double low, high;
  if (precision == MUX_INT8) {
    const double q = x.value * quantization.inverse + quantization.zero;
    const double error =
        x.error * quantization.inverse +
        4 * ROUNDING * (fabs(x.value * quantization.inverse) + quantization.zero + 1);
    low = rint(clamped(q - error, 0, 255));
    high = rint(clamped(q + error, 0, 255));
  } else {
    // Where nothing has been rounded before, the result is certain.
    const double error = x.error == 0 ? 0 : x.error + ROUNDING * fabs(x.value);
    low = from_bfloat16(to_bfloat16((float)(x.value - error)));
    high = from_bfloat16(to_bfloat16((float)(x.value + error)));
  }
  return (approx){(low + high) / 2, (high - low) / 2};
}

double cell_value(mux_precision precision, int32_t cell, int index) {
  const uint32_t bits = (uint32_t)cell;
  return precision == MUX_INT8 ? (double)((bits >> (8 * index) & 255) ^ MUX_BYTE_FLIP)
                               : (double)from_bfloat16((uint16_t)(bits >> (16 * index)));
}

double cell_weight(mux_precision precision, int32_t cell, int index) {
  const uint32_t bits = (uint32_t)cell;
  return precision == MUX_INT8 ? (double)(int8_t)(bits >> (8 * index))
                               : cell_value(precision, cell, index);
}
