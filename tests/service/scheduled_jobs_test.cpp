// Scheduled jobs as clients see them (service-rest.md 4.6 and 5.9).
#include <map>

#include "base/time_format.h"
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

std::string update_body(const std::string& condition, const std::string& update, const std::string& more = {}) {
  return R"({"type":"scheduleUpdateTwin","queryCondition":")" + condition + R"(","updateTwin":)" + update + more + "}";
}

std::string method_body_of(const std::string& condition, const std::string& method, const std::string& more = {}) {
  return R"({"type":"scheduleDeviceMethod","queryCondition":")" + condition + R"(","cloudToDeviceMethod":)" + method + more + "}";
}

// Makes a job and gives it as it ended.
JsonDocument run_job(TestHub& hub, const std::string& id, const std::string& body) {
  const HttpAnswer made = hub.api("PUT", "/jobs/v2/" + id, body);
  INFO("body: ", made.body);
  REQUIRE(made.status == 200);
  CHECK(member(json_of(made), "status") == "\"queued\"");
  JsonDocument job;
  hub.wait_until([&] {
    job = json_of(hub.api("GET", "/jobs/v2/" + id));
    const std::string status = string_member(job, "status");
    return status == "completed" || status == "failed" || status == "cancelled";
  }, "the end of the job");
  return job;
}

JsonDocument rows_of(TestHub& hub, const std::string& id) {
  const HttpAnswer answer = hub.api("POST", "/devices/query", R"({"query":"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = ')" + id + "'\"}");
  CHECK(answer.status == 200);
  CHECK(answer.header("x-ms-item-type") == "DeviceJob");
  return json_of(answer);
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("scheduled jobs: a twin update over a condition, from its request to the rows of its devices") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) hub.create(id);
    for (const char* id : {"d1", "d2"}) CHECK(hub.api("PATCH", "/twins/" + std::string(id), R"({"tags":{"floor":2,"old":1}})").status == 200);
    const JsonDocument job = run_job(hub, "job-1", update_body("tags.floor = 2", R"({"etag":"*","tags":{"old":null},"properties":{"desired":{"interval":30.0},"reported":{}}})", R"(,"maxExecutionTimeInSeconds":60)"));
    CHECK(member(job, "jobId") == "\"job-1\"");
    CHECK(member(job, "type") == "\"scheduleUpdateTwin\"");
    CHECK(member(job, "status") == "\"completed\"");
    CHECK(member(job, "queryCondition") == "\"tags.floor = 2\"");
    CHECK(member(job, "maxExecutionTimeInSeconds") == "60");
    CHECK(member(job, "updateTwin/etag") == "\"*\"");
    CHECK(member(job, "updateTwin/tags/old") == "null");
    CHECK(member(job, "cloudToDeviceMethod") == "absent");
    CHECK(member(job, "failureReason") == "absent");
    CHECK(member(job, "deviceJobStatistics") == R"({"deviceCount":2,"failedCount":0,"succeededCount":2,"runningCount":0,"pendingCount":0})");
    for (const char* time : {"createdTime", "startTime", "endTime"}) CHECK(parse_iso8601(string_member(job, time)));
    const JsonDocument twin = json_of(hub.api("GET", "/twins/d2"));
    CHECK(member(twin, "tags") == R"({"floor":2})");
    CHECK(member(twin, "properties/desired/interval") == "30.0");
    CHECK(member(json_of(hub.api("GET", "/twins/d3")), "properties/desired/interval") == "absent");
    const JsonDocument rows = rows_of(hub, "job-1");
    REQUIRE(rows.Size() == 2);
    CHECK(member(rows[0], "deviceId") == "\"d1\"");
    CHECK(member(rows[0], "jobType") == "\"scheduleUpdateTwin\"");
    CHECK(member(rows[0], "status") == "\"completed\"");
    CHECK(member(rows[0], "outcome") == "absent");
    CHECK(member(rows[0], "error") == "absent");
    for (const char* time : {"startTimeUtc", "endTimeUtc", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"}) CHECK(parse_iso8601(string_member(rows[0], time)));
  }

  TEST_CASE("scheduled jobs: a method's outcome, and who could not be called") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    hub.create("d2");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
    device->expect<mqtt::Suback>();
    CHECK(hub.api("PUT", "/jobs/v2/boot", method_body_of("*", R"({"methodName":"reboot","payload":{"delay":1.50},"responseTimeoutInSeconds":20})")).status == 200);
    const auto call = device->expect<mqtt::Publish>();
    CHECK(call.topic == "$iothub/methods/POST/reboot/?$rid=1");
    CHECK(call.payload == R"({"delay":1.50})");
    CHECK(member(json_of(hub.api("GET", "/jobs/v2/boot")), "status") == "\"running\"");
    CHECK(e1(hub.api("POST", "/jobs/v2/boot/cancel")) == "405 OperationNotAllowedInCurrentState: job boot is running, only a job that is queued or scheduled can be cancelled");
    device->send(mqtt::Publish{.topic = "$iothub/methods/res/207/?$rid=1", .payload = R"({"ok":1.0})"});
    JsonDocument job;
    hub.wait_until([&] {
      job = json_of(hub.api("GET", "/jobs/v2/boot"));
      return member(job, "status") == "\"completed\"";
    }, "the end of the job");
    CHECK(hub.api("GET", "/jobs/v2/boot").body.find(R"("cloudToDeviceMethod":{"methodName":"reboot","payload":{"delay":1.50},"responseTimeoutInSeconds":20,"connectTimeoutInSeconds":0})") != std::string::npos);
    CHECK(member(job, "updateTwin") == "absent");
    CHECK(member(job, "deviceJobStatistics") == R"({"deviceCount":2,"failedCount":1,"succeededCount":1,"runningCount":0,"pendingCount":0})");
    const JsonDocument rows = rows_of(hub, "boot");
    REQUIRE(rows.Size() == 2);
    CHECK(member(rows[0], "outcome") == R"({"deviceMethodResponse":{"status":207,"payload":{"ok":1.0}}})");
    CHECK(member(rows[1], "status") == "\"failed\"");
    CHECK(member(rows[1], "error") == R"({"code":"DeviceNotOnline","description":"d2 is not connected"})");
    const HttpAnswer failed = hub.api("POST", "/devices/query", R"({"query":"SELECT * FROM devices.jobs WHERE devices.jobs.deviceId = 'd2' AND devices.jobs.status = 'failed'"})");
    CHECK(json_of(failed).Size() == 1);
    const JsonDocument modules = run_job(hub, "modules", method_body_of("FROM devices.modules WHERE moduleId = 'm1'", R"({"methodName":"m"})"));
    CHECK(member(modules, "deviceJobStatistics/failedCount") == "1");
    const JsonDocument module_rows = rows_of(hub, "modules");
    REQUIRE(module_rows.Size() == 1);
    CHECK(member(module_rows[0], "moduleId") == "\"m1\"");
  }

  TEST_CASE("scheduled jobs: a wrong condition is taken, and fails the job") {
    TestHub hub;
    const JsonDocument job = run_job(hub, "wrong", update_body("tags.floor LIKE 2", R"({"tags":{"a":1}})"));
    CHECK(member(job, "status") == "\"failed\"");
    CHECK(string_member(job, "failureReason").starts_with("queryCondition: column 12: "));
  }

  TEST_CASE("scheduled jobs: a request that cannot be carried out is refused, and no job is made") {
    TestHub hub;
    const std::string update = R"({"tags":{"a":1}})", method = R"({"methodName":"m"})";
    const auto refusal = [&hub](const std::string& body) { return e1(hub.api("PUT", "/jobs/v2/j", body)); };
    for (const std::string& body :
         {std::string("{"), std::string("[]"), std::string("{}"), std::string(R"({"type":"scheduleTwinUpdate","queryCondition":"*"})"), std::string(R"({"type":"export"})"),
          std::string(R"({"type":"scheduleUpdateTwin","updateTwin":{"tags":{"a":1}}})"), update_body("", update), update_body(" ", update), update_body("*", "null"), update_body("*", "[]"),
          update_body("*", R"({"tags":5})"), update_body("*", R"({"desired":{"a":1}})"), update_body("*", R"({"etag":"AAAAAAAAAAE=","tags":{"a":1}})"),
          update_body("*", update, R"(,"startTime":"tomorrow")"), update_body("*", update, R"(,"startTime":5)"), update_body("*", update, R"(,"maxExecutionTimeInSeconds":-1)"),
          update_body("*", update, R"(,"maxExecutionTimeInSeconds":1.5)"), update_body("*", update, R"(,"maxExecutionTimeInSeconds":"1")"),
          update_body("*", update, R"(,"maxExecutionTimeInSeconds":2592001)"), update_body("*", update, R"(,"jobId":"other")"), method_body_of("*", "{}"), method_body_of("*", "5"),
          method_body_of("*", R"({"methodName":"a/b"})"), method_body_of("*", R"({"methodName":"m","responseTimeoutInSeconds":1})"), std::string(R"({"type":"scheduleDeviceMethod","queryCondition":"*"})")}) {
      CAPTURE(body);
      CHECK(refusal(body).starts_with("400 ArgumentInvalid: "));
    }
    CHECK(refusal(update_body("*", update, R"(,"startTime":")" + format_iso8601(hub.clock().now() + std::chrono::hours{169}) + "\"")).find("more than 168 hours ahead") != std::string::npos);
    CHECK(refusal(R"({"type":"scheduleUpdateTwin","updateTwin":{"tags":{"a":1}}})") ==
          "400 ArgumentInvalid: queryCondition is missing: say which devices, \"deviceId IN ['d1','d2']\" or \"tags.floor = 2\", * for all");
    const auto tags = [](const std::string& value) { return R"({"tags":)" + value + "}"; };
    CHECK(refusal(update_body("*", tags(R"({"a.b":1})"))).starts_with("400 ArgumentInvalid: updateTwin: tags: the name \"a.b\" contains '.'"));
    CHECK(refusal(update_body("*", tags(R"({"a":4503599627370496})"))).starts_with("400 ArgumentInvalid: updateTwin: tags.a is 4503599627370496"));
    CHECK(refusal(update_body("*", tags(R"({"1":{"2":{"3":{"4":{"5":{"6":{"7":{"8":{"9":{"10":{"11":{}}}}}}}}}}}})"))).find("nested 11 levels deep") != std::string::npos);
    const std::string part = "\"" + std::string(3000, 'x') + "\"";
    CHECK(refusal(update_body("*", tags(R"({"a":)" + part + R"(,"b":)" + part + R"(,"c":)" + part + "}"))).starts_with("400 ArgumentInvalid: updateTwin: tags"));
    for (const char* id : {"query", "a_b", "a.b", "a%20b", "0123456789012345678901234567890123456789012345678901234567890123X"}) {
      CAPTURE(id);
      CHECK(e1(hub.api("PUT", "/jobs/v2/" + std::string(id), update_body("*", update))).starts_with("400 ArgumentInvalid: "));
    }
    CHECK(hub.api("GET", "/jobs/v2/query").body == "[]");
    CHECK(newest_refusal(hub).starts_with("PUT /jobs/v2/"));
  }

  TEST_CASE("scheduled jobs: what clients leave out or send as null") {
    TestHub hub;
    hub.create("d1");
    const JsonDocument job = run_job(hub, "JobTest'1", R"({"jobId":"JobTest'1","type":"scheduleUpdateTwin","cloudToDeviceMethod":null,"updateTwin":{"deviceId":"x","etag":"\"*\"","tags":{"a":1}},"queryCondition":"*","startTime":null,"maxExecutionTimeInSeconds":null})");
    CHECK(member(job, "status") == "\"completed\"");
    CHECK(member(job, "maxExecutionTimeInSeconds") == "3600");
    CHECK(member(run_job(hub, "past", update_body("*", R"({"tags":{"b":1}})", R"(,"startTime":"2020-01-01T00:00:00Z","maxExecutionTimeInSeconds":0)")), "maxExecutionTimeInSeconds") == "3600");
    CHECK(e1(hub.api("PUT", "/jobs/v2/past", update_body("*", R"({"tags":{"b":1}})"))).starts_with("409 JobAlreadyExists: "));
  }

  TEST_CASE("scheduled jobs: one that is unknown is no 404, but cannot be cancelled") {
    TestHub hub;
    const HttpAnswer unknown = hub.api("GET", "/jobs/v2/nobody");
    CHECK(unknown.status == 200);
    CHECK(unknown.body == R"({"jobId":"nobody","type":"unknown","status":"unknown"})");
    CHECK(e1(hub.api("POST", "/jobs/v2/nobody/cancel")) == "404 JobNotFound: nobody");
  }

  TEST_CASE("scheduled jobs: one waits for its time on the hub's clock, and may be cancelled until then") {
    TestHub hub;
    hub.create("d1");
    const std::string start = R"(,"startTime":")" + format_iso8601(hub.clock().now() + std::chrono::hours{3}) + "\"";
    for (const char* id : {"a", "b"}) CHECK(member(json_of(hub.api("PUT", "/jobs/v2/" + std::string(id), update_body("*", R"({"tags":{")" + std::string(id) + "\":1}}", start))), "status") == "\"queued\"");
    CHECK(member(json_of(hub.api("GET", "/jobs/v2/a")), "status") == "\"scheduled\"");
    const HttpAnswer cancelled = hub.api("POST", "/jobs/v2/a/cancel", "{}");
    CHECK(cancelled.status == 200);
    CHECK(member(json_of(cancelled), "status") == "\"cancelled\"");
    CHECK(parse_iso8601(string_member(json_of(cancelled), "endTime")));
    CHECK(e1(hub.api("POST", "/jobs/v2/a/cancel")).starts_with("405 OperationNotAllowedInCurrentState: job a is cancelled"));
    hub.advance(std::chrono::hours{3} + std::chrono::seconds{1});
    hub.wait_until([&] { return member(json_of(hub.api("GET", "/jobs/v2/b")), "status") == "\"completed\""; }, "the end of the job");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "tags") == R"({"b":1})");
  }

  TEST_CASE("scheduled jobs: the list is an array, filtered, in pages, the latest first") {
    TestHub hub;
    const std::string later = R"(,"startTime":")" + format_iso8601(hub.clock().now() + std::chrono::hours{1}) + "\"";
    for (const char* id : {"u1", "u2", "u3"}) CHECK(hub.api("PUT", "/jobs/v2/" + std::string(id), update_body("*", R"({"tags":{"a":1}})", later)).status == 200);
    CHECK(hub.api("PUT", "/jobs/v2/m1", method_body_of("*", R"({"methodName":"m"})", later)).status == 200);
    CHECK(hub.api("POST", "/jobs/v2/u2/cancel").status == 200);
    const auto list = [&hub](const std::string& query, const HttpClient::Headers& headers = {}) {
      const HttpAnswer answer = hub.api("GET", "/jobs/v2/query" + query, {}, headers);
      CHECK(answer.header("x-ms-item-type") == "JobResponse");
      std::string text;
      const JsonDocument jobs = json_of(answer);
      for (const JsonValue& job : jobs.GetArray()) text += string_member(job, "jobId") + " ";
      return std::pair{text, answer.header("x-ms-continuation")};
    };
    CHECK(list("").first == "m1 u3 u2 u1 ");
    CHECK(list("").second == "");
    CHECK(list("?jobType=scheduleDeviceMethod").first == "m1 ");
    CHECK(list("?jobStatus=cancelled").first == "u2 ");
    CHECK(list("?jobType=scheduleUpdateTwin&jobStatus=scheduled").first == "u3 u1 ");
    CHECK(list("?jobType=export").first == "");
    CHECK(list("?jobStatus=unknown").first == "");
    const auto first = list("?jobType=scheduleUpdateTwin", {{"x-ms-max-item-count", "2"}});
    CHECK(first.first == "u3 u2 ");
    REQUIRE(first.second != "");
    const auto second = list("?jobType=scheduleUpdateTwin", {{"x-ms-max-item-count", "2"}, {"x-ms-continuation", first.second}});
    CHECK(second.first == "u1 ");
    CHECK(second.second == "");
    CHECK(e1(hub.api("GET", "/jobs/v2/query", {}, {{"x-ms-continuation", first.second}})).starts_with("400 ArgumentInvalid: "));
    CHECK(e1(hub.api("GET", "/jobs/v2/query", {}, {{"x-ms-continuation", "nonsense"}})).starts_with("400 ArgumentInvalid: "));
  }

  TEST_CASE("scheduled jobs: rows of devices.jobs come in pages too") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) hub.create(id);
    for (const char* id : {"j1", "j2"}) CHECK(member(run_job(hub, id, update_body("*", R"({"tags":{"a":1}})")), "status") == "\"completed\"");
    std::map<std::string, int> seen;
    std::string continuation;
    int pages = 0;
    do {
      HttpClient::Headers headers = {{"x-ms-max-item-count", "2"}};
      if (!continuation.empty()) headers.emplace_back("x-ms-continuation", continuation);
      const HttpAnswer answer = hub.api("POST", "/devices/query", R"({"query":"SELECT * FROM devices.jobs"})", headers);
      REQUIRE(answer.status == 200);
      const JsonDocument rows = json_of(answer);
      for (const JsonValue& row : rows.GetArray()) ++seen[string_member(row, "jobId") + string_member(row, "deviceId")];
      continuation = answer.header("x-ms-continuation");
      REQUIRE(++pages <= 4);
    } while (!continuation.empty());
    CHECK(seen.size() == 6);
    for (const auto& [row, times] : seen) CHECK(times == 1);
    CHECK(rows_of(hub, "nobody").Size() == 0);
  }

  TEST_CASE("scheduled jobs: many devices at once, on all loops") {
    TestHub hub;
    constexpr int kDevices = 300;
    for (int from = 0; from < kDevices; from += 100) {
      std::string body = "[";
      for (int i = from; i < from + 100; ++i) body += (i == from ? "" : ",") + std::string(R"({"id":"d)") + std::to_string(i) + R"(","importMode":"create"})";
      REQUIRE(hub.api("POST", "/devices", body + "]").status == 200);
    }
    const JsonDocument job = run_job(hub, "all", update_body("STARTSWITH(deviceId, 'd')", R"({"properties":{"desired":{"n":1}}})"));
    CHECK(member(job, "deviceJobStatistics/succeededCount") == "300");
    const HttpAnswer count = hub.api("POST", "/devices/query", R"({"query":"SELECT COUNT() AS n FROM devices WHERE properties.desired.n = 1"})");
    CHECK(count.body == R"([{"n":300}])");
  }
}

}  // namespace nearhub::test
