#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

TEST_SUITE("twin") {
  TEST_CASE("metadata: a fresh twin has only the time of its creation at the root of desired and reported") {
    const Twin twin = Twin::create(at(0) + Ticks(2612586));
    CHECK(service_json(twin) ==
          R"({"properties":{)"
          R"("desired":{"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.2612586Z"},"$version":1},)"
          R"("reported":{"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.2612586Z"},"$version":1}}})");
  }

  TEST_CASE("metadata: every node of desired carries the time and the $version of its write") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.patch(desired(R"({"a":{"b":1,"c":[1,{"d":2}]}})"), at(1)).ok());
    CHECK(twin.desired().stored() ==
          R"({"a":{"b":1,"c":[1,{"d":2}]},)"
          R"("$metadata":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2,)"
          R"("a":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2,)"
          R"("b":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2},)"
          R"("c":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2}}},)"
          R"("$version":2})");
  }

  TEST_CASE("metadata: reported has times without versions") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(R"({"a":1})"), at(1)).ok());
    CHECK(twin.reported().stored() == R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z",)"
                                      R"("a":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z"}},"$version":2})");
  }

  TEST_CASE("metadata: a patch stamps what it touches and the way there, and nothing beside") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.patch(desired(R"({"a":{"b":1,"c":2},"d":{"e":3}})"), at(1)).ok());
    REQUIRE(twin.patch(desired(R"({"a":{"b":1}})"), at(5)).ok());  // the same value: touched all the same
    CHECK(twin.desired().stored() ==
          R"({"a":{"b":1,"c":2},"d":{"e":3},)"
          R"("$metadata":{"$lastUpdated":"2026-01-01T00:00:05.0000000Z","$lastUpdatedVersion":3,)"
          R"("a":{"$lastUpdated":"2026-01-01T00:00:05.0000000Z","$lastUpdatedVersion":3,)"
          R"("b":{"$lastUpdated":"2026-01-01T00:00:05.0000000Z","$lastUpdatedVersion":3},)"
          R"("c":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2}},)"
          R"("d":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2,)"
          R"("e":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2}}},)"
          R"("$version":3})");
  }

  TEST_CASE("metadata: a deleted member vanishes and leaves its trace in the object that it was in") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(R"({"a":{"b":1,"c":2},"d":3})"), at(1)).ok());
    REQUIRE(twin.report(json(R"({"a":{"b":null}})"), at(2)).ok());
    CHECK(twin.reported().stored() ==
          R"({"a":{"c":2},"d":3,)"
          R"("$metadata":{"$lastUpdated":"2026-01-01T00:00:02.0000000Z",)"
          R"("a":{"$lastUpdated":"2026-01-01T00:00:02.0000000Z","c":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z"}},)"
          R"("d":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z"}},"$version":3})");
  }

  TEST_CASE("metadata: an empty patch stamps the root alone") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(R"({"a":1})"), at(1)).ok());
    REQUIRE(twin.report(json("{}"), at(2)).ok());
    CHECK(twin.reported().stored() == R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:02.0000000Z",)"
                                      R"("a":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z"}},"$version":3})");
  }

  TEST_CASE("metadata: a replacement stamps everything") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.replace(desired(R"({"a":1,"b":2})"), at(1)).ok());
    REQUIRE(twin.replace(desired(R"({"a":1})"), at(2)).ok());
    CHECK(twin.desired().stored() ==
          R"({"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:02.0000000Z","$lastUpdatedVersion":3,)"
          R"("a":{"$lastUpdated":"2026-01-01T00:00:02.0000000Z","$lastUpdatedVersion":3}},"$version":3})");
  }

  TEST_CASE("metadata: tags have none") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.patch(tags(R"({"site":{"floor":2}})"), at(1)).ok());
    CHECK(twin.tags().stored() == R"({"site":{"floor":2}})");
  }
}
