#include "wire/mqtt/text.h"

#include <doctest/doctest.h>

#include <string>

using namespace nearhub;
using namespace std::string_view_literals;

TEST_SUITE("mqtt") {
  TEST_CASE("text: ASCII without NUL is text, and one bad byte anywhere is found") {
    for (std::size_t size = 0; size <= 40; ++size) {
      CHECK(mqtt::is_text(std::string(size, 'a')));
      CHECK(mqtt::is_text(std::string(size, '\x01')));
      CHECK(mqtt::is_text(std::string(size, '\x7F')));
      for (std::size_t at = 0; at < size; ++at) {
        CAPTURE(size);
        CAPTURE(at);
        for (const char bad : {'\x00', '\x80', '\xBF', '\xC0', '\xC3', '\xE2', '\xF0', '\xFF'}) {
          std::string text(size, 'a');
          text[at] = bad;
          CHECK_FALSE(mqtt::is_text(text));
        }
        // A word of 0x01 next to a zero byte: the subtraction of the fast path borrows there.
        std::string low(size, '\x01');
        low[at] = '\x00';
        CHECK_FALSE(mqtt::is_text(low));
      }
    }
  }

  TEST_CASE("text: multi-byte characters are text at every position, a NUL beside them is not") {
    for (const std::string_view character :
         {"\xC2\x80"sv, "\xC3\xA4"sv, "\xE2\x82\xAC"sv, "\xEF\xBB\xBF"sv, "\xEF\xBF\xBF"sv, "\xED\x9F\xBF"sv,
          "\xEE\x80\x80"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
      for (std::size_t before = 0; before <= 20; ++before) {
        for (std::size_t after = 0; after <= 20; ++after) {
          const std::string text = std::string(before, 'a') + std::string(character) + std::string(after, 'b');
          CHECK(mqtt::is_text(text));
          if (after == 0) continue;
          std::string with_nul = text;
          with_nul.back() = '\0';
          CHECK_FALSE(mqtt::is_text(with_nul));
          CHECK_FALSE(mqtt::is_text(std::string_view(text).substr(0, before + character.size() - 1)));
        }
      }
    }
  }

  TEST_CASE("text: surrogates, overlong forms, code points past U+10FFFF and lone bytes are not UTF-8") {
    for (const std::string_view bad :
         {"\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xED\xA0\xBD\xED\xB8\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv,
          "\xE0\x80\x80"sv, "\xE0\x9F\xBF"sv, "\xF0\x80\x80\x80"sv, "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv,
          "\xF8\x88\x80\x80\x80"sv, "\x80"sv, "\xBF"sv, "\xC3"sv, "\xC3" "a"sv, "\xE2\x82"sv, "\xE2\x82" "a"sv,
          "\xF0\x9F\x98"sv, "\xFE"sv, "\xFF"sv}) {
      CAPTURE(bad);
      CHECK_FALSE(mqtt::is_text(bad));
      CHECK(mqtt::text_fault(bad) == "is not well-formed UTF-8");
      CHECK_FALSE(mqtt::is_text("some text before " + std::string(bad)));
      CHECK_FALSE(mqtt::is_text(std::string(bad) + " some text behind"));
    }
  }

  TEST_CASE("text: a NUL is named with its position, counted from 1") {
    CHECK(mqtt::text_fault("\0"sv) == "has a NUL at position 1");
    CHECK(mqtt::text_fault("dev\0"sv) == "has a NUL at position 4");
    CHECK(mqtt::text_fault("\xC3\xA4\0\0"sv) == "has a NUL at position 3");
  }
}
