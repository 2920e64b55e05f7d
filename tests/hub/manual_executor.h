// An executor that runs tasks when it is told to: a test decides what happens between two steps of the code under test.
//
// THREAD: post() from any thread; all else on the thread that made it.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/executor.h"

namespace nearhub::hub {

class ManualExecutor final : public Executor {
 public:
  void post(Task task) override {
    // Told under the lock: whoever takes the task may destroy this right behind it.
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    news_.notify_one();
  }
  bool try_post(Task task) override {
    post(std::move(task));
    return true;
  }
  bool is_current() const override { return std::this_thread::get_id() == thread_; }

  // Runs what waits, what those tasks post included. How many ran.
  std::size_t run() {
    std::size_t ran = 0;
    while (run_one()) ++ran;
    return ran;
  }

  // Runs tasks of other threads as they come, and `after_each` behind each group, until the condition holds. False: it
  // did not in a time that is far beyond what any test needs.
  template <typename Condition, typename AfterEach>
  bool run_until(Condition condition, AfterEach after_each) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      run();
      after_each();
      if (condition()) return true;
      std::unique_lock lock(mutex_);
      if (!news_.wait_until(lock, deadline, [this] { return !tasks_.empty(); })) return false;
    }
  }
  template <typename Condition>
  bool run_until(Condition condition) {
    return run_until(std::move(condition), [] {});
  }

 private:
  bool run_one() {
    Task task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    return true;
  }

  const std::thread::id thread_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Task> tasks_;  // protected by mutex_
};

}  // namespace nearhub::hub
