#include "base/base64.h"

#include <doctest/doctest.h>

#include "base/random.h"

using namespace nearhub;

TEST_SUITE("base") {
  TEST_CASE("base64: the vectors of RFC 4648, both ways") {
    const struct {
      const char* bytes;
      const char* text;
    } vectors[] = {{"", ""},
                   {"f", "Zg=="},
                   {"fo", "Zm8="},
                   {"foo", "Zm9v"},
                   {"foob", "Zm9vYg=="},
                   {"fooba", "Zm9vYmE="},
                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
      CHECK(base64_encode(bytes) == text);
      CHECK(base64_decode(text) == std::string(bytes));
    }
    CHECK(base64_encode("\xFB\xFF\xBF") == "+/+/");
    CHECK(base64_decode("+/+/") == std::string("\xFB\xFF\xBF"));
    CHECK(base64_encode(std::string_view("\0\0\0", 3)) == "AAAA");
  }

  TEST_CASE("base64: bytes of every length from 0 to 64 survive the way there and back") {
    SeededRandom random(64);
    for (std::size_t size = 0; size <= 64; ++size) {
      const std::string bytes = random.bytes(size);
      const std::string text = base64_encode(bytes);
      CHECK(text.size() == (size + 2) / 3 * 4);
      CHECK(base64_decode(text) == bytes);
    }
  }

  TEST_CASE("base64: what is not whole, padded and free of other characters is refused") {
    for (const char* text :
         {"Z",    "Zg",   "Zg=",  "Zm9vY",    "Zg===",    "=",       "==",           "====",  "Z===",
          "=Zg=", "Zg=v", "Z=9v", "Zg==Zg==", "Zm9v====", "Zm9v\n",  "Zm9v\n\n\n\n", "\nZm9", " Zm9v   ",
          "Zm 9", "Zm9 ", "Zm9-", "Zm9_",     "Zm9*",     "Zm9\xC3", "Zg=\n",        "Zg= "}) {
      CAPTURE(std::string(text));
      CHECK_FALSE(base64_decode(text).has_value());
    }
    CHECK_FALSE(base64_decode(std::string_view("Zm9\0", 4)).has_value());
    CHECK_FALSE(base64_decode(std::string_view("\0\0\0\0", 4)).has_value());
  }

  TEST_CASE("base64: bits left over before the padding are ignored") {
    CHECK(base64_decode("Zh==") == std::string("f"));
    CHECK(base64_decode("Zm9=") == std::string("fo"));
  }
}
