// A disk that takes no more: the hub says so and ends, and nothing is acknowledged that it does not have.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>

#include "tests/system/site.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// No file of the process may grow beyond this: a write fails, as on a full disk. (Its signal is ignored, which processes inherit.)
void limit_files(pid_t pid, rlim_t bytes) {
  rlimit limit{};
  REQUIRE(prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) == 0);
  limit.rlim_cur = bytes;
  REQUIRE(prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("disk full: the hub ends with its reason, and all that it acknowledged is there after the next start") {
    std::signal(SIGXFSZ, SIG_IGN);
    Site site;
    site.create("d1");
    auto device = site.connect("d1");
    limit_files(site.hub().pid(), 512 * 1024);
    // More than the database may grow by, one after the other, so that each has its own answer or none.
    const std::string body(20'000, 'x');
    int acknowledged = 0;
    for (; acknowledged < 1000; ++acknowledged) {
      const std::string text = std::to_string(acknowledged) + " " + body;
      mqtt::Publish packet;
      packet.topic = "devices/d1/messages/events/";
      packet.qos = 1;
      packet.packet_id = static_cast<std::uint16_t>(acknowledged + 1);
      packet.payload = text;
      std::string bytes;
      mqtt::encode(bytes, packet);
      if (!device->connection().try_send(bytes)) break;
      const auto answer = device->next();
      if (answer == nullptr) break;
      CHECK(std::get<mqtt::Puback>(answer->packet).packet_id == acknowledged + 1);
    }
    CHECK(acknowledged > 0);
    CHECK(acknowledged < 100);
    CHECK(site.hub().wait() == 1);
    INFO(site.hub().log());
    CHECK(site.hub().log().find(" error hub: stopping code=") != std::string::npos);
    CHECK(site.hub().log().find(site.data()) != std::string::npos);

    site.start();
    const auto bodies = site.bodies("d1");
    CHECK(bodies.size() >= static_cast<std::size_t>(acknowledged));
    CHECK(bodies.size() <= static_cast<std::size_t>(acknowledged) + 1);
    for (std::size_t i = 0; i < bodies.size(); ++i) CHECK(bodies[i].starts_with(std::to_string(i) + " "));
  }
}
