#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

std::string after_patch(const char* before, const char* patch) {
  Twin twin = twin_with_desired(before);
  return twin.patch(desired(patch), at(1)).value().desired_notification;
}

std::string after_replacement(const char* before, const char* replacement) {
  Twin twin = twin_with_desired(before);
  return twin.replace(desired(replacement), at(1)).value().desired_notification;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("desired notification: a patch is delivered as sent, nulls included, $version last") {
    CHECK(after_patch(R"({"a":1,"b":2})", R"({"a":-1})") == R"({"a":-1,"$version":3})");
    CHECK(after_patch(R"({"a":1,"b":2})", R"({"a":1,"b":2})") == R"({"a":1,"b":2,"$version":3})");
    CHECK(after_patch(R"({"a":1})", R"({"a":null,"never":null,"o":{"p":null,"q":1.0}})") ==
          R"({"a":null,"never":null,"o":{"p":null,"q":1.0},"$version":3})");
    CHECK(after_patch(R"({"a":1})", R"({})") == R"({"$version":3})");
  }

  TEST_CASE("desired notification: a replacement is delivered whole, with null for what vanished") {
    CHECK(after_replacement(R"({"a":1,"b":2})", R"({"a":1,"c":100})") == R"({"a":1,"c":100,"b":null,"$version":3})");
    CHECK(after_replacement(R"({"a":1})", R"({"a":1})") == R"({"a":1,"$version":3})");
    CHECK(after_replacement(R"({"a":1,"b":{"c":1}})", R"({})") == R"({"a":null,"b":null,"$version":3})");
  }

  TEST_CASE("desired notification: nulls go as deep as both sides are objects") {
    CHECK(after_replacement(R"({"o":{"p":{"x":1,"y":2},"q":1}})", R"({"o":{"p":{"x":3}}})") ==
          R"({"o":{"p":{"x":3,"y":null},"q":null},"$version":3})");
    CHECK(after_replacement(R"({"o":{"p":1}})", R"({"o":5})") == R"({"o":5,"$version":3})");
    CHECK(after_replacement(R"({"o":5})", R"({"o":{"p":1}})") == R"({"o":{"p":1},"$version":3})");
    CHECK(after_replacement(R"({"o":[{"p":1}]})", R"({"o":{"q":1}})") == R"({"o":{"q":1},"$version":3})");
    CHECK(after_replacement(R"({"o":{"p":1}})", R"({"o":{}})") == R"({"o":{"p":null},"$version":3})");
  }

  TEST_CASE("desired notification: a null in a replacement shows only where something vanished") {
    CHECK(after_replacement(R"({"a":1})", R"({"a":null,"b":null,"c":{"d":null}})") ==
          R"({"c":{},"a":null,"$version":3})");
  }

  TEST_CASE("desired notification: emptying the section delivers each former top-level member as null") {
    const char* before = R"({"a":1,"b":{"c":1},"d":[1]})";
    const char* expected = R"({"a":null,"b":null,"d":null,"$version":3})";
    CHECK(after_patch(before, "null") == expected);
    CHECK(after_replacement(before, "null") == expected);
    Twin twin = twin_with_desired(before);
    CHECK(twin.replace(tags(R"({"t":1})"), at(1)).value().desired_notification == expected);
  }

  TEST_CASE("desired notification: there is none without a change of desired") {
    Twin twin = twin_with_desired(R"({"a":1})");
    CHECK(twin.patch(tags(R"({"t":1})"), at(1)).value().desired_notification.empty());
    CHECK(twin.report(json(R"({"r":1})"), at(1)).value().desired_notification.empty());
    CHECK(twin.patch(Update{}, at(1)).value().desired_notification.empty());
  }
}
