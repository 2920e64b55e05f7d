// The write operations of scheduled jobs as SQL. Private to store.
//
// THREAD: writer thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "hub/store.h"
#include "store/sqlite.h"

namespace nearhub::store {

// What one trim deletes of the rows of old jobs: a job of a million devices must not hold the writer for seconds.
inline constexpr int kDeviceJobsPerTrim = 20'000;

class ScheduledJobTable {
 public:
  static Result<std::unique_ptr<ScheduledJobTable>> prepare(Database& database);

  // As Operations::run().
  bool run(const hub::CreateScheduledJob& op, Status& result);
  bool run(const hub::UpdateScheduledJob& op);
  bool run(const hub::PutDeviceJobs& op);

  // Deletes ended jobs beyond kScheduledJobHistory and kMaxScheduledJobs; their rows follow, some at a time. Inside a transaction; false: the database failed.
  bool trim(WallTime now);

 private:
  explicit ScheduledJobTable(Database& database) : database_(database) {}

  // The sequence number of a job: 0 when there is none. False: the database failed.
  bool find(const std::string& job, std::int64_t& sequence);
  bool put_state(std::int64_t sequence, const hub::ScheduledJobState& state);

  Database& database_;
  Statement find_, insert_, put_state_, put_row_;
  Statement drop_old_, delete_rows_, delete_states_, delete_jobs_;
};

}  // namespace nearhub::store
