// A store in front of another that knows how many answers are still to come: what a test waits for.
//
// THREAD: one; answers come through its executor.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "hub/store.h"

namespace nearhub::hub {

class CountingStore final : public Store {
 public:
  void set_target(Store* target) { target_ = target; }
  std::size_t under_way() const { return under_way_; }

  void submit(std::unique_ptr<WriteBatch> batch, Executor& executor,
              UniqueFunction<void(std::unique_ptr<WriteBatch>)> done) override {
    ++under_way_;
    target_->submit(std::move(batch), executor, [this, done = std::move(done)](std::unique_ptr<WriteBatch> answered) mutable {
      --under_way_;
      done(std::move(answered));
    });
  }
  void load_device(DeviceId id, Executor& executor, Answer<std::optional<DeviceRecord>> answer) override {
    target_->load_device(std::move(id), executor, counted(std::move(answer)));
  }
  void load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                           Answer<std::vector<CloudMessage>> answer) override {
    target_->load_cloud_messages(std::move(id), std::move(sequences), executor, counted(std::move(answer)));
  }
  void list_devices(std::size_t limit, Executor& executor, Answer<std::vector<registry::Identity>> answer) override {
    target_->list_devices(limit, executor, counted(std::move(answer)));
  }
  void read_identities(IdentityQuery query, Executor& executor, Answer<std::vector<IdentityRecord>> answer) override {
    target_->read_identities(std::move(query), executor, counted(std::move(answer)));
  }
  void list_transfer_jobs(Executor& executor, Answer<std::vector<TransferJob>> answer) override {
    target_->list_transfer_jobs(executor, counted(std::move(answer)));
  }
  void read_scheduled_job(std::string id, Executor& executor, Answer<std::optional<ScheduledJob>> answer) override {
    target_->read_scheduled_job(std::move(id), executor, counted(std::move(answer)));
  }
  void list_scheduled_jobs(ScheduledJobQuery query, Executor& executor, Answer<ScheduledJobPage> answer) override {
    target_->list_scheduled_jobs(query, executor, counted(std::move(answer)));
  }
  void read_device_jobs(DeviceJobQuery query, Executor& executor, Answer<DeviceJobPage> answer) override {
    target_->read_device_jobs(std::move(query), executor, counted(std::move(answer)));
  }
  void count_devices(Executor& executor, Answer<DeviceCounts> answer) override { target_->count_devices(executor, counted(std::move(answer))); }
  void find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor,
                    Answer<std::vector<IdentityId>> answer) override {
    target_->find_expired(now, std::move(after), limit, executor, counted(std::move(answer)));
  }
  void find_similar(DeviceId id, Executor& executor, Answer<std::vector<DeviceId>> answer) override {
    target_->find_similar(std::move(id), executor, counted(std::move(answer)));
  }
  void scan_twins(TwinScan scan, std::unique_ptr<TwinVisitor> visitor, Executor& executor, Answer<TwinScanStep> answer) override {
    target_->scan_twins(std::move(scan), std::move(visitor), executor, counted(std::move(answer)));
  }
  void read_events(EventQuery query, Executor& executor, Answer<EventPage> answer) override {
    target_->read_events(query, executor, counted(std::move(answer)));
  }
  void seek_events(std::uint32_t partition, WallTime since, Executor& executor, Answer<std::uint64_t> answer) override {
    target_->seek_events(partition, since, executor, counted(std::move(answer)));
  }
  void trim() override { target_->trim(); }
  void read_feedback(std::size_t limit, Executor& executor, Answer<std::vector<Feedback>> answer) override {
    target_->read_feedback(limit, executor, counted(std::move(answer)));
  }
  std::uint64_t watch_events(Executor& executor, UniqueFunction<void()> on_news) override {
    return target_->watch_events(executor, std::move(on_news));
  }
  void unwatch_events(std::uint64_t watch) override { target_->unwatch_events(watch); }

 private:
  template <typename T>
  Answer<T> counted(Answer<T> answer) {
    ++under_way_;
    return [this, answer = std::move(answer)](Result<T> result) mutable {
      --under_way_;
      answer(std::move(result));
    };
  }

  Store* target_ = nullptr;
  std::size_t under_way_ = 0;
};

}  // namespace nearhub::hub
