// A hub of one shard with its scheduled jobs, over a store that commits when the test says so.
//
// THREAD: one.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/scheduled_jobs.h"
#include "tests/hub/shard_rig.h"

namespace nearhub::hub {

class JobRig {
 public:
  JobRig() { begin(); }
  // After a kill: nothing is left but what `before` had committed.
  static std::unique_ptr<JobRig> after_kill_of(const JobRig& before) {
    std::unique_ptr<JobRig> rig(new JobRig(before));
    rig->begin();
    return rig;
  }

  ScheduledJobs& jobs() { return *jobs_; }

  static ScheduledJob update_job(std::string id, std::string condition, std::string update) {
    ScheduledJob job;
    job.id = std::move(id);
    job.condition = std::move(condition);
    job.update = std::move(update);
    return job;
  }
  static ScheduledJob method_job(std::string id, std::string condition, int connect_timeout_s = 0) {
    ScheduledJob job;
    job.id = std::move(id);
    job.kind = ScheduledJobKind::kDeviceMethod;
    job.condition = std::move(condition);
    job.method.name = "reboot";
    job.method.payload = R"({"delay":1.50})";
    job.method.response_timeout_s = 300;
    job.method.connect_timeout_s = connect_timeout_s;
    return job;
  }

  // Made, durably; what follows is for settle() or until().
  void create(ScheduledJob job) {
    Reply<ScheduledJob> created;
    jobs_->create(std::move(job), created.answer());
    until([&created] { return created.came(); });
    CHECK(created.succeeded());
  }
  // Goes on commit by commit, so that the test can stand in between.
  void until(const std::function<bool()>& condition) {
    for (int turns = 0; !condition(); ++turns) {
      REQUIRE(turns < 10'000);
      shard.turn();
      if (shard.store.waiting() > 0) shard.store.commit();
    }
  }
  bool has_rows(const std::string& job) const { return shard.store.device_jobs.count(job) > 0; }
  // Made, and run as far as it goes.
  void run(ScheduledJob job) {
    create(std::move(job));
    shard.settle();
  }

  // "completed 3: 2 succeeded 1 failed", as committed.
  std::string state(const std::string& id) const {
    const ScheduledJobState& state = shard.store.jobs.at(id).state;
    const JobStatistics& n = state.statistics;
    std::string text(job_status_text(state.status));
    text += " " + std::to_string(n.devices) + ":";
    for (const auto& [count, name] : {std::pair{n.pending, "pending"}, {n.running, "running"}, {n.succeeded, "succeeded"}, {n.failed, "failed"}}) {
      if (count != 0) text += " " + std::to_string(count) + " " + name;
    }
    return text;
  }
  // "completed 200 {...}", "failed DeviceNotOnline".
  std::string row(const std::string& job, std::string_view id) const {
    const auto rows = shard.store.device_jobs.find(job);
    if (rows == shard.store.device_jobs.end() || rows->second.count(id_of(id)) == 0) return "none";
    const DeviceJob& row = rows->second.at(id_of(id));
    std::string text(device_job_status_text(row.status));
    if (row.outcome) text += " " + std::to_string(row.outcome->status) + " " + row.outcome->payload;
    if (!row.error_code.empty()) text += " " + row.error_code;
    return text;
  }

  ShardRig shard;

 private:
  explicit JobRig(const JobRig& before) {
    shard.clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(before.shard.clock.now() - shard.clock.now()));
    shard.store.identities = before.shard.store.identities;
    shard.store.jobs = before.shard.store.jobs;
    shard.store.device_jobs = before.shard.store.device_jobs;
  }
  void begin() {
    std::vector<UnfinishedJob> unfinished;
    for (const auto& [id, job] : shard.store.jobs) {
      if (!has_ended(job.state.status)) unfinished.push_back({id, job.sequence, job.start, job.state.status});
    }
    jobs_ = std::make_unique<ScheduledJobs>(shard.hub(), shard.executor, shard.timers, std::move(unfinished));
    jobs_->begin();
  }

  std::unique_ptr<ScheduledJobs> jobs_;
};

}  // namespace nearhub::hub
