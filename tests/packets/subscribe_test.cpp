// SUBSCRIBE and UNSUBSCRIBE: what is granted, what ends the connection, what a session keeps.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kCloudMessages = "devices/d1/messages/devicebound/#";

std::string method_filters(std::uint16_t id, int from, int to) {
  std::string list;
  for (int i = from; i < to; ++i) list += field("$iothub/methods/POST/m" + std::to_string(i) + "/#") + '\0';
  return packet(0x82, number(id) + list);
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("SUBACK: one code per filter, in order, 2 granted as 1") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(packet(0x82, "abcd"_hex + field(kCloudMessages) + '\2' + field("$iothub/twin/res/#") + '\0' +
                                      field("$iothub/twin/PATCH/properties/desired/#") + '\1' + field("$iothub/methods/POST/#") + '\0'));
    expect_bytes(*device, "90 06 abcd 01 00 01 00"_hex);
  }

  TEST_CASE("SUBACK: every filter that real clients send is granted") {
    TestHub hub;
    hub.create("d1");
    for (const std::string filter :
         {"devices/d1/messages/devicebound/#", "devices/d1/messages/devicebound/", "devices/d1/messages/devicebound", "devices/+/messages/devicebound/#",
          "$iothub/twin/res/#", "$iothub/twin/res/", "$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/PATCH/properties/desired/",
          "$iothub/twin/PATCH/properties/desired", "$iothub/methods/POST/#", "$iothub/methods/POST/", "$iothub/methods/POST/reboot/#",
          "$iothub/methods/POST/reboot/", "$iothub/methods/POST/reboot", "$iothub/methods/POST/thermostat1*reboot/#"}) {
      auto device = hub.connect("d1");
      device->send_raw(subscribe(1, filter, 0));
      expect_bytes(*device, "90 03 0001 00"_hex);
    }
  }

  TEST_CASE("a filter that is not for this device closes the connection, never with 0x80, and names the filter") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    const std::string ids = "the ids must be those of the connection, byte for byte",
                      right = "devices/d1/messages/devicebound/#", other_case = "topics are case-sensitive: " + right,
                      no_broker = "a hub is no broker: a device receives only what is meant for it";
    const std::pair<std::string, std::string> filters[] = {
        {"#", no_broker},
        {"+", no_broker},
        {"$iothub/#", no_broker},
        {"$iothub/twin/#", no_broker},
        {"$iothub/twin/resx/#", no_broker},
        {"$iothub/twin/res/+/#", no_broker},
        {"$iothub/methods/POST/+/#", no_broker},
        {"$iothub/methods/#", no_broker},
        {"$iothub/methods/POST/" + std::string(130, 'm') + "/#", no_broker},
        {"$SYS/#", no_broker},
        {"/devices/d1/messages/devicebound/#", no_broker},
        {"devices/d2/messages/devicebound/#", ids},
        {"devices/D1/messages/devicebound/#", ids},
        {"devices/#", ids},
        {"devices/+/messages/events/#", ids},
        {"devices/+/#", ids},
        {"devices/d1/messages/events/#", "that is where a device sends; it receives at " + right},
        {"devices/d1/#", "the ids are right, what follows them is not: " + right},
        {"devices/d1/messages/devicebound/x", "the ids are right, what follows them is not: " + right},
        {"devices/d1/messages/deviceBound/#", other_case},
        {"Devices/d1/messages/devicebound/#", other_case},
        {"devices/d1/modules/m1/#", "that is a module's topic: the module needs a connection of its own"},
    };
    for (const auto& [filter, advice] : filters) {
      auto device = hub.connect("d1");
      device->send_raw(packet(0x82, number(1) + field("$iothub/twin/res/#") + '\0' + field(filter) + '\0'));
      expect_closed_because(hub, *device, "d1",
                            "MQTT SUBSCRIBE | connection closed | filter | expected a filter for cloud-to-device messages, twin responses, desired properties or "
                            "methods of this identity; received " + filter + "; " + advice);
    }
  }

  TEST_CASE("a sixth subscription is granted, a fifty-first closes the connection") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(method_filters(1, 0, 5));
    expect_bytes(*device, "90 07 0001 0000000000"_hex);
    device->send_raw(method_filters(2, 5, 6));
    expect_bytes(*device, "90 03 0002 00"_hex);
    device->send_raw(method_filters(3, 6, 50));
    expect_bytes(*device, packet(0x90, number(3) + std::string(44, '\0')));
    // Those that it has already are no further ones.
    device->send_raw(method_filters(4, 0, 50));
    expect_bytes(*device, packet(0x90, number(4) + std::string(50, '\0')));
    device->send_raw(method_filters(5, 50, 51));
    expect_closed_because(hub, *device, "d1", "MQTT SUBSCRIBE | connection closed | limit | expected at most 50 subscriptions; received 51");
  }

  TEST_CASE("one packet with thousands of filters is refused at the fifty-first") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(method_filters(1, 0, 10'000));
    expect_closed_because(hub, *device, "d1", "MQTT SUBSCRIBE | connection closed | limit | expected at most 50 subscriptions; received 51");
  }

  TEST_CASE("strict: a sixth subscription closes the connection") {
    TestHub hub([](broker::Config& config) { config.behaviour.strict = true; });
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(method_filters(1, 0, 5));
    expect_bytes(*device, "90 07 0001 0000000000"_hex);
    device->send_raw(method_filters(2, 5, 6));
    expect_closed_because(hub, *device, "d1", "MQTT SUBSCRIBE | connection closed | limit | expected at most 5 subscriptions; received 6");
  }

  TEST_CASE("UNSUBSCRIBE is acknowledged, also of what was never subscribed") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(unsubscribe(0x1234, "$iothub/twin/res/#"));
    expect_bytes(*device, "b0 02 1234"_hex);
    device->send_raw(packet(0xa2, number(2) + field("devices/+/messages/devicebound/#") + field("$iothub/methods/POST/x/#")));
    expect_bytes(*device, "b0 02 0002"_hex);
  }

  TEST_CASE("UNSUBSCRIBE of what no device may subscribe to closes the connection") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(unsubscribe(1, "local/topic"));
    expect_closed_because(hub, *device, "d1",
                          "MQTT UNSUBSCRIBE | connection closed | filter | expected a filter that this identity may subscribe to; received local/topic");
  }

  TEST_CASE("after UNSUBSCRIBE nothing more comes, and a method call finds nobody") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(packet(0x82, number(1) + field("$iothub/twin/PATCH/properties/desired/#") + '\0' + field("$iothub/methods/POST/#") + '\0'));
    expect_bytes(*device, "90 04 0001 0000"_hex);
    device->send_raw(packet(0xa2, number(2) + field("$iothub/twin/PATCH/properties/desired/#") + field("$iothub/methods/POST/#")));
    expect_bytes(*device, "b0 02 0002"_hex);
    CHECK(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"a":1}}})").status == 200);
    CHECK(hub.api("POST", "/twins/d1/methods", R"({"methodName":"reboot"})").status == 404);
    device->expect_silence();
  }

  TEST_CASE("a stored session keeps its subscriptions, and a clean one drops them") {
    TestHub hub;
    hub.create("d1");
    const auto has_desired = [&hub](MqttClient& device, int value) {
      CHECK(hub.api("PATCH", "/twins/d1", "{\"properties\":{\"desired\":{\"a\":" + std::to_string(value) + "}}}").status == 200);
      device.send_raw("c0 00"_hex);
      const auto received = device.next();
      REQUIRE(received != nullptr);
      return received->bytes != "d0 00"_hex;
    };
    bool present = true;
    auto device = join(hub, "d1", {.clean_session = false}, &present);
    CHECK_FALSE(present);
    device->send_raw(subscribe(1, "$iothub/twin/PATCH/properties/desired/#", 1));
    expect_bytes(*device, "90 03 0001 01"_hex);
    device = join(hub, "d1", {.clean_session = false}, &present);
    CHECK(present);
    CHECK(has_desired(*device, 1));
    // What is unsubscribed leaves the session.
    device = join(hub, "d1", {.clean_session = false});
    device->send_raw(unsubscribe(2, "$iothub/twin/PATCH/properties/desired/#"));
    expect_bytes(*device, "b0 02 0002"_hex);
    device = join(hub, "d1", {.clean_session = false}, &present);
    CHECK(present);
    CHECK_FALSE(has_desired(*device, 2));
    device->send_raw(subscribe(1, "$iothub/twin/PATCH/properties/desired/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    // A clean session does not see the stored one and ends it.
    device = join(hub, "d1", {.clean_session = true}, &present);
    CHECK_FALSE(present);
    CHECK_FALSE(has_desired(*device, 3));
    device = join(hub, "d1", {.clean_session = false}, &present);
    CHECK_FALSE(present);
    CHECK_FALSE(has_desired(*device, 4));
  }
}
