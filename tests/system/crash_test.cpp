// kill -9 in the middle of it all: what was acknowledged is there after the next start.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/system/load.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// Each look is a request to the hub.
void await(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!condition()) REQUIRE(std::chrono::steady_clock::now() < deadline);
}

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("crash: acknowledged telemetry is in the stream, and nothing is there more often than it was sent") {
    Site site;
    TelemetryLoad load(site, 4);
    for (const std::size_t acknowledgements : {1u, 30u, 250u, 601u}) {
      CAPTURE(acknowledgements);
      load.begin(200);
      load.await(acknowledgements);
      site.hub().kill_hard();
      load.read_to_end();
      site.start();
      load.check();
    }
  }

  TEST_CASE("crash: a reported patch that was answered 204 is in the twin, and each was applied once") {
    Site site;
    ReportLoad load(site, 4);
    for (const std::size_t answers : {1u, 30u, 250u, 601u}) {
      CAPTURE(answers);
      load.begin(200);
      load.await(answers);
      site.hub().kill_hard();
      load.read_to_end();
      site.start();
      load.check();
    }
  }

  TEST_CASE("crash: a desired patch that was answered 200 is in the twin, and no $version is ever seen with two contents") {
    constexpr int kServices = 3, kPatches = 100;
    Site site;
    site.create("d1");
    std::map<std::int64_t, std::int64_t> seen;  // $version -> n, by anybody
    const auto see = [&seen](std::int64_t version, std::int64_t n) {
      const auto [at, is_new] = seen.emplace(version, n);
      CAPTURE(version);
      CHECK(at->second == n);
    };
    int next = 0;
    for (const std::size_t answers : {1u, 20u, 90u}) {
      CAPTURE(answers);
      auto device = site.connect("d1");
      device->subscribe(1, {{"$iothub/twin/PATCH/properties/desired/#", 0}});
      device->expect<mqtt::Suback>();
      std::vector<std::unique_ptr<RequestLoad>> services;
      for (int i = 0; i < kServices; ++i) {
        std::vector<std::string> requests;
        for (int j = 0; j < kPatches; ++j) requests.push_back(site.request("PATCH", "/twins/d1", R"({"properties":{"desired":{"n":)" + std::to_string(++next) + "}}}"));
        services.push_back(std::make_unique<RequestLoad>(site));
        services.back()->begin(requests);
      }
      services.front()->await(answers);
      site.hub().kill_hard();
      for (const auto& service : services) {
        service->read_to_end();
        for (const std::string& body : service->bodies()) see(number_at(body, {"properties", "desired", "$version"}), number_at(body, {"properties", "desired", "n"}));
        for (const int status : service->statuses()) CHECK(status == 200);
      }
      while (const auto packet = device->next()) {
        const std::string body(std::get<mqtt::Publish>(packet->packet).payload);
        see(number_at(body, {"$version"}), number_at(body, {"n"}));
      }
      site.start();
      const std::string twin = site.api("GET", "/twins/d1").body;
      const std::int64_t version = number_at(twin, {"properties", "desired", "$version"});
      CHECK(version >= seen.rbegin()->first);
      see(version, number_at(twin, {"properties", "desired", "n"}));
    }
    CHECK(seen.size() > 100);
  }

  TEST_CASE("crash: a cloud-to-device message whose sender was told 204 is delivered, in order, and none twice") {
    constexpr int kMessages = 150;
    Site site({"--c2d-queue-depth", "1000"});
    site.create("d1");
    std::vector<std::string> requests;
    for (int i = 0; i < kMessages; ++i) requests.push_back(site.request("POST", "/devices/d1/messages/deviceBound", std::to_string(i)));
    RequestLoad load(site);
    for (const std::size_t answers : {1u, 40u, 149u}) {
      CAPTURE(answers);
      load.begin(requests);
      load.await(answers);
      site.hub().kill_hard();
      load.read_to_end();
      for (const int status : load.statuses()) CHECK(status == 204);
      site.start();
      const std::int64_t queued = number_at(site.api("GET", "/devices/d1").body, {"cloudToDeviceMessageCount"});
      CHECK(queued >= static_cast<std::int64_t>(load.statuses().size()));
      CHECK(queued <= kMessages);
      auto device = site.connect("d1");
      device->subscribe(1, {{"devices/d1/messages/devicebound/#", 1}});
      device->expect<mqtt::Suback>();
      for (std::int64_t i = 0; i < queued; ++i) {
        const auto message = device->expect<mqtt::Publish>();
        CHECK(message.payload == std::to_string(i));
        CHECK_FALSE(message.dup);
        device->send(mqtt::Puback{message.packet_id});
      }
      device->expect_silence();
      CHECK(number_at(site.api("GET", "/devices/d1").body, {"cloudToDeviceMessageCount"}) == 0);
    }
  }

  TEST_CASE("crash: a device whose creation was answered 200 is there, and those behind it can be created again") {
    constexpr int kDevices = 80;
    Site site;
    RequestLoad load(site);
    int round = 0;
    for (const std::size_t answers : {1u, 30u, 79u}) {
      CAPTURE(answers);
      const std::string prefix = "/devices/r" + std::to_string(round++) + "-";
      std::vector<std::string> requests;
      for (int i = 0; i < kDevices; ++i) requests.push_back(site.request("PUT", prefix + std::to_string(i), "{}"));
      load.begin(requests);
      load.await(answers);
      site.hub().kill_hard();
      load.read_to_end();
      const std::vector<int> statuses = load.statuses();
      for (const int status : statuses) CHECK(status == 200);
      site.start();
      load.begin(requests);
      load.await(kDevices);
      for (std::size_t i = 0; i < kDevices; ++i) {
        CAPTURE(i);
        // 409: it is there already.
        if (i < statuses.size()) {
          CHECK(load.statuses()[i] == 409);
        } else {
          CHECK((load.statuses()[i] == 409 || load.statuses()[i] == 200));
        }
      }
    }
  }

  TEST_CASE("crash: an item of a bulk request is there with its twin, or not at all") {
    constexpr int kRequests = 40, kItems = 10;
    Site site;
    RequestLoad load(site);
    int round = 0;
    for (const std::size_t answers : {1u, 15u, 39u}) {
      CAPTURE(answers);
      const std::string prefix = "r" + std::to_string(round++) + "-";
      const auto name = [&prefix](int request, int item) { return prefix + std::to_string(request) + "-" + std::to_string(item); };
      std::vector<std::string> requests;
      for (int r = 0; r < kRequests; ++r) {
        std::string body = "[";
        for (int i = 0; i < kItems; ++i) {
          body += (i == 0 ? "" : ",") + std::string(R"({"id":")") + name(r, i) + R"(","importMode":"create","tags":{"n":)" + std::to_string(i) + "}";
          body += i == 0 ? R"(,"capabilities":{"iotEdge":true}})" : "}";
        }
        requests.push_back(site.request("POST", "/devices", body + "]"));
      }
      load.begin(requests);
      load.await(answers);
      site.hub().kill_hard();
      load.read_to_end();
      for (const int status : load.statuses()) CHECK(status == 200);
      site.start();
      for (int r = 0; r < kRequests; ++r) {
        // Those before the last answer are all there; of the ones behind it a sample will do.
        const bool answered = static_cast<std::size_t>(r) < load.statuses().size();
        for (const int i : {0, 1, kItems - 1}) {
          CAPTURE(name(r, i));
          const HttpAnswer device = site.api("GET", "/devices/" + name(r, i)), twin = site.api("GET", "/twins/" + name(r, i));
          if (answered) CHECK(device.status == 200);
          CHECK(twin.status == device.status);
          if (device.status != 200) continue;
          CHECK(twin.body.find("\"tags\":{\"n\":" + std::to_string(i) + "}") != std::string::npos);
          if (i == 0) CHECK(site.api("GET", "/devices/" + name(r, i) + "/modules/$edgeHub").status == 200);
        }
      }
    }
  }

  TEST_CASE("crash: a job that was cut off is shown as failed, each line of its import whole or absent, and it can be run again") {
    constexpr int kLines = 6000;
    Site site;
    std::filesystem::create_directories(site.data() + "/blobs/in");
    {
      std::ofstream file(site.data() + "/blobs/in/devices.txt");
      for (int i = 0; i < kLines; ++i) file << R"({"id":"d)" << i << R"(","tags":{"n":)" << i << "}" << (i % 10 == 0 ? R"(,"capabilities":{"iotEdge":true}})" : "}") << "\n";
    }
    const auto devices = [&site] { return number_at(site.api("GET", "/statistics/devices").body, {"totalDeviceCount"}); };
    const std::string body = R"({"type":"import","inputBlobContainerUri":"file:///in","outputBlobContainerUri":"file:///in"})";
    REQUIRE(site.api("POST", "/jobs/create", body).status == 200);
    await([&] { return devices() >= 300; });
    site.hub().kill_hard();
    site.start();
    const std::string jobs = site.api("GET", "/jobs").body;
    CHECK(jobs.find(R"("status":"failed")") != std::string::npos);
    CHECK(jobs.find("the hub stopped while the job ran") != std::string::npos);
    CHECK(devices() >= 300);
    CHECK(devices() < kLines);
    int there = 0;
    for (int i = 0; i < kLines; i += 30) {
      const std::string id = "d" + std::to_string(i);
      CAPTURE(id);
      const HttpAnswer twin = site.api("GET", "/twins/" + id);
      CHECK(twin.status == site.api("GET", "/devices/" + id).status);
      if (twin.status != 200) continue;
      ++there;
      CHECK(twin.body.find("\"tags\":{\"n\":" + std::to_string(i) + "}") != std::string::npos);
      CHECK(site.api("GET", "/devices/" + id + "/modules/$edgeAgent").status == 200);
    }
    CHECK(there > 0);

    REQUIRE(site.api("POST", "/jobs/create", body).status == 200);
    await([&] { return site.api("GET", "/jobs").body.find(R"("status":"completed")") != std::string::npos; });
    CHECK(devices() == kLines);
  }

  TEST_CASE("crash: a configuration whose change was answered reaches all its twins, and leaves all, whenever the hub is killed") {
    constexpr int kDevices = 2500;  // a change is answered behind the first thousand
    Site site;
    for (int i = 0; i < kDevices; i += 100) {
      std::string body = "[";
      for (int j = i; j < i + 100; ++j) body += (j == i ? "" : ",") + std::string(R"({"id":"d)") + std::to_string(j) + R"(","tags":{"n":1}})";
      REQUIRE(site.api("POST", "/devices", body + "]").status == 200);
    }
    const auto count = [&site](std::string_view condition) {
      const std::string answer = site.api("POST", "/devices/query", R"({"query":"SELECT COUNT() AS n FROM devices WHERE )" + std::string(condition) + "\"}").body;
      return number_at(answer.substr(1, answer.size() - 2), {"n"});
    };
    RequestLoad load(site);
    const auto change = [&](std::string_view method, std::string_view body, int status) {
      load.begin({site.request(method, "/configurations/all", body)});
      load.await(1);
      site.hub().kill_hard();
      load.read_to_end();
      REQUIRE(load.statuses() == std::vector<int>{status});
      site.start();
    };
    change("PUT", R"({"content":{"deviceContent":{"properties.desired.a":1}},"targetCondition":"tags.n = 1"})", 200);
    await([&] { return count("configurations.[[all]].status = 'Applied'") == kDevices; });
    CHECK(count("properties.desired.a = 1") == kDevices);
    change("DELETE", {}, 204);
    await([&] { return count("IS_DEFINED(configurations)") == 0; });
    // A start behind a sweep that came to its end does nothing again.
    CHECK(site.stop() == 0);
    site.start();
    CHECK(site.hub().log().find("configuration=") == std::string::npos);
  }
}
