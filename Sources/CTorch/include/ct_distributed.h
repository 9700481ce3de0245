// SPDX-License-Identifier: Apache-2.0
// Processes that train together: a store of keys to find each other, and collective operations over Gloo.
#ifndef CT_DISTRIBUTED_H
#define CT_DISTRIBUTED_H
#include "ct_core.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/// A server of keys in this process, released with ct_store_server_release.
typedef struct ct_store_server_s *ct_store_server;
/// A process's place among others, released with ct_group_release.
typedef struct ct_group_s *ct_group;
/// Gradients that are averaged over a group, released with ct_reducer_release.
typedef struct ct_reducer_s *ct_reducer;

/// Serves keys at a port, 0 for any that is free; `port` gets the one it is.
ct_error ct_store_serve(int32_t port_wanted, ct_store_server *out, int32_t *port);
void ct_store_server_release(ct_store_server server);

/// Where a process finds the others.
typedef struct {
  /// Of the store.
  const char *host;
  int32_t port;
  /// Whether this process serves the store itself.
  bool serves;
  int32_t rank, size;
  /// What keys begin with, so that one store serves one attempt after another.
  const char *prefix;
  /// The network interface of this process's connections; NULL for the one that leads to the store.
  const char *interface_name;
  /// Whether all processes are on this machine.
  bool is_local;
  int64_t timeout_milliseconds;
} ct_group_place;

/// Connects to the store, and nothing else yet.
ct_error ct_group_join(const ct_group_place *place, ct_group *out);
/// Connects to the others. The first collective operation comes after this.
ct_error ct_group_connect(ct_group group);
/// Frees a group. One in which something failed is left to the end of the process, since its threads may
/// wait for others for a long time.
void ct_group_release(ct_group group);

ct_error ct_group_set(ct_group group, const char *key, const uint8_t *bytes, int64_t count);
/// Waits for a key; the caller frees the bytes with ct_free_text.
ct_error ct_group_get(ct_group group, const char *key, int64_t timeout_milliseconds, char **bytes,
                      int64_t *count);

enum { CT_GROUP_SUM = 0, CT_GROUP_MAXIMUM = 1 };

/// Replaces a contiguous tensor by its sum (or maximum) over all processes.
ct_error ct_group_all_reduce(ct_group group, ct_tensor tensor, int32_t operation);
/// Replaces a contiguous tensor by that of one process.
ct_error ct_group_broadcast(ct_group group, ct_tensor tensor, int32_t root);
/// The tensors of all processes, which are of one shape: [size, …].
ct_error ct_group_all_gather(ct_group group, ct_tensor tensor, ct_tensor *out);
ct_error ct_group_barrier(ct_group group);

/// Sums the gradients of some parameters over a group, in buckets from the last parameter to the first,
/// while the backward pass goes on.
///
/// - first_bytes, bucket_bytes: sizes of the first bucket and of the others
/// - short_floats: whether gradients travel as bfloat16
ct_error ct_reducer_make(ct_group group, const ct_tensor *parameters, int32_t count,
                         int64_t first_bytes, int64_t bucket_bytes, bool short_floats,
                         ct_reducer *out);
void ct_reducer_release(ct_reducer reducer);
/// From now on gradients that are complete go on their way. `overlaps` false: none goes before finish.
ct_error ct_reducer_start(ct_reducer reducer, bool overlaps);
/// Sends what is left, waits, and puts the sums in the place of the gradients. Parameters without a
/// gradient are left without; they must be the same ones in all processes.
ct_error ct_reducer_finish(ct_reducer reducer);

/// Batch norms of the fused operations, and ct_synchronized_batch_norm, take their statistics over this
/// group from now on; NULL for those of the process alone.
void ct_set_norm_group(ct_group group);
/// Whether there is such a group.
bool ct_has_norm_group(void);
/// Batch norm in training with statistics over all processes (on the CPU, [N, C, …]); updates the running
/// ones, of which the variance is the unbiased one.
ct_error ct_synchronized_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                                    ct_tensor variance, double momentum, double epsilon,
                                    ct_tensor *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
