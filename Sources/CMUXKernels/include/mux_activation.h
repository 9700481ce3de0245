// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_ACTIVATION_H
#define MUX_ACTIVATION_H

/// Elementwise non-linearities. At the kinks the derivative is PyTorch's: 0 at relu(0), relu6(0)
/// and relu6(6); hard-swish 0 at -3 and 1 at 3; hard-sigmoid 0 at both ends.
typedef enum mux_activation_kind {
  MUX_IDENTITY = 0,
  MUX_RELU = 1,
  MUX_RELU6 = 2,
  /// x * sigmoid(x), also called SiLU.
  MUX_SWISH = 3,
  /// x * clamp(x + 3, 0, 6) / 6
  MUX_HARD_SWISH = 4,
  MUX_SIGMOID = 5,
  /// clamp(alpha * x + beta, 0, 1), as clamp(x + beta / alpha, 0, 1 / alpha) * alpha
  MUX_HARD_SIGMOID = 6,
} mux_activation_kind;

/// One more than the last.
enum { MUX_ACTIVATION_COUNT = MUX_HARD_SIGMOID + 1 };

/// A non-linearity with its parameters, which those that have none ignore.
typedef struct mux_activation {
  mux_activation_kind kind;
  float alpha;
  float beta;
} mux_activation;

/// A non-linearity with its usual parameters: 1/6 and 1/2 for the hard sigmoid.
static inline mux_activation mux_usual_activation(mux_activation_kind kind) {
  mux_activation activation = {kind, 0, 0};
  if (kind == MUX_HARD_SIGMOID) activation.alpha = 1.0f / 6, activation.beta = 0.5f;
  return activation;
}

/// A folded batch normalisation followed by an activation, applied when a tensor is read:
/// act(scale[c] * x + shift[c]). NULL scale stands for 1, NULL shift for 0.
typedef struct mux_transform {
  const float *scale;
  const float *shift;
  mux_activation activation;
} mux_transform;

/// Scalar value and derivative, through the C library: the definition the kernels are tested
/// against.
float mux_activation_value(mux_activation activation, float x);
float mux_activation_derivative(mux_activation activation, float x);

#endif
