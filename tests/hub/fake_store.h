// A store without a disk that answers when the test says so.
//
// Batches wait until commit(); an operation can be made to fail; reads are answered by the executor's next run, or held
// back. What is committed is kept as the real store would keep it, so that a device can be loaded again.
//
// THREAD: one.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/store.h"

namespace nearhub::hub {

// "CreateIdentity d1", "PutTwin d1/m1".
std::string text_of(const WriteOperation& operation);

class FakeStore final : public Store {
 public:
  struct StoredIdentity {
    registry::Identity identity;
    TwinRecord twin;
    std::int64_t reported_version = 1;
    std::optional<Session> session;
    std::map<std::uint64_t, CloudMessage> queue;
  };

  // --- What the test steers
  std::size_t waiting() const { return waiting_.size(); }
  const WriteBatch& oldest() const { return *waiting_.front().batch; }
  // Applies the oldest waiting batch and posts its answer.
  void commit();
  void commit_all();
  // The next operation with this text fails with this code and leaves nothing behind.
  void fail_next(std::string operation, ErrorCode code) { failing_.emplace_back(std::move(operation), code); }
  // Reads wait until release_reads().
  void hold_reads() { holding_ = true; }
  void pass_reads() { holding_ = false; }  // from here on; those that are held wait on
  void release_reads();
  // Reads fail from here on.
  void break_reads() { broken_ = true; }
  void mend_reads() { broken_ = false; }
  // A new shard begins to count its batches.
  void restart() { last_ticket_ = 0; }

  // --- What the test looks at
  std::map<std::string, StoredIdentity> identities;  // committed; by "d1" or "d1/m1"
  std::vector<std::string> operations;               // applied, in order, the failed ones left out
  std::vector<std::string> reads;                    // asked for: "load d1", "messages d1 1,2"
  std::vector<Feedback> feedback;
  std::map<std::string, ScheduledJob> jobs;                           // by their ids
  std::map<std::string, std::map<IdentityId, DeviceJob>> device_jobs;  // by job
  std::vector<EventBlock> blocks;  // committed, those with events
  std::vector<DeviceId> similar;   // what find_similar() answers
  int trims = 0;                   // asked for

  // --- Store
  void submit(std::unique_ptr<WriteBatch> batch, Executor& executor,
              UniqueFunction<void(std::unique_ptr<WriteBatch>)> done) override;
  void load_device(DeviceId id, Executor& executor, Answer<std::optional<DeviceRecord>> answer) override;
  void load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                           Answer<std::vector<CloudMessage>> answer) override;
  void list_devices(std::size_t limit, Executor& executor, Answer<std::vector<registry::Identity>> answer) override;
  void read_identities(IdentityQuery query, Executor& executor, Answer<std::vector<IdentityRecord>> answer) override;
  void list_transfer_jobs(Executor& executor, Answer<std::vector<TransferJob>> answer) override;
  void read_scheduled_job(std::string id, Executor& executor, Answer<std::optional<ScheduledJob>> answer) override;
  void list_scheduled_jobs(ScheduledJobQuery query, Executor& executor, Answer<ScheduledJobPage> answer) override;
  void read_device_jobs(DeviceJobQuery query, Executor& executor, Answer<DeviceJobPage> answer) override;
  void count_devices(Executor& executor, Answer<DeviceCounts> answer) override;
  void find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor,
                    Answer<std::vector<IdentityId>> answer) override;
  void find_similar(DeviceId id, Executor& executor, Answer<std::vector<DeviceId>> answer) override;
  void scan_twins(TwinScan scan, std::unique_ptr<TwinVisitor> visitor, Executor& executor, Answer<TwinScanStep> answer) override;
  void read_events(EventQuery query, Executor& executor, Answer<EventPage> answer) override;
  void seek_events(std::uint32_t partition, WallTime since, Executor& executor, Answer<std::uint64_t> answer) override;
  void trim() override { ++trims; }
  void read_feedback(std::size_t limit, Executor& executor, Answer<std::vector<Feedback>> answer) override;
  std::uint64_t watch_events(Executor& executor, UniqueFunction<void()> on_news) override;
  void unwatch_events(std::uint64_t watch) override;

 private:
  struct Submission {
    std::unique_ptr<WriteBatch> batch;
    Executor* executor;
    UniqueFunction<void(std::unique_ptr<WriteBatch>)> done;
  };

  Status apply(const WriteOperation& operation);
  Status apply(const CreateScheduledJob& op);
  StoredIdentity* find(const IdentityId& id);
  template <typename T>
  void read(std::string what, Executor& executor, Answer<T> answer, const std::function<T()>& query);

  std::deque<Submission> waiting_;
  std::uint64_t last_ticket_ = 0;
  std::vector<std::pair<std::string, ErrorCode>> failing_;
  bool holding_ = false;
  bool broken_ = false;
  std::deque<Task> held_;
};

}  // namespace nearhub::hub
