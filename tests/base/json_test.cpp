#include "base/json.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace nearhub;

namespace {

std::string refusal(std::string_view text) {
  const auto document = parse_json(text);
  REQUIRE_FALSE(document.ok());
  CHECK(document.error().code == ErrorCode::kArgumentInvalid);
  return document.error().detail;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("JSON: one value of any kind is a document") {
    const struct {
      const char* text;
      const char* kind;
    } documents[] = {{"null", "null"},           {"true", "a boolean"}, {"false", "a boolean"},
                     {"-1.5e3", "a number"},     {"\"x\"", "a string"}, {" [1, 2]\r\n\t", "an array"},
                     {"{\"a\":{}}", "an object"}};
    for (const auto& expected : documents) {
      CAPTURE(std::string(expected.text));
      const auto document = parse_json(expected.text);
      REQUIRE(document.ok());
      CHECK(json_kind(*document) == expected.kind);
    }
  }

  TEST_CASE("JSON: what is not, or not only, one value is refused with the byte where it goes wrong") {
    CHECK(refusal("") == "not valid JSON at byte 0: The document is empty.");
    CHECK(refusal("  ") == "not valid JSON at byte 2: The document is empty.");
    CHECK(refusal("{\"a\":1,}") == "not valid JSON at byte 7: Missing a name for object member.");
    CHECK(refusal("{\"a\" 1}") == "not valid JSON at byte 5: Missing a colon after a name of object member.");
    CHECK(refusal("[1 2]").starts_with("not valid JSON at byte 3: "));
    CHECK(refusal("{} x") == "not valid JSON at byte 3: The document root must not be followed by other values.");
    CHECK(refusal("{}{}").starts_with("not valid JSON at byte 2: "));
    for (const char* text :
         {"{",    "[",  "[1,", "\"abc", "nul", "tru", "NaN", "Infinity", "'a'",         "{a:1}",    "// c\n1",
          "[1,]", "01", "+1",  ".5",    "1.",  "1e",  "-",   "\"\\x\"",  "\"\\u12g4\"", "\"a\nb\"", "\xEF\xBB\xBF{}"}) {
      CAPTURE(std::string(text));
      CHECK(refusal(text).starts_with("not valid JSON at byte "));
    }
  }

  TEST_CASE("JSON: a NUL byte does not end the text") {
    CHECK(refusal(std::string_view("{}\0", 3)).starts_with("not valid JSON at byte 2: "));
    CHECK(refusal(std::string_view("{}\0garbage", 10)).starts_with("not valid JSON at byte 2: "));
    CHECK(refusal(std::string_view("\"a\0b\"", 5)).starts_with("not valid JSON at byte 2: "));
    CHECK(refusal(std::string_view("\0", 1)).starts_with("not valid JSON at byte 0: "));
  }

  TEST_CASE("JSON: nesting up to the limit is read, one level more is refused") {
    CHECK(parse_json(nested(64)).ok());
    CHECK(refusal(nested(65)) == "JSON is nested deeper than 64 levels");
    CHECK(refusal(std::string(1'000'000, '[')) == "JSON is nested deeper than 64 levels");
    CHECK(parse_json("{\"a\":{\"b\":1}}", 2).ok());
    CHECK(parse_json("{\"a\":[{\"b\":1}]}", 2).error().detail == "JSON is nested deeper than 2 levels");
    CHECK(parse_json("[[],[],[]]", 2).ok());  // depth, not the number of brackets
    CHECK(parse_json("1", 0).ok());
    CHECK_FALSE(parse_json("[]", 0).ok());
  }

  TEST_CASE("JSON: a member that one object names twice is refused at any depth, two objects may use the same name") {
    CHECK(refusal(R"({"a":1,"b":2,"a":3})") == "JSON names the member \"a\" twice in one object");
    CHECK(refusal(R"([{"x":{"y":[{"k":1,"k":1}]}}])") == "JSON names the member \"k\" twice in one object");
    CHECK(refusal(R"({"a":1,"\u0061":2})") == "JSON names the member \"a\" twice in one object");
    CHECK(parse_json(R"({"a":{"a":{"a":1}},"A":2,"":3})").ok());
    CHECK(parse_json(R"([{"a":1},{"a":2}])").ok());
    CHECK(refusal("{\"a\\n\\u001b\":1,\"a\\n\\u001b\":2}") ==
          "JSON names the member \"a\\x0A\\x1B\" twice in one object");
  }

  TEST_CASE("JSON: strings that are not UTF-8 are refused") {
    for (const char* text : {"\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xC3\"",
                             "\"\x80\"", "{\"\xE2\x82\":1}"}) {
      CAPTURE(to_hex(text));
      CHECK(refusal(text).starts_with("not valid JSON at byte "));
    }
    CHECK(refusal("[\"ab\", \"\xFF\"]").starts_with("not valid JSON at byte 8: "));
    CHECK(string_of(*parse_json("\"\xF0\x9F\x98\x80\xC3\xBC\"")) == "\xF0\x9F\x98\x80\xC3\xBC");
  }

  TEST_CASE("JSON: escapes become their characters, a lone surrogate, which no UTF-8 can hold, is refused") {
    CHECK(string_of(*parse_json(R"("\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00")")) ==
          "\"\\/\b\f\n\r\t\xC3\xBC\xF0\x9F\x98\x80");
    CHECK(string_of(*parse_json("\"a\\u0000b\"")) == std::string_view("a\0b", 3));
    for (const char* text : {"\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\\udfffb\"",
                             "{\"\\udc00\":1}", "[[\"\\uDEAD\"]]"}) {
      CAPTURE(std::string(text));
      CHECK(refusal(text).starts_with("not valid JSON at byte "));
    }
  }

  TEST_CASE("JSON: numbers keep their value to the limits of their kind") {
    CHECK(parse_json("9223372036854775807")->GetInt64() == INT64_MAX);
    CHECK(parse_json("-9223372036854775808")->GetInt64() == INT64_MIN);
    CHECK(parse_json("18446744073709551615")->GetUint64() == UINT64_MAX);
    CHECK(parse_json("9007199254740993")->GetInt64() == 9007199254740993);
    const auto beyond = parse_json("18446744073709551616");
    CHECK_FALSE(beyond->IsUint64());
    CHECK(beyond->GetDouble() == 18446744073709551616.0);
    CHECK(parse_json("0.1")->GetDouble() == 0.1);
    CHECK(parse_json("2.2250738585072014e-308")->GetDouble() == 2.2250738585072014e-308);
    CHECK(parse_json("1.7976931348623157e308")->GetDouble() == 1.7976931348623157e308);
    CHECK(parse_json("1e-999999999999")->GetDouble() == 0.0);
    CHECK(refusal("1e309").starts_with("not valid JSON at byte "));
    CHECK(refusal("[1,1e999999999999]").starts_with("not valid JSON at byte "));
  }

  TEST_CASE("JSON: members are found by their whole name") {
    const auto document = parse_json("{\"a\":1,\"ab\":2,\"\":3,\"n\\u0000x\":4}");
    REQUIRE(document.ok());
    CHECK(find_member(*document, "a")->GetInt() == 1);
    CHECK(find_member(*document, std::string_view("abc", 2))->GetInt() == 2);
    CHECK(find_member(*document, "")->GetInt() == 3);
    CHECK(find_member(*document, std::string_view("n\0x", 3))->GetInt() == 4);
    CHECK(find_member(*document, "n") == nullptr);
    CHECK(find_member(*document, "A") == nullptr);
  }

  TEST_CASE("JSON: written compactly, and read back as the same") {
    for (const char* text : {"{\"a\":[1,-2.5,true,false,null,\"x\\\"\\\\\\n\"],\"b\":{}}", "[]", "\"\xC3\xBC\"",
                             "9223372036854775807", "0.1", "1e100"}) {
      CAPTURE(std::string(text));
      CHECK(to_json(*parse_json(text)) == text);
    }
    CHECK(to_json(*parse_json(" { \"a\" : [ 1 , 2 ] } ")) == "{\"a\":[1,2]}");
  }

  TEST_CASE("an array's elements: their texts as they stand") {
    const auto split = [](std::string_view array) {
      REQUIRE(parse_json(array).ok());
      return split_elements(array);
    };
    CHECK(split("[]").empty());
    CHECK(split(" [ ] ").empty());
    CHECK(split("[1.50]") == std::vector<std::string_view>{"1.50"});
    CHECK(split(R"([ {"a":[1,2]} , [3,[4]],"x,]}\"[{" , null])") == std::vector<std::string_view>{R"({"a":[1,2]})", "[3,[4]]", R"("x,]}\"[{")", "null"});
    CHECK(split(R"(["\\","a"])") == std::vector<std::string_view>{R"("\\")", R"("a")"});
  }
}
