// The will, and the end of a connection: by DISCONNECT, by the network, by a second connection, by the registry.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

mqtt::Will will(std::string_view topic = "devices/d1/messages/events/state=gone") { return {topic, "bye", 1, false}; }

void expect_will(TestHub& hub) {
  hub.wait_until([&] { return !events_of(hub, "d1").empty(); }, "the will");
  const auto events = events_of(hub, "d1");
  REQUIRE(events.size() == 1);
  CHECK(contains(events[0], R"("properties":{"state":"gone","iothub-MessageType":"Will"})"));
  CHECK(contains(events[0], R"("body":"bye")"));
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("will: published when the network breaks") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.will = will()});
    device->connection().reset();
    expect_will(hub);
  }

  TEST_CASE("will: published when the client closes without DISCONNECT") {
    TestHub hub;
    hub.create("d1");
    join(hub, "d1", {.will = will()}).reset();
    expect_will(hub);
  }

  TEST_CASE("will: published when the keep-alive ends") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 60, .will = will()});
    hub.advance(std::chrono::seconds(91));
    device->expect_closed();
    hub.wait_until([&] { return !events_of(hub, "d1").empty(); }, "the will");
  }

  TEST_CASE("will: published when the client breaks the protocol") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.will = will()});
    device->send_raw("f0 00"_hex);
    device->expect_closed();
    expect_will(hub);
  }

  TEST_CASE("will: published when another connection takes over") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.will = will()});
    auto second = hub.connect("d1");
    device->expect_closed();
    expect_will(hub);
  }

  TEST_CASE("will: published when the token of the connection ends") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 0, .token_lifetime_s = 10, .will = will()});
    hub.advance(std::chrono::seconds(611));
    device->expect_closed();
    hub.wait_until([&] { return !events_of(hub, "d1").empty(); }, "the will");
  }

  TEST_CASE("will: not published after DISCONNECT") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.will = will()});
    device->send_raw("e0 00"_hex);
    device->expect_closed();
    // A later event, so that there is something to wait for.
    auto second = hub.connect("d1");
    second->send_raw(packet(0x32, field("devices/d1/messages/events/") + "0001"_hex + "x"));
    expect_bytes(*second, "40 02 0001"_hex);
    CHECK(events_of(hub, "d1").size() == 1);
    CHECK(hub.refusals("d1").empty());
  }

  TEST_CASE("will: its retain flag becomes mqtt-retain, and a module's goes to the module's topic") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    join(hub, "d1/m1", {.will = mqtt::Will{"devices/d1/modules/m1/messages/events/", "", 2, true}}).reset();
    hub.wait_until([&] { return !events_of(hub, "d1").empty(); }, "the will");
    CHECK(contains(events_of(hub, "d1").at(0), R"("moduleId":"m1","systemProperties":{},"properties":{"mqtt-retain":"true","iothub-MessageType":"Will"})"));
  }

  TEST_CASE("will: a refused CONNECT publishes none") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.open();
    const std::string user = hub.username("d1");
    mqtt::Connect connect;
    connect.client_id = "d1";
    connect.username = user;
    connect.password = "none";
    connect.will = will();
    CHECK(client->connect(connect).return_code == 5);
    client->expect_closed();
    auto second = hub.connect("d1");
    second->send_raw(packet(0x32, field("devices/d1/messages/events/") + "0001"_hex + "x"));
    expect_bytes(*second, "40 02 0001"_hex);
    CHECK(events_of(hub, "d1").size() == 1);
  }

  TEST_CASE("take-over: the old connection is closed, with both peers in the reason, before the new one is told") {
    TestHub hub;
    hub.create("d1");
    auto old_one = hub.connect("d1"), new_one = hub.open();
    new_one->send_raw(connect_bytes(hub, "d1").bytes());
    expect_bytes(*new_one, "20 02 00 00"_hex);
    // Whoever has the CONNACK finds the old socket closed already: nothing to wait for.
    const auto end = old_one->connection().receive_within(std::chrono::milliseconds(0));
    REQUIRE(end.has_value());
    CHECK(*end == "");
    CHECK(contains(last_refusal(hub, "d1"),
                   "MQTT connection | connection closed | state | expected one connection per identity; received a new connection of d1 from 127.0.0.1:"));
    CHECK(contains(last_refusal(hub, "d1"), "; if both are meant to live, give each its own device id"));
    new_one->expect_silence();
  }

  TEST_CASE("take-over: a CONNECT that is refused does not disturb the connection that lives") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.password.replace(connect.password.find("&se="), 4, "&sx=");
    auto thief = hub.open();
    thief->send_raw(connect.bytes());
    expect_bytes(*thief, "20 02 00 05"_hex);
    device->expect_silence();
  }

  TEST_CASE("a changed key ends the connection that it admitted, swapped keys end none") {
    TestHub hub;
    const std::string first = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", second = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
    const auto keys = [](const std::string& primary, const std::string& secondary) {
      return "{\"deviceId\":\"d1\",\"authentication\":{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":\"" + primary + "\",\"secondaryKey\":\"" + secondary + "\"}}}";
    };
    hub.create("d1", keys(first, second));
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.password = auth::make_sas_token("localhost/devices/d1", first, unix_seconds(hub.clock().now()) + 3600).value();
    auto device = hub.open();
    device->send_raw(connect.bytes());
    expect_bytes(*device, "20 02 00 00"_hex);
    CHECK(hub.api("PUT", "/devices/d1", keys(second, first), {{"If-Match", "*"}}).status == 200);
    device->expect_silence();
    CHECK(hub.api("PUT", "/devices/d1", keys(second, second), {{"If-Match", "*"}}).status == 200);
    expect_closed_because(hub, *device, "d1",
                          "MQTT connection | connection closed | credential | expected a credential that is registered; received the credential that admitted this "
                          "connection; it was changed or removed just now; connect with the new one");
  }
}
