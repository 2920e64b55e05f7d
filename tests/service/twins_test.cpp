#include <doctest/doctest.h>

#include <string>

#include "base/base64.h"
#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

HttpAnswer patch(TestHub& hub, std::string_view body, const HttpClient::Headers& headers = {}) { return hub.api("PATCH", "/twins/d1", body, headers); }
HttpAnswer put(TestHub& hub, std::string_view body, const HttpClient::Headers& headers = {}) { return hub.api("PUT", "/twins/d1", body, headers); }

// The value of tags or desired without the metadata.
std::string desired(const HttpAnswer& answer) {
  CHECK(answer.status == 200);
  JsonDocument document = json_of(answer);
  JsonValue& section = document["properties"]["desired"];
  section.RemoveMember("$metadata");
  return to_json(section);
}
std::string tags(const HttpAnswer& answer) { return member(json_of(answer), "tags"); }

// The counter as eight bytes, big-endian.
std::string etag(int counter) { return base64_encode(std::string(7, '\0') + static_cast<char>(counter)); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("twins: every identity has one from the beginning") {
    TestHub hub;
    const HttpAnswer device = hub.api("PUT", "/devices/d1", "{}");
    hub.create("d1/m1");
    const HttpAnswer answer = hub.api("GET", "/twins/d1");
    CHECK(answer.status == 200);
    CHECK(answer.header("ETag") == "\"AAAAAAAAAAE=\"");
    const JsonDocument twin = json_of(answer);
    CHECK(member(twin, "deviceId") == "\"d1\"");
    CHECK(member(twin, "moduleId") == "absent");
    CHECK(member(twin, "etag") == "\"AAAAAAAAAAE=\"");
    CHECK(member(twin, "deviceEtag") == member(json_of(device), "etag"));
    CHECK(member(twin, "status") == "\"enabled\"");
    CHECK(member(twin, "statusUpdateTime") == "\"0001-01-01T00:00:00Z\"");
    CHECK(member(twin, "connectionState") == "\"Disconnected\"");
    CHECK(member(twin, "authenticationType") == "\"sas\"");
    CHECK(member(twin, "x509Thumbprint") == R"({"primaryThumbprint":null,"secondaryThumbprint":null})");
    CHECK(member(twin, "modelId") == "\"\"");
    CHECK(member(twin, "version") == "2");
    CHECK(member(twin, "tags") == "absent");
    CHECK(member(twin, "properties/desired/$version") == "1");
    CHECK(member(twin, "properties/reported/$version") == "1");
    CHECK(member(twin, "capabilities") == R"({"iotEdge":false})");
    const JsonDocument module = json_of(hub.api("GET", "/twins/d1/modules/m1"));
    CHECK(member(module, "moduleId") == "\"m1\"");
    CHECK(member(module, "capabilities") == "absent");
  }

  TEST_CASE("twins: a missing device and a missing module are both DeviceNotFound") {
    TestHub hub;
    hub.create("d1");
    for (const auto& [method, path, body] : {std::tuple{"GET", "/twins/d2", ""}, {"PATCH", "/twins/d2", "{}"}, {"PUT", "/twins/d2", "{}"},
                                             {"GET", "/twins/d1/modules/m1", ""}, {"PATCH", "/twins/d1/modules/m1", "{}"}, {"GET", "/twins/d2/modules/m1", ""}}) {
      CAPTURE(path);
      CHECK(e3(hub.api(method, path, body)).starts_with("404001 DeviceNotFound: "));
    }
  }

  TEST_CASE("twins: a patch merges, null removes, and what it does not name stays") {
    TestHub hub;
    hub.create("d1");
    HttpAnswer answer = patch(hub, R"({"tags":{"floor":1},"properties":{"desired":{"a":1,"b":{"c":"x","d":[1,0]}}}})");
    CHECK(answer.header("ETag") == "\"AAAAAAAAAAI=\"");
    answer = patch(hub, R"({"properties":{"desired":{"a":2,"b":{"d":[1,2]}}}})");
    CHECK(desired(answer) == R"({"a":2,"b":{"c":"x","d":[1,2]},"$version":3})");
    CHECK(tags(answer) == R"({"floor":1})");
    CHECK(answer.header("ETag") == "\"AAAAAAAAAAM=\"");
    answer = patch(hub, R"({"tags":{"floor":null,"room":"b"},"properties":{"desired":{"b":{"c":null},"e":{"f":null}}}})");
    CHECK(desired(answer) == R"({"a":2,"b":{"d":[1,2]},"e":{},"$version":4})");
    CHECK(tags(answer) == R"({"room":"b"})");
    CHECK(desired(hub.api("GET", "/twins/d1")) == R"({"a":2,"b":{"d":[1,2]},"e":{},"$version":4})");
    CHECK(answer.body.find("\"version\":5") != std::string::npos);
    // A null for the whole empties it.
    answer = patch(hub, R"({"tags":null,"properties":{"desired":null}})");
    CHECK(desired(answer) == R"({"$version":5})");
    CHECK(tags(answer) == "{}");
  }

  TEST_CASE("twins: a replacement leaves nothing that it does not name") {
    TestHub hub;
    hub.create("d1");
    patch(hub, R"({"tags":{"floor":1},"properties":{"desired":{"a":1,"b":{"c":"x"}}}})");
    HttpAnswer answer = put(hub, R"({"properties":{"desired":{"b":{"d":1}}}})");
    CHECK(desired(answer) == R"({"b":{"d":1},"$version":3})");
    CHECK(tags(answer) == "{}");
    CHECK(desired(put(hub, "{}")) == R"({"$version":4})");
  }

  TEST_CASE("twins: whole documents come back with what is the hub's own, which does not count") {
    TestHub hub;
    hub.create("d1");
    patch(hub, R"({"tags":{"floor":1},"properties":{"desired":{"a":1}}})");
    const HttpAnswer before = hub.api("GET", "/twins/d1");
    for (const char* method : {"PATCH", "PUT"}) {
      const HttpAnswer after = hub.api(method, "/twins/d1", before.body);
      CHECK(after.status == 200);
      CHECK(member(json_of(after), "properties/desired/a") == "1");
      CHECK(tags(after) == R"({"floor":1})");
      CHECK(member(json_of(after), "properties/reported/$version") == "1");
    }
    // The C# client's nulls.
    CHECK(patch(hub, R"({"deviceId":"d1","etag":null,"version":null,"status":null,"tags":{"floor":2},"properties":{"reported":{"x":1},"desired":{"$version":99,"$metadata":{},"a":2}}})").status == 200);
    CHECK(desired(hub.api("GET", "/twins/d1")) == R"({"a":2,"$version":5})");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "properties/reported/x") == "absent");
  }

  TEST_CASE("twins: If-Match is the twin's etag, in every form, and what is none of it is 412") {
    TestHub hub;
    hub.create("d1");
    int counter = 1;
    for (const char* form : {"{}", "\"{}\"", "W/\"{}\"", "*", "\"*\""}) {
      for (const char* method : {"PATCH", "PUT"}) {
        CAPTURE(form);
        CAPTURE(method);
        std::string value = form;
        if (const auto at = value.find("{}"); at != std::string::npos) value.replace(at, 2, etag(counter));
        const HttpAnswer answer = hub.api(method, "/twins/d1", R"({"tags":{}})", if_match(value));
        CHECK(answer.status == 200);
        CHECK(answer.header("ETag") == "\"" + etag(++counter) + "\"");
      }
    }
    for (const char* value : {"\"AAAAAAAAAAE=\"", "AAAAAAAAAAE=", "abc", "\"abc\"", "\"\"", ""}) {
      CAPTURE(value);
      for (const char* method : {"PATCH", "PUT"}) {
        CHECK(e3(hub.api(method, "/twins/d1", R"({"tags":{"a":1}})", if_match(value))).starts_with("412001 PreconditionFailed: PreconditionFailed, ETag may be invalid."));
      }
    }
    // The identity's etag is another one.
    CHECK(patch(hub, R"({"tags":{"a":1}})", if_match(hub.api("GET", "/devices/d1").header("ETag"))).status == 412);
    CHECK(tags(hub.api("GET", "/twins/d1")) == "{}");
    CHECK(patch(hub, R"({"tags":{"a":1}})").status == 200);
  }

  TEST_CASE("twins: a patch of nothing changes nothing") {
    TestHub hub;
    hub.create("d1");
    const std::string before = hub.api("GET", "/twins/d1").body;
    CHECK(patch(hub, "{}").body == before);
    CHECK(patch(hub, R"({"properties":{}})").body == before);
    CHECK(patch(hub, R"({"properties":null})").body == before);
    CHECK(patch(hub, R"({"properties":{"reported":{"a":1}}})").body == before);
    CHECK(hub.api("GET", "/twins/d1").body == before);
  }

  TEST_CASE("twins: what cannot be used is refused as a whole, with the member that is wrong") {
    TestHub hub;
    hub.create("d1");
    for (const char* body : {"", "[]", "null", R"({"tags":1})", R"({"properties":[]})", R"({"properties":{"desired":1}})", R"({"tags":{"a.b":1}})",
                             R"({"tags":{"a":1,"a":2}})"}) {
      CAPTURE(body);
      CHECK(e3(patch(hub, body)).starts_with("400004 ArgumentInvalid: "));
      CHECK(e3(put(hub, body)).starts_with("400004 ArgumentInvalid: "));
    }
    CHECK(e3(patch(hub, R"({"tags":{"good":1},"properties":{"desired":{"a$b":1}}})")).find("properties.desired") != std::string::npos);
    CHECK(tags(hub.api("GET", "/twins/d1")) == "absent");
    CHECK(newest_refusal(hub, "d1").starts_with("PATCH /twins/d1 -> 400 ArgumentInvalid: "));
    const std::string big(4096, 'x');
    std::string many = R"({"tags":{)";
    for (int i = 0; i < 3; ++i) many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"" + big + "\"";
    CHECK(e3(patch(hub, many + "}}")).starts_with("400004 ArgumentInvalid: "));
  }

  TEST_CASE("twins: of a module, apart from its device's") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    CHECK(hub.api("PATCH", "/twins/d1/modules/m1", R"({"tags":{"of":"module"}})").status == 200);
    CHECK(hub.api("PATCH", "/twins/d1", R"({"tags":{"of":"device"}})").status == 200);
    CHECK(tags(hub.api("GET", "/twins/d1/modules/m1")) == R"({"of":"module"})");
    CHECK(tags(hub.api("GET", "/twins/d1")) == R"({"of":"device"})");
    CHECK(hub.api("PUT", "/twins/d1/modules/m1", "{}").status == 200);
    CHECK(tags(hub.api("GET", "/twins/d1/modules/m1")) == "{}");
    CHECK(tags(hub.api("GET", "/twins/d1")) == R"({"of":"device"})");
  }

  TEST_CASE("twins: a desired change is told to the device, as it was sent") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/twin/PATCH/properties/desired/#", 0}});
    device->expect<mqtt::Suback>();
    CHECK(patch(hub, R"({"tags":{"x":1},"properties":{"desired":{"a":1,"gone":null}}})").status == 200);
    const auto told = device->expect<mqtt::Publish>();
    CHECK(told.topic == "$iothub/twin/PATCH/properties/desired/?$version=2");
    CHECK(told.payload == R"({"a":1,"gone":null,"$version":2})");
    CHECK(patch(hub, R"({"tags":{"x":2}})").status == 200);
    device->expect_silence();
    CHECK(put(hub, R"({"properties":{"desired":{"b":2}}})").status == 200);
    const auto replaced = device->expect<mqtt::Publish>();
    CHECK(replaced.topic == "$iothub/twin/PATCH/properties/desired/?$version=3");
    CHECK(replaced.payload == R"({"b":2,"a":null,"$version":3})");
  }
}
