// SPDX-License-Identifier: Apache-2.0
#include "Distributed.h"

#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace ct {

namespace {

std::string name(const sockaddr *address, socklen_t size) {
  char host[NI_MAXHOST] = "";
  if (getnameinfo(address, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return host;
}

bool is_loopback(const std::string &address) {
  return address.empty() || address == "::1" || address.compare(0, 4, "127.") == 0;
}

/// The address from which this machine reaches a host: no packet is sent for that.
std::string own_address(const std::string &host, int port) {
  addrinfo hints = {}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, &freeaddrinfo);
  for (const addrinfo *entry = found; entry != nullptr; entry = entry->ai_next) {
    const int descriptor = socket(entry->ai_family, SOCK_DGRAM, 0);
    if (descriptor < 0) continue;
    sockaddr_storage own = {};
    socklen_t size = sizeof own;
    const bool knows = connect(descriptor, entry->ai_addr, entry->ai_addrlen) == 0 &&
                       getsockname(descriptor, reinterpret_cast<sockaddr *>(&own), &size) == 0;
    close(descriptor);
    if (knows) return name(reinterpret_cast<const sockaddr *>(&own), size);
  }
  return "";
}

/// The first address of this machine that others may reach, for the host of the store, whose own name
/// often leads back to itself.
std::string outer_address() {
  ifaddrs *found = nullptr;
  if (getifaddrs(&found) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(found, &freeifaddrs);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs *entry = found; entry != nullptr; entry = entry->ifa_next) {
      if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != family) continue;
      if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
      const std::string address =
          name(entry->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      if (!is_loopback(address) && address.find('%') == std::string::npos) return address;
    }
  }
  return "";
}

/// What goes wrong between processes is thrown, and told in one line by whoever catches it: libtorch's own
/// lines with stacks of calls before that are for who asks for them by its variable.
void quieten_log() {
  static const bool once = [] {
    if (std::getenv("TORCH_CPP_LOG_LEVEL") != nullptr) {
      c10::initLogging();
    } else {
      FLAGS_caffe2_log_level = 3;  // only what ends the process
    }
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

void Group::wait(const c10::intrusive_ptr<c10d::Work> &work) {
  try {
    work->wait();
  } catch (...) {
    failed = true;
    throw;
  }
}

c10::intrusive_ptr<c10d::Work> Group::begin_sum(at::Tensor tensor, int32_t operation) {
  TORCH_CHECK(tensor.is_contiguous(), "a tensor that is reduced must be contiguous");
  std::vector<at::Tensor> tensors = {std::move(tensor)};
  c10d::AllreduceOptions options;
  options.reduceOp = operation == CT_GROUP_MAXIMUM ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
  options.timeout = timeout;
  return backend(tensors[0]).allreduce(tensors, options);
}

}  // namespace ct

extern "C" {

ct_error ct_store_serve(int32_t port_wanted, ct_store_server *out, int32_t *port) {
  return ct::guard([&] {
    ct::quieten_log();
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port_wanted);
    options.isServer = true;
    options.waitWorkers = false;
    auto store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    *port = store->getPort();
    *out =
        reinterpret_cast<ct_store_server>(new c10::intrusive_ptr<c10d::TCPStore>(std::move(store)));
  });
}

void ct_store_server_release(ct_store_server server) {
  delete reinterpret_cast<c10::intrusive_ptr<c10d::TCPStore> *>(server);
}

ct_error ct_group_join(const ct_group_place *place, ct_group *out) {
  return ct::guard([&] {
    ct::quieten_log();
    auto group = std::make_unique<ct::Group>();
    group->rank = place->rank;
    group->size = place->size;
    group->timeout = std::chrono::milliseconds(place->timeout_milliseconds);
    if (place->interface_name != nullptr) group->interface_name = place->interface_name;
    group->address = ct::own_address(place->host, place->port);
    if (!place->is_local && ct::is_loopback(group->address)) group->address = ct::outer_address();
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(place->port);
    options.isServer = place->serves;
    options.waitWorkers = false;
    options.timeout = group->timeout;
    group->store = c10::make_intrusive<c10d::PrefixStore>(
        place->prefix, c10::make_intrusive<c10d::TCPStore>(place->host, options));
    *out = reinterpret_cast<ct_group>(group.release());
  });
}

ct_error ct_group_connect(ct_group handle) {
  return ct::guard([&] {
    ct::Group &group = ct::get(handle);
    auto options = c10d::ProcessGroupGloo::Options::create(group.timeout);
    options->devices.push_back(
        !group.interface_name.empty()
            ? c10d::ProcessGroupGloo::createDeviceForInterface(group.interface_name)
            : c10d::ProcessGroupGloo::createDeviceForHostname(
                  group.address.empty() ? "127.0.0.1" : group.address));
    group.gloo =
        c10::make_intrusive<c10d::ProcessGroupGloo>(group.store, group.rank, group.size, options);
#ifdef CT_HAS_NCCL
    const char *wanted = std::getenv("MUXNET_NCCL");
    if (at::hasCUDA() && (wanted == nullptr || std::string(wanted) != "0")) {
      // Waiting is to end with an error where another process is lost, as Gloo's does.
      setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
      auto own = c10d::ProcessGroupNCCL::Options::create();
      own->timeout = group.timeout;
      // Processes meet by it when the first tensor comes, on that tensor's device.
      group.nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", group.store), group.rank, group.size, own);
    }
#endif
  });
}

void ct_group_release(ct_group handle) {
  auto *group = reinterpret_cast<ct::Group *>(handle);
  if (group == nullptr || group->failed) return;
  delete group;
}

ct_error ct_group_set(ct_group group, const char *key, const uint8_t *bytes, int64_t count) {
  return ct::guard([&] {
    ct::get(group).store->set(
        key, count > 0 ? std::vector<uint8_t>(bytes, bytes + count) : std::vector<uint8_t>());
  });
}

ct_error ct_group_get(ct_group group, const char *key, int64_t timeout_milliseconds, char **bytes,
                      int64_t *count) {
  return ct::guard([&] {
    c10d::Store &store = *ct::get(group).store;
    store.wait({key}, std::chrono::milliseconds(timeout_milliseconds));
    const std::vector<uint8_t> value = store.get(key);
    *bytes = ct::text(std::string(value.begin(), value.end()));
    *count = static_cast<int64_t>(value.size());
  });
}

ct_error ct_group_all_reduce(ct_group group, ct_tensor tensor, int32_t operation) {
  return ct::guard([&] {
    ct::Group &all = ct::get(group);
    all.wait(all.begin_sum(ct::get(tensor).detach(), operation));
  });
}

ct_error ct_group_broadcast(ct_group group, ct_tensor tensor, int32_t root) {
  return ct::guard([&] {
    ct::Group &all = ct::get(group);
    std::vector<at::Tensor> tensors = {ct::get(tensor).detach()};
    TORCH_CHECK(tensors[0].is_contiguous(), "a tensor that is sent must be contiguous");
    c10d::BroadcastOptions options;
    options.rootRank = root;
    options.timeout = all.timeout;
    all.wait(all.backend(tensors[0]).broadcast(tensors, options));
  });
}

ct_error ct_group_all_gather(ct_group group, ct_tensor tensor, ct_tensor *out) {
  return ct::result(out, [&] {
    ct::Group &all = ct::get(group);
    std::vector<at::Tensor> inputs = {ct::get(tensor).detach().contiguous()};
    std::vector<int64_t> sizes = inputs[0].sizes().vec();
    sizes.insert(sizes.begin(), all.size);
    at::Tensor together = at::empty(sizes, inputs[0].options());
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int i = 0; i < all.size; ++i) outputs[0].push_back(together.select(0, i));
    c10d::AllgatherOptions options;
    options.timeout = all.timeout;
    all.wait(all.backend(inputs[0]).allgather(outputs, inputs, options));
    return together;
  });
}

ct_error ct_group_barrier(ct_group group) {
  return ct::guard([&] {
    ct::Group &all = ct::get(group);
    c10d::BarrierOptions options;
    options.timeout = all.timeout;
    all.wait(all.connected().barrier(options));
  });
}

}  // extern "C"
