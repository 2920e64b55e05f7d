// Cloud-to-device messages over MQTT: topics byte for byte, order, settlement, and the hold behind a stored session's CONNACK.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr std::string_view kSend = "/devices/d1/messages/deviceBound";
const std::string kTopic = "devices/d1/messages/devicebound/";
const std::string kTo = "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound";
constexpr std::string_view kFilter = "devices/d1/messages/devicebound/#";

// A message at QoS 1 as it goes out.
std::string message(std::uint16_t id, std::string_view bag, std::string_view body, bool dup = false) {
  return packet(dup ? 0x3a : 0x32, field(kTopic + std::string(bag)) + number(id) + std::string(body));
}
std::string puback(std::uint16_t id) { return "40 02"_hex + number(id); }

struct CloudMessageRig {
  explicit CloudMessageRig(const std::function<void(broker::Config&)>& adjust = {}) : hub(adjust) { hub.create("d1"); }
  void send(std::string_view body, const HttpClient::Headers& headers = {}) { REQUIRE(call(hub, "POST", kSend, body, headers).status == 204); }
  std::unique_ptr<MqttClient> subscribed(int qos, bool clean_session = true) {
    auto device = join(hub, "d1", {.clean_session = clean_session});
    device->send_raw(subscribe(1, kFilter, qos));
    expect_bytes(*device, packet(0x90, number(1) + static_cast<char>(qos)));
    return device;
  }
  std::int64_t queued() {
    const auto json = parse_json(call(hub, "GET", "/devices/d1").body);
    REQUIRE(json.ok());
    return find_member(*json, "cloudToDeviceMessageCount")->GetInt64();
  }
  TestHub hub;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("C2D: a bare message carries %24.to alone") {
    CloudMessageRig rig;
    auto device = rig.subscribed(1);
    rig.send("hello");
    expect_bytes(*device, "32 58 00 4f"_hex + "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound" + "00 01"_hex + "hello");
    device->send_raw(puback(1));
    device->expect_silence();
    CHECK(rig.queued() == 0);
  }

  TEST_CASE("C2D: system properties first, in their order, then iothub-ack, then the sender's, all encoded with upper-case hex") {
    CloudMessageRig rig;
    auto device = rig.subscribed(1);
    rig.send("{}", {{"iothub-messageid", "m/1"},
                    {"iothub-correlationid", "c 1"},
                    {"iothub-userid", "u+1"},
                    {"iothub-expiry", "2099-01-31T12:00:00.1234567Z"},
                    {"iothub-contenttype", "application/json"},
                    {"iothub-contentencoding", "utf-8"},
                    {"iothub-ack", "full"},
                    {"iothub-app-key", "a b/c=d&e?f#g+h%i"},
                    {"iothub-app-Grad", "\xC2\xB0"},
                    {"iothub-app-plain", "-._~"}});
    expect_bytes(*device, message(1,
                                  "%24.mid=m%2F1&" + kTo +
                                      "&%24.cid=c%201&%24.uid=u%2B1&%24.exp=2099-01-31T12%3A00%3A00.1234567Z&%24.ct=application%2Fjson&%24.ce=utf-8&iothub-ack=full&"
                                      "key=a%20b%2Fc%3Dd%26e%3Ff%23g%2Bh%25i&Grad=%C2%B0&plain=-._~",
                                  "{}"));
  }

  TEST_CASE("C2D: a property without a value is left out, for it would break three clients") {
    CloudMessageRig rig;
    auto device = rig.subscribed(1);
    rig.send("x", {{"iothub-app-empty", ""}, {"iothub-app-k", "v"}});
    expect_bytes(*device, message(1, kTo + "&k=v", "x"));
  }

  TEST_CASE("C2D: at QoS 0 sent is settled, and the topic is the same") {
    CloudMessageRig rig;
    auto device = rig.subscribed(0);
    rig.send("x");
    expect_bytes(*device, publish(kTopic + kTo, "x"));
    device->expect_silence();
    rig.hub.wait_until([&] { return rig.queued() == 0; }, "an empty queue");
  }

  TEST_CASE("C2D: the devices/+ filter brings the own messages, under the own name") {
    CloudMessageRig rig;
    rig.hub.create("d2");
    auto device = rig.hub.connect("d1");
    device->send_raw(subscribe(1, "devices/+/messages/devicebound/#", 1));
    expect_bytes(*device, "90 03 0001 01"_hex);
    REQUIRE(call(rig.hub, "POST", "/devices/d2/messages/deviceBound", "for d2").status == 204);
    rig.send("for d1");
    expect_bytes(*device, message(1, kTo, "for d1"));
    device->expect_silence();
  }

  TEST_CASE("C2D: both filters at once bring a message once, at the higher QoS") {
    CloudMessageRig rig;
    auto device = rig.hub.connect("d1");
    device->send_raw(packet(0x82, number(1) + field("devices/+/messages/devicebound/#") + '\0' + field(kFilter) + '\1'));
    expect_bytes(*device, "90 04 0001 00 01"_hex);
    rig.send("x");
    expect_bytes(*device, message(1, kTo, "x"));
    device->expect_silence();
  }

  TEST_CASE("C2D: what waited comes with the subscription, behind its SUBACK, in order, ten at a time") {
    CloudMessageRig rig;
    for (int i = 1; i <= 12; ++i) rig.send(std::to_string(i));
    auto device = rig.subscribed(1);
    for (std::uint16_t i = 1; i <= 10; ++i) expect_bytes(*device, message(i, kTo, std::to_string(i)));
    device->expect_silence();
    // Out of order, twice and unknown: all of no consequence.
    device->send_raw(puback(7) + puback(7) + puback(999));
    expect_bytes(*device, message(11, kTo, "11"));
    device->send_raw(puback(1));
    expect_bytes(*device, message(12, kTo, "12"));
    CHECK(rig.queued() == 10);
  }

  TEST_CASE("C2D: what was not acknowledged comes again with DUP on the next connection, before what was never sent") {
    CloudMessageRig rig([](broker::Config& config) { config.limits.cloud_in_flight = 2; });
    for (int i = 1; i <= 3; ++i) rig.send(std::to_string(i));
    auto device = rig.subscribed(1);
    expect_bytes(*device, message(1, kTo, "1"));
    expect_bytes(*device, message(2, kTo, "2"));
    device->send_raw(puback(1));
    expect_bytes(*device, message(3, kTo, "3"));
    device = rig.subscribed(1);
    expect_bytes(*device, message(1, kTo, "2", true));
    expect_bytes(*device, message(2, kTo, "3", true));
    rig.send("4");
    device->send_raw(puback(2));
    expect_bytes(*device, message(3, kTo, "4"));
  }

  TEST_CASE("C2D: over MQTT the lock lasts as long as the connection: nothing is sent twice to a board that sleeps") {
    CloudMessageRig rig;
    auto device = join(rig.hub, "d1", {.keep_alive_s = 0});
    device->send_raw(subscribe(1, kFilter, 1));
    expect_bytes(*device, "90 03 0001 01"_hex);
    rig.send("x");
    expect_bytes(*device, message(1, kTo, "x"));
    rig.hub.advance(std::chrono::seconds(1500));
    device->expect_silence();
    device->send_raw(puback(1));
    device->expect_silence();
    CHECK(rig.queued() == 0);
  }

  TEST_CASE("C2D: an expired message is not delivered") {
    CloudMessageRig rig;
    rig.send("x");
    rig.hub.advance(std::chrono::hours(2));
    auto device = rig.subscribed(1);
    device->expect_silence();
    CHECK(rig.queued() == 0);
  }

  TEST_CASE("C2D: the fifty-first queued message is refused") {
    CloudMessageRig rig;
    for (int i = 1; i <= 50; ++i) REQUIRE(rig.hub.api("POST", kSend, "x").status == 204);
    const HttpAnswer answer = rig.hub.api("POST", kSend, "x");
    CHECK(answer.status == 403);
    CHECK(answer.header("iothub-errorcode") == "DeviceMaximumQueueDepthExceeded");
  }

  TEST_CASE("C2D: a purge empties the queue, and a purged message in flight may still be acknowledged") {
    CloudMessageRig rig;
    auto device = rig.subscribed(1);
    rig.send("x");
    expect_bytes(*device, message(1, kTo, "x"));
    const HttpAnswer answer = rig.hub.api("DELETE", "/devices/d1/commands");
    CHECK(contains(answer.body, "\"totalMessagesPurged\":1"));
    device->send_raw(puback(1));
    device->expect_silence();
    rig.send("y");
    expect_bytes(*device, message(2, kTo, "y"));
  }

  TEST_CASE("C2D hold: behind a stored session's CONNACK messages wait for the SUBACK") {
    CloudMessageRig rig([](broker::Config& config) { config.limits.cloud_hold = std::chrono::seconds(100); });
    rig.subscribed(1, false);
    rig.send("x");
    bool present = false;
    auto device = join(rig.hub, "d1", {.clean_session = false}, &present);
    CHECK(present);
    device->expect_silence();
    // Another subscription is not the one that they wait for.
    device->send_raw(subscribe(5, "$iothub/twin/res/#", 0));
    expect_bytes(*device, "90 03 0005 00"_hex);
    device->expect_silence();
    device->send_raw(subscribe(6, kFilter, 1));
    expect_bytes(*device, "90 03 0006 01"_hex);
    expect_bytes(*device, message(1, kTo, "x"));
  }

  TEST_CASE("C2D hold: a client that sends no SUBSCRIBE, as Node after a token renewal, has its messages when the hold ends") {
    CloudMessageRig rig([](broker::Config& config) { config.limits.cloud_hold = std::chrono::seconds(100); });
    rig.subscribed(1, false);
    rig.send("x");
    auto device = join(rig.hub, "d1", {.clean_session = false, .keep_alive_s = 0});
    rig.hub.advance(std::chrono::seconds(80));
    device->expect_silence();
    rig.hub.advance(std::chrono::seconds(21));
    expect_bytes(*device, message(1, kTo, "x"));
  }

  TEST_CASE("C2D hold: desired changes and method calls are not held") {
    CloudMessageRig rig([](broker::Config& config) { config.limits.cloud_hold = std::chrono::seconds(100); });
    {
      auto device = rig.subscribed(1, false);
      device->send_raw(packet(0x82, number(2) + field("$iothub/methods/POST/#") + '\0' + field("$iothub/twin/PATCH/properties/desired/#") + '\0'));
      expect_bytes(*device, "90 04 0002 0000"_hex);
    }
    rig.send("x");
    auto device = join(rig.hub, "d1", {.clean_session = false});
    REQUIRE(call(rig.hub, "PATCH", "/twins/d1", R"({"properties":{"desired":{"a":1}}})").status == 200);
    expect_bytes(*device, publish("$iothub/twin/PATCH/properties/desired/?$version=2", R"({"a":1,"$version":2})"));
    HttpClient service(rig.hub.tls(), rig.hub.https());
    ask(rig.hub, service, "POST", "/twins/d1/methods", R"({"methodName":"m"})");
    expect_bytes(*device, publish("$iothub/methods/POST/m/?$rid=1", "null"));
    device->expect_silence();
  }

  TEST_CASE("C2D hold: 0 copies the cloud: messages come right behind the CONNACK") {
    CloudMessageRig rig([](broker::Config& config) { config.limits.cloud_hold = std::chrono::milliseconds(0); });
    rig.subscribed(1, false);
    rig.send("x");
    auto device = join(rig.hub, "d1", {.clean_session = false});
    expect_bytes(*device, message(1, kTo, "x"));
  }

  TEST_CASE("C2D: a clean session does not end the queue, which is the device's") {
    CloudMessageRig rig;
    rig.subscribed(1, false);
    rig.send("x");
    auto device = rig.subscribed(1, true);
    expect_bytes(*device, message(1, kTo, "x"));
  }

  TEST_CASE("C2D: a body of 64 KB, binary, arrives as it was sent") {
    CloudMessageRig rig;
    auto device = rig.subscribed(1);
    std::string body;
    for (int i = 0; i < 65'536; ++i) body.push_back(static_cast<char>(i));
    rig.send(body);
    const mqtt::Publish received = device->expect<mqtt::Publish>();
    CHECK((received.payload == body));
    CHECK(rig.hub.api("POST", kSend, body + "x").status == 413);
  }
}
