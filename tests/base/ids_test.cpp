#include "base/ids.h"

#include <doctest/doctest.h>

#include <string>

using namespace nearhub;

TEST_SUITE("base") {
  TEST_CASE("device ids: every character of the hub's alphabet is allowed, up to 128 of them") {
    CHECK(check_id("aZ09-:.+%_#*?!(),=@;$'", "deviceId").ok());
    CHECK(check_id(std::string(128, 'x'), "deviceId").ok());
  }

  TEST_CASE("device ids: an empty or longer id, a slash, a space, an ampersand, a NUL and UTF-8 are refused with the reason") {
    CHECK(check_id("", "deviceId").error().detail == "deviceId is empty");
    CHECK(check_id(std::string(129, 'x'), "deviceId").error().detail == "deviceId has 129 characters; at most 128 are allowed");
    CHECK(check_id("a/b", "deviceId").error().detail.starts_with("deviceId contains '/' at position 2;"));
    CHECK(check_id("a b", "deviceId").error().detail.starts_with("deviceId contains byte 0x20 at position 2;"));
    CHECK(check_id("a&b", "moduleId").error().code == ErrorCode::kArgumentInvalid);
    CHECK_FALSE(check_id(std::string_view("a\0b", 3), "deviceId").ok());
    CHECK_FALSE(check_id("\xC3\xA4", "deviceId").ok());
  }

  TEST_CASE("identity ids: a module's text is its MQTT client id") {
    CHECK(IdentityId{DeviceId("dev"), ModuleId()}.text() == "dev");
    CHECK(IdentityId{DeviceId("dev"), ModuleId("mod")}.text() == "dev/mod");
  }
}
