#include "twin/twin.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

TEST_SUITE("twin") {
  TEST_CASE("versions: a fresh twin has both $versions 1, etag AAAAAAAAAAE= and version 2") {
    const Twin twin = Twin::create(at(0));
    CHECK(twin.desired_version() == 1);
    CHECK(twin.reported_version() == 1);
    CHECK(twin.etag().str() == "AAAAAAAAAAE=");
    CHECK(twin.version() == 2);
    CHECK(twin.device_json() == R"({"desired":{"$version":1},"reported":{"$version":1}})");
  }

  TEST_CASE("versions: tags and desired in one update are one step of the etag") {
    Twin twin = Twin::create(at(0));
    const Change change =
        twin.patch(parse_update(R"({"tags":{"t":1},"properties":{"desired":{"d":1}}})").value(), at(1)).value();
    CHECK(change.tags);
    CHECK(change.desired);
    CHECK_FALSE(change.reported);
    CHECK(twin.etag().str() == "AAAAAAAAAAI=");
    CHECK(twin.desired_version() == 2);
    CHECK(twin.reported_version() == 1);
    CHECK(twin.version() == 3);
  }

  TEST_CASE("versions: tags alone move the etag, neither $version") {
    Twin twin = Twin::create(at(0));
    const Change change = twin.patch(tags(R"({"t":1})"), at(1)).value();
    CHECK(change.tags);
    CHECK_FALSE(change.desired);
    CHECK(twin.etag_counter() == 2);
    CHECK(twin.desired_version() == 1);
    CHECK(twin.version() == 3);
  }

  TEST_CASE("versions: reported moves its own $version and the root version, never the etag") {
    Twin twin = Twin::create(at(0));
    for (const char* patch : {R"({"a":1})", R"({"a":1})", R"({})", R"({"nothing":null})"}) {
      const Change change = twin.report(json(patch), at(1)).value();
      CHECK(change.reported);
      CHECK_FALSE(change.desired);
      CHECK_FALSE(change.tags);
    }
    CHECK(twin.reported_version() == 5);
    CHECK(twin.etag().str() == "AAAAAAAAAAE=");
    CHECK(twin.version() == 6);
    CHECK(twin.desired_version() == 1);
  }

  TEST_CASE("versions: a desired patch that changes no value counts") {
    Twin twin = twin_with_desired(R"({"a":1})");
    CHECK(twin.patch(desired(R"({"a":1})"), at(1)).value().desired);
    CHECK(twin.patch(desired(R"({})"), at(1)).value().desired);
    CHECK(twin.desired_version() == 4);
    CHECK(twin.etag_counter() == 4);
  }

  TEST_CASE("versions: an update with neither tags nor desired changes nothing as a patch") {
    Twin twin = twin_with_desired(R"({"a":1})");
    const StoredTwin before = twin.stored();
    const Change change =
        twin.patch(parse_update(R"({"properties":{"reported":{"x":1}},"etag":null})").value(), at(9)).value();
    CHECK_FALSE(change.tags);
    CHECK_FALSE(change.desired);
    CHECK_FALSE(change.reported);
    CHECK(twin.stored() == before);
  }

  TEST_CASE("versions: an update with neither tags nor desired empties both as a replacement, in one step") {
    Twin twin = twin_with_desired(R"({"a":1})");
    REQUIRE(twin.patch(tags(R"({"t":1})"), at(1)).ok());
    const std::int64_t etag = twin.etag_counter();
    const Change change = twin.replace(Update{}, at(2)).value();
    CHECK(change.tags);
    CHECK(change.desired);
    CHECK(twin.etag_counter() == etag + 1);
    CHECK(twin.desired_version() == 3);
    CHECK(service_json(twin).starts_with(R"({"tags":{},"properties":{"desired":{"$metadata":)"));
  }

  TEST_CASE("etag: the counter as eight bytes, big-endian, in base64") {
    StoredTwin stored = Twin::create(at(0)).stored();
    stored.etag_counter = 12;
    CHECK(Twin::restore(stored).value().etag().str() == "AAAAAAAAAAw=");
    stored.etag_counter = 0x0102030405060708;
    CHECK(Twin::restore(stored).value().etag().str() == "AQIDBAUGBwg=");
  }

  TEST_CASE("tags: absent until an object sets them, then shown even when empty") {
    Twin twin = Twin::create(at(0));
    CHECK(service_json(twin).starts_with(R"({"properties":)"));
    REQUIRE(twin.patch(tags("null"), at(1)).value().tags);
    CHECK_FALSE(twin.has_tags());
    REQUIRE(twin.replace(desired(R"({"a":1})"), at(1)).ok());
    CHECK_FALSE(twin.has_tags());

    REQUIRE(twin.patch(tags("{}"), at(1)).ok());
    CHECK(service_json(twin).starts_with(R"({"tags":{},"properties":)"));
    REQUIRE(twin.patch(tags(R"({"a":{"b":1.0}})"), at(1)).ok());
    CHECK(service_json(twin).starts_with(R"({"tags":{"a":{"b":1.0}},"properties":)"));
    REQUIRE(twin.patch(tags("null"), at(1)).ok());
    CHECK(service_json(twin).starts_with(R"({"tags":{},"properties":)"));
  }

  TEST_CASE("desired: null empties the section in a patch and in a replacement, and counts a version") {
    for (const bool replace : {false, true}) {
      CAPTURE(replace);
      Twin twin = twin_with_desired(R"({"a":1})");
      REQUIRE((replace ? twin.replace(desired("null"), at(1)) : twin.patch(desired("null"), at(1))).ok());
      CHECK(values(twin.desired()) == "{}");
      CHECK(twin.desired_version() == 3);
    }
  }

  TEST_CASE("device view: desired and reported with $version last, without metadata and tags") {
    Twin twin = Twin::create(at(0));
    REQUIRE(
        twin.patch(
                parse_update(R"({"tags":{"t":1},"properties":{"desired":{"interval":30.0,"o":{"p":[1,2]}}}})").value(),
                at(1))
            .ok());
    REQUIRE(twin.report(json(R"({"fw":"1.2"})"), at(2)).ok());
    CHECK(twin.device_json() ==
          R"({"desired":{"interval":30.0,"o":{"p":[1,2]},"$version":2},"reported":{"fw":"1.2","$version":2}})");
  }

  TEST_CASE("refusals: a bad tag leaves the desired properties of the same request alone, and the other way round") {
    Twin twin = twin_with_desired(R"({"a":1})");
    const StoredTwin before = twin.stored();
    const Update bad_tags = parse_update(R"({"tags":{"b c":1},"properties":{"desired":{"a":2}}})").value();
    const Update bad_desired =
        parse_update(R"({"tags":{"t":1},"properties":{"desired":{"a":99999999999999999999}}})").value();
    refusal(twin.patch(bad_tags, at(1)), twin, before);
    refusal(twin.replace(bad_tags, at(1)), twin, before);
    refusal(twin.patch(bad_desired, at(1)), twin, before);
    refusal(twin.replace(bad_desired, at(1)), twin, before);
  }

  TEST_CASE("reported: anything but an object is refused") {
    Twin twin = Twin::create(at(0));
    const StoredTwin before = twin.stored();
    CHECK(refusal(twin.report(json("[]"), at(1)), twin, before) ==
          "properties.reported is an array; expected an object");
    CHECK(refusal(twin.report(json("null"), at(1)), twin, before) == "properties.reported is null; expected an object");
    CHECK(refusal(twin.report(json("\"x\""), at(1)), twin, before) ==
          "properties.reported is a string; expected an object");
    CHECK(refusal(twin.report(json("1"), at(1)), twin, before) ==
          "properties.reported is a number; expected an object");
  }

  TEST_CASE("reported: members that begin with '$' are refused, at any depth") {
    Twin twin = Twin::create(at(0));
    const StoredTwin before = twin.stored();
    CHECK(refusal(twin.report(json(R"({"a":1,"$version":1})"), at(1)), twin, before) ==
          "properties.reported: the name \"$version\" begins with '$', which is reserved for the hub");
    CHECK(refusal(twin.report(json(R"({"a":{"$metadata":{}}})"), at(1)), twin, before) ==
          "properties.reported.a: the name \"$metadata\" begins with '$', which is reserved for the hub");
  }
}
