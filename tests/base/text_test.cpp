#include "base/text.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace nearhub;

TEST_SUITE("base") {
  TEST_CASE("case: only ASCII letters have one") {
    CHECK(ascii_lower('A') == 'a');
    CHECK(ascii_lower('Z') == 'z');
    for (const char c : std::string_view("az09@[`{ \xC4")) CHECK(ascii_lower(c) == c);
    CHECK(to_lower("HUB.Lab-Ä") == "hub.lab-Ä");
    CHECK(to_lower("").empty());
  }

  TEST_CASE("comparison without regard to case: same length, same letters") {
    CHECK(equals_ignoring_case("Content-Length", "content-LENGTH"));
    CHECK(equals_ignoring_case("", ""));
    CHECK_FALSE(equals_ignoring_case("a", "ab"));
    CHECK_FALSE(equals_ignoring_case("ab", "a"));
    CHECK_FALSE(equals_ignoring_case("[", "{"));  // 0x20 apart, like a letter and its capital
    CHECK_FALSE(equals_ignoring_case("@", "`"));
    CHECK(starts_with_ignoring_case("SharedAccessSignature sr=", "sharedaccesssignature "));
    CHECK(starts_with_ignoring_case("a", ""));
    CHECK(starts_with_ignoring_case("a", "A"));
    CHECK_FALSE(starts_with_ignoring_case("a", "ab"));
    CHECK_FALSE(starts_with_ignoring_case("ba", "a"));
  }

  TEST_CASE("trim: spaces, tabs and line ends at both ends go, those inside stay") {
    CHECK(trim(" \t\r\na b\n\r\t ") == "a b");
    CHECK(trim("a") == "a");
    CHECK(trim("").empty());
    CHECK(trim(" \n").empty());
    CHECK(trim("\va\v") == "\va\v");
  }

  TEST_CASE("split once: at the first separator, without one there is no second part") {
    using Parts = std::pair<std::string_view, std::optional<std::string_view>>;
    CHECK(split_once("a=b=c", '=') == Parts{"a", "b=c"});
    CHECK(split_once("a", '=') == Parts{"a", std::nullopt});
    CHECK(split_once("a=", '=') == Parts{"a", ""});
    CHECK(split_once("=b", '=') == Parts{"", "b"});
    CHECK(split_once("", '=') == Parts{"", std::nullopt});
  }

  TEST_CASE("decimal numbers: digits only, up to the largest 64-bit number") {
    CHECK(parse_decimal("0") == 0u);
    CHECK(parse_decimal("007") == 7u);
    CHECK(parse_decimal("18446744073709551615") == UINT64_MAX);
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "a", "18446744073709551616",
                             "18446744073709551620", "28446744073709551615", "184467440737095516150"}) {
      CAPTURE(std::string(text));
      CHECK_FALSE(parse_decimal(text).has_value());
    }
  }

  TEST_CASE("hex: two lower-case digits for each byte") {
    CHECK(to_hex(std::string_view("\0\x0F\xA0\xFF", 4)) == "000fa0ff");
    CHECK(to_hex("").empty());
  }

  TEST_CASE("UTF-8: the first and the last code point of every length is well-formed") {
    for (const char* text : {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                             "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                             "a\xC3\xBC"
                             "b\xE2\x82\xAC"
                             "c\xF0\x9F\x98\x80"
                             "d"}) {
      CAPTURE(to_hex(text));
      CHECK(is_utf8(text));
    }
    CHECK(is_utf8(std::string_view("\0", 1)));
  }

  TEST_CASE("UTF-8: overlong forms, surrogates, numbers beyond U+10FFFF, stray and missing bytes are not") {
    const auto refused = [](std::initializer_list<const char*> texts) {
      for (const char* text : texts) {
        CAPTURE(to_hex(text));
        CHECK_FALSE(is_utf8(text));
      }
    };
    refused({"\xC0\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF"});
    refused({"\xED\xA0\x80", "\xED\xAF\xBF", "\xED\xB0\x80", "\xED\xBF\xBF", "\xED\xA0\x80\xED\xB0\x80"});
    refused({"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF7\xBF\xBF\xBF", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF"});
    refused({"\x80", "\xBF", "a\x80", "\xC3\xBC\xBC", "\xC3\xC3\xBC"});
    refused({"\xC3", "\xC3z", "\xE2\x82", "\xE2\x82z", "\xE2zz", "\xF0\x9F\x98", "\xF0\x9F\x98z"});
  }

  TEST_CASE("UTF-8: the length of the first character, 0 where none begins") {
    CHECK(utf8_length("ab") == 1);
    CHECK(utf8_length("\xC3\xBC\xFF") == 2);
    CHECK(utf8_length("\xE2\x82\xAC") == 3);
    CHECK(utf8_length("\xF0\x9F\x98\x80z") == 4);
    CHECK(utf8_length(std::string_view("\0", 1)) == 1);
    CHECK(utf8_length("") == 0);
    CHECK(utf8_length("\xFF") == 0);
    CHECK(utf8_length("\xE2\x82") == 0);
    CHECK(utf8_length("\xED\xA0\x80") == 0);
  }

  TEST_CASE("edit distance: inserting, deleting, replacing and swapping neighbours cost one each") {
    CHECK(edit_distance("sensor-1", "sensor-1", 3) == 0);
    CHECK(edit_distance("sensor-1", "sensor1", 3) == 1);
    CHECK(edit_distance("sensor1", "sensor-1", 3) == 1);
    CHECK(edit_distance("sensor-1", "sensor-2", 3) == 1);
    CHECK(edit_distance("sensor-1", "sesnor-1", 3) == 1);
    CHECK(edit_distance("ab", "ba", 1) == 1);
    CHECK(edit_distance("abcd", "badc", 3) == 2);
    CHECK(edit_distance("kitten", "sitting", 5) == 3);
    CHECK(edit_distance("", "", 2) == 0);
    CHECK(edit_distance("", "ab", 2) == 2);
    CHECK(edit_distance("Device", "device", 2) == 1);  // ids are case-sensitive
  }

  TEST_CASE("edit distance: more than the limit is the limit plus one") {
    CHECK(edit_distance("kitten", "sitting", 3) == 3);
    CHECK(edit_distance("kitten", "sitting", 2) == 3);
    CHECK(edit_distance("a", "abcdefgh", 2) == 3);
    CHECK(edit_distance("abcdefgh", "a", 2) == 3);
    CHECK(edit_distance("abcdefgh", "stuvwxyz", 2) == 3);
    CHECK(edit_distance("a", "b", 0) == 1);
    CHECK(edit_distance("a", "a", 0) == 0);
    CHECK(edit_distance("xab", "xba", 1) == 1);  // every row before the swap already costs one
  }

  TEST_CASE("printable: control characters and bytes beyond ASCII are shown in hex") {
    CHECK(printable("device-1 ~") == "device-1 ~");
    CHECK(printable("a\nb\t\x1B[31m") == "a\\x0Ab\\x09\\x1B[31m");
    CHECK(printable(std::string_view("\0\x7F\xC3\xBC", 4)) == "\\x00\\x7F\\xC3\\xBC");
    CHECK(printable("").empty());
  }

  TEST_CASE("printable: longer text is cut, and shows that it is") {
    CHECK(printable("abc", 3) == "abc");
    CHECK(printable("abcd", 3) == "abc...");
    CHECK(printable(std::string(201, 'x')) == std::string(200, 'x') + "...");
    CHECK(printable(std::string(200, 'x')) == std::string(200, 'x'));
  }
}
