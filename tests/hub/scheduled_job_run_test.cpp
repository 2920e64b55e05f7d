// Scheduled jobs: bounds, times that pass, stops and restarts.
#include "hub/scheduled_job_run.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/hub/job_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

std::string numbered(int i) { return "d" + std::to_string(10'000 + i); }

void create_many(JobRig& rig, int count) {
  for (int i = 0; i < count; ++i) rig.shard.shard().put_identity(id_of(numbered(i)), with_keys(), {}, [](const Result<IdentityView>&) {});
  rig.shard.settle();
}

int count_rows_of(const JobRig& rig, const std::string& job, std::string_view code) {
  int found = 0;
  for (const auto& [id, row] : rig.shard.store.device_jobs.at(job)) found += row.error_code == code ? 1 : 0;
  return found;
}

const std::string kUpdate = R"({"tags":{"a":1}})";

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("job runs: at most a hundred calls are under way") {
    JobRig rig;
    create_many(rig, 130);
    rig.run(JobRig::method_job("wait", "*", 60));
    CHECK(rig.state("wait") == "running 130: 30 pending 100 running");
    rig.shard.advance(61s);
    rig.shard.settle();
    CHECK(rig.state("wait") == "running 130: 30 running 100 failed");
    rig.shard.advance(61s);
    rig.shard.settle();
    CHECK(rig.state("wait") == "completed 130: 130 failed");
    CHECK(count_rows_of(rig, "wait", "DeviceNotOnline") == 130);
  }

  TEST_CASE("job runs: what is not done when the maximum execution time has passed has failed, and a late answer changes nothing") {
    JobRig rig;
    create_many(rig, 130);
    FakeLink silent(rig.shard.shard());
    rig.shard.connect_subscribed(numbered(0), silent, {Topic::kMethods});
    ScheduledJob job = JobRig::method_job("slow", "*", 200);
    job.max_execution = 60s;
    rig.run(job);
    CHECK(silent.take().size() == 1);
    CHECK(rig.state("slow") == "running 130: 30 pending 100 running");
    rig.shard.advance(60s);
    rig.shard.settle();
    CHECK(rig.state("slow") == "completed 130: 130 failed");
    CHECK(count_rows_of(rig, "slow", "GatewayTimeout") == 1);
    CHECK(count_rows_of(rig, "slow", "JobRunPreconditionFailed") == 129);
    rig.shard.shard().answer_method(*silent.connection, "1", 200, "{}");
    rig.shard.settle();
    CHECK(rig.row("slow", numbered(0)) == "failed GatewayTimeout");
    CHECK(rig.state("slow") == "completed 130: 130 failed");
  }

  TEST_CASE("job runs: a call that waits for its device when the maximum execution time has passed is not sent any more, and makes room") {
    JobRig rig;
    create_many(rig, 2);
    FakeLink other(rig.shard.shard());
    rig.shard.connect_subscribed(numbered(1), other, {});  // connected, without methods
    ScheduledJob job = JobRig::method_job("wait", "*", 300);
    job.max_execution = 60s;
    rig.run(job);
    CHECK(rig.state("wait") == "running 2: 2 running");
    rig.shard.advance(60s);
    rig.shard.settle();
    CHECK(rig.state("wait") == "completed 2: 2 failed");
    CHECK(rig.row("wait", numbered(0)) == "failed JobRunPreconditionFailed");
    CHECK(rig.shard.store.device_jobs["wait"].at(id_of(numbered(0))).error ==
          "the job's maximum execution time of 60 s passed before the method was called; it is not called any more");
    FakeLink late(rig.shard.shard());
    rig.shard.connect_subscribed(numbered(0), late, {Topic::kMethods});
    rig.shard.settle();
    CHECK(late.take().empty());
    rig.run(JobRig::method_job("next", "*"));
    CHECK(late.take() == Seen{R"(method 1 reboot {"delay":1.50})"});
  }

  TEST_CASE("job runs: more devices than a page") {
    JobRig rig;
    create_many(rig, static_cast<int>(2 * kJobPageRows + 7));
    rig.run(JobRig::update_job("all", "*", kUpdate));
    CHECK(rig.state("all") == "completed 2007: 2007 succeeded");
    for (const int i : {0, 999, 1000, 1999, 2006}) CHECK(rig.shard.twin_json(numbered(i)).find(R"("tags":{"a":1})") != std::string::npos);
    rig.run(JobRig::update_job("some", "SELECT TOP 1500 * FROM devices", kUpdate));
    CHECK(rig.state("some") == "completed 1500: 1500 succeeded");
  }

  TEST_CASE("job runs: the time may pass while devices are still being selected") {
    JobRig rig;
    create_many(rig, static_cast<int>(kJobPageRows + 1));
    ScheduledJob job = JobRig::update_job("short", "*", kUpdate);
    job.max_execution = 5s;
    rig.create(job);
    rig.until([&rig] { return rig.has_rows("short"); });
    rig.shard.store.hold_reads();
    rig.shard.settle();
    rig.shard.advance(5s);
    rig.shard.store.release_reads();
    rig.shard.settle();
    CHECK(rig.state("short") == "failed 1000: 1000 failed");
    CHECK(rig.shard.store.jobs.at("short").state.failure == "the maximum execution time of 5 s passed while devices were still being selected");
    CHECK(count_rows_of(rig, "short", "JobRunPreconditionFailed") == 1000);
  }

  TEST_CASE("job runs: a restart goes on with the selection behind the last identity that was written down") {
    JobRig rig;
    create_many(rig, static_cast<int>(kJobPageRows + 5));
    rig.create(JobRig::update_job("all", "*", kUpdate));
    rig.until([&rig] { return rig.has_rows("all"); });
    CHECK(rig.state("all") == "running 1000: 1000 pending");
    const auto next = JobRig::after_kill_of(rig);
    next->shard.settle();
    CHECK(next->state("all") == "completed 1005: 1005 succeeded");
    CHECK(next->shard.store.jobs.at("all").state.started == rig.shard.store.jobs.at("all").state.started);
  }

  TEST_CASE("job runs: after a kill twin updates that were not written down are made again") {
    JobRig rig;
    create_many(rig, 250);
    rig.create(JobRig::update_job("all", "*", kUpdate));
    rig.until([&rig] { return rig.shard.store.jobs.at("all").state.statistics.succeeded > 0; });
    CHECK(rig.shard.store.jobs.at("all").state.statistics.succeeded < 250);
    const auto next = JobRig::after_kill_of(rig);
    next->shard.settle();
    CHECK(next->state("all") == "completed 250: 250 succeeded");
    for (int i = 0; i < 250; ++i) CHECK(next->shard.twin_json(numbered(i)).find(R"("tags":{"a":1})") != std::string::npos);
  }

  TEST_CASE("job runs: of twin updates that a kill may have cut off nothing is claimed when their time passed meanwhile") {
    JobRig rig;
    create_many(rig, 250);
    ScheduledJob job = JobRig::update_job("all", "*", kUpdate);
    job.max_execution = 60s;
    rig.create(job);
    rig.until([&rig] { return rig.shard.store.jobs.at("all").state.statistics.succeeded > 0; });
    rig.shard.clock.advance(1h);
    const auto next = JobRig::after_kill_of(rig);
    next->shard.settle();
    int unknown_but_made = 0;
    for (const auto& [id, row] : next->shard.store.device_jobs.at("all")) {
      const bool made = next->shard.twin_json(id.text()).find(R"("tags":{"a":1})") != std::string::npos;
      if (row.error_code == "JobRunPreconditionFailed") CHECK(!made);
      if (row.error_code != "ServiceUnavailable") continue;
      unknown_but_made += made ? 1 : 0;
      CHECK(row.error == "the hub stopped, and the job's maximum execution time of 60 s passed before it could go on: whether the twin was updated is not known");
    }
    CHECK(unknown_but_made > 0);
    CHECK(count_rows_of(*next, "all", "ServiceUnavailable") == 100);
    CHECK(count_rows_of(*next, "all", "JobRunPreconditionFailed") > 0);
  }

  TEST_CASE("job runs: after a kill no method is called a second time, and those that were not called yet are") {
    JobRig rig;
    create_many(rig, 130);
    rig.run(JobRig::method_job("boot", "*", 300));
    CHECK(rig.state("boot") == "running 130: 30 pending 100 running");
    const auto next = JobRig::after_kill_of(rig);
    FakeLink called(next->shard.shard()), fresh(next->shard.shard());
    next->shard.connect_subscribed(numbered(0), called, {Topic::kMethods});
    next->shard.connect_subscribed(numbered(129), fresh, {Topic::kMethods});
    next->shard.settle();
    CHECK(next->state("boot") == "running 130: 30 running 100 failed");
    CHECK(called.take().empty());
    CHECK(fresh.take().size() == 1);
    CHECK(next->row("boot", numbered(0)) == "failed ServiceUnavailable");
    CHECK(next->shard.store.device_jobs["boot"].at(id_of(numbered(0))).error.find("not called again") != std::string::npos);
  }

  TEST_CASE("job runs: a call is made when it is written down that it begins, and not before") {
    JobRig rig;
    rig.shard.create("d1");
    FakeLink link(rig.shard.shard());
    rig.shard.connect_subscribed("d1", link, {Topic::kMethods});
    rig.create(JobRig::method_job("boot", "*"));
    rig.until([&] {
      CHECK(link.take().empty());
      return rig.row("boot", "d1") == "running";
    });
    rig.shard.settle();
    CHECK(link.take().size() == 1);
  }

  TEST_CASE("job runs: time that passed while the hub was down counts") {
    JobRig rig;
    create_many(rig, 130);
    ScheduledJob job = JobRig::method_job("boot", "*", 300);
    job.max_execution = 60s;
    rig.run(job);
    rig.shard.clock.advance(1h);
    const auto next = JobRig::after_kill_of(rig);
    next->shard.settle();
    CHECK(next->state("boot") == "completed 130: 130 failed");
    CHECK(count_rows_of(*next, "boot", "ServiceUnavailable") == 100);
    CHECK(count_rows_of(*next, "boot", "JobRunPreconditionFailed") == 30);
  }

  TEST_CASE("job runs: a stop begins nothing new, and is over when all that was under way is written down: who was not called yet is called by the next start") {
    JobRig rig;
    create_many(rig, 130);
    FakeLink silent(rig.shard.shard());
    rig.shard.connect_subscribed(numbered(0), silent, {Topic::kMethods});
    rig.run(JobRig::method_job("boot", "*", 300));
    rig.jobs().stop();
    bool shard_drained = false, drained = false;
    rig.shard.shard().drain([&] {
      shard_drained = true;
      rig.jobs().drain([&drained] { drained = true; });
    });
    rig.shard.settle();
    CHECK(shard_drained);
    CHECK(drained);
    CHECK(silent.take().size() == 1);
    CHECK(rig.state("boot") == "running 130: 129 pending 1 failed");
    CHECK(rig.row("boot", numbered(0)) == "failed ServiceUnavailable");
    const auto next = JobRig::after_kill_of(rig);
    FakeLink called(next->shard.shard()), fresh(next->shard.shard());
    next->shard.connect_subscribed(numbered(0), called, {Topic::kMethods});
    next->shard.connect_subscribed(numbered(1), fresh, {Topic::kMethods});
    next->shard.settle();
    CHECK(next->state("boot") == "running 130: 29 pending 100 running 1 failed");
    CHECK(called.take().empty());
    CHECK(fresh.take().size() == 1);
  }

  TEST_CASE("job runs: a job that is still being read when the hub stops is left to the next start") {
    JobRig rig;
    rig.shard.create("d1");
    rig.shard.store.hold_reads();
    rig.create(JobRig::update_job("all", "*", kUpdate));
    rig.until([&rig] { return rig.jobs().figures().running == 1; });
    rig.jobs().stop();
    bool drained = false;
    rig.jobs().drain([&drained] { drained = true; });
    CHECK(drained);
    rig.shard.store.release_reads();
    rig.shard.turn();
    CHECK(rig.shard.store.waiting() == 0);
    CHECK(rig.state("all") == "queued 0:");
    const auto next = JobRig::after_kill_of(rig);
    next->shard.settle();
    CHECK(next->state("all") == "completed 1: 1 succeeded");
  }

  TEST_CASE("job runs: a stop while rows are being written leaves their calls to the next start") {
    JobRig rig;
    rig.shard.create("d1");
    FakeLink link(rig.shard.shard());
    rig.shard.connect_subscribed("d1", link, {Topic::kMethods});
    rig.create(JobRig::method_job("boot", "*"));
    rig.until([&rig] { return rig.row("boot", "d1") == "running"; });
    rig.jobs().stop();
    rig.shard.settle();
    CHECK(link.take().empty());
    CHECK(rig.row("boot", "d1") == "pending");
    CHECK(rig.state("boot") == "running 1: 1 pending");
  }

  TEST_CASE("job runs: when there is no place for its query, a job tries again") {
    JobRig rig;
    rig.shard.create("d1");
    rig.shard.hub().queries() = kMaxQueriesAtOnce;
    rig.run(JobRig::update_job("all", "*", kUpdate));
    CHECK(rig.state("all") == "running 0:");
    rig.shard.hub().queries() = 0;
    rig.shard.advance(1s);
    rig.shard.settle();
    CHECK(rig.state("all") == "completed 1: 1 succeeded");
  }
}
