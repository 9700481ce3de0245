// SPDX-License-Identifier: Apache-2.0
// What libtorch's header of its Gloo groups names of Gloo. Gloo itself is inside libtorch, whose packages
// come without Gloo's headers. Nothing here is made or called by us: only names, and pointers to them.
#ifndef CT_GLOO_CONTEXT_H
#define CT_GLOO_CONTEXT_H
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gloo {

namespace transport {
class Device;
class UnboundBuffer;
}  // namespace transport

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace rendezvous {

class Store {
 public:
  virtual ~Store();
  virtual void set(const std::string &key, const std::vector<char> &data) = 0;
  virtual std::vector<char> get(const std::string &key) = 0;
  virtual void wait(const std::vector<std::string> &keys) = 0;
  virtual void wait(const std::vector<std::string> &keys,
                    const std::chrono::milliseconds &timeout) = 0;
};

}  // namespace rendezvous

}  // namespace gloo
#endif
