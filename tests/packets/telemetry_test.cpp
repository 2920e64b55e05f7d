// Device-to-cloud messages: acknowledgements, flags, sizes, property bags, topics.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kEvents = "devices/d1/messages/events/";

std::string message(std::uint16_t id, std::string_view bag, std::string_view body) { return packet(0x32, field(kEvents + std::string(bag)) + number(id) + std::string(body)); }

// A hub with d1, connected.
struct TelemetryRig {
  explicit TelemetryRig(const std::function<void(broker::Config&)>& adjust = {}) : hub(adjust) {
    hub.create("d1");
    device = hub.connect("d1");
  }
  // Sends one message with this bag and gives what the stream shows of its properties.
  std::string properties_of(std::string_view bag) {
    device->send_raw(message(1, bag, "x"));
    expect_bytes(*device, "40 02 0001"_hex);
    const std::string event = events_of(hub, "d1").back();
    const std::size_t from = event.find("\"systemProperties\""), to = event.find(",\"annotations\"");
    return event.substr(from, to - from);
  }
  TestHub hub;
  std::unique_ptr<MqttClient> device;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("telemetry: a QoS 1 message is acknowledged with its packet id and reaches the event stream") {
    TelemetryRig rig;
    rig.device->send_raw(packet(0x32, "00 1b 646576696365732f64312f6d657373616765732f6576656e74732f 0007"_hex + "21.5"));
    expect_bytes(*rig.device, "40 02 00 07"_hex);
    const auto events = events_of(rig.hub, "d1");
    REQUIRE(events.size() == 1);
    CHECK(contains(events[0], R"("deviceId":"d1","systemProperties":{},"properties":{},"annotations":{"iothub-connection-device-id":"d1")"));
    CHECK(contains(events[0], R"("iothub-connection-auth-method":"{\"scope\":\"device\",\"type\":\"sas\",\"issuer\":\"iothub\",\"acceptingIpFilterRule\":null}")"));
    CHECK(contains(events[0], R"("iothub-message-source":"Telemetry"},"body":"21.5"})"));
  }

  TEST_CASE("telemetry: a QoS 0 message is not acknowledged") {
    TelemetryRig rig;
    rig.device->send_raw(publish(kEvents, "x"));
    rig.device->expect_silence();
    rig.hub.wait_until([&] { return events_of(rig.hub, "d1").size() == 1; }, "the event");
  }

  TEST_CASE("telemetry: 1000 messages in one go are acknowledged in order, 64 unacknowledged at a time") {
    TelemetryRig rig;
    std::string all;
    for (std::uint16_t id = 1; id <= 1000; ++id) all += message(id, {}, std::to_string(id));
    rig.device->send_raw(all);
    for (std::uint16_t id = 1; id <= 1000; ++id) expect_bytes(*rig.device, "40 02"_hex + number(id));
    const auto events = events_of(rig.hub, "d1");
    REQUIRE(events.size() == 1000);
    for (std::size_t i = 0; i < events.size(); ++i) CHECK(contains(events[i], "\"body\":\"" + std::to_string(i + 1) + "\""));
  }

  TEST_CASE("telemetry: with one message unacknowledged at a time all is still answered, in order") {
    TelemetryRig rig([](broker::Config& config) { config.mqtt.unacknowledged_publishes = 1; });
    std::string all;
    for (std::uint16_t id = 1; id <= 50; ++id) all += message(id, {}, "x") + "c0 00"_hex;
    rig.device->send_raw(all);
    for (std::uint16_t id = 1; id <= 50; ++id) {
      expect_bytes(*rig.device, "40 02"_hex + number(id));
      expect_bytes(*rig.device, "d0 00"_hex);
    }
  }

  TEST_CASE("telemetry: a client that never reads its acknowledgements is not read from without end") {
    TelemetryRig rig([](broker::Config& config) { config.mqtt.output_bytes = 64 * 1024; });
    std::string burst;
    for (std::uint16_t id = 1; id <= 4000; ++id) burst += message(id, {}, "");
    int bursts = 0;
    while (bursts < 2000 && rig.device->connection().try_send(burst)) ++bursts;
    CHECK(bursts < 2000);
    rig.hub.wait_until([&] { return !rig.hub.refusals("d1").empty(); }, "the refusal");
    CHECK(contains(last_refusal(rig.hub, "d1"), "MQTT delivery | connection closed | limit | expected a client that reads: at most 65536 bytes wait for it; received"));
  }

  TEST_CASE("telemetry: an acknowledgement of a twin request does not overtake that of a message before it") {
    TelemetryRig rig;
    std::string all;
    for (std::uint16_t id = 1; id <= 100; id = static_cast<std::uint16_t>(id + 2)) {
      all += message(id, {}, "x") + packet(0x32, field("$iothub/twin/GET/?$rid=1") + number(static_cast<std::uint16_t>(id + 1)));
    }
    rig.device->send_raw(all);
    for (std::uint16_t id = 1; id <= 100; ++id) expect_bytes(*rig.device, "40 02"_hex + number(id));
  }

  TEST_CASE("telemetry: the same packet id may be used twice at once: nothing is de-duplicated, DUP or not") {
    TelemetryRig rig;
    rig.device->send_raw(message(9, {}, "x") + packet(0x3a, field(kEvents) + number(9) + "x"));
    expect_bytes(*rig.device, "40 02 0009"_hex);
    expect_bytes(*rig.device, "40 02 0009"_hex);
    CHECK(events_of(rig.hub, "d1").size() == 2);
  }

  TEST_CASE("telemetry: RETAIN becomes the property mqtt-retain, and nothing is retained") {
    TelemetryRig rig;
    rig.device->send_raw(packet(0x33, field(kEvents) + number(1) + "x"));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    CHECK(contains(events_of(rig.hub, "d1").at(0), R"("properties":{"mqtt-retain":"true"})"));
  }

  TEST_CASE("telemetry: an empty body is a message") {
    TelemetryRig rig;
    rig.device->send_raw(message(1, {}, ""));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    CHECK(contains(events_of(rig.hub, "d1").at(0), R"("body":"")"));
  }

  TEST_CASE("telemetry: a body that is no text is shown as base64") {
    TelemetryRig rig;
    rig.device->send_raw(message(1, {}, "00 ff fe"_hex));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    CHECK(contains(events_of(rig.hub, "d1").at(0), R"("bodyBase64":"AP/+")"));
  }

  TEST_CASE("telemetry: QoS 2 closes the connection, and nothing is stored") {
    TelemetryRig rig;
    rig.device->send_raw(packet(0x34, field(kEvents) + number(1) + "x"));
    expect_closed_because(rig.hub, *rig.device, "d1",
                          "MQTT PUBLISH | connection closed | QoS | expected QoS 0 or 1; received QoS 2 to devices/d1/messages/events/; the hub has no QoS 2");
    CHECK(events_of(rig.hub, "d1").empty());
  }

  TEST_CASE("telemetry: a message of exactly 262,144 bytes is taken, one more byte closes the connection") {
    TelemetryRig rig;
    rig.device->send_raw(message(1, {}, std::string(262'144, 'x')));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    rig.device->send_raw(message(2, {}, std::string(262'145, 'x')));
    expect_closed_because(rig.hub, *rig.device, "d1",
                          "MQTT PUBLISH | connection closed | size | expected a message of at most 262144 bytes, body and properties; received 262145 bytes; send "
                          "less, or upload a file");
    CHECK(events_of(rig.hub, "d1").size() == 1);
  }

  TEST_CASE("telemetry: properties count decoded: names and values of the sender's, values alone of system properties") {
    // "a b" = "c" are 4 bytes, the content type is 3.
    const std::string bag = "a%20b=c&%24.ct=a%2Fb";
    TelemetryRig rig;
    rig.device->send_raw(message(1, bag, std::string(262'144 - 7, 'x')));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    rig.device->send_raw(message(2, bag, std::string(262'144 - 6, 'x')));
    rig.device->expect_closed();
    CHECK(contains(last_refusal(rig.hub, "d1"), "received 262145 bytes"));
  }

  TEST_CASE("telemetry: a packet that no message could fill closes the connection as soon as its length is known") {
    TelemetryRig rig;
    rig.device->send_raw("30 ff ff ff 7f"_hex);  // 268,435,455 bytes, the most that MQTT can say
    rig.device->expect_closed();
    CHECK(contains(last_refusal(rig.hub, "d1"), "MQTT packet | connection closed | size | expected a packet of at most 327688 bytes; received a packet of 268435460 bytes"));
  }

  TEST_CASE("property bag: its forms") {
    TelemetryRig rig;
    CHECK(rig.properties_of("a=1&b=2") == R"("systemProperties":{},"properties":{"a":"1","b":"2"})");
    CHECK(rig.properties_of("?a=1&b=2") == R"("systemProperties":{},"properties":{"a":"1","b":"2"})");  // nRF v1
    CHECK(rig.properties_of("a=1/") == R"("systemProperties":{},"properties":{"a":"1"})");               // C#
    CHECK(rig.properties_of("k&e=&v=x") == R"("systemProperties":{},"properties":{"k":null,"e":"","v":"x"})");
    CHECK(rig.properties_of("a=b=c==") == R"("systemProperties":{},"properties":{"a":"b=c=="})");
    CHECK(rig.properties_of("a+b=c+d") == R"("systemProperties":{},"properties":{"a+b":"c+d"})");
    CHECK(rig.properties_of("a%20b=x%26y%3Dz") == R"("systemProperties":{},"properties":{"a b":"x&y=z"})");
    CHECK(rig.properties_of("a=raw space and % alone") == R"("systemProperties":{},"properties":{"a":"raw space and % alone"})");
    CHECK(rig.properties_of("a=x/y") == R"("systemProperties":{},"properties":{"a":"x/y"})");
    CHECK(rig.properties_of("a=1&a=2") == R"("systemProperties":{},"properties":{"a":"2"})");
    CHECK(rig.properties_of("a=%E2%82%AC") == "\"systemProperties\":{},\"properties\":{\"a\":\"\xE2\x82\xAC\"}");
    CHECK(rig.properties_of("&&a=1&") == R"("systemProperties":{},"properties":{"a":"1"})");
  }

  TEST_CASE("property bag: system properties, encoded or not, and those that only the hub may set") {
    TelemetryRig rig;
    CHECK(rig.properties_of("%24.mid=m1&$.cid=c1&%24.uid=u&%24.ct=application%2Fjson&%24.ce=utf-8&%24.on=out&$.sub=s&a=1") ==
          R"("systemProperties":{"message-id":"m1","correlation-id":"c1","user-id":"u","content-type":"application/json","content-encoding":"utf-8",)"
          R"("iothub-outputname":"out","dt-subject":"s"},"properties":{"a":"1"})");
    CHECK(rig.properties_of("%24.unknown=1&iothub-connection-device-id=other&iothub-message-source=x&a=1") == R"("systemProperties":{},"properties":{"a":"1"})");
  }

  TEST_CASE("property bag: a message with more than 1024 properties closes the connection") {
    TelemetryRig rig;
    std::string bag = "a=1";
    for (int i = 1; i < 1024; ++i) bag += "&a=1";
    rig.device->send_raw(message(1, bag, ""));
    expect_bytes(*rig.device, "40 02 0001"_hex);
    rig.device->send_raw(message(1, bag + "&a=1", ""));
    expect_closed_because(rig.hub, *rig.device, "d1", "MQTT PUBLISH | connection closed | size | expected at most 1024 properties; received 1025");
  }

  TEST_CASE("telemetry: the topic may end with events, events/, a bag, or a bag and a slash") {
    TelemetryRig rig;
    for (const std::string topic : {"devices/d1/messages/events", "devices/d1/messages/events/", "devices/d1/messages/events/a=1", "devices/d1/messages/events/a=1/",
                                    "devices/d1/messages/events/?a=1"}) {
      rig.device->send_raw(packet(0x32, field(topic) + number(1)));
      expect_bytes(*rig.device, "40 02 0001"_hex);
    }
    CHECK(events_of(rig.hub, "d1").size() == 5);
  }

  TEST_CASE("a topic that is none of the hub's for this device closes the connection, with the topic in the reason") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    const auto refused = [&hub](const std::string& topic, std::string_view advice) {
      auto device = hub.connect("d1");
      device->send_raw(packet(0x32, field(topic) + number(1) + "x"));
      std::string reason = "MQTT PUBLISH | connection closed | topic | expected a topic of the hub: devices/d1/messages/events/, or the twin and method topics; received " + topic;
      if (!advice.empty()) reason += "; " + std::string(advice);
      expect_closed_because(hub, *device, "d1", reason);
    };
    const std::string ids = "the ids must be those of the connection, byte for byte", right = "devices/d1/messages/events/";
    refused("devices/d2/messages/events/", ids);
    refused("devices/D1/messages/events/", ids);
    refused("devices/d11/messages/events/", ids);
    refused("devices/d1/modules/m1/messages/events/", "that is a module's topic: the module needs a connection of its own");
    refused("devices/d1/messages/Events/", "topics are case-sensitive: " + right);
    refused("DEVICES/d1/messages/events", "topics are case-sensitive: " + right);
    refused("devices/d1/messages/eventsx", "the ids are right, what follows them is not: " + right + " with the properties behind it");
    refused("devices/d1/messages/devicebound/", "the ids are right, what follows them is not: " + right + " with the properties behind it");
    refused("/devices/d1/messages/events/", "leave out the leading slash");
    refused("hello", "");
    refused("$iothub/twin/GETTER/?$rid=1", "");
    refused("$iothub/twin/PATCH/properties/desired/?$rid=1", "");
    refused("$iothub/methods/POST/x/?$rid=1", "");
    refused("$SYS/broker/version", "");
    CHECK(events_of(hub, "d1").empty());
    CHECK(events_of(hub, "d2").empty());
  }

  TEST_CASE("telemetry: a model id from the user name is stamped on every message and stands on the twin") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.username_suffix = "&model-id=dtmi:com:example:Thermostat;1&DeviceClientType=x%2F1"});
    device->send_raw(message(1, {}, "x"));
    expect_bytes(*device, "40 02 0001"_hex);
    CHECK(contains(events_of(hub, "d1").at(0), R"("dt-dataschema":"dtmi:com:example:Thermostat;1")"));
    CHECK(contains(hub.api("GET", "/twins/d1").body, R"("modelId":"dtmi:com:example:Thermostat;1")"));
  }
}
