// SIGTERM: what was taken is acknowledged and stored before the hub ends.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/system/load.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("system") {
  TEST_CASE("stop: under load, what is in the stream and what was acknowledged are the same") {
    for (const std::size_t acknowledgements : {1u, 250u, 601u}) {
      CAPTURE(acknowledgements);
      Site site;
      TelemetryLoad load(site, 4);
      load.begin(200);
      load.await(acknowledgements);
      site.hub().send_signal(SIGTERM);
      load.read_to_end();
      CHECK(site.hub().wait() == 0);
      site.start();
      load.check();
      load.check_nothing_else();
    }
  }

  TEST_CASE("stop: under load, reported patches that were answered 204 are in the twin") {
    Site site;
    ReportLoad load(site, 4);
    for (const std::size_t answers : {1u, 250u}) {
      CAPTURE(answers);
      load.begin(200);
      load.await(answers);
      site.hub().send_signal(SIGTERM);
      load.read_to_end();
      CHECK(site.hub().wait() == 0);
      site.start();
      load.check();
    }
  }

  TEST_CASE("stop: under load, what a service was told has happened") {
    constexpr std::size_t kEach = 60;
    Site site({"--c2d-queue-depth", "1000"});
    site.create("d1");
    std::vector<std::string> requests;
    for (std::size_t i = 0; i < kEach; ++i) {
      requests.push_back(site.request("POST", "/devices/d1/messages/deviceBound", "x"));
      requests.push_back(site.request("PUT", "/devices/made-" + std::to_string(i), "{}"));
    }
    RequestLoad load(site);
    load.begin(requests);
    load.await(51);
    site.hub().send_signal(SIGTERM);
    load.read_to_end();
    CHECK(site.hub().wait() == 0);
    const std::size_t answered = load.statuses().size();
    for (std::size_t i = 0; i < answered; ++i) CHECK(load.statuses()[i] == (i % 2 == 0 ? 204 : 200));
    site.start();
    CHECK(number_at(site.api("GET", "/devices/d1").body, {"cloudToDeviceMessageCount"}) >= static_cast<std::int64_t>((answered + 1) / 2));
    for (std::size_t i = 0; i < answered / 2; ++i) CHECK(site.api("GET", "/devices/made-" + std::to_string(i)).status == 200);
  }

  TEST_CASE("stop: leaves a database that is closed whole, and no address of a hub that is gone") {
    Site site;
    site.create("d1");
    CHECK(std::filesystem::exists(site.data() + "/hub.json"));
    CHECK(site.stop() == 0);
    CHECK(std::filesystem::exists(site.data() + "/nearhub.db"));
    CHECK_FALSE(std::filesystem::exists(site.data() + "/nearhub.db-wal"));
    CHECK_FALSE(std::filesystem::exists(site.data() + "/hub.json"));
  }

  TEST_CASE("stop: a changed policy that is being written into hub.json leaves none behind") {
    Site site;
    std::string requests;
    for (int i = 0; i < 20; ++i) requests += site.request("PUT", "/_nearhub/policies/p" + std::to_string(i), R"({"rights":"RegistryRead"})");
    HttpClient client(site.hub().tls(), site.hub().https());
    client.send_raw(requests);
    CHECK(client.read_answer().status == 200);
    client.disconnect();
    CHECK(site.stop() == 0);
    CHECK_FALSE(std::filesystem::exists(site.data() + "/hub.json"));
    CHECK_FALSE(std::filesystem::exists(site.data() + "/hub.json.new"));
  }

  TEST_CASE("stop: SIGINT is as good as SIGTERM") {
    Site site;
    site.hub().send_signal(SIGINT);
    CHECK(site.hub().wait() == 0);
  }

  TEST_CASE("stop: a second signal ends the hub at once, whatever it waits for") {
    Site site;
    site.create("d1");
    const auto device = site.connect("d1");
    // More than the system takes for a reader who does not read: the hub waits for it when it stops.
    const std::string body(200'000, 'x');
    for (std::uint16_t i = 1; i <= 60; ++i) {
      device->send(mqtt::Publish{.topic = "devices/d1/messages/events/", .payload = body, .qos = 1, .packet_id = i});
      device->expect<mqtt::Puback>();
    }
    TlsClient reader(site.hub().tls(), site.hub().https());
    reader.send(site.request("GET", "/_nearhub/events?since=start"));
    CHECK(reader.receive().size() > 0);
    site.hub().send_signal(SIGTERM);
    site.hub().wait_for_log("stopping signal=15");
    site.hub().send_signal(SIGTERM);
    CHECK(site.hub().wait() == 128 + SIGTERM);
  }

  TEST_CASE("stop: a client that does not close its connection cannot keep the hub") {
    Site site;
    site.create("d1");
    const auto device = site.connect("d1");
    CHECK(site.stop() == 0);
  }
}
