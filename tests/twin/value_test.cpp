#include "twin/value.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/json.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

std::string fault(std::string_view text) {
  const Result<Value> value = parse_value(text);
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().code == ErrorCode::kArgumentInvalid);
  return value.error().detail;
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE(
      "values: compact text comes back byte for byte, every spelling of a number and the order of members included") {
    for (const char* text : {
             R"(null)",
             R"(true)",
             R"(false)",
             R"("")",
             R"("a")",
             R"({})",
             R"([])",
             R"({"z":1,"a":{"y":[1,{"b":false}],"x":null}})",
             R"([0,-0,1,1.0,1.00,1e5,1E5,1e+5,1E-5,-1.50e-07,0.1,4503599627370495,123456789012345678901234567890])",
             R"([0.12345678901234567890123456789,100000000000000000000.0,1e308,1e-400])",
             R"({"":1,"ä":"ö\n\t\"\\\u0001€😀"})",
         }) {
      const Result<Value> value = parse_value(text);
      REQUIRE_MESSAGE(value.ok(), text);
      CHECK(value->to_json() == text);
    }
  }

  TEST_CASE("values: white space and escapes are read, and written in their shortest form") {
    CHECK(parse_value(" { \"a\\u0062\" : [ 1 , \"\\u00e4\\/\\ud83d\\ude00\" ] }\r\n\t").value().to_json() ==
          R"({"ab":[1,"ä/😀"]})");
  }

  TEST_CASE("values: a NUL inside a string is kept") {
    const Value value = parse_value(R"("a\u0000b")").value();
    CHECK(value.text() == std::string("a\0b", 3));
    CHECK(value.to_json() == R"("a\u0000b")");
  }

  TEST_CASE("values: text that is not one JSON value is refused with the byte position") {
    CHECK(fault("") == "not valid JSON at byte 0: The document is empty.");
    CHECK(fault("{\"a\":1") == "not valid JSON at byte 6: Missing a comma or '}' after an object member.");
    CHECK(fault("{} {}").starts_with("not valid JSON at byte 3: "));
    CHECK(fault("{'a':1}").starts_with("not valid JSON at byte 1: "));
    CHECK(fault("[1,]").starts_with("not valid JSON at byte 3: "));
    CHECK(fault("{\"a\":1,}").starts_with("not valid JSON at byte 7: "));
    CHECK(fault("nul").starts_with("not valid JSON at byte "));
    CHECK(fault(std::string_view("{}\0", 3)) ==
          "not valid JSON at byte 2: The document root must not be followed by other values.");
    CHECK(fault(std::string_view("\"a\0b\"", 5)).starts_with("not valid JSON at byte "));
  }

  TEST_CASE("values: numbers that JSON does not know are refused") {
    for (const char* text : {"01", "+1", "1.", ".5", "1e", "-", "0x10", "NaN", "Infinity", "-Infinity", "1_000"}) {
      CHECK_MESSAGE(!parse_value(text).ok(), text);
    }
  }

  TEST_CASE("values: a lone low surrogate is refused at the end of its string") {
    CHECK(fault(R"({"a":"\udc00"})") == "not valid JSON at byte 13: The surrogate pair in string is invalid.");
  }

  TEST_CASE("values: bytes that are not UTF-8 and lone surrogates are refused") {
    for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", R"("\ud800")", R"("\udc00x")",
                             R"({"\udfff":1})", R"("\ud800\ud800")", "\"\x01\"", "{\"\xff\":1}", "\xff"}) {
      CHECK_MESSAGE(!parse_value(text).ok(), text);
    }
  }

  TEST_CASE("values: a member that is named twice in one object is refused by name") {
    CHECK(fault(R"({"a":1,"b":2,"a":3})") == "JSON names the member \"a\" twice in one object (at byte 18)");
    CHECK(fault(R"({"x":[{"b":{"c":1,"c":1}}]})").starts_with("JSON names the member \"c\" twice"));
    CHECK(fault(R"({"a":1,"\u0061":2})").starts_with("JSON names the member \"a\" twice"));
    CHECK(parse_value(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})").ok());
  }

  TEST_CASE("values: nesting is read up to 64 levels and refused beyond, without recursion") {
    CHECK(parse_value(repeated("[", kMaxJsonDepth) + repeated("]", kMaxJsonDepth)).ok());
    CHECK(fault(repeated("[", kMaxJsonDepth + 1)).starts_with("JSON is nested deeper than 64 levels"));
    CHECK(fault(repeated("{\"a\":", 150'000)).starts_with("JSON is nested deeper than 64 levels"));
  }

  TEST_CASE("values: text is read up to a megabyte") {
    const std::string longest = "\"" + std::string(kMaxUpdateBytes - 2, 'x') + "\"";
    CHECK(parse_value(longest).ok());
    CHECK(fault(longest + " ") == "the JSON text has 1048577 bytes; at most 1048576 are allowed");
    CHECK(parse_value(longest + " ", longest.size() + 1).ok());
  }

  TEST_CASE("values: members are found, set, replaced in place and erased") {
    Value object = Value::object();
    object.set("a", Value::number("1"));
    object.set("b", Value::string("x")).set("ignored", Value());
    object.set("a", Value::boolean(true));
    CHECK(object.to_json() == R"({"a":true,"b":"x"})");
    REQUIRE(object.find("a") != nullptr);
    CHECK(object.find("a")->kind() == Value::Kind::kTrue);
    CHECK(object.find("c") == nullptr);
    CHECK(object.erase("a"));
    CHECK_FALSE(object.erase("a"));
    CHECK(object.to_json() == R"({"b":"x"})");
  }

  TEST_CASE("values: equality looks at spelling and order") {
    CHECK(parse_value("[1,{\"a\":null}]").value() == parse_value(" [ 1, {\"a\" : null} ]").value());
    CHECK_FALSE(parse_value("1").value() == parse_value("1.0").value());
    CHECK_FALSE(parse_value(R"({"a":1,"b":2})").value() == parse_value(R"({"b":2,"a":1})").value());
    CHECK_FALSE(parse_value("\"1\"").value() == parse_value("1").value());
  }
}
