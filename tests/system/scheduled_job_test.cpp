// Scheduled jobs across stops and kill -9: they go on, and no method is called twice.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>

#include "base/time_format.h"
#include "tests/system/site.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// Each look is a request to the hub.
void until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!condition()) REQUIRE(std::chrono::steady_clock::now() < deadline);
}

std::string numbered(int i) { return "d" + std::to_string(10'000 + i); }

void create_many(Site& site, int count) {
  for (int from = 0; from < count; from += 100) {
    std::string body = "[";
    for (int i = from; i < std::min(from + 100, count); ++i) body += (i == from ? "" : ",") + std::string(R"({"id":")") + numbered(i) + R"(","importMode":"create"})";
    REQUIRE(site.api("POST", "/devices", body + "]").status == 200);
  }
}

std::string job(Site& site, const std::string& id) { return site.api("GET", "/jobs/v2/" + id).body; }
bool has_status(Site& site, const std::string& id, const std::string& status) { return job(site, id).find("\"status\":\"" + status + "\"") != std::string::npos; }
std::int64_t count(Site& site, const std::string& id, std::string_view name) { return number_at(job(site, id), {"deviceJobStatistics", name}); }

const std::string kMethodJob =
    R"({"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{"methodName":"reboot","responseTimeoutInSeconds":300,"connectTimeoutInSeconds":300}})";

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("scheduled jobs: one with a start time survives a stop and a crash, and begins on the hub's clock") {
    Site site({"--test-clock"});
    site.create("d1");
    const std::string start = format_iso8601(SystemClock().now() + std::chrono::minutes{30});
    REQUIRE(site.api("PUT", "/jobs/v2/later", R"({"type":"scheduleUpdateTwin","queryCondition":"*","startTime":")" + start + R"(","updateTwin":{"tags":{"a":1}}})").status == 200);
    CHECK(site.stop() == 0);
    site.start();
    CHECK(has_status(site, "later", "scheduled"));
    site.hub().kill_hard();
    site.start();
    CHECK(has_status(site, "later", "scheduled"));
    CHECK(site.api("GET", "/twins/d1").body.find("tags") == std::string::npos);
    REQUIRE(site.api("POST", "/_nearhub/clock", R"({"advanceSeconds":1801})").status == 204);
    until([&] { return has_status(site, "later", "completed"); });
    CHECK(site.api("GET", "/twins/d1").body.find(R"("tags":{"a":1})") != std::string::npos);
  }

  TEST_CASE("scheduled jobs: a twin update that kill -9 cut off is carried through") {
    constexpr int kDevices = 2500;
    Site site;
    create_many(site, kDevices);
    REQUIRE(site.api("PUT", "/jobs/v2/all", R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}}})").status == 200);
    for (const std::int64_t done : {1, 700}) {
      until([&] { return count(site, "all", "succeededCount") >= done; });
      site.hub().kill_hard();
      site.start();
      CHECK(count(site, "all", "deviceCount") == kDevices);
    }
    until([&] { return has_status(site, "all", "completed"); });
    CHECK(count(site, "all", "succeededCount") == kDevices);
    CHECK(site.api("POST", "/devices/query", R"({"query":"SELECT COUNT() AS n FROM devices WHERE tags.a = 1"})").body == "[{\"n\":2500}]");
  }

  TEST_CASE("scheduled jobs: a method whose outcome a crash or a stop has lost is not called again, and the others are") {
    constexpr int kDevices = 200;
    Site site;
    create_many(site, kDevices);
    REQUIRE(site.api("PUT", "/jobs/v2/boot", kMethodJob).status == 200);
    until([&] { return count(site, "boot", "runningCount") == 100; });
    site.hub().kill_hard();
    site.start();
    until([&] { return count(site, "boot", "failedCount") == 100 && count(site, "boot", "runningCount") == 100; });
    const auto connect = [&site](const std::string& id) {
      auto device = site.connect(id);
      device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
      device->expect<mqtt::Suback>();
      return device;
    };
    connect(numbered(100))->expect<mqtt::Publish>();  // and it leaves without an answer
    CHECK(site.stop() == 0);
    site.start();
    until([&] { return count(site, "boot", "failedCount") == 101 && count(site, "boot", "runningCount") == 99; });
    auto called = connect(numbered(0));
    auto called_before_stop = connect(numbered(100));
    auto last = connect(numbered(kDevices - 1));
    CHECK(last->expect<mqtt::Publish>().topic == "$iothub/methods/POST/reboot/?$rid=1");
    last->send(mqtt::Publish{.topic = "$iothub/methods/res/200/?$rid=1", .payload = "{}"});
    until([&] { return count(site, "boot", "succeededCount") == 1; });
    called->expect_silence();
    called_before_stop->expect_silence();
    for (const std::string& id : {numbered(0), numbered(100)}) {
      const std::string row = site.api("POST", "/devices/query", R"({"query":"SELECT * FROM devices.jobs WHERE jobId = 'boot' AND deviceId = ')" + id + "'\"}").body;
      CHECK(row.find(R"("code":"ServiceUnavailable")") != std::string::npos);
      CHECK(row.find("not called again") != std::string::npos);
    }
  }
}
