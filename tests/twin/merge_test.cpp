#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

struct MergeCase {
  const char* before;
  const char* patch;
  const char* after;
};

// The same rules hold in all three sections; each case runs in each.
void check_merge(const MergeCase& c) {
  CAPTURE(c.before);
  CAPTURE(c.patch);
  Twin twin = Twin::create(at(0));
  Update all;
  all.tags = json(c.before);
  all.desired = json(c.before);
  REQUIRE(twin.replace(all, at(1)).ok());
  REQUIRE(twin.report(json(c.before), at(1)).ok());
  CHECK(values(twin.tags()) == c.before);

  all.tags = json(c.patch);
  all.desired = json(c.patch);
  REQUIRE(twin.patch(all, at(2)).ok());
  REQUIRE(twin.report(json(c.patch), at(2)).ok());
  CHECK(values(twin.tags()) == c.after);
  CHECK(values(twin.desired()) == c.after);
  CHECK(values(twin.reported()) == c.after);
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("merge: the cases of RFC 7396 whose target and patch are objects") {
    for (const MergeCase& c : {
             MergeCase{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
             MergeCase{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
             MergeCase{R"({"a":"b"})", R"({"a":null})", R"({})"},
             MergeCase{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
             MergeCase{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
             MergeCase{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
             MergeCase{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
             MergeCase{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
             MergeCase{R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
         }) {
      check_merge(c);
    }
  }

  TEST_CASE("merge: objects merge, everything else replaces") {
    for (const MergeCase& c : {
             MergeCase{R"({"a":{"b":{"c":1,"d":2}}})", R"({"a":{"b":{"d":3,"e":4}}})",
                       R"({"a":{"b":{"c":1,"d":3,"e":4}}})"},
             MergeCase{R"({"a":{"b":1}})", R"({"a":5})", R"({"a":5})"},
             MergeCase{R"({"a":5})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
             MergeCase{R"({"a":{"b":1}})", R"({"a":[]})", R"({"a":[]})"},
             MergeCase{R"({"a":[1,2,3]})", R"({"a":[9]})", R"({"a":[9]})"},
             MergeCase{R"({"a":[{"b":1}]})", R"({"a":{"b":2}})", R"({"a":{"b":2}})"},
             MergeCase{R"({"a":1})", R"({"a":1.0})", R"({"a":1.0})"},
             MergeCase{R"({"a":true})", R"({"a":"true"})", R"({"a":"true"})"},
             MergeCase{R"({"a":1,"b":2})", R"({})", R"({"a":1,"b":2})"},
         }) {
      check_merge(c);
    }
  }

  TEST_CASE("merge: null deletes at any depth and is a no-op for what does not exist") {
    for (const MergeCase& c : {
             MergeCase{R"({"a":1})", R"({"b":null})", R"({"a":1})"},
             MergeCase{R"({"a":{"b":1,"c":2}})", R"({"a":{"b":null}})", R"({"a":{"c":2}})"},
             MergeCase{R"({"a":{"b":1}})", R"({"a":{"b":null}})", R"({"a":{}})"},
             MergeCase{R"({"a":{"b":{"c":1}},"d":1})", R"({"a":null,"d":null})", R"({})"},
             MergeCase{R"({"a":1,"b":2,"c":3})", R"({"c":null,"a":null,"d":4})", R"({"b":2,"d":4})"},
         }) {
      check_merge(c);
    }
  }

  TEST_CASE("merge: an empty object is kept, and a nested object of nulls leaves one") {
    for (const MergeCase& c : {
             MergeCase{R"({})", R"({"a":{}})", R"({"a":{}})"},
             MergeCase{R"({"a":{"b":1}})", R"({"a":{}})", R"({"a":{"b":1}})"},
             MergeCase{R"({})", R"({"a":{"b":null}})", R"({"a":{}})"},
             MergeCase{R"({"a":7})", R"({"a":{"b":null}})", R"({"a":{}})"},
             MergeCase{R"({"a":7})", R"({"a":{"b":{"c":null,"d":1}}})", R"({"a":{"b":{"d":1}}})"},
         }) {
      check_merge(c);
    }
  }

  TEST_CASE("merge: members keep their places, new ones follow, whatever the order of the patch") {
    std::string before = "{", patch = "{", after = "{";
    for (int i = 0; i < 100; ++i)
      before += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + (i < 99 ? "," : "}");
    for (int i = 119; i >= 0; --i) {
      patch +=
          "\"k" + std::to_string(i) + "\":" + (i % 2 == 0 ? std::to_string(i + 1000) : "null") + (i > 0 ? "," : "}");
    }
    for (int i = 0; i < 100; i += 2) after += "\"k" + std::to_string(i) + "\":" + std::to_string(i + 1000) + ",";
    for (int i = 118; i >= 100; i -= 2)
      after += "\"k" + std::to_string(i) + "\":" + std::to_string(i + 1000) + (i > 100 ? "," : "}");
    check_merge({before.c_str(), patch.c_str(), after.c_str()});
  }

  TEST_CASE("replacement: takes the place of everything, and its nulls mean absence") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.replace(desired(R"({"a":1,"b":{"c":2},"d":3})"), at(1)).ok());
    REQUIRE(twin.replace(desired(R"({"b":{"e":null,"f":{"g":null}},"d":null,"z":[1,{"y":2}]})"), at(2)).ok());
    CHECK(values(twin.desired()) == R"({"b":{"f":{}},"z":[1,{"y":2}]})");
  }
}
