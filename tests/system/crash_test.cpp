// kill -9 in the middle of it all: what was acknowledged is there after the next start.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/system/load.h"

using namespace nearhub;
using namespace nearhub::test;

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
}
