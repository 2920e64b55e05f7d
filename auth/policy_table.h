// The shared access policies of a running hub: read by every loop for every request, changed rarely.
//
// A handle: copies name the same table.
//
// THREAD: any thread; a mutex guards the pointer, and a list never changes.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "auth/access_policy.h"

namespace nearhub::auth {

class PolicyTable {
 public:
  using List = std::shared_ptr<const std::vector<AccessPolicy>>;  // shared with those that are being judged by it

  PolicyTable() : PolicyTable(std::vector<AccessPolicy>()) {}
  PolicyTable(std::vector<AccessPolicy> policies) : state_(std::make_shared<State>()) { set(std::move(policies)); }  // NOLINT(google-explicit-constructor)

  List current() const {
    const std::lock_guard lock(state_->mutex);
    return state_->list;
  }
  void set(std::vector<AccessPolicy> policies) {
    auto list = std::make_shared<const std::vector<AccessPolicy>>(std::move(policies));
    const std::lock_guard lock(state_->mutex);
    state_->list = std::move(list);
  }

 private:
  struct State {
    std::mutex mutex;
    List list;  // protected by mutex
  };
  std::shared_ptr<State> state_;
};

}  // namespace nearhub::auth
