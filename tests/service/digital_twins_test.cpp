// Digital twins and their commands over HTTPS (reference/service-rest.md 5.11).
#include <doctest/doctest.h>

#include <string>
#include <tuple>

#include "tests/service/method_calls.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr const char* kDigitalTwin = "/digitaltwins/d1";
constexpr const char* kModel = "&model-id=dtmi%3Acom%3Aexample%3ATemperatureController%3B1";

// A device with that model, which has reported these properties.
std::unique_ptr<MqttClient> reporting(TestHub& hub, std::string_view properties) {
  hub.create("d1");
  TestHub::ConnectOptions options;
  options.username_suffix = kModel;
  auto device = hub.connect("d1", options);
  device->subscribe(1, {{"$iothub/twin/res/#", 0}, {"$iothub/twin/PATCH/properties/desired/#", 0}});
  device->expect<mqtt::Suback>();
  mqtt::Publish report;
  report.topic = "$iothub/twin/PATCH/properties/reported/?$rid=1";
  report.payload = properties;
  device->send(report);
  CHECK(device->expect<mqtt::Publish>().topic.starts_with("$iothub/twin/res/204/"));
  return device;
}

HttpAnswer patch_digital_twin(TestHub& hub, std::string_view body, const HttpClient::Headers& headers = {}) {
  return hub.api("PATCH", kDigitalTwin, body, headers);
}

std::string desired_of_twin(TestHub& hub) {
  JsonDocument twin = json_of(hub.api("GET", "/twins/d1"));
  JsonValue& desired = twin["properties"]["desired"];
  desired.RemoveMember("$metadata");
  return to_json(desired);
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("digital twins: every device has one, and its etag is the twin's") {
    TestHub hub;
    hub.create("d1");
    const HttpAnswer answer = hub.api("GET", kDigitalTwin);
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type") == "application/json; charset=utf-8");
    CHECK(answer.header("ETag") == "\"AAAAAAAAAAE=\"");
    CHECK(answer.body == R"({"$dtId":"d1","$metadata":{"$model":""}})");
    CHECK(hub.api("HEAD", kDigitalTwin).header("Content-Length") == std::to_string(answer.body.size()));
  }

  TEST_CASE("digital twins: the model, what the device reports and what is set, together") {
    TestHub hub;
    auto device = reporting(hub, R"({"serial":"a-1","thermostat1":{"__t":"c","max":25.30}})");
    CHECK(patch_digital_twin(hub, R"([{"op":"add","path":"/thermostat1/target","value":21.80}])").status == 202);
    const JsonDocument twin = json_of(hub.api("GET", kDigitalTwin));
    CHECK(member(twin, "$metadata/$model") == "\"dtmi:com:example:TemperatureController;1\"");
    CHECK(member(twin, "serial") == "\"a-1\"");
    CHECK(member(twin, "$metadata/serial/lastUpdateTime") == member(json_of(hub.api("GET", "/twins/d1")), "properties/reported/$metadata/serial/$lastUpdated"));
    CHECK(member(twin, "thermostat1/target") == "absent");
    CHECK(member(twin, "thermostat1/$metadata/target") == R"({"desiredValue":21.8,"desiredVersion":2})");
    CHECK(hub.api("GET", kDigitalTwin).body.find(R"("max":25.30,)") != std::string::npos);
  }

  TEST_CASE("digital twins: a patch is 202 with the new etag, and the device hears of it as of any other") {
    TestHub hub;
    auto device = reporting(hub, R"({"thermostat1":{"__t":"c"}})");
    const HttpAnswer answer = patch_digital_twin(hub, R"([{"op":"add","path":"/thermostat1/target","value":21.80},{"op":"add","path":"/interval","value":5}])");
    CHECK(answer.status == 202);
    CHECK(answer.body == "");
    CHECK(answer.header("ETag") == "\"AAAAAAAAAAI=\"");
    CHECK(answer.header("Location") == "/digitaltwins/d1");
    const auto told = device->expect<mqtt::Publish>();
    CHECK(told.topic == "$iothub/twin/PATCH/properties/desired/?$version=2");
    CHECK(told.payload == R"({"interval":5,"thermostat1":{"__t":"c","target":21.80},"$version":2})");
    CHECK(patch_digital_twin(hub, R"([{"op":"remove","path":"/interval"}])").header("ETag") == "\"AAAAAAAAAAM=\"");
    CHECK(device->expect<mqtt::Publish>().payload == R"({"interval":null,"$version":3})");
    CHECK(desired_of_twin(hub) == R"({"thermostat1":{"__t":"c","target":21.8},"$version":3})");
    // The Java client's PATCH.
    CHECK(hub.api("POST", kDigitalTwin, R"([{"op":"add","path":"/interval","value":6}])", {{"X-HTTP-Method-Override", "PATCH"}}).status == 202);
    CHECK(device->expect<mqtt::Publish>().payload == R"({"interval":6,"$version":4})");
  }

  TEST_CASE("digital twins: a patch that sets nothing changes nothing") {
    TestHub hub;
    auto device = reporting(hub, R"({"serial":"a-1"})");
    for (const char* body : {"[]", R"([{"op":"remove","path":"/serial"}])"}) {
      CAPTURE(body);
      const HttpAnswer answer = patch_digital_twin(hub, body);
      CHECK(answer.status == 202);
      CHECK(answer.header("ETag") == "\"AAAAAAAAAAE=\"");
    }
    device->expect_silence();
    CHECK(desired_of_twin(hub) == R"({"$version":1})");
  }

  TEST_CASE("digital twins: the etag of a patch is that of the twin behind what configurations made of it") {
    TestHub hub;
    hub.create("d1");
    REQUIRE(hub.api("PUT", "/configurations/c", R"({"content":{"deviceContent":{"properties.desired.interval":5}},"targetCondition":"*"})").status == 200);
    const HttpAnswer answer = patch_digital_twin(hub, R"([{"op":"add","path":"/interval","value":6}])");
    CHECK(answer.status == 202);
    CHECK(desired_of_twin(hub) == R"({"interval":5,"$version":4})");
    CHECK(answer.header("ETag") == hub.api("GET", kDigitalTwin).header("ETag"));
    CHECK(patch_digital_twin(hub, R"([{"op":"add","path":"/other","value":1}])", if_match(answer.header("ETag"))).status == 202);
  }

  TEST_CASE("digital twins: If-Match is the twin's etag, and comes before what the patch says") {
    TestHub hub;
    hub.create("d1");
    const std::string etag = hub.api("GET", kDigitalTwin).header("ETag");
    CHECK(patch_digital_twin(hub, R"([{"op":"add","path":"/a","value":1}])", if_match(etag)).status == 202);
    for (const std::string& stale : {etag, std::string("abc"), std::string("\"\"")}) {
      CAPTURE(stale);
      CHECK(e1(patch_digital_twin(hub, R"([{"op":"add","path":"/a","value":2}])", if_match(stale))).starts_with("412 PreconditionFailed: PreconditionFailed, ETag may be invalid."));
      CHECK(patch_digital_twin(hub, R"([{"op":"remove","path":"/nothing"}])", if_match(stale)).status == 412);
    }
    for (const char* any : {"*", "\"*\""}) CHECK(patch_digital_twin(hub, R"([{"op":"add","path":"/a","value":3}])", if_match(any)).status == 202);
    CHECK(desired_of_twin(hub) == R"({"a":3,"$version":4})");
  }

  TEST_CASE("digital twins: bad patches are refused as a whole, with the cloud's codes and the reason in the book") {
    TestHub hub;
    hub.create("d1");
    for (const auto& [body, refusal] : {std::pair{"", "400 InvalidDigitalTwinJsonPatch: "},
                                        {R"({"op":"add"})", "400 InvalidDigitalTwinJsonPatch: "},
                                        {R"([{"op":"copy","path":"/a","from":"/b"}])", "400 InvalidDigitalTwinPatch: "},
                                        {R"([{"op":"add","path":"/a","value":1},{"op":"add","path":"/$metadata","value":1}])", "400 InvalidDigitalTwinPatchPath: "},
                                        {R"([{"op":"add","path":"/a","value":1},{"op":"replace","path":"/b","value":1}])", "400 InvalidDigitalTwinPatchPath: "},
                                        {R"([{"op":"add","path":"/a","value":[1]}])", "400 InvalidDigitalTwinPayload: "},
                                        {R"([{"op":"add","path":"/a","value":9007199254740993}])", "400 ArgumentInvalid: properties.desired.a is 9007199254740993"}}) {
      CAPTURE(body);
      CHECK(e1(patch_digital_twin(hub, body)).starts_with(refusal));
    }
    CHECK(desired_of_twin(hub) == R"({"$version":1})");
    CHECK(newest_refusal(hub, "d1").starts_with("PATCH /digitaltwins/d1 -> 400 ArgumentInvalid: "));
  }

  TEST_CASE("digital twins: of a device that is not there") {
    TestHub hub;
    CHECK(e1(hub.api("GET", kDigitalTwin)).starts_with("404 DeviceNotFound: "));
    CHECK(e1(patch_digital_twin(hub, "[]")).starts_with("404 DeviceNotFound: "));
    CHECK(e3(hub.api("POST", "/digitaltwins/d1/commands/c")).starts_with("404001 DeviceNotFound: "));
    CHECK(e1(hub.api("GET", "/digitaltwins/" + std::string(129, 'd'))).starts_with("400 ArgumentInvalid: "));
  }

  TEST_CASE("digital twins: commands of the device and of a component are methods, and the answer's body is the device's own") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    const Call root = call(hub, *device, "/digitaltwins/d1/commands/reboot", "5", "200", R"({"in":5.0})");
    CHECK(root.topic == "$iothub/methods/POST/reboot/?$rid=1");
    CHECK(root.payload == "5");
    CHECK(root.answer.status == 200);
    CHECK(root.answer.body == R"({"in":5.0})");
    CHECK(root.answer.header("x-ms-command-statuscode") == "200");
    CHECK(root.answer.header("x-ms-request-id").size() == 36);
    CHECK(root.answer.header("Content-Type") == "application/json; charset=utf-8");
    const Call component = call(hub, *device, "/digitaltwins/d1/components/thermostat1/commands/getMaxMinReport?connectTimeoutInSeconds=5&responseTimeoutInSeconds=10",
                                "\"2026-01-01T00:00:00Z\"", "404", "");
    CHECK(component.topic == "$iothub/methods/POST/thermostat1*getMaxMinReport/?$rid=2");
    CHECK(component.payload == "\"2026-01-01T00:00:00Z\"");
    CHECK(component.answer.status == 200);
    CHECK(component.answer.body == "null");
    CHECK(component.answer.header("x-ms-command-statuscode") == "404");
  }

  TEST_CASE("digital twins: a command without an argument reaches the device as null") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    for (const char* body : {"", "null"}) CHECK(call(hub, *device, "/digitaltwins/d1/commands/c", body, "200", "1").payload == "null");
    CHECK(call(hub, *device, "/digitaltwins/d1/commands/c", R"( { "b" : 1.10 , "a" : "" } )", "200", "1").payload == R"({"b":1.10,"a":""})");
  }

  TEST_CASE("digital twins: a command waits for a device as long as it is told, and for its answer") {
    TestHub hub;
    hub.create("d1");
    HttpClient service(hub.tls(), hub.https());
    post(hub, service, "/digitaltwins/d1/commands/late?connectTimeoutInSeconds=20&responseTimeoutInSeconds=20", "1");
    auto device = subscribed(hub, "d1");
    answer(*device, device->expect<mqtt::Publish>(), "201", "\"here\"");
    const HttpAnswer late = service.read_answer();
    CHECK(late.header("x-ms-command-statuscode") == "201");
    CHECK(late.body == "\"here\"");
    post(hub, service, "/digitaltwins/d1/commands/silent?responseTimeoutInSeconds=5", "1");
    device->expect<mqtt::Publish>();
    hub.advance(std::chrono::milliseconds{5'100});
    CHECK(e3(service.read_answer()) == "504101 GatewayTimeout: Timed out waiting for the response from device.");
  }

  TEST_CASE("digital twins: commands of a device that does not listen, and those that cannot be used") {
    TestHub hub;
    hub.create("d1");
    CHECK(e3(hub.api("POST", "/digitaltwins/d1/components/c/commands/x", "1")).starts_with("404103 DeviceNotOnline: "));
    CHECK(newest_refusal(hub, "d1").starts_with("POST /digitaltwins/d1/components/c/commands/x -> 404 DeviceNotOnline: "));
    for (const auto& [path, body, refusal] : {
             std::tuple{"commands/c?responseTimeoutInSeconds=4", "1", "responseTimeoutInSeconds must be within [5; 300]."},
             {"commands/c?responseTimeoutInSeconds=301", "1", "responseTimeoutInSeconds must be within [5; 300]."},
             {"commands/c?connectTimeoutInSeconds=-1", "1", "connectTimeoutInSeconds must be within [0; 300]."},
             {"commands/c?connectTimeoutInSeconds=31", "1", "Device connection timeout 31 s cannot be longer than an overall call timeout 30 s"},
             {"commands/c?connectTimeoutInSeconds=x", "1", "connectTimeoutInSeconds is \"x\"; expected a whole number of seconds"},
             {"commands/c?responseTimeoutInSeconds=", "1", "responseTimeoutInSeconds is \"\"; expected a whole number of seconds"},
             {"commands/c", "{", "not valid JSON at byte 1: Missing a name for object member."},
             {"commands/a%23b", "1", "the command's name contains '#'; not allowed are / ? # + % and control characters"},
             {"components/a%2Bb/commands/c", "1", "the command's name contains '+'; not allowed are / ? # + % and control characters"},
         }) {
      CAPTURE(path);
      CHECK(e3(hub.api("POST", "/digitaltwins/d1/" + std::string(path), body)) == "400004 ArgumentInvalid: " + std::string(refusal));
    }
    const std::string name(64, 'n');
    CHECK(e3(hub.api("POST", "/digitaltwins/d1/components/" + name + "/commands/" + name, "1")).starts_with("404103 "));
    CHECK(e3(hub.api("POST", "/digitaltwins/d1/components/" + name + "/commands/" + name + "n", "1")) ==
          "400004 ArgumentInvalid: the command's name has 130 bytes; at most 129 are allowed");
    CHECK(e3(hub.api("POST", "/digitaltwins/d1/commands/c", "\"" + std::string(131'071, 'x') + "\"")) ==
          "413001 MessageTooLarge: payload has 131073 bytes; at most 131072 are allowed");
  }
}
