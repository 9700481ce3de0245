// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_ACTIVATION_H
#define MUX_ACTIVATION_H

/// Elementwise non-linearities. At the kinks the derivative is PyTorch's: 0 at relu(0), relu6(0)
/// and relu6(6); hard-swish 0 at -3 and 1 at 3; hard-sigmoid 0 at -3 and 3.
typedef enum mux_activation {
  MUX_IDENTITY = 0,
  MUX_RELU = 1,
  MUX_RELU6 = 2,
  /// x * sigmoid(x), also called SiLU.
  MUX_SWISH = 3,
  /// x * clamp(x + 3, 0, 6) / 6
  MUX_HARD_SWISH = 4,
  MUX_SIGMOID = 5,
  /// clamp(x + 3, 0, 6) / 6
  MUX_HARD_SIGMOID = 6,
} mux_activation;

enum { MUX_ACTIVATION_COUNT = 7 };

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
