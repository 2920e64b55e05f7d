// Feedback on cloud-to-device messages, as services take it: in batches. A batch is locked for the service that received it; completed it is gone,
// abandoned, or when its time is over, it can be received again (reference/service-rest.md 5.12).
//
// Locks are in memory: what was locked when the hub stopped can be received after its next start. A record that nobody takes lives for kFeedbackTtl.
//
// THREAD: the first shard's loop; try_post() from any thread leads there.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "hub/cloud_message.h"
#include "hub/hub.h"

namespace nearhub::hub {

inline constexpr std::size_t kMaxFeedbackBatch = 100;            // records; a bound of our own
inline constexpr std::size_t kMaxLockedFeedbackBatches = 50;     // of the hub, with receivers that wait for theirs; a bound of our own
inline constexpr std::chrono::seconds kFeedbackLockTime{60};     // the cloud's default, feedback.lockDurationAsIso8601 = PT1M

class FeedbackQueue {
 public:
  struct Batch {
    std::string lock_token;  // hex
    std::vector<Feedback> records;  // the oldest first; empty: there is no feedback now, and no lock
  };

  // `executor`: the first shard's.
  FeedbackQueue(const Hub& hub, Executor& executor) : hub_(hub), executor_(executor) {}
  FeedbackQueue(const FeedbackQueue&) = delete;
  FeedbackQueue& operator=(const FeedbackQueue&) = delete;

  // Runs `task` on the loop where the rest may be called. Any thread; false when too much waits there.
  bool try_post(Task task) { return executor_.try_post(std::move(task)); }

  // Fails with kThrottlingException while too many batches are locked or asked for.
  void receive(Answer<Batch> answer);
  // Answers when the records are gone for good. Fails with kDeviceMessageLockLost for a token that locks nothing (any more).
  void complete(std::string_view lock_token, Answer<std::monostate> answer);
  Status abandon(std::string_view lock_token);

 private:
  struct Lock {
    std::string token;
    std::vector<std::uint64_t> sequences;
    MonoTime until;
  };
  std::vector<Lock>::iterator find(std::string_view token);
  void drop_expired();
  void read();
  void on_read(Result<std::vector<Feedback>> records);

  const Hub& hub_;
  Executor& executor_;
  std::vector<Lock> locks_;
  std::unordered_set<std::uint64_t> hidden_;  // sequences under a lock, or being removed
  std::vector<std::uint64_t> removed_;        // while a read was under way, which may have seen them
  std::deque<Answer<Batch>> receivers_;       // the first one's read is under way
};

}  // namespace nearhub::hub
