// A store of its own for one test, in memory or in a folder that is removed at the end, and the few words to write to it
// and read from it.
//
// THREAD: one.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/sqlite_store.h"
#include "tests/hub/manual_executor.h"

namespace nearhub::store {

using namespace std::chrono_literals;
using hub::ManualExecutor;

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A database in the folder, without an fsync for each commit.
StoreSettings on_disk(const TemporaryFolder& folder);

// "d1" or "d1/m1".
IdentityId id_of(std::string_view text);
// An identity with something in every field.
registry::Identity identity_of(std::string_view id, std::int64_t etag = 100);
hub::WriteOperation create(std::string_view id, std::int64_t etag = 100);
hub::CloudMessage message_of(std::uint64_t sequence, std::string body = "body");
hub::WriteOperation enqueue(std::string_view id, std::uint64_t sequence, WallTime expiry = WallTime{Ticks{1'000'000}});
hub::WriteOperation put_twin(std::string_view id, std::int64_t expected_etag, std::int64_t expected_reported,
                             std::int64_t etag, std::int64_t reported, std::optional<std::string> section = "{}");

hub::EventBlock block_of(std::uint32_t partition, const std::vector<std::string>& bodies, WallTime enqueued);

class StoreRig {
 public:
  explicit StoreRig(StoreSettings settings = {});
  ~StoreRig();

  SqliteStore& store() { return *store_; }
  // Closes, commits what waits, and opens the file again.
  void reopen(const std::function<void(StoreSettings&)>& adjust = {});
  void close() { store_.reset(); }

  // --- Writes
  std::unique_ptr<hub::WriteBatch> batch(std::vector<hub::WriteOperation> operations);
  // In one batch; waits for its commit.
  std::vector<Status> write(std::vector<hub::WriteOperation> operations);
  Status write(hub::WriteOperation operation);
  // The same for operations that all apply.
  void apply(std::vector<hub::WriteOperation> operations);
  // One batch with one block; gives the block's first sequence number.
  std::uint64_t append(std::uint32_t partition, const std::vector<std::string>& bodies);
  void submit(std::unique_ptr<hub::WriteBatch> batch, std::function<void(const hub::WriteBatch&)> done);

  // --- Reads; each waits for its answer, which must not be an error
  std::optional<hub::DeviceRecord> load(std::string_view device);
  // The record of a device or module that must be there.
  hub::IdentityRecord record(std::string_view id);
  bool exists(std::string_view id);
  std::vector<hub::CloudMessage> messages(std::string_view id, std::vector<std::uint64_t> sequences);
  std::vector<std::string> devices(std::size_t limit = 1000);
  std::vector<hub::Feedback> feedback(std::size_t limit = 1000);
  hub::EventPage page(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes = 256 * 1024);
  // The bodies of all events of the partition from a number on, page by page.
  std::vector<std::string> bodies(std::uint32_t partition, std::uint64_t from = 0, std::size_t max_bytes = 256 * 1024);
  std::uint64_t seek(std::uint32_t partition, WallTime since);

  template <typename T>
  Result<T> wait_for(const std::function<void(hub::Answer<T>)>& ask) {
    std::optional<Result<T>> answer;
    ask([&answer](Result<T> got) { answer.emplace(std::move(got)); });
    REQUIRE(executor.run_until([&] { return answer.has_value(); }));
    return std::move(*answer);
  }

  ManualClock clock;
  ManualExecutor executor;
  StoreSettings settings;
  std::vector<Error> failures;  // from the writer thread; look when it is at rest

 private:
  std::unique_ptr<SqliteStore> store_;
  std::uint64_t next_ticket_ = 1;
};

}  // namespace nearhub::store
