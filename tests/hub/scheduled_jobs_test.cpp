// Scheduled jobs: when they begin, what they do, what is written down of it (reference/service-rest.md 5.9).
#include "hub/scheduled_jobs.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/hub/job_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// A connected device that answers methods at once.
struct Answering {
  Answering(JobRig& rig, std::string_view id) : link(rig.shard.shard()) {
    link.on_method = [this, &rig](std::string_view request) { rig.shard.shard().answer_method(*link.connection, request, 200, R"({"done":true})"); };
    rig.shard.connect_subscribed(id, link, {Topic::kMethods});
  }
  FakeLink link;
};

bool has_tag(JobRig& rig, std::string_view id, std::string_view tag) { return rig.shard.twin_json(id).find(tag) != std::string::npos; }

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("jobs: a twin update reaches every device that the condition finds, and no other") {
    JobRig rig;
    for (const char* id : {"d1", "d2", "d3", "d3/m1"}) rig.shard.create(id);
    rig.run(JobRig::update_job("tag", "*", R"({"tags":{"floor":1,"old":true}})"));
    CHECK(rig.state("tag") == "completed 3: 3 succeeded");
    CHECK(has_tag(rig, "d3", R"("tags":{"floor":1,"old":true})"));
    CHECK(!has_tag(rig, "d3/m1", "tags"));
    FakeLink link(rig.shard.shard());
    rig.shard.connect_subscribed("d1", link, {Topic::kDesired});
    rig.run(JobRig::update_job("two", "deviceId IN ['d1', 'd2', 'nobody']", R"({"etag":"*","tags":{"old":null},"properties":{"desired":{"a":1.0},"reported":{"x":1}}})"));
    CHECK(rig.state("two") == "completed 2: 2 succeeded");
    CHECK(rig.row("two", "d1") == "completed");
    CHECK(rig.row("two", "d3") == "none");
    CHECK(link.take() == Seen{R"(desired 2 {"a":1.0,"$version":2})"});
    CHECK(has_tag(rig, "d2", R"("tags":{"floor":1})"));
    CHECK(has_tag(rig, "d3", "old"));
    CHECK(!has_tag(rig, "d2", R"("x":1)"));
    CHECK(rig.jobs().figures().running == 0);
    const ScheduledJob& job = rig.shard.store.jobs.at("two");
    CHECK(job.state.ended >= job.state.started);
  }

  TEST_CASE("jobs: a condition may be a whole query, begin with FROM or WHERE, and name modules") {
    JobRig rig;
    for (const char* id : {"d1", "d2", "d1/m1", "d2/m1", "d2/m2"}) rig.shard.create(id);
    auto devices = [&rig, n = 0](const char* condition) mutable {
      const std::string id = "j" + std::to_string(++n);
      rig.run(JobRig::update_job(id, condition, R"({"tags":{"a":1}})"));
      return rig.state(id);
    };
    CHECK(devices("SELECT * FROM devices") == "completed 2: 2 succeeded");
    CHECK(devices("FROM devices.modules WHERE moduleId = 'm1'") == "completed 2: 2 succeeded");
    CHECK(devices("where deviceId = 'd2'") == "completed 1: 1 succeeded");
    CHECK(devices("SELECT TOP 2 * FROM devices.modules") == "completed 2: 2 succeeded");
    CHECK(devices("SELECT TOP 0 * FROM devices") == "completed 0:");
    CHECK(devices("deviceId = 'nobody'") == "completed 0:");
    CHECK(devices("connectionState = 'Disconnected'") == "completed 2: 2 succeeded");
  }

  TEST_CASE("jobs: a condition that is none fails the job, with its place") {
    JobRig rig;
    rig.shard.create("d1");
    auto failure = [&rig, n = 0](const char* condition) mutable {
      const std::string id = "j" + std::to_string(++n);
      rig.run(JobRig::update_job(id, condition, R"({"tags":{"a":1}})"));
      CHECK(rig.state(id) == "failed 0:");
      return rig.shard.store.jobs.at(id).state.failure;
    };
    CHECK(failure("tags.floor = ") == "queryCondition: column 14: the query ends here; expected a member, a constant, a function or (");
    CHECK(failure("FROM nowhere").starts_with("queryCondition: column 6: here stands nowhere; expected devices"));
    CHECK(failure("SELECT * FROM devices.jobs").find("devices.jobs") != std::string::npos);
    CHECK(failure("SELECT COUNT() AS n FROM devices").find("aggregates") != std::string::npos);
  }

  TEST_CASE("jobs: a method's answer is its device's outcome, and who is offline has failed") {
    JobRig rig;
    for (const char* id : {"d1", "d2", "d3"}) rig.shard.create(id);
    Answering d1(rig, "d1");
    FakeLink d3(rig.shard.shard());
    rig.shard.connect_subscribed("d3", d3, {});
    rig.run(JobRig::method_job("boot", "*"));
    CHECK(d1.link.take() == Seen{R"(method 1 reboot {"delay":1.50})"});
    CHECK(rig.state("boot") == "completed 3: 1 succeeded 2 failed");
    CHECK(rig.row("boot", "d1") == R"(completed 200 {"done":true})");
    CHECK(rig.row("boot", "d2") == "failed DeviceNotOnline");
    CHECK(rig.row("boot", "d3") == "failed DeviceNotOnline");
    CHECK(rig.shard.store.device_jobs["boot"].at(id_of("d2")).error == "d2 is not connected");
  }

  TEST_CASE("jobs: an update that one twin cannot take fails there alone") {
    JobRig rig;
    rig.shard.create("d1");
    rig.shard.create("d2");
    const std::string full(4000, 'x');
    rig.run(JobRig::update_job("fill", "deviceId = 'd1'", R"({"tags":{"a":")" + full + R"(","b":")" + full + "\"}}"));
    rig.run(JobRig::update_job("more", "*", R"({"tags":{"c":")" + std::string(500, 'y') + "\"}}"));
    CHECK(rig.state("more") == "completed 2: 1 succeeded 1 failed");
    CHECK(rig.row("more", "d1") == "failed ArgumentInvalid");
    CHECK(rig.shard.store.device_jobs["more"].at(id_of("d1")).error.find("tags") != std::string::npos);
    CHECK(rig.row("more", "d2") == "completed");
  }

  TEST_CASE("jobs: a device that is deleted between its selection and its turn has failed") {
    JobRig rig;
    rig.shard.create("d1");
    rig.create(JobRig::update_job("late", "*", R"({"tags":{"a":1}})"));
    rig.until([&rig] { return rig.has_rows("late"); });
    Reply<std::monostate> deleted;
    rig.shard.shard().delete_identity(id_of("d1"), {Condition::kAny, {}}, deleted.answer());
    rig.shard.settle();
    CHECK(deleted.succeeded());
    CHECK(rig.row("late", "d1") == "failed DeviceNotFound");
    CHECK(rig.state("late") == "completed 1: 1 failed");
  }

  TEST_CASE("jobs: one with a start time waits for it") {
    JobRig rig;
    rig.shard.create("d1");
    ScheduledJob job = JobRig::update_job("later", "*", R"({"tags":{"a":1}})");
    job.start = rig.shard.clock.now() + 2h;
    rig.run(job);
    CHECK(rig.state("later") == "scheduled 0:");
    rig.shard.advance(1h + 59min);
    rig.shard.settle();
    CHECK(rig.state("later") == "scheduled 0:");
    rig.shard.advance(1min);
    rig.shard.settle();
    CHECK(rig.state("later") == "completed 1: 1 succeeded");
    CHECK(rig.shard.store.jobs.at("later").state.started >= job.start);
  }

  TEST_CASE("jobs: only what does not run yet can be cancelled") {
    JobRig rig;
    rig.shard.create("d1");
    const auto cancel = [&rig](const char* id) {
      Reply<ScheduledJob> reply;
      rig.jobs().cancel(id, reply.answer());
      rig.shard.settle();
      if (reply.succeeded()) return std::string(job_status_text(reply.value().state.status));
      return std::string(error_name(reply.error().code));
    };
    ScheduledJob later = JobRig::update_job("later", "*", R"({"tags":{"a":1}})");
    later.start = rig.shard.clock.now() + 1h;
    rig.run(later);
    rig.run(JobRig::method_job("runs", "*", 300));
    rig.run(JobRig::update_job("done", "deviceId = 'nobody'", R"({"tags":{"a":1}})"));
    CHECK(rig.state("runs") == "running 1: 1 running");
    CHECK(cancel("later") == "cancelled");
    CHECK(cancel("later") == "OperationNotAllowedInCurrentState");
    CHECK(cancel("runs") == "OperationNotAllowedInCurrentState");
    CHECK(cancel("done") == "OperationNotAllowedInCurrentState");
    CHECK(cancel("nobody") == "JobNotFound");
    rig.shard.advance(2h);
    rig.shard.settle();
    CHECK(rig.state("later") == "cancelled 0:");
    CHECK(rig.shard.store.jobs.at("later").state.ended != kNever);
    CHECK(!has_tag(rig, "d1", "tags"));
  }

  TEST_CASE("jobs: a refusal to cancel says what the job is now, before the store has it") {
    JobRig rig;
    rig.shard.create("d1");
    rig.shard.store.hold_reads();
    rig.create(JobRig::update_job("begins", "*", R"({"tags":{"a":1}})"));
    rig.until([&rig] { return rig.jobs().figures().running == 1; });
    CHECK(rig.state("begins") == "queued 0:");
    Reply<ScheduledJob> late;
    rig.jobs().cancel("begins", late.answer());
    rig.shard.store.release_reads();
    rig.shard.settle();
    CHECK(late.error().detail == "job begins is running; only a job that is queued or scheduled can be cancelled");
    CHECK(rig.state("begins") == "completed 1: 1 succeeded");

    ScheduledJob later = JobRig::update_job("later", "*", R"({"tags":{"b":1}})");
    later.start = rig.shard.clock.now() + 1h;
    rig.run(later);
    Reply<ScheduledJob> first, second, third;
    rig.jobs().cancel("later", first.answer());
    rig.jobs().cancel("later", second.answer());
    rig.shard.settle();
    CHECK(first.value().state.status == ScheduledJobStatus::kCancelled);
    CHECK(second.error().detail == "job later is being cancelled; only a job that is queued or scheduled can be cancelled");
    rig.jobs().cancel("later", third.answer());
    rig.shard.settle();
    CHECK(third.error().detail == "job later is cancelled; only a job that is queued or scheduled can be cancelled");
  }

  TEST_CASE("jobs: an id is taken once, also while its job is being made") {
    JobRig rig;
    Reply<ScheduledJob> first, second;
    rig.jobs().create(JobRig::update_job("j", "deviceId = 'x'", "{}"), first.answer());
    rig.jobs().create(JobRig::update_job("j", "deviceId = 'x'", "{}"), second.answer());
    rig.shard.settle();
    CHECK(first.succeeded());
    CHECK(second.error().code == ErrorCode::kJobAlreadyExists);
    Reply<ScheduledJob> third;
    rig.jobs().create(JobRig::update_job("j", "deviceId = 'x'", "{}"), third.answer());
    rig.shard.settle();
    CHECK(third.error().code == ErrorCode::kJobAlreadyExists);
  }

  TEST_CASE("jobs: ten run at a time, the others queue in the order of their start times") {
    JobRig rig;
    rig.shard.create("d1");
    for (int i = 0; i < 10; ++i) rig.run(JobRig::method_job("m" + std::to_string(i), "*", 300));
    ScheduledJob later = JobRig::update_job("later", "*", R"({"tags":{"a":1}})");
    later.start = rig.shard.clock.now() + 10s;
    rig.run(later);
    rig.run(JobRig::update_job("queued", "*", R"({"tags":{"a":1}})"));
    CHECK(rig.jobs().figures().running == kMaxRunningJobs);
    CHECK(rig.state("queued") == "queued 0:");
    CHECK(rig.state("later") == "scheduled 0:");
    rig.shard.advance(20s);
    rig.shard.settle();
    CHECK(rig.state("later") == "queued 0:");
    // The device comes, and answers all of them.
    Answering d1(rig, "d1");
    rig.shard.settle();
    for (const char* id : {"m0", "m9", "queued", "later"}) CHECK(rig.state(id) == "completed 1: 1 succeeded");
    CHECK(rig.shard.store.jobs.at("queued").state.started <= rig.shard.store.jobs.at("later").state.started);
  }

  TEST_CASE("jobs: more than a thousand that have not ended are refused") {
    JobRig rig;
    ScheduledJob job = JobRig::update_job("", "*", "{}");
    job.start = rig.shard.clock.now() + 1h;
    for (std::size_t i = 0; i < kMaxActiveJobs; ++i) {
      job.id = "j" + std::to_string(i);
      rig.jobs().create(job, [](const Result<ScheduledJob>& made) { REQUIRE(made.ok()); });
    }
    Reply<ScheduledJob> refused;
    job.id = "one-more";
    rig.jobs().create(job, refused.answer());
    CHECK(refused.error().code == ErrorCode::kThrottlingMaxActiveJobCountExceeded);
    rig.shard.settle();
    Reply<ScheduledJob> cancelled, now_free;
    rig.jobs().cancel("j7", cancelled.answer());
    rig.jobs().create(job, now_free.answer());
    rig.shard.settle();
    CHECK(now_free.succeeded());
  }
}
