// The event stream in SQLite: append, retention, and reading by sequence number and by time. Private to store.
//
// THREAD: EventLog on the writer thread; the free functions on any connection's thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "hub/store.h"
#include "store/sqlite.h"

namespace nearhub::store {

struct Retention {
  std::chrono::seconds time{24 * 3600};     // the cloud's default: one day
  std::uint64_t bytes = 1024ull * 1024 * 1024;  // of all partitions together
};

class EventLog {
 public:
  static Result<std::unique_ptr<EventLog>> open(Database& database, std::uint32_t partitions, Retention retention);

  // Stores the blocks of a group of batches, one row per partition and size bound, and sets their first sequence numbers. False: the database
  // failed.
  bool append(std::vector<hub::EventBlock*>& blocks);

  // Deletes a bounded number of the oldest rows that retention no longer covers; the newest row of a partition always stays, because the
  // sequence goes on from it. False: the database failed.
  bool trim(WallTime now);

 private:
  struct Row {
    std::int64_t key;
    std::uint64_t end_sequence;
    WallTime last_enqueued;
    std::uint64_t end_offset;
  };
  struct Partition {
    std::uint64_t next_sequence = 0;
    std::uint64_t end_offset = 0;
    std::uint64_t start_offset = 0;  // bytes deleted so far
    std::optional<Row> oldest;       // once looked up, so that a commit with nothing to delete asks the database nothing
  };

  EventLog(Database& database, Retention retention) : database_(database), retention_(retention) {}
  bool insert(std::uint32_t partition, std::uint64_t first_sequence, std::uint32_t count, WallTime first, WallTime last, std::string_view bytes);

  Database& database_;
  Retention retention_;
  std::vector<Partition> partitions_;
  Statement insert_, oldest_, delete_;
  std::string merged_;
};

std::int64_t event_key(std::uint32_t partition, std::uint64_t sequence);

Result<hub::EventPage> read_events(Database& database, const hub::EventQuery& query);
Result<std::uint64_t> seek_events(Database& database, std::uint32_t partition, WallTime since);

}  // namespace nearhub::store
