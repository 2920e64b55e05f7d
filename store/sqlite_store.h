// The embedded store: SQLite in WAL mode.
//
// DESIGN. One writer thread takes all batches that wait, applies them in one transaction, commits once (one fsync with full durability) and then
// answers all of them: while it waits for the disk the next group gathers. Reader threads have connections of their own and never wait for the
// writer; steps of scans wait for every other read, and never take the last reader, so that whoever loads a device waits for none of them. An error in the middle of a group, or at its commit, poisons the store: nothing of the group or after it is answered, `on_failure` is
// called once, and the process is expected to stop. In memory (no path) the writer's one connection serves the reads too.
//
// THREAD: open(), the settings, policies and authorities before the loops run, on one thread; the hub::Store interface from any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/access_policy.h"
#include "base/clock.h"
#include "hub/store.h"

namespace nearhub::store {

enum class Durability { kFull, kNormal };  // survives a power cut | survives a crash of the process, and of the machine up to the last checkpoint

struct StoreSettings {
  std::string path;  // of the database file; empty: in memory
  Durability durability = Durability::kFull;
  std::uint32_t partitions = 4;  // fixed when the file is made
  int reader_threads = 2;
  std::chrono::seconds event_retention{24 * 3600};
  std::uint64_t event_bytes = 1024ull * 1024 * 1024;
  std::int64_t max_pages_for_test = 0;  // SQLite fails beyond it: how a test fills the disk
};

class SqliteStore final : public hub::Store {
 public:
  // Fails with kCorrupt, kInvalidSetting or kIo and a sentence for the person who starts the hub. `on_failure` is called on the writer thread.
  static Result<std::unique_ptr<SqliteStore>> open(StoreSettings settings, const Clock& clock, UniqueFunction<void(const Error&)> on_failure);
  // Commits what waits, marks the stop as clean and closes.
  ~SqliteStore() override;

  // The number that the file was made with.
  std::uint32_t partitions() const;

  std::optional<std::string> setting(std::string_view name);
  Status set_setting(std::string_view name, std::string_view value);
  Result<std::vector<auth::AccessPolicy>> policies();
  Status set_policies(const std::vector<auth::AccessPolicy>& policies);
  // In the order of their names.
  Result<std::vector<registry::CertificateAuthority>> certificate_authorities();
  // In the order in which they were made.
  Result<std::vector<hub::UnfinishedJob>> unfinished_scheduled_jobs();
  // In the order of their ids, with the sweeps that are to be done.
  Result<hub::StoredConfigurations> configurations();

  void submit(std::unique_ptr<hub::WriteBatch> batch, Executor& executor, UniqueFunction<void(std::unique_ptr<hub::WriteBatch>)> done) override;
  void load_device(DeviceId id, Executor& executor, hub::Answer<std::optional<hub::DeviceRecord>> answer) override;
  void load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                           hub::Answer<std::vector<hub::CloudMessage>> answer) override;
  void list_devices(std::size_t limit, Executor& executor, hub::Answer<std::vector<registry::Identity>> answer) override;
  void read_identities(hub::IdentityQuery query, Executor& executor, hub::Answer<std::vector<hub::IdentityRecord>> answer) override;
  void list_transfer_jobs(Executor& executor, hub::Answer<std::vector<hub::TransferJob>> answer) override;
  void read_scheduled_job(std::string id, Executor& executor, hub::Answer<std::optional<hub::ScheduledJob>> answer) override;
  void list_scheduled_jobs(hub::ScheduledJobQuery query, Executor& executor, hub::Answer<hub::ScheduledJobPage> answer) override;
  void read_device_jobs(hub::DeviceJobQuery query, Executor& executor, hub::Answer<hub::DeviceJobPage> answer) override;
  void count_devices(Executor& executor, hub::Answer<hub::DeviceCounts> answer) override;
  void find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor,
                    hub::Answer<std::vector<IdentityId>> answer) override;
  void find_similar(DeviceId id, Executor& executor, hub::Answer<std::vector<DeviceId>> answer) override;
  void scan_twins(hub::TwinScan scan, std::unique_ptr<hub::TwinVisitor> visitor, Executor& executor, hub::Answer<hub::TwinScanStep> answer) override;
  void read_events(hub::EventQuery query, Executor& executor, hub::Answer<hub::EventPage> answer) override;
  void seek_events(std::uint32_t partition, WallTime since, Executor& executor, hub::Answer<std::uint64_t> answer) override;
  void trim() override;
  void read_feedback(std::size_t limit, Executor& executor, hub::Answer<std::vector<hub::Feedback>> answer) override;
  std::uint64_t watch_events(Executor& executor, UniqueFunction<void()> on_news) override;
  void unwatch_events(std::uint64_t watch) override;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nearhub::store
