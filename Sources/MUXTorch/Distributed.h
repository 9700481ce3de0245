// SPDX-License-Identifier: Apache-2.0
// A group of processes, for the C++ files of this target.
#ifndef CT_DISTRIBUTED_INTERNAL_H
#define CT_DISTRIBUTED_INTERNAL_H
#include <atomic>
#include <vector>

#include "Internal.h"
#include "TorchDistributed.h"
#include "ct_distributed.h"

namespace ct {

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  /// For tensors on graphics processors; null without NCCL, where Gloo carries them through the host.
  c10::intrusive_ptr<c10d::Backend> nccl;
  std::string address, interface_name;
  int rank = 0, size = 1;
  std::chrono::milliseconds timeout{0};
  /// Whether an operation failed, after which none can succeed.
  std::atomic<bool> failed{false};

  c10d::ProcessGroupGloo &connected() {
    TORCH_CHECK(gloo, "the group is not connected");
    TORCH_CHECK(!failed, "an operation of the group has failed before");
    return *gloo;
  }

  /// What carries a tensor.
  c10d::Backend &backend(const at::Tensor &tensor) {
    c10d::Backend &usual = connected();
    return nccl && tensor.is_cuda() ? *nccl : usual;
  }

  /// Waits for what was begun; a failure is the group's end.
  void wait(const c10::intrusive_ptr<c10d::Work> &work);
  /// Begins a sum in place.
  c10::intrusive_ptr<c10d::Work> begin_sum(at::Tensor tensor, int32_t operation = CT_GROUP_SUM);
};

inline Group &get(ct_group handle) {
  TORCH_CHECK(handle != nullptr, "no group given");
  return *reinterpret_cast<Group *>(handle);
}

}  // namespace ct
#endif
