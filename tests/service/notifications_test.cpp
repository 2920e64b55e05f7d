// The hub's own events in the stream (service-rest.md 7).
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

// All events so far, in the order in which they came.
std::vector<JsonDocument> events(TestHub& hub) {
  HttpClient stream(hub.tls(), hub.https());
  stream.send_raw("GET /_nearhub/events?since=start&follow=false HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + hub.owner_token() + "\r\n\r\n");
  REQUIRE(stream.read_answer().status == 200);
  const std::string text = stream.read_stream_until("there is no such text");
  std::vector<JsonDocument> found;
  std::string_view rest = text;
  for (std::size_t at; (at = rest.find("data: ")) != std::string_view::npos;) {
    rest.remove_prefix(at + 6);
    auto event = parse_json(rest.substr(0, rest.find('\n')));
    REQUIRE(event.ok());
    found.push_back(std::move(*event));
  }
  return found;
}

std::string summary(const JsonValue& event) {
  const auto text = [&event](std::string_view path) {
    std::string found = member(event, path);
    return found == "absent" ? std::string() : found.substr(1, found.size() - 2);
  };
  std::string line = text("annotations/iothub-message-source") + " " + text("properties/opType") + " " + text("deviceId");
  if (const std::string module = text("moduleId"); !module.empty()) line += "/" + module;
  return line;
}

std::vector<std::string> summaries(TestHub& hub) {
  std::vector<std::string> lines;
  for (const JsonDocument& event : events(hub)) lines.push_back(summary(event));
  return lines;
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("events of the hub's own: none unless asked for") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("PATCH", "/twins/d1", R"({"tags":{"a":1}})").status == 200);
    auto device = hub.connect("d1");
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    CHECK(summaries(hub).empty());
  }

  TEST_CASE("lifecycle events: made and deleted identities, in the documented shape") {
    TestHub hub([](broker::Config& config) { config.behaviour.lifecycle_events = true; });
    hub.create("d1");
    hub.create("d1/m1");
    CHECK(hub.api("PUT", "/devices/d1", "{}", if_match("*")).status == 200);  // no lifecycle
    CHECK(hub.api("POST", "/devices", R"([{"id":"d1","importMode":"delete"}])").status == 200);
    const std::vector<JsonDocument> all = events(hub);
    REQUIRE(all.size() == 4);
    CHECK(summary(all[0]) == "deviceLifecycleEvents createDeviceIdentity d1");
    CHECK(summary(all[1]) == "deviceLifecycleEvents createDeviceIdentity d1/m1");
    CHECK(summary(all[2]) == "deviceLifecycleEvents deleteDeviceIdentity d1/m1");
    CHECK(summary(all[3]) == "deviceLifecycleEvents deleteDeviceIdentity d1");
    CHECK(member(all[2], "body/version") == "2");
    CHECK(member(all[3], "body/version") == "2");
    const JsonDocument& made = all[1];
    CHECK(member(made, "systemProperties/content-type") == "\"application/json\"");
    CHECK(member(made, "systemProperties/content-encoding") == "\"utf-8\"");
    CHECK(member(made, "systemProperties/user-id") == member(made, "properties/hubName"));
    CHECK(member(made, "systemProperties/correlation-id").size() == 10);
    CHECK(member(made, "properties/deviceId") == "\"d1\"");
    CHECK(member(made, "properties/moduleId") == "\"m1\"");
    CHECK(member(made, "properties/operationTimestamp").size() == 30);
    CHECK(member(made, "properties/iothub-message-schema") == "\"deviceLifecycleNotification\"");
    CHECK(member(made, "annotations/iothub-connection-device-id") == "\"d1\"");
    CHECK(member(made, "annotations/iothub-connection-module-id") == "\"m1\"");
    CHECK(member(made, "annotations/iothub-connection-auth-method") == "absent");
    CHECK(member(made, "body/etag") == "\"AAAAAAAAAAE=\"");
    CHECK(member(made, "body/version") == "2");
    CHECK(member(made, "body/properties/desired/$metadata/$lastUpdated") == "\"0001-01-01T00:00:00Z\"");
    CHECK(member(all[3], "body/properties/desired/$version") == "1");
  }

  TEST_CASE("twin events: patches with their nulls and metadata, replacements whole") {
    TestHub hub([](broker::Config& config) { config.behaviour.twin_events = true; });
    hub.create("d1");
    CHECK(hub.api("PATCH", "/twins/d1", R"({"tags":{"floor":1},"properties":{"desired":{"a":{"b":1},"c":2}}})").status == 200);
    CHECK(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"a":{"b":null},"d":3}}})").status == 200);
    CHECK(hub.api("PUT", "/twins/d1", R"({"tags":{"x":1}})").status == 200);
    CHECK(hub.api("POST", "/devices", R"([{"id":"d1","importMode":"updateTwin","tags":{"y":2}}])").status == 200);
    CHECK(hub.api("PATCH", "/twins/d1", "{}").status == 200);  // changes nothing
    const std::vector<JsonDocument> all = events(hub);
    REQUIRE(all.size() == 4);
    CHECK(summary(all[0]) == "twinChangeEvents updateTwin d1");
    CHECK(member(all[0], "properties/iothub-message-schema") == "\"twinChangeNotification\"");
    CHECK(member(all[0], "body/version") == "3");
    CHECK(member(all[0], "body/tags") == R"({"floor":1})");
    CHECK(member(all[0], "body/properties/desired/$version") == "2");
    CHECK(member(all[0], "body/properties/reported") == "absent");
    CHECK(member(all[1], "body/tags") == "absent");
    CHECK(member(all[1], "body/properties/desired/a") == R"({"b":null})");
    CHECK(member(all[1], "body/properties/desired/$metadata/a/b") == "absent");
    CHECK(member(all[1], "body/properties/desired/$metadata/a/$lastUpdatedVersion") == "3");
    CHECK(member(all[1], "body/properties/desired/$metadata/d/$lastUpdatedVersion") == "3");
    CHECK(member(all[1], "body/properties/desired/$metadata/c") == "absent");
    CHECK(summary(all[2]) == "twinChangeEvents replaceTwin d1");
    CHECK(member(all[2], "body/deviceId") == "\"d1\"");
    CHECK(member(all[2], "body/tags") == R"({"x":1})");
    CHECK(member(all[2], "body/properties/reported/$version") == "1");
    CHECK(summary(all[3]) == "twinChangeEvents updateTwin d1");
    CHECK(member(all[3], "body/tags") == R"({"y":2})");
  }

  TEST_CASE("twin events: what a device reports, a deleted property as null") {
    TestHub hub([](broker::Config& config) { config.behaviour.twin_events = true; });
    hub.create("d1");
    auto device = hub.connect("d1");
    for (const char* patch : {R"({"a":1})", R"({"a":null})"}) {
      mqtt::Publish message;
      message.topic = "$iothub/twin/PATCH/properties/reported/?$rid=1";
      message.payload = patch;
      device->send(message);
    }
    hub.wait_until([&] { return events(hub).size() >= 2; }, "both reports");
    const std::vector<JsonDocument> all = events(hub);
    REQUIRE(all.size() == 2);
    CHECK(member(all[0], "body/properties/reported/a") == "1");
    CHECK(member(all[1], "body/properties/reported/a") == "null");
    CHECK(member(all[1], "body/properties/reported/$version") == "3");
    CHECK(member(all[1], "body/properties/desired") == "absent");
  }

  TEST_CASE("connection events: begin and end, numbers that rise") {
    TestHub hub([](broker::Config& config) { config.behaviour.connection_events = true; });
    hub.create("d1");
    auto first = hub.connect("d1");
    auto second = hub.connect("d1");  // takes over
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    const std::vector<JsonDocument> all = events(hub);
    REQUIRE(all.size() == 4);
    std::string last;
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(summary(all[i]) == std::string("deviceConnectionStateEvents ") + (i % 2 == 0 ? "deviceConnected" : "deviceDisconnected") + " d1");
      const std::string number = member(all[i], "body/sequenceNumber");
      CHECK(number.size() == 66);
      CHECK(number > last);
      last = number;
    }
  }
}

}  // namespace nearhub::test
