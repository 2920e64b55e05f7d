// Twins over MQTT, byte for byte.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kReported = "$iothub/twin/PATCH/properties/reported/?$rid=";

struct TwinRig {
  explicit TwinRig(const std::function<void(broker::Config&)>& adjust = {}) : hub(adjust) {
    hub.create("d1");
    device = hub.connect("d1");
    device->send_raw(packet(0x82, number(1) + field("$iothub/twin/res/#") + '\0' + field("$iothub/twin/PATCH/properties/desired/#") + '\0'));
    expect_bytes(*device, "90 04 0001 0000"_hex);
  }
  void patch_desired(std::string_view desired) {
    const HttpAnswer answer = hub.api("PATCH", "/twins/d1", "{\"properties\":{\"desired\":" + std::string(desired) + "}}");
    INFO(answer.body);
    REQUIRE(answer.status == 200);
  }
  // A report that is refused with this status, code and text.
  void refused(std::string_view rid_and_version, std::string_view patch, int status, int code, std::string_view message) {
    device->send_raw(publish(kReported + std::string(rid_and_version), patch));
    const mqtt::Publish answer = device->expect<mqtt::Publish>();
    CHECK(answer.topic == "$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + std::string(rid_and_version.substr(0, rid_and_version.find('&'))));
    CHECK(answer.qos == 0);
    const auto body = parse_json(answer.payload);
    REQUIRE(body.ok());
    CHECK(find_member(*body, "errorCode")->GetInt() == code);
    CHECK(string_of(*find_member(*body, "message")) == message);
    // 32 hex digits, then the time: "...-G:0-TimeStamp:01/31/2026 23:59:59".
    const std::string_view tracking = string_of(*find_member(*body, "trackingId"));
    CHECK(tracking.substr(32, 15) == "-G:0-TimeStamp:");
    CHECK(tracking.size() == 32 + 15 + 19);
    CHECK(string_of(*find_member(*body, "timestampUtc")).size() == std::string_view("2026-01-02T03:04:05.6789012Z").size());
    CHECK(answer.payload.starts_with("{\"errorCode\":"));
  }
  TestHub hub;
  std::unique_ptr<MqttClient> device;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("twin GET: a new twin, empty payload or one space") {
    TwinRig rig;
    rig.device->send_raw(publish("$iothub/twin/GET/?$rid=1", ""));
    expect_bytes(*rig.device, "30 52"_hex + field("$iothub/twin/res/200/?$rid=1") + R"({"desired":{"$version":1},"reported":{"$version":1}})");
    rig.device->send_raw(publish("$iothub/twin/GET/?$rid=2", " "));
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=2", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
  }

  TEST_CASE("twin GET: both sections, $version last, no metadata, no tags") {
    TwinRig rig;
    CHECK(rig.hub.api("PATCH", "/twins/d1", R"({"tags":{"site":"lab"},"properties":{"desired":{"b":{"c":[1,2]},"a":1.5}}})").status == 200);
    expect_bytes(*rig.device, publish("$iothub/twin/PATCH/properties/desired/?$version=2", R"({"b":{"c":[1,2]},"a":1.5,"$version":2})"));
    rig.device->send_raw(publish(kReported + "1", R"({"fw":"1.2"})"));
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=1&$version=2", ""));
    rig.device->send_raw(publish("$iothub/twin/GET/?$rid=2", ""));
    const mqtt::Publish twin = rig.device->expect<mqtt::Publish>();
    CHECK(twin.topic == "$iothub/twin/res/200/?$rid=2");
    CHECK((twin.payload == R"({"desired":{"b":{"c":[1,2]},"a":1.5,"$version":2},"reported":{"fw":"1.2","$version":2}})" ||
           twin.payload == R"({"desired":{"a":1.5,"b":{"c":[1,2]},"$version":2},"reported":{"fw":"1.2","$version":2}})"));
  }

  TEST_CASE("twin GET: the request id comes back verbatim, whatever it is") {
    TwinRig rig;
    for (const std::string rid : {"0", "de305d54-75b4-431b-adb2-eb6b9e546014", "%41%2F", "a b", "=", ""}) {
      rig.device->send_raw(publish("$iothub/twin/GET/?$rid=" + rid, ""));
      expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=" + rid, R"({"desired":{"$version":1},"reported":{"$version":1}})"));
    }
    // Without the slash, as some clients write it; and with something behind the id.
    rig.device->send_raw(publish("$iothub/twin/GET?$rid=7", "") + publish("$iothub/twin/GET/?$rid=8&more=1", ""));
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=7", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=8", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
  }

  TEST_CASE("twin: a QoS 1 request gets its PUBACK first, the answer at QoS 0") {
    TwinRig rig;
    rig.device->send_raw(packet(0x82, number(2) + field("$iothub/twin/res/#") + '\1'));
    expect_bytes(*rig.device, "90 03 0002 01"_hex);
    rig.device->send_raw(packet(0x32, field("$iothub/twin/GET/?$rid=1") + "00 05"_hex + " "));
    expect_bytes(*rig.device, "40 02 00 05"_hex);
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=1", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
    rig.device->send_raw(packet(0x32, field(kReported + "2") + "00 06"_hex + "{}"));
    expect_bytes(*rig.device, "40 02 00 06"_hex);
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=2&$version=2", ""));
  }

  TEST_CASE("twin GET without $rid closes the connection") {
    TwinRig rig;
    rig.device->send_raw(publish("$iothub/twin/GET/", ""));
    expect_closed_because(rig.hub, *rig.device, "d1",
                          "twin GET | connection closed | topic | expected $rid in the topic: .../twin/GET/?$rid=1; received $iothub/twin/GET/");
  }

  TEST_CASE("twin PATCH: each report is answered 204 with the new version and no body") {
    TwinRig rig;
    rig.device->send_raw(publish(kReported + "a", R"({"fw":"1.2","n":{"x":1,"y":2}})") + publish(kReported + "b", R"({"n":{"x":null}})") +
                         publish(kReported + "c", "{}"));
    expect_bytes(*rig.device, "30 29"_hex + field("$iothub/twin/res/204/?$rid=a&$version=2"));
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=b&$version=3", ""));
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=c&$version=4", ""));
    rig.device->send_raw(publish("$iothub/twin/GET/?$rid=d", ""));
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=d", R"({"desired":{"$version":1},"reported":{"fw":"1.2","n":{"y":2},"$version":4}})"));
  }

  TEST_CASE("twin PATCH: without $rid the report counts and nobody is answered") {
    TwinRig rig;
    rig.device->send_raw(publish("$iothub/twin/PATCH/properties/reported/", R"({"a":1})") + publish("$iothub/twin/GET/?$rid=1", ""));
    expect_bytes(*rig.device, publish("$iothub/twin/res/200/?$rid=1", R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})"));
  }

  TEST_CASE("twin PATCH: $version in the topic must be the reported one, else 412") {
    TwinRig rig;
    rig.device->send_raw(publish(kReported + "1&$version=1", R"({"a":1})"));
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=1&$version=2", ""));
    rig.refused("2&$version=1", R"({"a":2})", 412, 412001, "reported $version is 2, the request expects 1");
    rig.refused("3&$version=x", R"({"a":2})", 400, 400004, "$version in the topic is not a number");
    CHECK(contains(last_refusal(rig.hub, "d1"), "twin PATCH | 400 ArgumentInvalid | body"));
  }

  TEST_CASE("twin PATCH: what the hub cannot apply is answered 400 with a JSON body, and the connection stays") {
    TwinRig rig;
    for (const std::string patch : {"", "[]", "1", "null", "{", "{\"a\":1}x", "{\"$version\":2}", "{\"a.b\":1}", "{\"a\":[null]}"}) {
      rig.device->send_raw(publish(kReported + "1", patch));
      const mqtt::Publish answer = rig.device->expect<mqtt::Publish>();
      CHECK(answer.topic == "$iothub/twin/res/400/?$rid=1");
      CHECK(answer.payload.starts_with("{\"errorCode\":400004,\"trackingId\":\""));
    }
    rig.device->send_raw(publish(kReported + "2", "{}"));
    expect_bytes(*rig.device, publish("$iothub/twin/res/204/?$rid=2&$version=2", ""));
  }

  TEST_CASE("twin: without a subscription to the answers a report counts, and its answer is dropped") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send_raw(publish(kReported + "1", R"({"a":1})"));
    device->expect_silence();
    // Told once: the device waits for what never comes.
    device->send_raw(publish("$iothub/twin/GET/?$rid=2", ""));
    device->expect_silence();
    hub.wait_until([&] { return contains(hub.api("GET", "/twins/d1").body, R"("reported":{"a":1,)"); }, "the report");
    device->expect_silence();
    CHECK(hub.refusals("d1").size() == 1);
    CHECK(last_refusal(hub, "d1") ==
          "twin response | dropped | state | expected a subscription to $iothub/twin/res/#; received a twin request with $rid=1 and no such subscription; "
          "subscribe, wait for the SUBACK, then send twin requests");
  }

  TEST_CASE("desired: a patch of the service arrives with its nulls and the version") {
    TwinRig rig;
    rig.patch_desired(R"({"interval":30,"mode":{"x":1,"y":2}})");
    expect_bytes(*rig.device, "30 64"_hex + field("$iothub/twin/PATCH/properties/desired/?$version=2") + R"({"interval":30,"mode":{"x":1,"y":2},"$version":2})");
    rig.patch_desired(R"({"mode":{"x":null},"other":null})");
    expect_bytes(*rig.device, publish("$iothub/twin/PATCH/properties/desired/?$version=3", R"({"mode":{"x":null},"other":null,"$version":3})"));
    rig.patch_desired(R"({"interval":30})");  // says nothing new: told all the same
    expect_bytes(*rig.device, publish("$iothub/twin/PATCH/properties/desired/?$version=4", R"({"interval":30,"$version":4})"));
  }

  TEST_CASE("desired: a replacement arrives whole, with null for what has gone") {
    TwinRig rig;
    rig.patch_desired(R"({"a":1,"b":2})");
    expect_bytes(*rig.device, publish("$iothub/twin/PATCH/properties/desired/?$version=2", R"({"a":1,"b":2,"$version":2})"));
    CHECK(rig.hub.api("PUT", "/twins/d1", R"({"properties":{"desired":{"a":1,"c":100}}})").status == 200);
    const mqtt::Publish change = rig.device->expect<mqtt::Publish>();
    CHECK(change.topic == "$iothub/twin/PATCH/properties/desired/?$version=3");
    // The order of the members is nobody's business.
    const auto json = parse_json(change.payload);
    REQUIRE(json.ok());
    CHECK(json->MemberCount() == 4);
    CHECK(find_member(*json, "a")->GetInt() == 1);
    CHECK(find_member(*json, "b")->IsNull());
    CHECK(find_member(*json, "c")->GetInt() == 100);
    CHECK(find_member(*json, "$version")->GetInt() == 3);
  }

  TEST_CASE("desired: tags alone are not told, and what happens while a device is away is not stored for it") {
    TwinRig rig;
    CHECK(rig.hub.api("PATCH", "/twins/d1", R"({"tags":{"site":"lab"}})").status == 200);
    rig.device->expect_silence();
    rig.device.reset();
    rig.patch_desired(R"({"a":1})");
    rig.device = rig.hub.connect("d1");
    rig.device->send_raw(subscribe(1, "$iothub/twin/PATCH/properties/desired/#", 0));
    expect_bytes(*rig.device, "90 03 0001 00"_hex);
    rig.device->expect_silence();
  }

  TEST_CASE("strict: without an api-version in the user name a report is answered 400") {
    TestHub hub([](broker::Config& config) { config.behaviour.strict = true; });
    hub.create("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.username = "localhost/d1";
    auto device = hub.open();
    device->send_raw(connect.bytes() + subscribe(1, "$iothub/twin/res/#", 0) + publish(kReported + "1", "{}"));
    expect_bytes(*device, "20 02 00 00"_hex);
    expect_bytes(*device, "90 03 0001 00"_hex);
    const mqtt::Publish answer = device->expect<mqtt::Publish>();
    CHECK(answer.topic == "$iothub/twin/res/400/?$rid=1");
    CHECK(contains(answer.payload, "\"message\":\"the user name has no api-version (strict)\""));
  }
}
