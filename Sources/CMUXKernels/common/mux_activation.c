// SPDX-License-Identifier: Apache-2.0
#include "mux_activation.h"

#include <math.h>

static float clamp(float x, float low, float high) { return fminf(fmaxf(x, low), high); }

float mux_activation_value(mux_activation activation, float x) {
  switch (activation.kind) {
  case MUX_IDENTITY: return x;
  case MUX_RELU: return x > 0 ? x : 0;
  case MUX_RELU6: return clamp(x, 0, 6);
  case MUX_SWISH: return x / (1 + expf(-x));
  case MUX_HARD_SWISH: return x * clamp(x + 3, 0, 6) / 6;
  case MUX_SIGMOID: return 1 / (1 + expf(-x));
  case MUX_HARD_SIGMOID: {
    // (alpha * x + beta would lose digits where the two cancel.)
    const float a = activation.alpha;
    return clamp(x + activation.beta / a, 0, 1 / a) * a;
  }
  }
  return x;
}

float mux_activation_derivative(mux_activation activation, float x) {
  float s;
  switch (activation.kind) {
  case MUX_IDENTITY: return 1;
  case MUX_RELU: return x > 0 ? 1 : 0;
  case MUX_RELU6: return x > 0 && x < 6 ? 1 : 0;
  case MUX_SWISH: s = 1 / (1 + expf(-x)); return s * (1 + x * (1 - s));
  case MUX_HARD_SWISH: return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
  case MUX_SIGMOID: s = 1 / (1 + expf(-x)); return s * (1 - s);
  case MUX_HARD_SIGMOID: {
    const float low = activation.beta / activation.alpha;
    return x > -low && x < 1 / activation.alpha - low ? activation.alpha : 0;
  }
  }
  return 1;
}
