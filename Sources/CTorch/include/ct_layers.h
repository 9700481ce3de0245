// SPDX-License-Identifier: Apache-2.0
// Network layers. Optional tensors are NULL where absent.
#ifndef CT_LAYERS_H
#define CT_LAYERS_H
#include "ct_create.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/// Strides, paddings and dilations are (height, width) pairs.
typedef struct {
  int64_t kernel[2];
  int64_t stride[2];
  int64_t padding[2];
  int64_t dilation[2];
} ct_window;

ct_error ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_window window, int64_t groups,
                   ct_tensor *out);
ct_error ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out);
/// In training the running statistics are updated in place (mean' = mean + momentum*(batch-mean)).
ct_error ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                       ct_tensor variance, bool training, double momentum, double epsilon,
                       ct_tensor *out);
ct_error ct_max_pool2d(ct_tensor x, ct_window window, bool ceil_mode, ct_tensor *out);
ct_error ct_avg_pool2d(ct_tensor x, ct_window window, bool ceil_mode, bool count_padding,
                       ct_tensor *out);
ct_error ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out);
/// Zeroes elements with the probability and scales the rest by 1/(1-probability).
ct_error ct_dropout(ct_tensor x, double probability, ct_generator generator, ct_tensor *out);
ct_error ct_softmax(ct_tensor x, int64_t dimension, bool logarithm, ct_tensor *out);

enum { CT_NEAREST = 0, CT_BILINEAR = 1, CT_BICUBIC = 2 };
ct_error ct_upsample(ct_tensor x, int64_t height, int64_t width, int32_t mode, bool align_corners,
                     bool antialias, ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
