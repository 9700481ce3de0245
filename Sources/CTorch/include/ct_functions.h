// SPDX-License-Identifier: Apache-2.0
// The functions of this module by name. CTorch.c has a stub of each, MUXTorch has the code.
#ifndef CT_FUNCTIONS_H
#define CT_FUNCTIONS_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/// FUNCTION(name) for each. A function is declared in the header of its kind and listed here; a test compares.
#define CT_FUNCTIONS(FUNCTION)           \
  FUNCTION(ct_free_text)                 \
  FUNCTION(ct_release)                   \
  FUNCTION(ct_version_compiled)          \
  FUNCTION(ct_version_running)           \
  FUNCTION(ct_set_threads)               \
  FUNCTION(ct_threads)                   \
  FUNCTION(ct_keep_freed_memory)         \
  FUNCTION(ct_device_count)              \
  FUNCTION(ct_dimensions)                \
  FUNCTION(ct_size)                      \
  FUNCTION(ct_strides)                   \
  FUNCTION(ct_elements)                  \
  FUNCTION(ct_dtype)                     \
  FUNCTION(ct_device_kind)               \
  FUNCTION(ct_device_index)              \
  FUNCTION(ct_is_contiguous)             \
  FUNCTION(ct_data)                      \
  FUNCTION(ct_shares_memory)             \
  FUNCTION(ct_full)                      \
  FUNCTION(ct_empty)                     \
  FUNCTION(ct_full_like)                 \
  FUNCTION(ct_arange)                    \
  FUNCTION(ct_from_bytes)                \
  FUNCTION(ct_to_bytes)                  \
  FUNCTION(ct_generator_new)             \
  FUNCTION(ct_generator_release)         \
  FUNCTION(ct_generator_seed)            \
  FUNCTION(ct_generator_state)           \
  FUNCTION(ct_generator_set_state)       \
  FUNCTION(ct_random_)                   \
  FUNCTION(ct_permutation)               \
  FUNCTION(ct_reshape)                   \
  FUNCTION(ct_expand)                    \
  FUNCTION(ct_permute)                   \
  FUNCTION(ct_flatten)                   \
  FUNCTION(ct_unsqueeze)                 \
  FUNCTION(ct_squeeze)                   \
  FUNCTION(ct_flip)                      \
  FUNCTION(ct_narrow)                    \
  FUNCTION(ct_select)                    \
  FUNCTION(ct_slice)                     \
  FUNCTION(ct_cat)                       \
  FUNCTION(ct_stack)                     \
  FUNCTION(ct_split)                     \
  FUNCTION(ct_pad)                       \
  FUNCTION(ct_contiguous)                \
  FUNCTION(ct_clone)                     \
  FUNCTION(ct_to_dtype)                  \
  FUNCTION(ct_to_device)                 \
  FUNCTION(ct_index_select)              \
  FUNCTION(ct_gather)                    \
  FUNCTION(ct_masked_select)             \
  FUNCTION(ct_masked_fill)               \
  FUNCTION(ct_where)                     \
  FUNCTION(ct_one_hot)                   \
  FUNCTION(ct_space_to_channel)          \
  FUNCTION(ct_channel_to_space)          \
  FUNCTION(ct_channel_shuffle)           \
  FUNCTION(ct_unary)                     \
  FUNCTION(ct_binary)                    \
  FUNCTION(ct_binary_scalar)             \
  FUNCTION(ct_binary_)                   \
  FUNCTION(ct_binary_scalar_)            \
  FUNCTION(ct_add_scaled)                \
  FUNCTION(ct_add_scaled_)               \
  FUNCTION(ct_clamp)                     \
  FUNCTION(ct_clamp_)                    \
  FUNCTION(ct_fill_)                     \
  FUNCTION(ct_copy_)                     \
  FUNCTION(ct_reduce)                    \
  FUNCTION(ct_variance)                  \
  FUNCTION(ct_argmax)                    \
  FUNCTION(ct_topk)                      \
  FUNCTION(ct_sort)                      \
  FUNCTION(ct_equal)                     \
  FUNCTION(ct_item)                      \
  FUNCTION(ct_matmul)                    \
  FUNCTION(ct_conv2d)                    \
  FUNCTION(ct_linear)                    \
  FUNCTION(ct_batch_norm)                \
  FUNCTION(ct_max_pool2d)                \
  FUNCTION(ct_avg_pool2d)                \
  FUNCTION(ct_adaptive_avg_pool2d)       \
  FUNCTION(ct_dropout)                   \
  FUNCTION(ct_softmax)                   \
  FUNCTION(ct_upsample)                  \
  FUNCTION(ct_fused_block_refusal)       \
  FUNCTION(ct_fused_block_run)           \
  FUNCTION(ct_fused_convolution_refusal) \
  FUNCTION(ct_fused_convolution_run)     \
  FUNCTION(ct_fused_release_memory)      \
  FUNCTION(ct_cross_entropy)             \
  FUNCTION(ct_bce_with_logits)           \
  FUNCTION(ct_smooth_l1)                 \
  FUNCTION(ct_mse)                       \
  FUNCTION(ct_kl_divergence)             \
  FUNCTION(ct_requires_grad)             \
  FUNCTION(ct_is_leaf)                   \
  FUNCTION(ct_set_requires_grad)         \
  FUNCTION(ct_detach)                    \
  FUNCTION(ct_grad)                      \
  FUNCTION(ct_set_grad)                  \
  FUNCTION(ct_backward)                  \
  FUNCTION(ct_gradients)                 \
  FUNCTION(ct_grad_enabled)              \
  FUNCTION(ct_set_grad_enabled)          \
  FUNCTION(ct_autocast)                  \
  FUNCTION(ct_set_autocast)              \
  FUNCTION(ct_clear_autocast_cache)      \
  FUNCTION(ct_zero_grads)                \
  FUNCTION(ct_clip_grad_norm)            \
  FUNCTION(ct_scale_grads)               \
  FUNCTION(ct_grads_finite)              \
  FUNCTION(ct_sgd_step)                  \
  FUNCTION(ct_rmsprop_step)              \
  FUNCTION(ct_adamw_step)                \
  FUNCTION(ct_lerp_list)                 \
  FUNCTION(ct_store_serve)               \
  FUNCTION(ct_store_server_release)      \
  FUNCTION(ct_group_join)                \
  FUNCTION(ct_group_connect)             \
  FUNCTION(ct_group_release)             \
  FUNCTION(ct_group_set)                 \
  FUNCTION(ct_group_get)                 \
  FUNCTION(ct_group_all_reduce)          \
  FUNCTION(ct_group_broadcast)           \
  FUNCTION(ct_group_all_gather)          \
  FUNCTION(ct_group_barrier)             \
  FUNCTION(ct_reducer_make)              \
  FUNCTION(ct_reducer_release)           \
  FUNCTION(ct_reducer_start)             \
  FUNCTION(ct_reducer_finish)            \
  FUNCTION(ct_set_norm_group)            \
  FUNCTION(ct_has_norm_group)            \
  FUNCTION(ct_synchronized_batch_norm)

/// What the library MUXTorch exports, as the one symbol `mux_torch_library`.
typedef struct ct_library {
  /// The names of all functions, each followed by a space: a library that has others is not taken.
  const char *names;
  /// Their addresses, in the order of CT_FUNCTIONS.
  void *const *functions;
} ct_library;

/// Opens the library where it is not linked: NULL, or why that cannot be done, which lives as long as the
/// process. A function that is called without it ends the process with that line.
const char *ct_absence(void);

#define CT_FUNCTION_NAME(name) #name " "
#define CT_FUNCTION_NAMES CT_FUNCTIONS(CT_FUNCTION_NAME)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
