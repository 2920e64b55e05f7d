#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

std::string fault(std::string_view body) {
  const Result<Update> update = parse_update(body);
  REQUIRE_FALSE(update.ok());
  CHECK(update.error().code == ErrorCode::kArgumentInvalid);
  return update.error().detail;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("update: takes tags and desired, and knows absent from null") {
    const Update both = parse_update(R"({"tags":{"t":1},"properties":{"desired":{"d":1.0}}})").value();
    CHECK(both.tags.value() == json(R"({"t":1})"));
    CHECK(both.desired.value() == json(R"({"d":1.0})"));

    const Update nulls = parse_update(R"({"tags":null,"properties":{"desired":null}})").value();
    CHECK(nulls.tags.value().is_null());
    CHECK(nulls.desired.value().is_null());

    for (const char* body : {"{}", R"({"properties":{}})", R"({"properties":null})"}) {
      const Update nothing = parse_update(body).value();
      CHECK_FALSE(nothing.tags.has_value());
      CHECK_FALSE(nothing.desired.has_value());
    }
  }

  TEST_CASE("update: ignores what tools send back with a whole twin") {
    const Update update =
        parse_update(
            R"({"deviceId":"d","moduleId":null,"etag":null,"version":null,"status":"enabled","connectionState":"Disconnected",)"
            R"("modelId":"","tags":{"t":1},"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z",)"
            R"("a":{"$lastUpdated":"x"}},"$version":7},"reported":{"r":[null],"$metadata":{},"$version":9}},"capabilities":{"iotEdge":false}})")
            .value();
    CHECK(update.tags.value() == json(R"({"t":1})"));
    CHECK(update.desired.value() == json(R"({"a":1})"));

    Twin twin = Twin::create(at(0));
    CHECK(twin.patch(update, at(1)).value().desired_notification == R"({"a":1,"$version":2})");
    CHECK(twin.desired_version() == 2);
  }

  TEST_CASE("update: $metadata and $version are ignored at the root of desired only") {
    Twin twin = Twin::create(at(0));
    const StoredTwin before = twin.stored();
    CHECK(refusal(twin.patch(parse_update(R"({"properties":{"desired":{"a":{"$version":1}}}})").value(), at(1)), twin,
                  before) ==
          "properties.desired.a: the name \"$version\" begins with '$', which is reserved for the hub");
    CHECK(refusal(twin.patch(parse_update(R"({"properties":{"desired":{"$etag":1}}})").value(), at(1)), twin, before) ==
          "properties.desired: the name \"$etag\" begins with '$', which is reserved for the hub");
    CHECK(refusal(twin.replace(parse_update(R"({"tags":{"$version":1}})").value(), at(1)), twin, before) ==
          "tags: the name \"$version\" begins with '$', which is reserved for the hub");
  }

  TEST_CASE("update: wrong types are named") {
    CHECK(fault("[]") == "the body is an array; expected an object");
    CHECK(fault("null") == "the body is null; expected an object");
    CHECK(fault(R"("{}")") == "the body is a string; expected an object");
    CHECK(fault(R"({"tags":"x"})") == "tags is a string; expected an object or null");
    CHECK(fault(R"({"tags":[]})") == "tags is an array; expected an object or null");
    CHECK(fault(R"({"properties":7})") == "properties is a number; expected an object or null");
    CHECK(fault(R"({"properties":{"desired":true}})") == "properties.desired is a boolean; expected an object or null");
    CHECK(fault("").starts_with("not valid JSON at byte 0"));
    CHECK(fault(R"({"tags":{"a":1,"a":2}})").starts_with("JSON names the member \"a\" twice"));
  }
}
