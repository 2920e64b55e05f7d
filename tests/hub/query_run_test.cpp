#include "hub/query_run.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hub/continuation.h"
#include "tests/hub/shard_rig.h"
#include "twin/twin.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

SharedQuery query_of(std::string_view text) {
  auto parsed = twin::query::parse_query(text);
  REQUIRE(std::holds_alternative<twin::query::Query>(parsed));
  return std::make_shared<const twin::query::Query>(std::get<twin::query::Query>(std::move(parsed)));
}

SharedQuery condition_of(std::string_view text, twin::query::Source source = twin::query::Source::kDevices) {
  auto parsed = twin::query::parse_condition(source, text);
  REQUIRE(std::holds_alternative<twin::query::Query>(parsed));
  return std::make_shared<const twin::query::Query>(std::get<twin::query::Query>(std::move(parsed)));
}

template <typename T>
Result<T> wait(ShardRig& rig, const std::function<void(Answer<T>)>& ask) {
  std::optional<Result<T>> answer;
  ask([&answer](Result<T> got) { answer.emplace(std::move(got)); });
  rig.settle();
  REQUIRE(answer);
  return std::move(*answer);
}

Result<QueryPage> ask(ShardRig& rig, std::string_view text, std::size_t rows = 100, std::string continuation = {}) {
  return wait<QueryPage>(rig, [&](Answer<QueryPage> answer) {
    run_query(rig.hub(), rig.executor, {query_of(text), rows, std::move(continuation)}, nullptr, std::move(answer));
  });
}

std::string rows(ShardRig& rig, std::string_view text) { return ask(rig, text).value().json; }

std::string selected(ShardRig& rig, SharedQuery query, IdentityId after, std::size_t limit) {
  const auto page = wait<IdentityPage>(rig, [&](Answer<IdentityPage> answer) {
    select_identities(rig.hub(), rig.executor, std::move(query), std::move(after), limit, std::move(answer));
  });
  std::string text;
  for (const IdentityId& id : page.value().identities) text += id.text() + " ";
  return text + (page->more ? "more" : "end");
}

std::uint64_t counted(ShardRig& rig, SharedQuery query) {
  return wait<std::uint64_t>(rig, [&](Answer<std::uint64_t> answer) { count_rows(rig.hub(), rig.executor, std::move(query), std::move(answer)); }).value();
}

void tag(ShardRig& rig, std::string_view id, std::string_view tags) {
  twin::Update update;
  update.tags = twin::parse_value(tags).value();
  std::optional<Result<TwinView>> done;
  rig.shard().update_twin(id_of(id), std::move(update), false, {}, [&done](Result<TwinView> view) { done.emplace(std::move(view)); });
  rig.settle();
  REQUIRE(done->ok());
}

void fill(ShardRig& rig) {
  for (const char* id : {"d1", "d2", "d3", "d4", "d1/m1", "d3/m1"}) rig.create(id);
  tag(rig, "d1", R"({"floor":1})");
  tag(rig, "d2", R"({"floor":2})");
  tag(rig, "d4", R"({"floor":2})");
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("queries: only what the running hub knows is asked for, and only of rows that need it") {
    ShardRig rig;
    fill(rig);
    FakeLink link(rig.shard());
    rig.connect("d2", link);
    rig.store.reads.clear();
    CHECK(rows(rig, "SELECT deviceId FROM devices WHERE tags.floor = 2") == R"([{"deviceId":"d2"},{"deviceId":"d4"}])");
    CHECK(rig.store.reads == std::vector<std::string>{"scan behind "});
    rig.store.reads.clear();
    // The second step judges what was held.
    CHECK(rows(rig, "SELECT deviceId FROM devices WHERE tags.floor = 2 AND connectionState = 'Connected'") == R"([{"deviceId":"d2"}])");
    CHECK(rig.store.reads == std::vector<std::string>{"scan behind ", "scan behind d4"});
    CHECK(rows(rig, "SELECT deviceId, connectionState AS c FROM devices WHERE tags.floor = 2") ==
          R"([{"deviceId":"d2","c":"Connected"},{"deviceId":"d4","c":"Disconnected"}])");
    CHECK(rows(rig, "SELECT * FROM devices WHERE deviceId = 'd2'") == "[" + rig.twin_json("d2") + "]");
  }

  TEST_CASE("queries: tokens name the last row, and TOP goes on counting") {
    ShardRig rig;
    fill(rig);
    const auto first = ask(rig, "SELECT TOP 3 deviceId FROM devices", 2);
    CHECK(first->json == R"([{"deviceId":"d1"},{"deviceId":"d2"}])");
    const auto token = decode_continuation(first->continuation, "SELECT TOP 3 deviceId FROM devices");
    REQUIRE(token.ok());
    CHECK(token->after.device.str() == "d2");
    CHECK(token->remaining == 1u);
    const auto second = ask(rig, "SELECT TOP 3 deviceId FROM devices", 2, first->continuation);
    CHECK(second->json == R"([{"deviceId":"d3"}])");
    CHECK(second->continuation == "");
    CHECK(ask(rig, "SELECT deviceId FROM devices", 2, first->continuation).error().code == ErrorCode::kArgumentInvalid);
    CHECK(ask(rig, "SELECT deviceId FROM devices", 2, "nonsense").error().code == ErrorCode::kArgumentInvalid);
  }

  TEST_CASE("queries: pages of rows that are held are full, too, and the next one goes on behind them") {
    ShardRig rig;
    fill(rig);
    for (const char* text : {"SELECT * FROM devices", "SELECT deviceId, connectionState FROM devices WHERE connectionState = 'Disconnected'",
                             "SELECT * FROM devices WHERE deviceId IN ['d1', 'd2', 'd3', 'd4']"}) {
      CAPTURE(text);
      const auto first = ask(rig, text, 3);
      CHECK(first->json.find("\"d3\"") != std::string::npos);
      REQUIRE(first->continuation != "");
      CHECK(decode_continuation(first->continuation, text)->after.device.str() == "d3");
      const auto second = ask(rig, text, 3, first->continuation);
      CHECK(second->json.starts_with(R"([{"deviceId":"d4",)"));
      CHECK(second->continuation == "");
      // A page that is full with the last row is the last page.
      CHECK(ask(rig, text, 4)->continuation == "");
    }
    CHECK(ask(rig, "SELECT TOP 2 * FROM devices", 3)->continuation == "");
    CHECK(ask(rig, "SELECT TOP 2 * FROM devices", 3)->json.find("\"d3\"") == std::string::npos);
  }

  TEST_CASE("queries: identities that match, page by page, and how many there are") {
    ShardRig rig;
    fill(rig);
    CHECK(selected(rig, condition_of("*"), {}, 3) == "d1 d2 d3 more");
    CHECK(selected(rig, condition_of("*"), {DeviceId("d3"), {}}, 3) == "d4 end");
    CHECK(selected(rig, condition_of("tags.floor = 2"), {}, 10) == "d2 d4 end");
    CHECK(selected(rig, condition_of("tags.floor = 2 AND connectionState = 'Disconnected'"), {}, 1) == "d2 more");
    CHECK(selected(rig, condition_of("*", twin::query::Source::kModules), {}, 10) == "d1/m1 d3/m1 end");
    CHECK(selected(rig, query_of("SELECT COUNT() FROM devices WHERE tags.floor = 1"), {}, 10) == "d1 end");
    CHECK(counted(rig, condition_of("*")) == 4);
    CHECK(counted(rig, condition_of("tags.floor > 1")) == 2);
    CHECK(counted(rig, condition_of("connectionState = 'Disconnected'")) == 4);
    CHECK(counted(rig, query_of("SELECT deviceId FROM devices.modules WHERE deviceId = 'd1'")) == 1);
    CHECK(counted(rig, query_of("SELECT TOP 3 * FROM devices")) == 3);
    CHECK(counted(rig, query_of("SELECT tags.floor, COUNT() AS n FROM devices GROUP BY tags.floor")) == 3);
    const auto jobs = wait<std::uint64_t>(rig, [&](Answer<std::uint64_t> answer) {
      count_rows(rig.hub(), rig.executor, query_of("SELECT * FROM devices.jobs"), std::move(answer));
    });
    CHECK(jobs.error().code == ErrorCode::kInvalidOperation);
  }

  TEST_CASE("queries: a member may stand on both sides") {
    ShardRig rig;
    fill(rig);
    for (const std::string condition : {"statusUpdateTime = statusUpdateTime", "lastActivityTime <= lastActivityTime", "STARTSWITH(statusUpdateTime, statusUpdateTime)",
                                  "etag = etag AND deviceEtag = deviceEtag", "version + version = 2 * version",
                                  "IS_NULL(x509Thumbprint.primaryThumbprint) AND x509Thumbprint.primaryThumbprint = x509Thumbprint.secondaryThumbprint"}) {
      CAPTURE(condition);
      CHECK(counted(rig, condition_of(condition)) == 4);
    }
  }

  TEST_CASE("queries: a twin in memory is asked whether it matches, changes that are not stored yet included") {
    ShardRig rig;
    fill(rig);
    const auto matches = [&rig](const char* id, std::string_view condition) {
      return wait<bool>(rig, [&](Answer<bool> answer) { rig.shard().match_twin({DeviceId(id), {}}, condition_of(condition), std::move(answer)); });
    };
    CHECK(matches("d1", "tags.floor = 1").value());
    CHECK(!matches("d1", "tags.floor = 2").value());
    CHECK(!matches("d3", "tags.floor = 1").value());
    CHECK(matches("d3", "connectionState = 'Disconnected' AND properties.desired.$version = 1").value());
    CHECK(matches("none", "*").error().code == ErrorCode::kDeviceNotFound);
    FakeLink link(rig.shard());
    rig.connect("d3", link);
    CHECK(matches("d3", "connectionState = 'Connected'").value());
  }

  TEST_CASE("queries: a row that was read before its device was deleted and made again has nothing of the new one's life") {
    ShardRig rig;
    fill(rig);
    rig.store.hold_reads();
    std::optional<Result<QueryPage>> answer;
    run_query(rig.hub(), rig.executor, {query_of("SELECT deviceId, connectionState, cloudToDeviceMessageCount, lastActivityTime FROM devices WHERE tags.floor = 2"), 100, {}},
              nullptr, [&answer](Result<QueryPage> page) { answer.emplace(std::move(page)); });
    // The step has read its rows; its answer is on its way.
    rig.store.pass_reads();
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d2"), {Condition::kAny, {}}, deleted.answer());
    rig.settle();
    CHECK(deleted.succeeded());
    rig.advance(1ms);  // generations are times
    rig.create("d2");
    FakeLink new_one(rig.shard());
    FakeLink same(rig.shard());
    rig.connect("d2", new_one);
    rig.connect("d4", same);
    Reply<std::uint64_t> sent;
    rig.send("d2", "for the new one", sent);
    rig.store.release_reads();
    rig.settle();
    REQUIRE(answer);
    const std::string& rows = (*answer)->json;
    CAPTURE(rows);
    CHECK(rows.starts_with(R"([{"deviceId":"d2","connectionState":"Disconnected","cloudToDeviceMessageCount":0,"lastActivityTime":"0001-01-01T00:00:00Z"},{"deviceId":"d4","connectionState":"Connected",)"));
  }

  TEST_CASE("queries: many at once are refused, and a place is free again when one ends") {
    ShardRig rig;
    fill(rig);
    rig.store.hold_reads();
    std::vector<std::optional<Result<QueryPage>>> answers(kMaxQueriesAtOnce + 1);
    for (auto& answer : answers) {
      run_query(rig.hub(), rig.executor, {query_of("SELECT deviceId FROM devices"), 100, {}}, nullptr,
                [&answer](Result<QueryPage> page) { answer.emplace(std::move(page)); });
    }
    REQUIRE(answers.back());
    CHECK(answers.back()->error().code == ErrorCode::kThrottlingException);
    CHECK(!answers.front());
    rig.store.release_reads();
    rig.settle();
    for (std::size_t i = 0; i < kMaxQueriesAtOnce; ++i) CHECK(answers[i].value().ok());
    CHECK(rig.hub().queries() == 0);
    CHECK(rows(rig, "SELECT COUNT() AS n FROM devices") == R"([{"n":4}])");
  }

  TEST_CASE("queries: one that nobody waits for any more ends at its next step, and one that cannot read says so") {
    ShardRig rig;
    fill(rig);
    bool answered = false;
    run_query(rig.hub(), rig.executor, {query_of("SELECT * FROM devices"), 100, {}}, [] { return false; }, [&](Result<QueryPage>) { answered = true; });
    rig.settle();
    CHECK(!answered);
    CHECK(rig.hub().queries() == 0);
    rig.store.break_reads();
    CHECK(ask(rig, "SELECT * FROM devices").error().code == ErrorCode::kIo);
  }

  TEST_CASE("queries: rows of jobs come from whoever has them") {
    struct Jobs final : JobRows {
      JobRowFilter asked;
      void read_job_rows(JobRowFilter filter, std::string after, std::size_t limit, Executor& executor, Answer<Chunk> answer) override {
        asked = std::move(filter);
        Chunk chunk;
        for (const char* key : {"1", "2", "3", "4", "5"}) {
          if (key <= after) continue;
          if (chunk.rows.size() == std::min<std::size_t>(limit, 2)) {
            chunk.at_end = false;
            break;
          }
          chunk.rows.emplace_back(key, std::string("{\"jobId\":\"j") + key + "\",\"status\":\"" + (*key == '3' ? "failed" : "completed") + "\"}");
        }
        executor.post([answer = std::move(answer), chunk = std::move(chunk)]() mutable { answer(std::move(chunk)); });
      }
    } jobs;
    ShardRig without;
    CHECK(rows(without, "SELECT * FROM devices.jobs") == "[]");
    ShardRig rig([&jobs](Hub::Shared& shared) { shared.job_rows = &jobs; });
    CHECK(rows(rig, "SELECT * FROM devices.jobs WHERE status = 'failed'") == R"([{"jobId":"j3","status":"failed"}])");
    const auto first = ask(rig, "SELECT * FROM devices.jobs WHERE status = 'completed'", 3);
    CHECK(first->json == R"([{"jobId":"j1","status":"completed"},{"jobId":"j2","status":"completed"},{"jobId":"j4","status":"completed"}])");
    const auto second = ask(rig, "SELECT * FROM devices.jobs WHERE status = 'completed'", 3, first->continuation);
    CHECK(second->json == R"([{"jobId":"j5","status":"completed"}])");
    CHECK(second->continuation == "");
    CHECK(ask(rig, "SELECT TOP 1 * FROM devices.jobs")->continuation == "");
    CHECK(jobs.asked.job == "");
    CHECK(rows(rig, "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j2' AND status = 'completed'") == R"([{"jobId":"j2","status":"completed"}])");
    CHECK(jobs.asked.job == "j2");
    CHECK(rows(rig, "SELECT * FROM devices.jobs WHERE deviceId = 'd1' AND (jobId = 'j1' OR jobId = 'j2')") == "[]");
    CHECK(jobs.asked.job == "");
    CHECK(jobs.asked.device == "d1");
  }
}
