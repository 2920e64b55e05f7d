// Sending cloud-to-device messages over HTTPS, and purging them [service-rest.md 5.2; device-mqtt.md 5].
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "base/time_format.h"
#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

using Headers = HttpClient::Headers;

HttpAnswer send(TestHub& hub, std::string_view body, const Headers& headers = {}, std::string_view path = "/devices/d1/messages/deviceBound") {
  return hub.api("POST", path, body, headers);
}

std::unique_ptr<MqttClient> listening(TestHub& hub, std::string_view identity = "d1") {
  auto device = hub.connect(identity);
  std::string filter = "devices/d1/messages/devicebound/#";
  if (identity == "d1/m1") filter = "devices/d1/modules/m1/messages/devicebound/#";
  device->subscribe(1, {{filter, 0}});
  device->expect<mqtt::Suback>();
  return device;
}

std::string topic_of_next(MqttClient& device) { return std::string(device.expect<mqtt::Publish>().topic); }

constexpr const char* kTo = "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound";

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("sending: a body is enough, of any bytes or none") {
    TestHub hub;
    hub.create("d1");
    auto device = listening(hub);
    const std::string body("a\0\xFF{", 4);
    const HttpAnswer answer = send(hub, body);
    CHECK(answer.status == 204);
    CHECK_FALSE(answer.has_header("iothub-messageid"));
    const auto message = device->expect<mqtt::Publish>();
    CHECK(message.topic == kTo);
    CHECK(message.payload == body);
    CHECK(send(hub, "").status == 204);
    CHECK(device->expect<mqtt::Publish>().payload == "");
  }

  TEST_CASE("sending: headers become properties, and those that every HTTP client sends do not") {
    TestHub hub;
    hub.create("d1");
    auto device = listening(hub);
    const HttpAnswer answer = send(hub, "x", {{"iothub-messageid", "m 1"},
                                              {"IoTHub-CorrelationId", "c&1"},
                                              {"iothub-userid", "u=1"},
                                              {"iothub-contenttype", "application/json"},
                                              {"iothub-contentencoding", "utf-8"},
                                              {"iothub-ack", "Full"},
                                              {"iothub-app-Temperature", "21,5 \xC2\xB0"},
                                              {"iothub-app-$weird", "a/b"},
                                              {"IOTHUB-APP-empty", ""},
                                              {"Content-Type", "text/plain"},
                                              {"Content-Encoding", "utf-16"},
                                              {"User-Agent", "someone"}});
    CHECK(answer.status == 204);
    CHECK(answer.header("iothub-messageid") == "m 1");
    CHECK(topic_of_next(*device) ==
          "devices/d1/messages/devicebound/%24.mid=m%201&%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&%24.cid=c%261&%24.uid=u%3D1&%24.ct=application%2Fjson&"
          "%24.ce=utf-8&iothub-ack=full&Temperature=21%2C5%20%C2%B0&%24weird=a%2Fb");
  }

  TEST_CASE("sending: the values of iothub-ack, in any case, and the device is told nothing that the sender did not set") {
    TestHub hub;
    hub.create("d1");
    auto device = listening(hub);
    CHECK(send(hub, "x", {{"iothub-ack", "none"}}).status == 204);
    CHECK(topic_of_next(*device) == kTo);
    for (const auto& [sent, shown] : {std::pair{"positive", "positive"}, {"NEGATIVE", "negative"}, {"Full", "full"}}) {
      const HttpAnswer answer = send(hub, "x", {{"iothub-ack", sent}});
      CHECK(answer.status == 204);
      CHECK_FALSE(answer.has_header("iothub-messageid"));
      CHECK(topic_of_next(*device) == std::string(kTo) + "&iothub-ack=" + shown);
    }
    CHECK(e1(send(hub, "x", {{"iothub-ack", "always"}})) == "400 ArgumentInvalid: iothub-ack is \"always\", expected none, positive, negative or full");
    CHECK(send(hub, "x", {{"iothub-ack", ""}}).status == 204);
  }

  // IoT Explorer encodes the id and then the path [service-rest.md 1].
  TEST_CASE("sending: an id that is not known is tried once more, decoded") {
    TestHub hub;
    hub.create("a#b");
    const auto queued = [&hub](std::string_view id) { return member(json_of(hub.api("GET", "/devices/" + std::string(id))), "cloudToDeviceMessageCount"); };
    CHECK(send(hub, "x", {}, "/devices%2Fa%2523b%2Fmessages%2FdeviceBound").status == 204);
    CHECK(queued("a%23b") == "1");
    CHECK(send(hub, "x", {}, "/devices/a%23b/messages/deviceBound").status == 204);
    CHECK(queued("a%23b") == "2");
    // A known id is that id, though it could be decoded.
    hub.create("a%23b");
    CHECK(send(hub, "x", {}, "/devices/a%2523b/messages/deviceBound").status == 204);
    CHECK(queued("a%23b") == "2");
    CHECK(queued("a%2523b") == "1");
    CHECK(e1(send(hub, "x", {}, "/devices/c%2523d/messages/deviceBound")) == "404 DeviceNotFound: c#d");
    CHECK(e1(send(hub, "x", {}, "/devices/c%252Fd/messages/deviceBound")) == "404 DeviceNotFound: c%2Fd");
  }

  TEST_CASE("sending: an expiry as a time or as milliseconds, and nothing else, and nothing past") {
    TestHub hub;
    hub.create("d1");
    auto device = listening(hub);
    const WallTime soon = std::chrono::floor<std::chrono::seconds>(hub.clock().now()) + std::chrono::hours{1};
    const std::string iso = format_iso8601(soon);
    for (const std::string& expiry : {iso, iso.substr(0, 19), iso.substr(0, 19) + "Z", iso.substr(0, 19) + "+00:00", std::to_string(unix_milliseconds(soon))}) {
      CAPTURE(expiry);
      CHECK(send(hub, "x", {{"iothub-expiry", expiry}}).status == 204);
      std::string encoded = iso;
      for (auto at = encoded.find(':'); at != std::string::npos; at = encoded.find(':')) encoded.replace(at, 1, "%3A");
      CHECK(topic_of_next(*device) == std::string(kTo) + "&%24.exp=" + encoded);
    }
    for (const char* bad : {"tomorrow", "-1", "2026-13-01T00:00:00Z", "99999999999999999999", "253402300799001"}) {
      CAPTURE(bad);
      CHECK(e1(send(hub, "x", {{"iothub-expiry", bad}})) ==
            "403 InvalidMessageExpiryTime: iothub-expiry is \"" + std::string(bad) + "\", expected a time like 2026-01-31T12:00:00Z");
    }
    for (const std::string& past : {std::string("2020-01-01T00:00:00Z"), std::string("0"), std::to_string(unix_milliseconds(hub.clock().now()) - 1000)}) {
      CAPTURE(past);
      CHECK(e1(send(hub, "x", {{"iothub-expiry", past}})) == "403 InvalidMessageExpiryTime: the message's expiry time is in the past");
    }
    device->expect_silence();
  }

  TEST_CASE("sending: a message that has expired is not delivered any more") {
    TestHub hub;
    hub.create("d1");
    const std::string soon = format_iso8601(hub.clock().now() + std::chrono::minutes{2});
    CHECK(send(hub, "short", {{"iothub-expiry", soon}}).status == 204);
    CHECK(send(hub, "long").status == 204);
    hub.advance(std::chrono::minutes{3});
    auto device = listening(hub);
    CHECK(device->expect<mqtt::Publish>().payload == "long");
    device->expect_silence();
  }

  TEST_CASE("sending: 64 KB, body and properties together, and no more") {
    TestHub hub;
    hub.create("d1");
    CHECK(send(hub, std::string(65'536, 'x')).status == 204);
    CHECK(e1(send(hub, std::string(65'537, 'x'))) == "413 MessageTooLarge: the message has 65537 bytes, body and properties, at most 65536 are allowed");
    CHECK(send(hub, std::string(65'536 - 11, 'x'), {{"iothub-app-name", "1234567"}}).status == 204);
    CHECK(e1(send(hub, std::string(65'536 - 10, 'x'), {{"iothub-app-name", "1234567"}})).starts_with("413 MessageTooLarge: the message has 65537 bytes"));
    CHECK(newest_refusal(hub, "d1").starts_with("POST /devices/d1/messages/deviceBound -> 413 MessageTooLarge: "));
  }

  TEST_CASE("sending: ids of at most 128 characters, names and values that can be carried") {
    TestHub hub;
    hub.create("d1");
    for (const char* header : {"iothub-messageid", "iothub-correlationid"}) {
      CHECK(send(hub, "x", {{header, std::string(128, 'i')}}).status == 204);
      CHECK(e1(send(hub, "x", {{header, std::string(129, 'i')}})) ==
            "400 ArgumentInvalid: a message or correlation id has 129 characters, at most 128 are allowed");
    }
    CHECK(e1(send(hub, "x", {{"iothub-app-", "x"}})) == "400 ArgumentInvalid: a header iothub-app- names no property");
    CHECK(e1(send(hub, "x", {{"iothub-app-a", "\xFF"}})) == "400 ArgumentInvalid: a property value is not UTF-8");
  }

  TEST_CASE("sending: to nobody") {
    TestHub hub;
    CHECK(e1(send(hub, "x")) == "404 DeviceNotFound: d1");
    hub.create("d1");
    CHECK(e1(send(hub, "x", {}, "/devices/d1/modules/m1/messages/deviceBound")) == "404 ModuleNotFound: m1");
    // The path's word in the device's own spelling: a device sends nothing there.
    CHECK(send(hub, "x", {}, "/devices/d1/messages/devicebound").status == 204);
  }

  TEST_CASE("sending: to a module, whose queue is its own") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    auto device = listening(hub);
    auto module = listening(hub, "d1/m1");
    CHECK(send(hub, "for the module", {}, "/devices/d1/modules/m1/messages/deviceBound").status == 204);
    const auto message = module->expect<mqtt::Publish>();
    CHECK(message.topic == "devices/d1/modules/m1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmodules%2Fm1%2Fmessages%2FdeviceBound");
    CHECK(message.payload == "for the module");
    device->expect_silence();
  }

  TEST_CASE("sending: fifty wait, the fifty-first is refused, and each queue counts for itself") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    for (int i = 0; i < 50; ++i) CHECK(send(hub, std::to_string(i)).status == 204);
    CHECK(e1(send(hub, "one more")) == "403 DeviceMaximumQueueDepthExceeded: 50 messages wait for d1, at most 50 are allowed");
    CHECK(newest_refusal(hub, "d1") ==
          "POST /devices/d1/messages/deviceBound -> 403 DeviceMaximumQueueDepthExceeded: 50 messages wait "
          "for d1; at most 50 are allowed");
    CHECK(member(json_of(hub.api("GET", "/devices/d1")), "cloudToDeviceMessageCount") == "50");
    CHECK(send(hub, "x", {}, "/devices/d1/modules/m1/messages/deviceBound").status == 204);
    // What was refused was not taken; what was taken comes in order.
    auto device = listening(hub);
    for (int i = 0; i < 50; ++i) CHECK(device->expect<mqtt::Publish>().payload == std::to_string(i));
    device->expect_silence();
    CHECK(send(hub, "again").status == 204);
    CHECK(device->expect<mqtt::Publish>().payload == "again");
  }

  TEST_CASE("purging: empties the queue and says how many there were") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    CHECK(hub.api("DELETE", "/devices/d1/commands").body == R"({"deviceId":"d1","totalMessagesPurged":0})");
    for (int i = 0; i < 3; ++i) CHECK(send(hub, "x").status == 204);
    CHECK(send(hub, "x", {}, "/devices/d1/modules/m1/messages/deviceBound").status == 204);
    const HttpAnswer purged = hub.api("DELETE", "/devices/d1/commands/");
    CHECK(purged.status == 200);
    CHECK(purged.header("Content-Type") == "application/json; charset=utf-8");
    CHECK(purged.body == R"({"deviceId":"d1","totalMessagesPurged":3})");
    CHECK(hub.api("DELETE", "/devices/d1/commands").body == R"({"deviceId":"d1","totalMessagesPurged":0})");
    CHECK(hub.api("DELETE", "/devices/d1/modules/m1/commands").body == R"({"deviceId":"d1","moduleId":"m1","totalMessagesPurged":1})");
    auto device = listening(hub);
    device->expect_silence();
    CHECK(e1(hub.api("DELETE", "/devices/d2/commands")) == "404 DeviceNotFound: d2");
    CHECK(e1(hub.api("DELETE", "/devices/d1/modules/m2/commands")) == "404 ModuleNotFound: m2");
  }
}
