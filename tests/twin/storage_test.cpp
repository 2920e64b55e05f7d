#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

StoredTwin fresh() { return Twin::create(at(0)).stored(); }

std::string corruption(const StoredTwin& stored) {
  const Result<Twin> twin = Twin::restore(stored);
  REQUIRE_FALSE(twin.ok());
  CHECK(twin.error().code == ErrorCode::kCorrupt);
  return twin.error().detail;
}

std::string corrupt_desired(const char* desired) {
  StoredTwin stored = fresh();
  stored.desired = desired;
  return corruption(stored);
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("storage: a fresh twin") {
    CHECK(fresh() ==
          StoredTwin{.etag_counter = 1,
                     .has_tags = false,
                     .tags = "{}",
                     .desired = R"({"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z"},"$version":1})",
                     .reported = R"({"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z"},"$version":1})"});
    CHECK(Twin::restore(fresh()).value().stored() == fresh());
  }

  TEST_CASE("storage: what was stored comes back identical and goes on counting") {
    Twin twin = Twin::create(at(0));
    REQUIRE(
        twin.replace(
                parse_update(
                    R"({"tags":{"site":"ä\u0000\u0085"},"properties":{"desired":{"a":1.0,"b":{"c":[{"d":[]}],"e":{}}}}})")
                    .value(),
                at(1))
            .ok());
    REQUIRE(twin.patch(desired(R"({"b":{"f":-1E+5}})"), at(2)).ok());
    REQUIRE(twin.report(json(R"({"":true,"x":{"y":"z"}})"), at(3)).ok());

    Twin again = Twin::restore(twin.stored()).value();
    CHECK(again.stored() == twin.stored());
    CHECK(again.device_json() == twin.device_json());
    CHECK(again.etag() == twin.etag());
    CHECK(again.desired().size() == twin.desired().size());
    CHECK(again.tags().size() == twin.tags().size());

    for (Twin* one : {&twin, &again}) {
      REQUIRE(one->patch(parse_update(R"({"tags":{"u":1},"properties":{"desired":{"b":{"e":null}}}})").value(), at(4))
                  .ok());
    }
    CHECK(again.stored() == twin.stored());
    CHECK(again.desired_version() == 4);
  }

  TEST_CASE("storage: a section whose metadata is longer than any update comes back") {
    std::string members;  // 3844 of two characters
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (const char first : kLetters) {
      for (const char second : kLetters)
        members += (members.empty() ? "\"" : ",\"") + std::string{first, second} + "\":{}";
    }
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.patch(desired("{\"a\":{" + members + "},\"b\":{" + members + "},\"c\":{" + members + "},\"d\":{" +
                               members + "}}"),
                       at(1))
                .ok());
    CHECK(twin.stored().desired.size() > kMaxUpdateBytes);
    REQUIRE(twin.patch(desired(R"({"deep":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":[1]}}}}}}}}}})"), at(2)).ok());
    CHECK(Twin::restore(twin.stored()).value().stored() == twin.stored());
  }

  TEST_CASE("storage: text that stored() never wrote is refused as corrupt") {
    CHECK(corrupt_desired("") == "stored properties.desired: not valid JSON at byte 0: The document is empty.");
    CHECK(corrupt_desired("[]") == "stored twin: \"properties.desired\" is not an object");
    CHECK(corrupt_desired(R"({"a":1})") ==
          "stored twin: \"properties.desired\" does not end with $metadata and $version");
    CHECK(corrupt_desired(R"({"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":0})") ==
          "stored twin: \"properties.desired\" has a $version that is no positive integer");
    CHECK(corrupt_desired(R"({"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":1.5})") ==
          "stored twin: \"properties.desired\" has a $version that is no positive integer");
    CHECK(corrupt_desired(R"({"$metadata":{},"$version":1})") == "stored twin: \"\" has no $lastUpdated");
    CHECK(corrupt_desired(R"({"$metadata":{"$lastUpdated":"yesterday"},"$version":1})") ==
          "stored twin: \"\" has no $lastUpdated");
    CHECK(corrupt_desired(R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":1})") ==
          "stored twin: \"\" has $metadata for other members than its own");
    CHECK(corrupt_desired(R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z",)"
                          R"("b":{"$lastUpdated":"2026-01-01T00:00:00Z"}},"$version":1})") ==
          "stored twin: \"a\" is out of step with its $metadata");
    CHECK(corrupt_desired(R"({"a":null,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z",)"
                          R"("a":{"$lastUpdated":"2026-01-01T00:00:00Z"}},"$version":1})") ==
          "stored twin: \"a\" is null");
    CHECK(corrupt_desired(R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z",)"
                          R"("a":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":"2"}},"$version":1})") ==
          "stored twin: \"a\" has a $lastUpdatedVersion that makes no sense");
    CHECK(corrupt_desired(R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z","a":7},"$version":1})") ==
          "stored twin: \"a\" has no $metadata");

    StoredTwin stored = fresh();
    stored.reported = R"({"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":1},"$version":1})";
    CHECK(corruption(stored) == "stored twin: \"\" has a $lastUpdatedVersion that makes no sense");
    stored = fresh();
    stored.tags = R"({"a":1})";
    CHECK(corruption(stored) == "stored twin: has tags that were never set");
    stored = fresh();
    stored.etag_counter = 0;
    CHECK(corruption(stored) == "stored twin: the etag counter is 0; it starts at 1");
  }
}
