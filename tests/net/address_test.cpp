#include "wire/net/address.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nearhub::net;

TEST_SUITE("net") {
  TEST_CASE("address: literals of both families, and what only looks like one") {
    for (const char* text : {"127.0.0.1", "0.0.0.0", "192.0.2.7", "::", "::1", "fe80::1", "2001:db8::7", "::ffff:192.0.2.7"}) {
      CAPTURE(text);
      CHECK(is_ip_literal(text));
    }
    for (const char* text : {"", "localhost", "127.0.0", "127.0.0.256", "[::1]", "::1%lo", "1.2.3.4:80", ":::", " 127.0.0.1"}) {
      CAPTURE(text);
      CHECK_FALSE(is_ip_literal(text));
    }
  }

  TEST_CASE("address: loopback is 127.0.0.0/8 and ::1") {
    for (const char* text : {"127.0.0.1", "127.0.0.2", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1"}) {
      CAPTURE(text);
      CHECK(is_loopback(text));
    }
    for (const char* text : {"", "128.0.0.1", "0.0.0.0", "::", "::2", "192.0.2.7", "localhost"}) {
      CAPTURE(text);
      CHECK_FALSE(is_loopback(text));
    }
  }

  TEST_CASE("address: an IPv6 address stands in brackets before its port") {
    CHECK(host_and_port("localhost", 8883) == "localhost:8883");
    CHECK(host_and_port("127.0.0.1", 0) == "127.0.0.1:0");
    CHECK(host_and_port("::1", 65535) == "[::1]:65535");
  }

  TEST_CASE("address: those of this machine are literals, each once, the loopback among them") {
    const auto addresses = machine_addresses();
    CHECK(std::find(addresses.begin(), addresses.end(), "127.0.0.1") != addresses.end());
    for (const std::string& address : addresses) {
      CAPTURE(address);
      CHECK(is_ip_literal(address));
      CHECK_FALSE(address.starts_with("fe80:"));
      CHECK(std::count(addresses.begin(), addresses.end(), address) == 1);
    }
  }
}
