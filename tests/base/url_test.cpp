#include "base/url.h"

#include <doctest/doctest.h>

using namespace nearhub;

TEST_SUITE("base") {
  TEST_CASE("percent-encoding: unreserved characters stay, all others become upper-case hex") {
    CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
    CHECK(percent_encode("hub.lab/devices/a b") == "hub.lab%2Fdevices%2Fa%20b");
    CHECK(percent_encode("!\"#$%&'()*+,/:;<=>?@[\\]^`{|}") ==
          "%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
    CHECK(percent_encode(std::string_view("\0\x1F\x7F\xC3\xBC\xFF", 6)) == "%00%1F%7F%C3%BC%FF");
    CHECK(percent_encode("").empty());
    std::string out = "sr=";
    append_percent_encoded(out, "a/b");
    CHECK(out == "sr=a%2Fb");
  }

  TEST_CASE("percent-decoding: a plus sign is a plus sign") {
    CHECK(percent_decode("a+b%2Bc%20d") == "a+b+c d");
    CHECK(*percent_decode_strict("a+b%2Bc%20d") == "a+b+c d");
  }

  TEST_CASE("percent-decoding: hex in any case, one pass only") {
    CHECK(percent_decode("%2f%2F%c3%BC") == "//\xC3\xBC");
    CHECK(percent_decode("%252F") == "%2F");
    CHECK(percent_decode("%41") == "A");
    CHECK(percent_decode("").empty());
    CHECK(percent_decode("a%00b") == std::string("a\0b", 3));
  }

  TEST_CASE("percent-decoding: invalid sequences are taken literally, because device code sends them") {
    for (const char* text : {"%", "%4", "%zz", "%4z", "%z4", "100%", "a%2", "%%", "% 41", "%+1", "%-1", "%0x"}) {
      CHECK(percent_decode(text) == text);
    }
    CHECK(percent_decode("%%41") == "%A");
    CHECK(percent_decode("%zz%41") == "%zzA");
  }

  TEST_CASE("percent-decoding, strict: an invalid sequence or a NUL is refused with its position") {
    CHECK(*percent_decode_strict("%2f%41") == "/A");
    CHECK(percent_decode_strict("")->empty());
    CHECK(percent_decode_strict("%zz").error() ==
          Error{ErrorCode::kArgumentInvalid, "invalid percent-encoding at position 1"});
    CHECK(percent_decode_strict("a%00b").error() ==
          Error{ErrorCode::kArgumentInvalid, "invalid percent-encoding at position 2"});
    CHECK(percent_decode_strict("ab%").error().detail == "invalid percent-encoding at position 3");
    CHECK(percent_decode_strict("ab%4").error().detail == "invalid percent-encoding at position 3");
    CHECK(percent_decode_strict("%41%4z").error().detail == "invalid percent-encoding at position 4");
    CHECK(percent_decode_strict("%%41").error().detail == "invalid percent-encoding at position 1");
  }

  TEST_CASE("percent-encoding: every byte survives the way there and back") {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    CHECK(percent_decode(percent_encode(all)) == all);
    CHECK(*percent_decode_strict(percent_encode(all.substr(1))) == all.substr(1));
  }
}
