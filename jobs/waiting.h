// How the job's thread waits for an answer of the hub or the store, and stops waiting when it is cut off. A late answer falls nowhere.
//
// THREAD: wait() on one thread; the answer may come on any.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/executor.h"
#include "hub/store.h"

namespace nearhub::jobs {

// Runs what is posted where it is posted: answers of the store are only handed over.
class InPlace final : public Executor {
 public:
  void post(Task task) override { task(); }
  bool try_post(Task task) override {
    task();
    return true;
  }
  bool is_current() const override { return true; }
  // One for all: the store uses it until it has answered, which may be after a wait was given up.
  static InPlace& instance() {
    static InPlace one;
    return one;
  }
};

template <typename T>
class Waiting {
 public:
  hub::Answer<T> answer() {
    return [state = state_](Result<T> result) {
      const std::lock_guard lock(state->mutex);
      state->result.emplace(std::move(result));
      state->arrived.notify_one();
    };
  }

  // kCancelled when it was cut off before.
  Result<T> wait(const std::atomic<bool>& cut_off) {
    constexpr std::chrono::milliseconds kLook{50};
    std::unique_lock lock(state_->mutex);
    while (!state_->result && !cut_off) state_->arrived.wait_for(lock, kLook);
    if (!state_->result) return Error{ErrorCode::kCancelled, "cut off"};
    return std::move(*state_->result);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<Result<T>> result;  // protected by mutex
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();  // shared with the answer, which may come after the wait was given up
};

}  // namespace nearhub::jobs
