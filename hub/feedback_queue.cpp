#include "hub/feedback_queue.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace nearhub::hub {
namespace {

constexpr std::size_t kTokenHexDigits = 32;

Error lock_lost(std::string_view token) {
  return {ErrorCode::kDeviceMessageLockLost, fmt::format("no feedback is locked by {}: it was completed or abandoned, or its {} s are over", printable(token, 80), kFeedbackLockTime.count())};
}

}  // namespace

std::vector<FeedbackQueue::Lock>::iterator FeedbackQueue::find(std::string_view token) {
  NEARHUB_DCHECK(executor_.is_current());
  drop_expired();
  return std::find_if(locks_.begin(), locks_.end(), [&](const Lock& lock) { return lock.token == token; });
}

void FeedbackQueue::drop_expired() {
  const MonoTime now = hub_.shared().clock.mono();
  std::erase_if(locks_, [&](const Lock& lock) {
    if (now < lock.until) return false;
    for (const std::uint64_t sequence : lock.sequences) hidden_.erase(sequence);
    return true;
  });
}

void FeedbackQueue::receive(Answer<Batch> answer) {
  NEARHUB_DCHECK(executor_.is_current());
  drop_expired();
  if (locks_.size() + receivers_.size() >= kMaxLockedFeedbackBatches) {
    return answer(Error{ErrorCode::kThrottlingException, fmt::format("{} batches of feedback are locked or asked for: complete or abandon them first", locks_.size() + receivers_.size())});
  }
  receivers_.push_back(std::move(answer));
  if (receivers_.size() == 1) read();
}

void FeedbackQueue::read() {
  removed_.clear();
  // The hidden ones may all come first.
  hub_.shared().store.read_feedback(hidden_.size() + kMaxFeedbackBatch, executor_, [this](Result<std::vector<Feedback>> records) { on_read(std::move(records)); });
}

void FeedbackQueue::on_read(Result<std::vector<Feedback>> records) {
  Answer<Batch> answer = std::move(receivers_.front());
  receivers_.pop_front();
  Result<Batch> result{Batch()};
  if (!records.ok()) {
    result = records.error();
  } else {
    std::erase_if(*records, [&](const Feedback& each) {
      return hidden_.contains(each.sequence) || std::find(removed_.begin(), removed_.end(), each.sequence) != removed_.end();
    });
    if (records->size() > kMaxFeedbackBatch) records->resize(kMaxFeedbackBatch);
    if (!records->empty()) {
      Lock lock{hub_.shared().random.hex(kTokenHexDigits / 2), {}, hub_.shared().clock.mono() + kFeedbackLockTime};
      for (const Feedback& each : *records) {
        lock.sequences.push_back(each.sequence);
        hidden_.insert(each.sequence);
      }
      result->lock_token = lock.token;
      result->records = std::move(*records);
      locks_.push_back(std::move(lock));
    }
  }
  if (!receivers_.empty()) read();
  answer(std::move(result));
}

void FeedbackQueue::complete(std::string_view lock_token, Answer<std::monostate> answer) {
  const auto lock = find(lock_token);
  if (lock == locks_.end()) return answer(lock_lost(lock_token));
  std::vector<std::uint64_t> sequences = std::move(lock->sequences);
  locks_.erase(lock);
  auto batch = std::make_unique<WriteBatch>();
  batch->operations.emplace_back(RemoveFeedback{sequences});
  hub_.shared().store.submit(std::move(batch), executor_, [this, sequences = std::move(sequences), answer = std::move(answer)](std::unique_ptr<WriteBatch> answered) mutable {
    for (const std::uint64_t sequence : sequences) hidden_.erase(sequence);
    if (!receivers_.empty()) removed_.insert(removed_.end(), sequences.begin(), sequences.end());
    const Status& removed = answered->results.front();
    if (!removed.ok()) return answer(removed.error());
    answer(std::monostate());
  });
}

Status FeedbackQueue::abandon(std::string_view lock_token) {
  const auto lock = find(lock_token);
  if (lock == locks_.end()) return lock_lost(lock_token);
  for (const std::uint64_t sequence : lock->sequences) hidden_.erase(sequence);
  locks_.erase(lock);
  return {};
}

}  // namespace nearhub::hub
