// Scheduled jobs: their definitions, their states, the rows of their identities, and how they go.
#include "store/scheduled_job_table.h"
#include "tests/store/store_rig.h"

namespace nearhub::store {
namespace {

using hub::DeviceJob;
using hub::DeviceJobStatus;
using hub::ScheduledJobKind;
using hub::ScheduledJobStatus;

hub::ScheduledJob job_of(std::string id, ScheduledJobKind kind = ScheduledJobKind::kUpdateTwin) {
  hub::ScheduledJob job;
  job.id = std::move(id);
  job.kind = kind;
  job.condition = "tags.a = '\xc3\xa4'";
  job.created = WallTime{Ticks{5}};
  job.start = WallTime{Ticks{17}};
  job.max_execution = 90s;
  if (kind == ScheduledJobKind::kUpdateTwin) {
    job.update = R"({"tags":{"a":1.0}})";
  } else {
    job.method = {"reboot", R"({"x":1e2})", 40, 10};
  }
  return job;
}

hub::ScheduledJobState state_of(ScheduledJobStatus status, WallTime ended = kNever) {
  hub::ScheduledJobState state;
  state.status = status;
  state.started = WallTime{Ticks{18}};
  state.ended = ended;
  state.failure = "why";
  state.statistics = {15, 1, 2, 5, 7};
  state.selected = id_of("d9/m1");
  state.all_selected = true;
  return state;
}

DeviceJob row_of(std::string_view id, DeviceJobStatus status = DeviceJobStatus::kPending) {
  DeviceJob row;
  row.id = id_of(id);
  row.status = status;
  row.created = WallTime{Ticks{21}};
  row.updated = WallTime{Ticks{22}};
  return row;
}

std::optional<hub::ScheduledJob> read(StoreRig& rig, const std::string& id) {
  auto job = rig.wait_for<std::optional<hub::ScheduledJob>>([&](auto answer) { rig.store().read_scheduled_job(id, rig.executor, std::move(answer)); });
  REQUIRE(job.ok());
  return std::move(*job);
}

hub::DeviceJobPage rows(StoreRig& rig, hub::DeviceJobQuery query) {
  auto page = rig.wait_for<hub::DeviceJobPage>([&](auto answer) { rig.store().read_device_jobs(query, rig.executor, std::move(answer)); });
  REQUIRE(page.ok());
  return std::move(*page);
}

std::string texts(const hub::DeviceJobPage& page) {
  std::string text;
  for (const auto& record : page.rows) text += record.job + ":" + record.row.id.text() + " ";
  return text + (page.more ? "more" : "end");
}

std::string list(StoreRig& rig, hub::ScheduledJobQuery query) {
  const auto page = rig.wait_for<hub::ScheduledJobPage>([&](auto answer) { rig.store().list_scheduled_jobs(query, rig.executor, std::move(answer)); });
  REQUIRE(page.ok());
  std::string text;
  for (const hub::ScheduledJob& job : page->jobs) text += job.id + " ";
  return text + (page->more ? "more" : "end");
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("scheduled jobs: made once, read as they were made, their state replaced") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    rig.apply({hub::CreateScheduledJob{job_of("update")}, hub::CreateScheduledJob{job_of("method", ScheduledJobKind::kDeviceMethod)}});
    CHECK(rig.write(hub::CreateScheduledJob{job_of("update")}).error().code == ErrorCode::kJobAlreadyExists);
    rig.apply({hub::UpdateScheduledJob{"method", state_of(ScheduledJobStatus::kRunning)}});
    rig.apply({hub::UpdateScheduledJob{"nobody", state_of(ScheduledJobStatus::kRunning)}, hub::PutDeviceJobs{"nobody", {row_of("d1")}}});
    rig.reopen();
    const auto update = read(rig, "update");
    REQUIRE(update);
    const hub::ScheduledJob expected = job_of("update");
    CHECK(update->kind == expected.kind);
    CHECK(update->condition == expected.condition);
    CHECK(update->created == expected.created);
    CHECK(update->start == expected.start);
    CHECK(update->max_execution == 90s);
    CHECK(update->update == expected.update);
    CHECK(update->state == hub::ScheduledJobState());
    const auto method = read(rig, "method");
    REQUIRE(method);
    CHECK(method->kind == ScheduledJobKind::kDeviceMethod);
    CHECK(method->method.name == "reboot");
    CHECK(method->method.payload == R"({"x":1e2})");
    CHECK(method->method.response_timeout_s == 40);
    CHECK(method->method.connect_timeout_s == 10);
    CHECK(method->state == state_of(ScheduledJobStatus::kRunning));
    CHECK(method->sequence > update->sequence);
    CHECK_FALSE(read(rig, "nobody"));
    CHECK(texts(rows(rig, {})) == "end");
  }

  TEST_CASE("scheduled jobs: listed from the latest on, by type and status, page by page") {
    StoreRig rig;
    for (const char* id : {"a", "b", "c", "d"}) rig.apply({hub::CreateScheduledJob{job_of(id, *id < 'c' ? ScheduledJobKind::kUpdateTwin : ScheduledJobKind::kDeviceMethod)}});
    rig.apply({hub::UpdateScheduledJob{"b", state_of(ScheduledJobStatus::kFailed, rig.clock.now())}});
    CHECK(list(rig, {}) == "d c b a end");
    hub::ScheduledJobQuery query;
    query.limit = 3;
    CHECK(list(rig, query) == "d c b more");
    query.before = read(rig, "b")->sequence;
    CHECK(list(rig, query) == "a end");
    query = {};
    query.kind = ScheduledJobKind::kDeviceMethod;
    CHECK(list(rig, query) == "d c end");
    query = {};
    query.status = ScheduledJobStatus::kQueued;
    query.limit = 3;
    CHECK(list(rig, query) == "d c a end");
    query = {};
    query.max_bytes = 1;
    CHECK(list(rig, query) == "d more");
  }

  TEST_CASE("scheduled jobs: rows are replaced, and come in the order of jobs and ids") {
    StoreRig rig;
    rig.apply({hub::CreateScheduledJob{job_of("j1", ScheduledJobKind::kDeviceMethod)}, hub::CreateScheduledJob{job_of("j0")}});
    rig.apply({hub::PutDeviceJobs{"j1", {row_of("d2"), row_of("d1/m1"), row_of("d1")}}, hub::PutDeviceJobs{"j0", {row_of("d1")}}});
    CHECK(texts(rows(rig, {})) == "j1:d1 j1:d1/m1 j1:d2 j0:d1 end");
    DeviceJob done = row_of("d1/m1", DeviceJobStatus::kCompleted);
    done.started = WallTime{Ticks{23}};
    done.ended = WallTime{Ticks{24}};
    done.outcome = hub::MethodResult{-7, R"({"a":1.0})"};
    DeviceJob failed = row_of("d2", DeviceJobStatus::kFailed);
    failed.error_code = "DeviceNotOnline";
    failed.error = "d2 is not connected";
    rig.apply({hub::PutDeviceJobs{"j1", {done, failed}}});
    const auto page = rows(rig, {});
    REQUIRE(page.rows.size() == 4);
    CHECK(page.rows[0].kind == ScheduledJobKind::kDeviceMethod);
    const DeviceJob& read_done = page.rows[1].row;
    CHECK(read_done.status == DeviceJobStatus::kCompleted);
    CHECK(read_done.created == done.created);
    CHECK(read_done.started == done.started);
    CHECK(read_done.ended == done.ended);
    CHECK(read_done.updated == done.updated);
    REQUIRE(read_done.outcome);
    CHECK(read_done.outcome->status == -7);
    CHECK(read_done.outcome->payload == R"({"a":1.0})");
    CHECK(page.rows[2].row.error_code == "DeviceNotOnline");
    CHECK(page.rows[2].row.error == "d2 is not connected");
    CHECK_FALSE(page.rows[0].row.outcome);
    CHECK(page.rows[0].row.started == kNever);
  }

  TEST_CASE("scheduled jobs: rows of one job, of one device, unfinished ones, and those behind another") {
    StoreRig rig;
    for (const char* id : {"j1", "j2"}) {
      rig.apply({hub::CreateScheduledJob{job_of(id)}, hub::PutDeviceJobs{id, {row_of("d1", DeviceJobStatus::kCompleted), row_of("d1/m1"), row_of("d2", DeviceJobStatus::kRunning)}}});
    }
    hub::DeviceJobQuery query;
    query.job = "j2";
    CHECK(texts(rows(rig, query)) == "j2:d1 j2:d1/m1 j2:d2 end");
    query.unfinished = true;
    CHECK(texts(rows(rig, query)) == "j2:d1/m1 j2:d2 end");
    query = {};
    query.device = "d2";
    CHECK(texts(rows(rig, query)) == "j1:d2 j2:d2 end");
    query = {};
    query.limit = 2;
    std::string all;
    for (;;) {
      const auto page = rows(rig, query);
      all += texts(page) + " ";
      if (!page.more) break;
      query.after_job = page.rows.back().sequence;
      query.after = page.rows.back().row.id;
    }
    CHECK(all == "j1:d1 j1:d1/m1 more j1:d2 j2:d1 more j2:d1/m1 j2:d2 end ");
    query = {};
    query.max_bytes = 0;
    CHECK(texts(rows(rig, query)) == "j1:d1 more");
    query = {};
    query.job = "nobody";
    CHECK(texts(rows(rig, query)) == "end");
  }

  TEST_CASE("scheduled jobs: the next start knows those that have not ended") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    for (const char* id : {"z", "ended", "a"}) rig.apply({hub::CreateScheduledJob{job_of(id)}});
    rig.apply({hub::UpdateScheduledJob{"ended", state_of(ScheduledJobStatus::kCancelled, rig.clock.now())}, hub::UpdateScheduledJob{"a", state_of(ScheduledJobStatus::kRunning)}});
    rig.reopen();
    const auto unfinished = rig.store().unfinished_scheduled_jobs();
    REQUIRE(unfinished.ok());
    REQUIRE(unfinished->size() == 2);
    CHECK((*unfinished)[0].id == "z");
    CHECK((*unfinished)[0].start == job_of("z").start);
    CHECK((*unfinished)[0].status == ScheduledJobStatus::kQueued);
    CHECK((*unfinished)[1].id == "a");
    CHECK((*unfinished)[1].status == ScheduledJobStatus::kRunning);
  }

  TEST_CASE("scheduled jobs: ended ones go after 30 days, their rows some at a time, and their ids are free at once") {
    StoreRig rig;
    const auto trim = [&rig] {
      rig.store().trim();
      rig.apply({});  // behind it
    };
    for (const char* id : {"old", "runs"}) rig.apply({hub::CreateScheduledJob{job_of(id)}});
    std::vector<DeviceJob> many;
    for (int i = 0; i < kDeviceJobsPerTrim + 10; ++i) many.push_back(row_of("d" + std::to_string(100'000 + i), DeviceJobStatus::kCompleted));
    rig.apply({hub::PutDeviceJobs{"old", std::move(many)}, hub::PutDeviceJobs{"runs", {row_of("d1")}}});
    rig.apply({hub::UpdateScheduledJob{"old", state_of(ScheduledJobStatus::kCompleted, rig.clock.now())}, hub::UpdateScheduledJob{"runs", state_of(ScheduledJobStatus::kRunning)}});
    rig.clock.advance(hub::kScheduledJobHistory);
    trim();
    CHECK(read(rig, "old"));
    rig.clock.advance(1s);
    trim();
    CHECK_FALSE(read(rig, "old"));
    CHECK(list(rig, {}) == "runs end");
    CHECK(texts(rows(rig, {})) == "runs:d1 end");
    // The new one has none of the rows that are still to be deleted, and loses none of its own.
    rig.apply({hub::CreateScheduledJob{job_of("old")}, hub::PutDeviceJobs{"old", {row_of("d7")}}});
    trim();
    trim();
    CHECK(texts(rows(rig, {})) == "runs:d1 old:d7 end");
  }

  TEST_CASE("scheduled jobs: the oldest ended ones go when there are too many") {
    StoreRig rig;
    std::vector<hub::WriteOperation> operations;
    for (std::size_t i = 0; i < hub::kMaxScheduledJobs + 2; ++i) {
      operations.push_back(hub::CreateScheduledJob{job_of("j" + std::to_string(i))});
      if (i != 0) operations.push_back(hub::UpdateScheduledJob{"j" + std::to_string(i), state_of(ScheduledJobStatus::kFailed, rig.clock.now())});
    }
    rig.apply(std::move(operations));
    rig.store().trim();
    rig.apply({});
    CHECK(read(rig, "j0"));
    CHECK_FALSE(read(rig, "j1"));
    CHECK(read(rig, "j2"));
  }
}

}  // namespace nearhub::store
