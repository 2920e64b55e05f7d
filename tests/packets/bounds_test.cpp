// Everything is bounded: clients that do not read, that send without end, that ask for more than there is.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("packets") {
  TEST_CASE("bounds: a request id that would not fit into the answer's topic ends the connection, not the hub") {
    TestHub hub;
    hub.create("d1");
    for (const std::string topic : {"$iothub/twin/GET?$rid=", "$iothub/twin/PATCH/properties/reported/?$rid=", "$iothub/methods/res/200/?$rid="}) {
      auto device = hub.connect("d1");
      device->send_raw(subscribe(1, "$iothub/twin/res/#", 0));
      expect_bytes(*device, "90 03 0001 00"_hex);
      const std::string rid(65'535 - topic.size(), 'r');
      device->send_raw(publish(topic + rid, "{}"));
      expect_closed_because(hub, *device, "d1",
                            "MQTT PUBLISH | connection closed | size | expected a $rid of at most 1024 bytes; received " + std::to_string(rid.size()) +
                                " bytes; number the requests");
    }
    auto device = hub.connect("d1");
    device->send_raw(subscribe(1, "$iothub/twin/res/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    device->send_raw(publish("$iothub/twin/GET?$rid=" + std::string(1024, 'r'), ""));
    expect_bytes(*device, publish("$iothub/twin/res/200/?$rid=" + std::string(1024, 'r'), R"({"desired":{"$version":1},"reported":{"$version":1}})"));
  }

  TEST_CASE("bounds: a client that subscribes and unsubscribes waits for the store like one that publishes") {
    // Nothing held it back: the stored session is written at each, and gigabytes of them waited for the disk.
    TestHub hub([](broker::Config& config) { config.mqtt.unacknowledged_publishes = 1; });
    hub.create("d1");
    auto device = join(hub, "d1", {.clean_session = false});
    std::string packets;
    for (int i = 0; i < 20; ++i) packets += subscribe(1, "$iothub/twin/res/#", 0) + "c0 00"_hex + unsubscribe(2, "$iothub/twin/res/#") + "c0 00"_hex;
    device->send_raw(packets);
    for (int i = 0; i < 20; ++i) {
      // The ping behind each is not read before the store has answered.
      for (const std::string& answer : {"90 03 0001 00"_hex, "d0 00"_hex, "b0 02 0002"_hex, "d0 00"_hex}) expect_bytes(*device, answer);
    }
  }

  TEST_CASE("bounds: a client that pings and reads no answer is dropped when too much waits for it") {
    TestHub hub([](broker::Config& config) { config.mqtt.output_bytes = 256 * 1024; });
    hub.create("d1");
    auto device = hub.connect("d1");
    std::string pings;
    for (int i = 0; i < 8192; ++i) pings += "c0 00"_hex;
    int sent = 0;
    // The system's own buffers take some megabytes before the hub's fill.
    while (sent < 4000 && device->connection().try_send(pings)) ++sent;
    CHECK(sent < 4000);
    hub.wait_until([&] { return !hub.refusals("d1").empty(); }, "the refusal");
    CHECK(contains(last_refusal(hub, "d1"),
                   "MQTT delivery | connection closed | limit | expected a client that reads: at most 262144 bytes wait for it; received"));
    CHECK(contains(last_refusal(hub, "d1"), "bytes unread; the client reads too slowly, or not at all"));
  }

  TEST_CASE("bounds: a client that reads none of its twin answers is dropped") {
    TestHub hub([](broker::Config& config) { config.mqtt.output_bytes = 128 * 1024; });
    hub.create("d1");
    auto device = hub.connect("d1");
    CHECK(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"a":")" + std::string(4000, 'x') + R"(","b":")" + std::string(4000, 'x') + R"("}}})").status == 200);
    device->send_raw(subscribe(1, "$iothub/twin/res/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += publish("$iothub/twin/GET/?$rid=1", "");
    for (int i = 0; i < 1000 && hub.refusals("d1").empty() && device->connection().try_send(requests); ++i) continue;
    hub.wait_until([&] { return !hub.refusals("d1").empty(); }, "the refusal");
    CHECK(contains(last_refusal(hub, "d1"), "expected a client that reads: at most 131072 bytes wait for it"));
  }

  TEST_CASE("bounds: a client that takes nothing for 600 s is dropped, and one that takes a little has 600 s more") {
    TestHub hub([](broker::Config& config) {
      config.mqtt.output_bytes = 64 * 1024 * 1024;
      config.limits.methods_in_flight = 200;
    });
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 0});
    device->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    // 200 calls of 120 KB: more than the system's buffers take.
    hub::Shard& shard = hub.server().hub().shard(hub.server().hub().home_of(DeviceId("d1")));
    for (int i = 0; i < 200; ++i) {
      shard.executor().post([&shard] {
        shard.invoke_method({DeviceId("d1"), ModuleId()}, {"m", "\"" + std::string(120'000, 'x') + "\"", 300, 0}, [](Result<hub::MethodResult>) {});
      });
    }
    settle(hub);
    hub.advance(std::chrono::seconds(400));
    settle(hub);
    // Room in the system's buffers, and the hub fills it.
    for (int i = 0; i < 20; ++i) CHECK(device->next() != nullptr);
    settle(hub);
    hub.advance(std::chrono::seconds(400));
    settle(hub);
    CHECK(hub.refusals("d1").empty());
    hub.advance(std::chrono::seconds(220));
    settle(hub);
    REQUIRE(hub.refusals("d1").size() == 1);
    CHECK(contains(last_refusal(hub, "d1"), "MQTT delivery | connection closed | time limit | expected a client that reads within 600 s; received"));
    CHECK(contains(last_refusal(hub, "d1"), "bytes unread; the client, or the network to it, has stalled"));
  }

  TEST_CASE("bounds: a client that reads is not taken for one that has stalled") {
    TestHub hub([](broker::Config& config) {
      config.loops = 1;
      config.mqtt.output_stall = std::chrono::seconds(100);
    });
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 0});
    device->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    // The look at the output is due 100 s after this ping...
    device->expect_silence();
    hub::Shard& shard = hub.server().hub().shard(0);
    std::promise<void> go_on;
    shard.executor().post([&go_on] { go_on.get_future().wait(); });
    // ...and falls into the turn in which a method call was put into the output, which has not been sent yet.
    shard.executor().post([&shard] { shard.invoke_method({DeviceId("d1"), ModuleId()}, {"m", "1", 300, 0}, [](Result<hub::MethodResult>) {}); });
    hub.advance(std::chrono::seconds(150));
    go_on.set_value();
    expect_bytes(*device, publish("$iothub/methods/POST/m/?$rid=1", "1"));
    device->expect_silence();
    CHECK(hub.refusals("d1").empty());
  }
}
