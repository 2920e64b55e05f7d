// The twin of an entry of a bulk request or import file.
#include <doctest/doctest.h>

#include "twin/twin.h"

namespace nearhub::twin {
namespace {

std::string text(const std::optional<Value>& value) { return value ? value->to_json() : "absent"; }

std::string shown(std::string_view entry) {
  const auto twin = parse_import(entry);
  if (!twin.ok()) return twin.error().detail;
  return text(twin->update.tags) + " " + text(twin->update.desired) + " " + text(twin->reported);
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("import: members count in any case, numbers keep their spelling, null is as good as absent") {
    CHECK(shown(R"({"id":"d1","TAGS":{"n":1.50},"Properties":{"Desired":{"x":12345678901234567890e-5},"REPORTED":{"r":1}}})") ==
          R"({"n":1.50} {"x":12345678901234567890e-5} {"r":1})");
    CHECK(shown(R"({"tags":null,"properties":{"desired":null,"reported":null}})") == "absent absent absent");
    CHECK(shown(R"({"properties":null})") == "absent absent absent");
    CHECK(shown("{}") == "absent absent absent");
  }

  TEST_CASE("import: what the hub keeps itself is left out, and sections that say nothing") {
    CHECK(shown(R"({"tags":{},"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":3},"reported":{}}})") == "absent absent absent");
    CHECK(shown(R"({"properties":{"desired":{"a":1,"$metadata":{},"$version":9},"reported":{"$metadata":{},"$version":9}}})") == R"(absent {"a":1} absent)");
  }

  TEST_CASE("import: what is no object is refused") {
    CHECK(shown("[]") == "the entry is an array; expected an object");
    CHECK(shown(R"({"tags":5})") == "tags is a number; expected an object or null");
    CHECK(shown(R"({"properties":[]})") == "properties is an array; expected an object or null");
    CHECK(shown(R"({"properties":{"desired":"x"}})") == "properties.desired is a string; expected an object or null");
    CHECK(shown(R"({"properties":{"reported":1}})") == "properties.reported is a number; expected an object or null");
  }
}

}  // namespace nearhub::twin
