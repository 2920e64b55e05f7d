#include "auth/host_names.h"

#include <doctest/doctest.h>

using namespace nearhub::auth;

TEST_SUITE("auth") {
  TEST_CASE("host names: any name of the set, in any case, with or without a port") {
    const HostNames hosts({"hub.local.test", "localhost", "192.0.2.7", "::1"});
    for (const char* name : {"hub.local.test", "HUB.Local.Test", "hub.local.test:8883", "localhost", "LOCALHOST:443", "192.0.2.7", "192.0.2.7:8443", "::1",
                             "[::1]", "[::1]:8883"}) {
      CAPTURE(name);
      CHECK(hosts.contains(name));
    }
    for (const char* name : {"", "hub.local", "hub.local.test.", "xhub.local.test", "hub.local.test/devices", "localhost:443:1", "::2", "[::1", ":8883",
                             "192.0.2.70"}) {
      CAPTURE(name);
      CHECK_FALSE(hosts.contains(name));
    }
  }

  TEST_CASE("host names: the first is what the hub calls itself, the list is for reasons") {
    const HostNames hosts({"hub.local.test", "localhost"});
    CHECK(hosts.primary() == "hub.local.test");
    CHECK(hosts.list() == "hub.local.test, localhost");
    CHECK(hosts.all().size() == 2);
  }

  TEST_CASE("host names: a port is taken off, an IPv6 address is not cut") {
    CHECK(without_port("h:8883") == "h");
    CHECK(without_port("h:") == "h");
    CHECK(without_port("h") == "h");
    CHECK(without_port("") == "");
    CHECK(without_port("[::1]:8883") == "::1");
    CHECK(without_port("[::1]") == "::1");
    CHECK(without_port("::1") == "::1");
    CHECK(without_port("fe80::1:2:3:4") == "fe80::1:2:3:4");
    CHECK(without_port("[::1") == "[::1");
  }
}
