#include "base/json_writer.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"
#include "base/text.h"

using namespace nearhub;

namespace {

std::string literal(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("JSON writer: commas stand between neighbours and nowhere else, at every depth") {
    JsonWriter json;
    json.object();
    json.member("a").array().integer(1).array().end_array().object().end_object().string("x").end_array();
    json.member("b").object().member("c", 2).member("d").null().end_object();
    json.member("e").object().end_object().member("f", true);
    json.end_object();
    CHECK(json.text() == R"({"a":[1,[],{},"x"],"b":{"c":2,"d":null},"e":{},"f":true})");
    CHECK(std::move(json).take() == R"({"a":[1,[],{},"x"],"b":{"c":2,"d":null},"e":{},"f":true})");
  }

  TEST_CASE("JSON writer: every kind of value and of member") {
    JsonWriter json;
    const std::string owned = "s";
    json.object()
        .member("text", "t")
        .member("owned", owned)
        .member("view", std::string_view("v"))
        .member("flag", false)
        .member("int", -1)
        .member("long", std::int64_t{INT64_MIN})
        .member("big")
        .unsigned_integer(UINT64_MAX)
        .member("real")
        .number(-0.5)
        .member("raw")
        .raw("[1]")
        .member("none")
        .null()
        .end_object();
    CHECK(
        json.text() ==
        R"({"text":"t","owned":"s","view":"v","flag":false,"int":-1,"long":-9223372036854775808,"big":18446744073709551615,)"
        R"("real":-0.5,"raw":[1],"none":null})");
  }

  TEST_CASE("JSON writer: a single value needs no container, and text may stand before it") {
    JsonWriter json;
    json.string("x");
    CHECK(json.text() == "\"x\"");
    JsonWriter after(std::string("data: "));
    after.array().integer(1).integer(2).end_array();
    CHECK(after.text() == "data: [1,2]");
  }

  TEST_CASE("JSON writer: quotes, backslashes and control characters are escaped, in names too") {
    CHECK(literal("\"\\/") == R"("\"\\/")");
    CHECK(literal("\b\f\n\r\t") == R"("\b\f\n\r\t")");
    CHECK(literal(std::string_view("\0\x01\x0B\x1F\x7F", 5)) == "\"\\u0000\\u0001\\u000b\\u001f\x7F\"");
    CHECK(literal("") == "\"\"");
    JsonWriter json;
    json.object().member("a\"\n", "b\"").end_object();
    CHECK(json.text() == R"({"a\"\n":"b\""})");
  }

  TEST_CASE("JSON writer: UTF-8 passes, bytes that are none become U+FFFD, and only they do") {
    CHECK(literal("\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80") == "\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    CHECK(literal("a\xFF"
                  "b") ==
          "\"a\xEF\xBF\xBD"
          "b\"");
    CHECK(literal("\xC3\xBC\xFF\xC3\xBC") == "\"\xC3\xBC\xEF\xBF\xBD\xC3\xBC\"");
    CHECK(literal("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK(literal("\xC3\"") == "\"\xEF\xBF\xBD\\\"\"");
  }

  TEST_CASE("JSON writer: numbers that JSON cannot write become null, and reals read back as the same") {
    for (const double value : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()}) {
      JsonWriter json;
      json.number(value);
      CHECK(json.text() == "null");
    }
    for (const double value : {0.0, 0.1, -1.5, 1e21, 1e-7, 1.7976931348623157e308, 5e-324, 123456789.125}) {
      JsonWriter json;
      json.number(value);
      CAPTURE(json.text());
      const auto document = parse_json(json.text());
      REQUIRE(document.ok());
      CHECK(document->GetDouble() == value);
    }
  }

  TEST_CASE("JSON writer: every byte, in a name and in a string, gives text that parse_json reads") {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    JsonWriter json;
    json.object().member(all, all).end_object();
    const auto document = parse_json(json.text());
    REQUIRE(document.ok());
    const std::string_view text = string_of(document->MemberBegin()->value);
    CHECK(text.substr(0, 128) == all.substr(0, 128));
    CHECK(is_utf8(text));
    CHECK(string_of(document->MemberBegin()->name) == text);
  }
}
