#include "certs/host_name.h"

#include <doctest/doctest.h>

using namespace nearhub;
using namespace nearhub::certs;

namespace {

std::string refusal(std::string_view name) {
  const auto host = parse_host_name(name);
  REQUIRE_FALSE(host.ok());
  CHECK(host.error().code == ErrorCode::kInvalidSetting);
  return host.error().detail;
}

}  // namespace

TEST_SUITE("certs") {
  TEST_CASE("host names: letters, digits, '-', '.' and '_' in labels of up to 63 characters, up to 253 in all") {
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    REQUIRE(longest.size() == 253);
    for (const std::string& name : {std::string("hub"), std::string("Hub-1.my_lab.example"),
                                    std::string("123456789012"), std::string("1.2.3.a"), label, longest}) {
      const auto host = parse_host_name(name);
      REQUIRE(host.ok());
      CHECK(host->text == name);
      CHECK(host->ip_bytes.empty());
    }
    CHECK(refusal(longest + "b").ends_with("has 254 characters; at most 253 are allowed"));
    CHECK(refusal(label + "a.lab").ends_with("has a label of 64 characters; at most 63 are allowed"));
  }

  TEST_CASE("host names: empty names, empty labels, wildcards and other characters are refused with the place") {
    CHECK(refusal("") == "a host name is empty");
    for (const char* name : {".", ".lab", "hub.", "hub..lab"}) {
      CHECK(refusal(name).find("has an empty label") != std::string::npos);
    }
    CHECK(refusal("*.lab") == "host name \"*.lab\" is a wildcard; name each host instead");
    CHECK(refusal("hub lab") ==
          "host name \"hub lab\" contains byte 0x20 at position 4; allowed are letters, digits and - . _, or an IP "
          "address");
    CHECK(refusal("hub.lab:8883").find("contains ':' at position 8;") != std::string::npos);
    CHECK(refusal("https://hub").find("contains ':' at position 6;") != std::string::npos);
    CHECK(refusal("[::1]").find("contains '[' at position 1;") != std::string::npos);
    CHECK(refusal("h\xC3\xBC"
                  "b")
              .find("contains byte 0xC3 at position 2;") != std::string::npos);
    CHECK(refusal(std::string_view("hub\0.evil", 9)).find("contains byte 0x00 at position 4;") != std::string::npos);
    CHECK(refusal(std::string_view("127.0.0.1\0x", 11)).find("contains byte 0x00 at position 10;") !=
          std::string::npos);
  }

  TEST_CASE("host names: addresses are recognised, IPv4 and IPv6, in any of their forms") {
    using namespace std::string_literals;
    CHECK(parse_host_name("127.0.0.1")->ip_bytes == "\x7F\0\0\x01"s);
    CHECK(parse_host_name("255.255.255.255")->ip_bytes == "\xFF\xFF\xFF\xFF"s);
    CHECK(parse_host_name("::1")->ip_bytes == std::string(15, '\0') + "\x01");
    CHECK(parse_host_name("0:0:0:0:0:0:0:1")->ip_bytes == std::string(15, '\0') + "\x01");
    CHECK(parse_host_name("2001:DB8::7")->ip_bytes == "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"s);
    CHECK(parse_host_name("2001:DB8::7")->text == "2001:DB8::7");
  }

  TEST_CASE("host names: digits and dots that are no address are a mistyped address, not a name") {
    for (const char* name : {"300.1.1.1", "1.2.3", "1.2.3.4.5", "010.0.0.1"}) {
      CHECK(refusal(name) == "host name \"" + std::string(name) + "\" looks like an IP address but is none");
    }
  }

  TEST_CASE("address text: canonical, empty for bytes that are no address") {
    using namespace std::string_literals;
    CHECK(ip_text("\x7F\0\0\x01"s) == "127.0.0.1");
    CHECK(ip_text("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"s) == "2001:db8::7");
    CHECK(ip_text("").empty());
    CHECK(ip_text("12345").empty());
  }
}
