#include "store/scheduled_job_table.h"

namespace nearhub::store {

Result<std::unique_ptr<ScheduledJobTable>> ScheduledJobTable::prepare(Database& database) {
  std::unique_ptr<ScheduledJobTable> result(new ScheduledJobTable(database));
  ScheduledJobTable& t = *result;
  struct Text {
    Statement& statement;
    const char* sql;
  };
  const Text texts[] = {
      {t.find_, "SELECT sequence FROM scheduled_job WHERE job=?1"},
      {t.insert_,
       "INSERT INTO scheduled_job(job, kind, condition, created, start, max_execution, update_twin, method_name, method_payload, response_timeout, "
       "connect_timeout) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"},
      {t.put_state_,
       "INSERT OR REPLACE INTO scheduled_job_state(sequence, status, started, ended, failure, devices, pending, running, succeeded, failed, selected_device, "
       "selected_module, all_selected) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"},
      {t.put_row_,
       "INSERT OR REPLACE INTO device_job(job, device, module, status, created, started, ended, updated, method_status, payload, error_code, error) "
       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)"},
      // Those that have not ended have no end yet, and are not too old.
      {t.drop_old_,
       "UPDATE scheduled_job SET job=NULL WHERE job IS NOT NULL AND sequence IN (SELECT sequence FROM scheduled_job_state WHERE status>=3 AND "
       "(ended<?1 OR sequence<=(SELECT max(sequence) FROM scheduled_job)-?2))"},
      {t.delete_rows_,
       "DELETE FROM device_job WHERE (job, device, module) IN (SELECT r.job, r.device, r.module FROM scheduled_job j CROSS JOIN device_job r ON "
       "r.job=j.sequence WHERE j.job IS NULL LIMIT ?1)"},
      {t.delete_states_, "DELETE FROM scheduled_job_state WHERE sequence IN (SELECT sequence FROM scheduled_job WHERE job IS NULL)"},
      {t.delete_jobs_, "DELETE FROM scheduled_job WHERE job IS NULL"},
  };
  for (const Text& text : texts) {
    auto prepared = database.prepare(text.sql);
    if (!prepared.ok()) return std::move(prepared).error();
    text.statement = std::move(*prepared);
  }
  return result;
}

bool ScheduledJobTable::find(const std::string& job, std::int64_t& sequence) {
  sequence = 0;
  find_.bind(1, std::string_view(job));
  if (find_.step()) {
    sequence = find_.integer(0);
    find_.reset();
  }
  return find_.ok();
}

bool ScheduledJobTable::run(const hub::CreateScheduledJob& op, Status& result) {
  const hub::ScheduledJob& job = op.job;
  std::int64_t sequence;
  if (!find(job.id, sequence)) return false;
  if (sequence != 0) {
    result = Error{ErrorCode::kJobAlreadyExists, "job " + job.id + " is already in the store"};
    return true;
  }
  insert_.bind(1, std::string_view(job.id))
      .bind(2, static_cast<int>(job.kind))
      .bind(3, std::string_view(job.condition))
      .bind(4, job.created)
      .bind(5, job.start)
      .bind(6, static_cast<std::int64_t>(job.max_execution.count()))
      .bind(7, std::string_view(job.update))
      .bind(8, std::string_view(job.method.name))
      .bind(9, std::string_view(job.method.payload))
      .bind(10, job.method.response_timeout_s)
      .bind(11, job.method.connect_timeout_s);
  return insert_.run() && put_state(database_.last_insert_id(), job.state);
}

bool ScheduledJobTable::put_state(std::int64_t sequence, const hub::ScheduledJobState& state) {
  put_state_.bind(1, sequence)
      .bind(2, static_cast<int>(state.status))
      .bind(3, state.started)
      .bind(4, state.ended)
      .bind(5, std::string_view(state.failure))
      .bind(6, state.statistics.devices)
      .bind(7, state.statistics.pending)
      .bind(8, state.statistics.running)
      .bind(9, state.statistics.succeeded)
      .bind(10, state.statistics.failed)
      .bind(11, state.selected.device.view())
      .bind(12, state.selected.module.view())
      .bind(13, state.all_selected ? 1 : 0);
  return put_state_.run();
}

bool ScheduledJobTable::run(const hub::UpdateScheduledJob& op) {
  std::int64_t sequence;
  if (!find(op.job, sequence)) return false;
  return sequence == 0 || put_state(sequence, op.state);
}

bool ScheduledJobTable::run(const hub::PutDeviceJobs& op) {
  std::int64_t sequence;
  if (!find(op.job, sequence)) return false;
  if (sequence == 0) return true;
  const std::optional<std::string> none;
  for (const hub::DeviceJob& row : op.rows) {
    put_row_.bind(1, sequence)
        .bind(2, row.id.device.view())
        .bind(3, row.id.module.view())
        .bind(4, static_cast<int>(row.status))
        .bind(5, row.created)
        .bind(6, row.started)
        .bind(7, row.ended)
        .bind(8, row.updated)
        .bind(9, none)
        .bind(10, none)
        .bind(11, std::string_view(row.error_code))
        .bind(12, std::string_view(row.error));
    if (row.outcome) put_row_.bind(9, row.outcome->status).bind(10, std::string_view(row.outcome->payload));
    if (!put_row_.run()) return false;
  }
  return true;
}

bool ScheduledJobTable::trim(WallTime now) {
  drop_old_.bind(1, now - hub::kScheduledJobHistory).bind(2, static_cast<std::int64_t>(hub::kMaxScheduledJobs));
  if (!drop_old_.run()) return false;
  delete_rows_.bind(1, kDeviceJobsPerTrim);
  if (!delete_rows_.run()) return false;
  if (database_.changes() == kDeviceJobsPerTrim) return true;
  return delete_states_.run() && delete_jobs_.run();
}

}  // namespace nearhub::store
