// The graceful stop: what waits is answered, what was acknowledged is kept, and it ends.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"
#include "tests/support/hub_process.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("packets") {
  TEST_CASE("stop: direct methods that wait are answered 503, whichever loop they wait on") {
    // The hub waited five seconds, then crashed: a call that waited in one shard belonged to an HTTPS connection of another loop.
    TestHub hub;
    std::vector<std::unique_ptr<HttpClient>> callers;
    for (const char* device : {"d1", "d2", "d3", "d4"}) {
      hub.create(device);
      for (int i = 0; i < 2; ++i) {
        callers.push_back(std::make_unique<HttpClient>(hub.tls(), hub.https()));
        ask(hub, *callers.back(), "POST", "/twins/" + std::string(device) + "/methods",
            R"({"methodName":"m","connectTimeoutInSeconds":200,"responseTimeoutInSeconds":200})");
      }
    }
    settle(hub);
    CHECK(hub.stop() == 0);
    for (auto& caller : callers) {
      const HttpAnswer answer = caller->read_answer();
      CHECK(answer.status == 503);
      CHECK(contains(answer.body, "the hub is stopping"));
    }
  }

  TEST_CASE("stop: one that a stuck loop holds up ends after half a minute, as a failure") {
    TestHub hub;
    const hub::Hub& core = hub.server().hub();
    std::promise<void> go_on;
    core.shard(1).executor().post([&go_on] { go_on.get_future().wait(); });
    hub.server().stop();
    const auto first_loop = [&core] {
      std::promise<void> done;
      core.shard(0).executor().post([&done] { done.set_value(); });
      REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
    };
    first_loop();
    hub.advance(std::chrono::seconds(31));
    first_loop();
    go_on.set_value();
    CHECK(hub.stop() == 1);
  }

  TEST_CASE("stop: when connections ended is kept") {
    const TemporaryFolder folder;
    const auto on_disk = [&folder](broker::Config& config) {
      config.in_memory = false;
      config.data_folder = folder.path();
    };
    std::string before;
    {
      TestHub hub(on_disk);
      hub.create("d1");
      auto device = hub.connect("d1");
      hub.advance(std::chrono::seconds(31));  // the connection's beginning is written
      settle(hub);
      before = hub.api("GET", "/devices/d1").body;
      CHECK(hub.stop() == 0);
    }
    TestHub hub(on_disk);
    const std::string after = hub.api("GET", "/devices/d1").body;
    const auto updated = [](const std::string& body) {
      const auto json = parse_json(body);
      REQUIRE(json.ok());
      return std::string(string_of(*find_member(*json, "connectionStateUpdatedTime")));
    };
    CHECK(updated(after) > updated(before));
  }
}
