// POST /devices and POST /devices/keys/regenerate (service-rest.md 5.4).
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

HttpAnswer bulk(TestHub& hub, std::string_view body) { return hub.api("POST", "/devices", body); }

// "d1 DeviceNotFound, d2/m1 ModuleNotFound"; empty when all went well. Whatever it says, the answer's parts agree.
std::string failed(const HttpAnswer& answer) {
  const JsonDocument document = json_of(answer);
  const JsonValue* errors = find_member(document, "errors");
  REQUIRE(errors != nullptr);
  REQUIRE(errors->IsArray());
  CHECK(member(document, "warnings") == "[]");
  CHECK(member(document, "isSuccessful") == (errors->Empty() ? "true" : "false"));
  CHECK(answer.status == (errors->Empty() ? 200 : 400));
  CHECK(answer.header("iothub-errorcode") == (errors->Empty() ? "" : "BulkRegistryOperationFailure"));
  CHECK(answer.header("IotHubErrorCode") == answer.header("iothub-errorcode"));
  CHECK(answer.header("x-ms-request-id").empty() == errors->Empty());
  std::string text;
  for (const JsonValue& error : errors->GetArray()) {
    if (!text.empty()) text += ", ";
    text += string_member(error, "deviceId");
    if (find_member(error, "moduleId") != nullptr) text += "/" + string_member(error, "moduleId");
    text += " " + string_member(error, "errorCode");
    CHECK(string_member(error, "errorStatus").size() > 0);
  }
  return text;
}

std::string etag_of(TestHub& hub, const std::string& path) { return string_member(json_of(hub.api("GET", path)), "etag"); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("bulk: creates devices and their modules, with twins") {
    TestHub hub;
    CHECK(failed(bulk(hub, R"([
      {"id":"d1","importMode":"create","status":"disabled","statusReason":"new","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}},
      {"id":"d1","moduleId":"m1","importMode":"create"},
      {"id":"d2","importMode":"Create","tags":{"floor":1},"properties":{"desired":{"a":1}}},
      {"id":"d3"}])")) == "");
    const JsonDocument first = json_of(hub.api("GET", "/devices/d1"));
    CHECK(member(first, "status") == "\"disabled\"");
    CHECK(member(first, "statusReason") == "\"new\"");
    CHECK(member(first, "authentication/symmetricKey/primaryKey").size() == 46);
    CHECK(hub.api("GET", "/devices/d1/modules/m1").status == 200);
    const JsonDocument twin = json_of(hub.api("GET", "/twins/d2"));
    CHECK(member(twin, "tags") == R"({"floor":1})");
    CHECK(member(twin, "properties/desired/a") == "1");
    CHECK(hub.api("GET", "/devices/d3").status == 200);
  }

  // The twin of an item once went through doubles: of a number with more than 15 digits the last ones were lost.
  TEST_CASE("bulk: a twin's numbers keep their spelling") {
    TestHub hub;
    CHECK(failed(bulk(hub, R"([ {"id":"d1","Tags":{"pi":3.14159265358979323846},"properties":{"Desired":{"n":4503599627370495,"one":1.0,"text":"],{\"}"}}} , {"id":"d2"} ])")) == "");
    const HttpAnswer twin = hub.api("GET", "/twins/d1");
    CHECK(twin.body.find(R"("pi":3.14159265358979323846)") != std::string::npos);
    CHECK(twin.body.find(R"("n":4503599627370495,"one":1.0,"text":"],{\"}")") != std::string::npos);
  }

  TEST_CASE("bulk: reported properties count when the identity is made, and are the device's own from then on") {
    TestHub hub;
    const std::string_view item = R"([{"id":"d1","importMode":"createOrUpdate","properties":{"reported":{"a":1,"$metadata":{},"$version":7}}}])";
    CHECK(failed(bulk(hub, item)) == "");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "properties/reported/a") == "1");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "properties/reported/$version") == "2");
    CHECK(failed(bulk(hub, item)) == "");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "properties/reported/$version") == "2");
  }

  TEST_CASE("bulk: an empty list is a success") {
    TestHub hub;
    CHECK(failed(bulk(hub, "[]")) == "");
  }

  TEST_CASE("bulk: good items count, bad ones are told one by one") {
    TestHub hub;
    hub.create("d1");
    CHECK(failed(bulk(hub, R"([
      {"id":"d1","importMode":"create"},
      {"id":"d2","importMode":"create"},
      {"id":"d3","importMode":"update"},
      {"id":"d3","moduleId":"m1","importMode":"create"},
      {"id":"d1","moduleId":"m1","importMode":"delete"},
      {"id":"a b","importMode":"create"},
      {"id":"d4","importMode":"replace"},
      {"id":"d5","importMode":"create","status":"on"}])")) ==
          "a b ArgumentInvalid, d4 ArgumentInvalid, d5 ArgumentInvalid, d1 DeviceAlreadyExists, d3 DeviceNotFound, d3/m1 DeviceNotFound, d1/m1 ModuleNotFound");
    CHECK(hub.api("GET", "/devices/d2").status == 200);
    CHECK(newest_refusal(hub).find("7 of 8 items failed") != std::string::npos);
  }

  TEST_CASE("bulk: an update replaces the whole identity, keys included, as a PUT does") {
    TestHub hub;
    hub.create("d1", R"({"status":"disabled","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"AAECAwQFBgcICQoLDA0ODw=="}}})");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"Update","eTag":"stale","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}}])")) == "");
    const JsonDocument after = json_of(hub.api("GET", "/devices/d1"));
    CHECK(member(after, "status") == "\"enabled\"");
    CHECK(member(after, "authentication/symmetricKey/primaryKey") != "\"AAECAwQFBgcICQoLDA0ODw==\"");
  }

  TEST_CASE("bulk: the modes with an etag compare it, quoted or not, and take * for any") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3", "d4"}) hub.create(id);
    const std::string current = etag_of(hub, "/devices/d1");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateIfMatchETag","eTag":")" + current + R"("},
      {"id":"d2","importMode":"UpdateIfMatchETag","eTag":"\")" + etag_of(hub, "/devices/d2") + R"(\""},
      {"id":"d3","importMode":"deleteIfMatchEtag","etag":"*"},
      {"id":"d4","importMode":"deleteIfMatchETag","eTag":")" + etag_of(hub, "/devices/d4") + R"("}])")) == "");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateIfMatchETag","eTag":")" + current + R"("},
      {"id":"d2","importMode":"deleteIfMatchETag","eTag":"AAAA"},
      {"id":"d5","importMode":"createOrUpdateIfMatchETag","eTag":"AAAA"}])")) == "d1 PreconditionFailed, d2 PreconditionFailed");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateIfMatchETag"}])")) == "d1 PreconditionFailed");
    CHECK(hub.api("GET", "/devices/d2").status == 200);
    CHECK(hub.api("GET", "/devices/d3").status == 404);
    CHECK(hub.api("GET", "/devices/d4").status == 404);
    CHECK(hub.api("GET", "/devices/d5").status == 200);
  }

  TEST_CASE("bulk: twins are merged, by their own etag where one is given") {
    TestHub hub;
    hub.create("d1");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateTwin","twinETag":"stale","tags":{"a":1,"b":2},"properties":{"desired":{"c":3},"reported":{"no":1}}}])")) == "");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAI=","tags":{"a":null}}])")) == "");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAI=","tags":{"b":9}}])")) == "d1 PreconditionFailed");
    const JsonDocument twin = json_of(hub.api("GET", "/twins/d1"));
    CHECK(member(twin, "tags") == R"({"b":2})");
    CHECK(member(twin, "properties/desired/c") == "3");
    CHECK(member(twin, "properties/reported/no") == "absent");
    CHECK(member(twin, "etag") == "\"AAAAAAAAAAM=\"");
  }

  TEST_CASE("bulk: an identity and its twin are written together or not at all") {
    TestHub hub;
    hub.create("d1");
    const std::string before = hub.api("GET", "/devices/d1").body;
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"createOrUpdate","status":"disabled","twinETag":"AAAAAAAAAAk=","tags":{"a":1}},
      {"id":"d2","importMode":"createOrUpdate","tags":{"a b":1}},
      {"id":"d3","importMode":"create","properties":{"desired":[1]}}])")) == "d3 ArgumentInvalid, d1 PreconditionFailed, d2 ArgumentInvalid");
    CHECK(hub.api("GET", "/devices/d1").body == before);
    CHECK(hub.api("GET", "/devices/d2").status == 404);
    CHECK(hub.api("GET", "/devices/d3").status == 404);
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"createOrUpdate","status":"disabled","twinETag":"AAAAAAAAAAE=","tags":{"a":1}}])")) == "");
    CHECK(member(json_of(hub.api("GET", "/devices/d1")), "status") == "\"disabled\"");
    CHECK(member(json_of(hub.api("GET", "/twins/d1")), "tags") == R"({"a":1})");
  }

  TEST_CASE("bulk: an id that stands there twice counts not once") {
    TestHub hub;
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"create"},{"id":"d2","importMode":"create"},{"id":"d1","importMode":"delete"}])")) ==
          "d1 DeviceDefinedMultipleTimes, d1 DeviceDefinedMultipleTimes");
    CHECK(hub.api("GET", "/devices/d1").status == 404);
    CHECK(hub.api("GET", "/devices/d2").status == 200);
  }

  TEST_CASE("bulk: a hundred items, and not one more") {
    TestHub hub;
    std::string body = "[";
    for (int i = 0; i < 100; ++i) body += (i == 0 ? "" : ",") + std::string(R"({"id":"d)") + std::to_string(i) + "\"}";
    CHECK(failed(bulk(hub, body + "]")) == "");
    CHECK(json_of(hub.api("GET", "/devices")).Size() == 100);
    CHECK(e1(bulk(hub, body + R"(,{"id":"d100"}])")) == "413 TooManyDevices: the request has 101 items, at most 100 are allowed");
    CHECK(hub.api("GET", "/devices/d100").status == 404);
  }

  TEST_CASE("bulk: what is no list of items is refused as a whole") {
    TestHub hub;
    CHECK(e1(bulk(hub, R"({"devices":[]})")) == "400 ArgumentInvalid: the body is an object, expected an array of identities");
    CHECK(e1(bulk(hub, "[")).starts_with("400 ArgumentInvalid: "));
    CHECK(failed(bulk(hub, "[1]")) == " ArgumentInvalid");
  }

  TEST_CASE("bulk: disabling and deleting end connections at once") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    auto first = hub.connect("d1");
    auto second = hub.connect("d2");
    CHECK(failed(bulk(hub, R"([{"id":"d1","importMode":"update","status":"disabled"},{"id":"d2","importMode":"delete"}])")) == "");
    first->expect_closed();
    second->expect_closed();
  }

  TEST_CASE("keys: are made anew, the named one or both, and connections that depended on them end") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    const JsonDocument before = json_of(hub.api("GET", "/devices/d1"));
    auto device = hub.connect("d1");
    HttpAnswer answer = hub.api("POST", "/devices/keys/regenerate", R"({"policyKey":"secondaryKey","devices":[{"id":"d1"}]})");
    CHECK(answer.status == 200);
    JsonDocument after = json_of(hub.api("GET", "/devices/d1"));
    CHECK(member(after, "authentication/symmetricKey/primaryKey") == member(before, "authentication/symmetricKey/primaryKey"));
    CHECK(member(after, "authentication/symmetricKey/secondaryKey") != member(before, "authentication/symmetricKey/secondaryKey"));
    CHECK(member(after, "etag") != member(before, "etag"));
    CHECK(answer.body.find(string_member(*find_member(*find_member(after, "authentication"), "symmetricKey"), "secondaryKey")) != std::string::npos);

    answer = hub.api("POST", "/devices/keys/regenerate", R"({"policyKey":"both","devices":[{"id":"d1"},{"id":"d1","moduleId":"m1"},{"id":"d9"}]})");
    CHECK(answer.status == 207);
    const JsonDocument rotated = json_of(answer);
    CHECK(find_member(rotated, "rotatedKeys")->Size() == 2);
    CHECK(member(rotated, "errors").starts_with(R"([{"id":"d9","errorCode":"DeviceNotFound")"));
    device->expect_closed();
    CHECK(hub.api("POST", "/devices/keys/regenerate", R"({"policyKey":"primaryKey","devices":[{"id":"d9"}]})").status == 400);
    CHECK(e1(hub.api("POST", "/devices/keys/regenerate", R"({"policyKey":"all","devices":[]})")).starts_with("400 ArgumentInvalid: policyKey"));
  }

  TEST_CASE("keys: an identity without keys gets none") {
    TestHub hub;
    hub.create("d1", R"({"authentication":{"type":"certificateAuthority"}})");
    const HttpAnswer answer = hub.api("POST", "/devices/keys/regenerate", R"({"policyKey":"both","devices":[{"id":"d1"}]})");
    CHECK(answer.status == 400);
    CHECK(answer.body.find("InvalidOperation") != std::string::npos);
    CHECK(member(json_of(hub.api("GET", "/devices/d1")), "authentication/symmetricKey/primaryKey") == "null");
  }

  TEST_CASE("statistics: devices by status, and connected ones") {
    TestHub hub;
    CHECK(hub.api("GET", "/statistics/devices").body == R"({"totalDeviceCount":0,"enabledDeviceCount":0,"disabledDeviceCount":0})");
    CHECK(hub.api("GET", "/statistics/service").body == R"({"connectedDeviceCount":0})");
    hub.create("d1");
    hub.create("d1/m1");
    hub.create("d2", R"({"status":"disabled"})");
    CHECK(hub.api("GET", "/statistics/devices").body == R"({"totalDeviceCount":2,"enabledDeviceCount":1,"disabledDeviceCount":1})");
    auto device = hub.connect("d1");
    auto module = hub.connect("d1/m1");
    CHECK(hub.api("GET", "/statistics/service").body == R"({"connectedDeviceCount":1})");
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    CHECK(hub.api("GET", "/statistics/service").body == R"({"connectedDeviceCount":0})");
    CHECK(hub.api("GET", "/statistics/devices").body == R"({"totalDeviceCount":1,"enabledDeviceCount":0,"disabledDeviceCount":1})");
  }
}

}  // namespace nearhub::test
