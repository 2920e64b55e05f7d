#include "twin/limits.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

// "" when a device may report this, else the sentence of the refusal.
std::string report(const std::string& patch) {
  Twin twin = Twin::create(at(0));
  const StoredTwin before = twin.stored();
  const Result<Change> result = twin.report(json(patch), at(1));
  return result.ok() ? std::string() : refusal(result, twin, before);
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

// {"k0":"xxx...","k1":...} that counts exactly `bytes`.
std::string object_of_size(std::size_t bytes) {
  std::string text = "{";
  for (int i = 0; bytes > 0; ++i) {
    const std::string key = std::string(bytes == 1 ? "" : "k") + (bytes > 2 ? std::to_string(i) : "");
    const std::size_t length = std::min<std::size_t>(bytes - key.size(), 4000);
    text += (i > 0 ? ",\"" : "\"") + key + "\":\"" + std::string(length, 'x') + "\"";
    bytes -= key.size() + length;
  }
  return text + "}";
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("limits: a name has at most 1024 bytes") {
    CHECK(report("{\"" + std::string(1023, 'n') + "\":1}") == "");
    CHECK(report("{\"" + std::string(1024, 'n') + "\":1}") == "");
    CHECK(report("{\"a\":{\"" + std::string(1025, 'n') + "\":1}}") ==
          "properties.reported.a: the name \"" + std::string(40, 'n') +
              "...\" has 1025 bytes; at most 1024 are allowed");
    CHECK(report("{\"" + repeated("ä", 512) + "\":1}") == "");
    CHECK(report("{\"" + repeated("ä", 512) + "n\":1}").ends_with("has 1025 bytes; at most 1024 are allowed"));
  }

  TEST_CASE("limits: names contain no '.', '$', '#', space and control character") {
    const char* rule = "; names cannot contain '.', '$', '#', spaces and control characters";
    CHECK(report(R"({"a.b":1})") == std::string("properties.reported: the name \"a.b\" contains '.'") + rule);
    CHECK(report(R"({"x":{"a#b":1}})") == std::string("properties.reported.x: the name \"a#b\" contains '#'") + rule);
    CHECK(report(R"({"a$":1})") == std::string("properties.reported: the name \"a$\" contains '$'") + rule);
    CHECK(report(R"({"a b":1})") == std::string("properties.reported: the name \"a b\" contains a space") + rule);
    for (const char* control : {R"(\u0000)", R"(\u0009)", R"(\u001f)", R"(\u007f)", R"(\u0080)", R"(\u009f)"}) {
      CAPTURE(control);
      CHECK(report("{\"a" + std::string(control) + "\":1}")
                .ends_with(std::string("contains a control character") + rule));
    }
    for (const char* fine :
         {"", "a-b_c", "ä", R"(\u00a0)", R"(\u00c2)", "~", "!", "a/b", "a:b", "a@b", "a%b", "€", "😀"}) {
      CAPTURE(fine);
      CHECK(report("{\"" + std::string(fine) + "\":1}") == "");
    }
  }

  TEST_CASE("limits: the name of a deleted member follows the same rules") {
    CHECK(report(R"({"a.b":null})").starts_with("properties.reported: the name \"a.b\" contains '.'"));
    CHECK(report("{\"" + std::string(1025, 'n') + "\":null}").ends_with("has 1025 bytes; at most 1024 are allowed"));
    CHECK(report(R"({"a":{"$b":null}})").starts_with("properties.reported.a: the name \"$b\" begins with '$'"));
  }

  TEST_CASE("limits: names inside arrays follow the same rules") {
    CHECK(report(R"({"a":[1,{"b.c":1}]})").starts_with("properties.reported.a[1]: the name \"b.c\" contains '.'"));
  }

  TEST_CASE("limits: a string has at most 4096 bytes") {
    CHECK(report("{\"a\":\"" + std::string(4095, 's') + "\"}") == "");
    CHECK(report("{\"a\":\"" + std::string(4096, 's') + "\"}") == "");
    CHECK(report("{\"a\":{\"b\":\"" + std::string(4097, 's') + "\"}}") ==
          "properties.reported.a.b has 4097 bytes; a string may have at most 4096");
    CHECK(report("{\"a\":[[\"" + std::string(4097, 's') + "\"]]}") ==
          "properties.reported.a[0][0] has 4097 bytes; a string may have at most 4096");
    CHECK(report("{\"a\":\"" + repeated("€", 1365) + "s\"}") == "");
    CHECK(report("{\"a\":\"" + repeated("€", 1365) + "ss\"}") ==
          "properties.reported.a has 4097 bytes; a string may have at most 4096");
  }

  TEST_CASE("limits: integers lie between -2^52 and 2^52 - 1") {
    for (const char* fine :
         {"4503599627370494", "4503599627370495", "-4503599627370495", "-4503599627370496", "0", "-0"}) {
      CHECK(report("{\"a\":" + std::string(fine) + "}") == "");
    }
    for (const char* beyond : {"4503599627370496", "-4503599627370497", "9223372036854775808", "-9223372036854775809",
                               "18446744073709551616"}) {
      CHECK(report("{\"a\":{\"b\":[" + std::string(beyond) + "]}}") ==
            "properties.reported.a.b[0] is " + std::string(beyond) +
                "; integers lie between -4503599627370496 and 4503599627370495");
    }
    CHECK(report("{\"a\":" + std::string(300, '9') + "}") ==
          "properties.reported.a is " + std::string(40, '9') +
              "...; integers lie between -4503599627370496 and 4503599627370495");
  }

  TEST_CASE("limits: a literal with '.', 'e' or 'E' is a double: any that is finite") {
    for (const char* fine :
         {"4503599627370496.0", "1e16", "1E300", "-1.7976931348623157e308", "1e-400", "0.1", "5e-324", "0e300"}) {
      CAPTURE(fine);
      Twin twin = Twin::create(at(0));
      REQUIRE(twin.report(json("{\"a\":" + std::string(fine) + "}"), at(1)).ok());
      CHECK(values(twin.reported()) == "{\"a\":" + std::string(fine) + "}");
    }
    CHECK(report(R"({"a":1.7976931348623159e308})") ==
          "properties.reported.a is 1.7976931348623159e308, which is too large for a double");
  }

  TEST_CASE("limits: objects and arrays nest ten levels below the section") {
    // "10": levels below the section; the innermost object has a leaf.
    const auto objects = [](std::size_t levels) {
      return "{" + repeated("\"a\":{", levels) + "\"v\":1" + repeated("}", levels) + "}";
    };
    CHECK(report(objects(9)) == "");
    CHECK(report(objects(10)) == "");
    CHECK(report(objects(11)) ==
          "properties.reported.a.a.a.a.a.a.a.a.a.a.a is nested 11 levels deep; at most 10 are allowed");
    const auto arrays = [](std::size_t levels) {
      return "{\"a\":" + repeated("[", levels) + repeated("]", levels) + "}";
    };
    CHECK(report(arrays(9)) == "");
    CHECK(report(arrays(10)) == "");
    CHECK(report(arrays(11)) ==
          "properties.reported.a[0][0][0][0][0][0][0][0][0][0] is nested 11 levels deep; at most 10 are allowed");
    CHECK(report(R"({"1":[{"3":[{"5":[{"7":[{"9":[[1]]}]}]}]}]})") == "");
    CHECK(report(R"({"1":[{"3":[{"5":[{"7":[{"9":[[[]]]}]}]}]}]})")
              .ends_with("is nested 11 levels deep; at most 10 are allowed"));
  }

  TEST_CASE("limits: no null inside an array") {
    CHECK(report(R"({"a":[1,null]})") == "properties.reported.a[1] is null; arrays cannot hold null");
    CHECK(report(R"({"a":[[null]]})") == "properties.reported.a[0][0] is null; arrays cannot hold null");
    CHECK(report(R"({"a":[{"b":null}]})") ==
          "properties.reported.a[0].b is null; objects inside arrays cannot hold null");
    CHECK(report(R"({"a":[{"b":{"c":null}}]})") ==
          "properties.reported.a[0].b.c is null; objects inside arrays cannot hold null");
    CHECK(report(R"({"a":[{"b":1}],"c":{"d":null}})") == "");  // behind an array, null deletes again
  }

  TEST_CASE("limits: sentences name the section that is meant") {
    Twin twin = Twin::create(at(0));
    const StoredTwin before = twin.stored();
    CHECK(refusal(twin.patch(tags(R"({"a":{"b":[null]}})"), at(1)), twin, before).starts_with("tags.a.b[0] is null"));
    CHECK(refusal(twin.replace(desired(R"({"a":{"b":[null]}})"), at(1)), twin, before)
              .starts_with("properties.desired.a.b[0] is null"));
  }

  TEST_CASE(
      "limits: a section is counted by characters of names and strings, 8 for a number, 4 for a boolean, structure "
      "free") {
    const auto counted = [](const char* patch) {
      Twin twin = Twin::create(at(0));
      REQUIRE(twin.report(json(patch), at(1)).ok());
      return twin.reported().size().counted;
    };
    CHECK(counted(R"({})") == 0);
    CHECK(counted(R"({"abc":"defgh"})") == 8);
    CHECK(counted(R"({"a":123456.789,"b":1})") == 18);
    CHECK(counted(R"({"a":true,"b":false})") == 10);
    CHECK(counted(R"({"a":{"b":{"c":{}}}})") == 3);
    CHECK(counted(R"({"a":[1,"xy",true,{"k":"v"},[]]})") == 1 + 8 + 2 + 4 + 2);
    CHECK(counted(R"({"a":"x\u0000\n\u007f\u0080\u009fy"})") == 3);
    CHECK(counted(R"({"ä":"€😀\u00a0"})") == 4);
    CHECK(counted(R"({"a":null,"b":{"c":null}})") == 1);
  }

  TEST_CASE("limits: tags have 8 KB") {
    for (const bool replace : {false, true}) {
      CAPTURE(replace);
      Twin twin = Twin::create(at(0));
      const auto set = [&](std::size_t bytes) {
        const Update update = tags(object_of_size(bytes));
        return replace ? twin.replace(update, at(1)) : twin.patch(update, at(1));
      };
      REQUIRE(set(8191).ok());
      CHECK(twin.tags().size().counted == 8191);
      REQUIRE(twin.patch(tags("null"), at(1)).ok());
      REQUIRE(set(8192).ok());
      REQUIRE(twin.patch(tags("null"), at(1)).ok());
      const StoredTwin before = twin.stored();
      CHECK(refusal(set(8193), twin, before) == "tags would have 8193 bytes; at most 8192 are allowed");
    }
  }

  TEST_CASE("limits: desired and reported have 32 KB each") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(object_of_size(32767)), at(1)).ok());
    twin = Twin::create(at(0));
    REQUIRE(twin.replace(desired(object_of_size(32768)), at(1)).ok());
    REQUIRE(twin.report(json(object_of_size(32768)), at(1)).ok());
    CHECK(twin.reported().size().counted == 32768);
    REQUIRE(twin.patch(tags(object_of_size(8192)), at(1)).ok());

    twin = Twin::create(at(0));
    const StoredTwin before = twin.stored();
    CHECK(refusal(twin.report(json(object_of_size(32769)), at(1)), twin, before) ==
          "properties.reported would have 32769 bytes; at most 32768 are allowed");
    CHECK(refusal(twin.patch(desired(object_of_size(32769)), at(1)), twin, before) ==
          "properties.desired would have 32769 bytes; at most 32768 are allowed");
    CHECK(refusal(twin.replace(desired(object_of_size(32769)), at(1)), twin, before) ==
          "properties.desired would have 32769 bytes; at most 32768 are allowed");
  }

  TEST_CASE("limits: what counts is the section after the update") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(object_of_size(32768)), at(1)).ok());  // k0 has 4000 characters
    StoredTwin before = twin.stored();
    CHECK(refusal(twin.report(json(R"({"n":1})"), at(2)), twin, before) ==
          "properties.reported would have 32777 bytes; at most 32768 are allowed");
    CHECK(twin.report(json(R"({"k0":null,"n":1})"), at(2)).ok());
    CHECK(twin.reported().size().counted == 32768 - 4002 + 9);

    // Replacing by something of the same size, larger by one, smaller.
    REQUIRE(twin.report(json("{\"k0\":\"" + std::string(3991, 'y') + "\"}"), at(3)).ok());
    CHECK(twin.reported().size().counted == 32768 - 4002 + 9 + 3993);
    CHECK(twin.report(json("{\"k0\":\"" + std::string(3991, 'z') + "\"}"), at(3)).ok());
    before = twin.stored();
    CHECK(refusal(twin.report(json("{\"k0\":\"" + std::string(3992, 'z') + "\"}"), at(3)), twin, before) ==
          "properties.reported would have 32769 bytes; at most 32768 are allowed");
    CHECK(twin.report(json(R"({"k0":{"o":true}})"), at(3)).ok());
    CHECK(twin.reported().size().counted == 32768 - 4002 + 9 + 2 + 5);
  }

  TEST_CASE("limits: what the hub does not count is bounded too: structure, control characters and digits") {
    // The text of n empty arrays in one has 3n + 1 bytes; the name, its node and the root add nine: 256 KB are reached
    // exactly.
    const auto empties = [](std::size_t count) { return "{\"a\":[[]" + repeated(",[]", count - 1) + "]}"; };
    const std::size_t most = (8 * 32768 - 10) / 3;
    CHECK(report(empties(most)) == "");
    CHECK(report(empties(most + 1)) ==
          "properties.reported would take 262147 bytes with its structure, control characters and digits; at most "
          "262144 are allowed");

    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(empties(most)), at(1)).ok());
    const StoredTwin before = twin.stored();
    refusal(twin.report(json(R"({"b":{}})"), at(2)), twin, before);
    CHECK(twin.report(json(R"({"a":[],"b":{}})"), at(2)).ok());

    CHECK(report("{\"a\":0." + std::string(300'000, '1') + "}")
              .starts_with("properties.reported would take 300011 bytes"));
    CHECK(report("{\"a\":[\"" + repeated(R"(\u0001)", 4096) + "\"" +
                 repeated(",\"" + repeated(R"(\u0001)", 4096) + "\"", 10) + "]}")
              .starts_with("properties.reported would take 270"));
  }

  TEST_CASE("limits: the densest section that the hub counts fits, an array of one-character strings") {
    CHECK(report("{\"a\":[\"x\"" + repeated(",\"x\"", 32766) + "]}") == "");
    CHECK(report("{\"a\":[\"x\"" + repeated(",\"x\"", 32767) + "]}") ==
          "properties.reported would have 32769 bytes; at most 32768 are allowed");
  }
}
