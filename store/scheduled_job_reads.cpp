#include "store/scheduled_job_reads.h"

#include <utility>

namespace nearhub::store {
namespace {

const std::string kJobs =
    "SELECT j.sequence, j.job, j.kind, j.condition, j.created, j.start, j.max_execution, j.update_twin, j.method_name, j.method_payload, "
    "j.response_timeout, j.connect_timeout, s.status, s.started, s.ended, s.failure, s.devices, s.pending, s.running, s.succeeded, s.failed, "
    "s.selected_device, s.selected_module, s.all_selected FROM scheduled_job j CROSS JOIN scheduled_job_state s ON s.sequence=j.sequence WHERE ";

hub::ScheduledJob read_job(const Statement& row) {
  hub::ScheduledJob job;
  job.sequence = static_cast<std::uint64_t>(row.integer(0));
  job.id = row.text(1);
  job.kind = static_cast<hub::ScheduledJobKind>(row.integer(2));
  job.condition = row.text(3);
  job.created = row.time(4);
  job.start = row.time(5);
  job.max_execution = std::chrono::seconds{row.integer(6)};
  job.update = row.text(7);
  job.method.name = row.text(8);
  job.method.payload = row.text(9);
  job.method.response_timeout_s = static_cast<int>(row.integer(10));
  job.method.connect_timeout_s = static_cast<int>(row.integer(11));
  hub::ScheduledJobState& state = job.state;
  state.status = static_cast<hub::ScheduledJobStatus>(row.integer(12));
  state.started = row.time(13);
  state.ended = row.time(14);
  state.failure = row.text(15);
  state.statistics = {row.integer(16), row.integer(17), row.integer(18), row.integer(19), row.integer(20)};
  state.selected = {DeviceId(row.text(21)), ModuleId(row.text(22))};
  state.all_selected = row.integer(23) != 0;
  return job;
}

// Of one job, from `column` 0 on.
hub::DeviceJob read_row(const Statement& row) {
  hub::DeviceJob read;
  read.id = {DeviceId(row.text(0)), ModuleId(row.text(1))};
  read.status = static_cast<hub::DeviceJobStatus>(row.integer(2));
  read.created = row.time(3);
  read.started = row.time(4);
  read.ended = row.time(5);
  read.updated = row.time(6);
  if (auto payload = row.optional_text(8)) read.outcome = hub::MethodResult{static_cast<int>(row.integer(7)), std::move(*payload)};
  read.error_code = row.text(9);
  read.error = row.text(10);
  return read;
}

// Jobs whose rows are asked for.
struct JobHead {
  std::int64_t sequence;
  std::string id;
  hub::ScheduledJobKind kind;
};

Result<std::vector<JobHead>> heads(Database& database, const hub::DeviceJobQuery& query) {
  auto rows = database.cached(query.job.empty() ? "SELECT sequence, job, kind FROM scheduled_job WHERE job IS NOT NULL AND sequence>=?1 ORDER BY sequence"
                                                : "SELECT sequence, job, kind FROM scheduled_job WHERE sequence>=?1 AND job=?2");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, query.after_job);
  if (!query.job.empty()) (*rows)->bind(2, std::string_view(query.job));
  std::vector<JobHead> found;
  while ((*rows)->step()) found.push_back({(*rows)->integer(0), (*rows)->text(1), static_cast<hub::ScheduledJobKind>((*rows)->integer(2))});
  if (!(*rows)->ok()) return database.error("reading jobs");
  return found;
}

}  // namespace

Result<std::optional<hub::ScheduledJob>> read_scheduled_job(Database& database, const std::string& id) {
  auto rows = database.cached(kJobs + "j.job=?1");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, std::string_view(id));
  std::optional<hub::ScheduledJob> job;
  if ((*rows)->step()) job = read_job(**rows);
  if (!(*rows)->ok()) return database.error("reading a job");
  (*rows)->reset();
  return job;
}

Result<hub::ScheduledJobPage> list_scheduled_jobs(Database& database, const hub::ScheduledJobQuery& query) {
  auto rows = database.cached(kJobs + "j.job IS NOT NULL AND j.sequence<?1 AND (?2<0 OR j.kind=?2) AND (?3<0 OR s.status=?3) ORDER BY j.sequence DESC LIMIT ?4");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)
      ->bind(1, query.before == 0 ? INT64_MAX : static_cast<std::int64_t>(query.before))
      .bind(2, query.kind ? static_cast<int>(*query.kind) : -1)
      .bind(3, query.status ? static_cast<int>(*query.status) : -1)
      .bind(4, static_cast<std::int64_t>(query.limit) + 1);
  hub::ScheduledJobPage page;
  for (std::size_t bytes = 0; (*rows)->step();) {
    if (page.jobs.size() == query.limit || (!page.jobs.empty() && bytes >= query.max_bytes)) {
      page.more = true;
      break;
    }
    page.jobs.push_back(read_job(**rows));
    bytes += page.jobs.back().update.size() + page.jobs.back().method.payload.size() + page.jobs.back().condition.size();
  }
  if (!(*rows)->ok()) return database.error("listing jobs");
  (*rows)->reset();
  return page;
}

Result<hub::DeviceJobPage> read_device_jobs(Database& database, const hub::DeviceJobQuery& query) {
  const auto jobs = heads(database, query);
  if (!jobs.ok()) return jobs.error();
  auto rows = database.cached(std::string("SELECT device, module, status, created, started, ended, updated, method_status, payload, error_code, error FROM device_job "
                                          "WHERE job=?1 AND (device, module)>(?2, ?3) AND status<?4") +
                              (query.device.empty() ? "" : " AND device=?5") + " ORDER BY device, module");
  if (!rows.ok()) return std::move(rows).error();
  hub::DeviceJobPage page;
  std::size_t bytes = 0;
  for (const JobHead& job : *jobs) {
    const bool goes_on = static_cast<std::uint64_t>(job.sequence) == query.after_job;
    (*rows)
        ->bind(1, job.sequence)
        .bind(2, goes_on ? query.after.device.view() : std::string_view())
        .bind(3, goes_on ? query.after.module.view() : std::string_view())
        .bind(4, query.unfinished ? static_cast<int>(hub::DeviceJobStatus::kCompleted) : 99);
    if (!query.device.empty()) (*rows)->bind(5, std::string_view(query.device));
    while ((*rows)->step()) {
      if (page.rows.size() == query.limit || (!page.rows.empty() && bytes >= query.max_bytes)) {
        page.more = true;
        break;
      }
      page.rows.push_back({static_cast<std::uint64_t>(job.sequence), job.id, job.kind, read_row(**rows)});
      const hub::DeviceJob& row = page.rows.back().row;
      bytes += row.error.size() + (row.outcome ? row.outcome->payload.size() : 0);
    }
    if (!(*rows)->ok()) return database.error("reading the rows of a job");
    (*rows)->reset();
    if (page.more) break;
  }
  return page;
}

Result<std::vector<hub::UnfinishedJob>> unfinished_scheduled_jobs(Database& database) {
  auto rows = database.cached(
      "SELECT j.job, j.sequence, j.start, s.status FROM scheduled_job j JOIN scheduled_job_state s ON s.sequence=j.sequence "
      "WHERE j.job IS NOT NULL AND s.status<?1 ORDER BY j.sequence");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, static_cast<int>(hub::ScheduledJobStatus::kCompleted));
  std::vector<hub::UnfinishedJob> jobs;
  while ((*rows)->step()) {
    jobs.push_back({(*rows)->text(0), static_cast<std::uint64_t>((*rows)->integer(1)), (*rows)->time(2), static_cast<hub::ScheduledJobStatus>((*rows)->integer(3))});
  }
  if (!(*rows)->ok()) return database.error("reading unfinished jobs");
  return jobs;
}

}  // namespace nearhub::store
