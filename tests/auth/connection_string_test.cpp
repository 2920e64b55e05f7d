#include "auth/connection_string.h"

#include <doctest/doctest.h>

#include <string>

using namespace nearhub;
using namespace nearhub::auth;

namespace {

ConnectionString parse(std::string_view text) {
  auto result = parse_connection_string(text);
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().detail));
  return std::move(*result);
}

std::string error_of(std::string_view text) {
  const auto result = parse_connection_string(text);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidSetting);
  return result.error().detail;
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("connection string: what is written is read back, and the parts keep their order") {
    for (const char* text : {
             "HostName=hub.local.test;DeviceId=d1;SharedAccessKey=cHJpbWFyeQ==",
             "HostName=hub.local.test;DeviceId=d1;ModuleId=m1;SharedAccessKey=cHJpbWFyeQ==",
             "HostName=localhost:8443;SharedAccessKeyName=iothubowner;SharedAccessKey=cHJpbWFyeQ==",
             "HostName=h;GatewayHostName=g;DeviceId=d;SharedAccessKey=k",
             "HostName=h;DeviceId=d;x509=true",
             "HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=h%2Fdevices%2Fd&sig=a%3D&se=1",
         }) {
      CHECK(parse(text).text() == text);
    }
  }

  TEST_CASE("connection string: a value runs to the next semicolon, equals signs included") {
    const ConnectionString device = parse("HostName=h;DeviceId=a=b;SharedAccessKey=cHJpbWFyeQ==");
    CHECK(device.host_name == "h");
    CHECK(device.device_id == "a=b");
    CHECK(device.key == "cHJpbWFyeQ==");
    CHECK(device.module_id == "");
    CHECK(device.policy_name == "");
    CHECK_FALSE(device.x509);
  }

  TEST_CASE("connection string: names in any case and order, and spaces around and empty parts do not count") {
    const ConnectionString service = parse("  sharedaccesskey=k=; SHAREDACCESSKEYNAME=service;;hostname=h:443\n");
    CHECK(service.host_name == "h:443");
    CHECK(service.policy_name == "service");
    CHECK(service.key == "k=");
    CHECK(parse("HostName=h;DeviceId=d;X509=True").x509);
    CHECK_FALSE(parse("HostName=h;DeviceId=d;x509=false").x509);
  }

  TEST_CASE("connection string: what is wrong or missing is named") {
    CHECK(error_of("") == "connection string: HostName is missing");
    CHECK(error_of("DeviceId=d;SharedAccessKey=k") == "connection string: HostName is missing");
    CHECK(error_of("HostName=") == "connection string: \"HostName\" has no value");
    CHECK(error_of("HostName") == "connection string: \"HostName\" has no value");
    CHECK(error_of("HostName=h;ModuleId=m") == "connection string: ModuleId without DeviceId");
    CHECK(error_of("HostName=h;Endpoint=sb") ==
          "connection string: unknown part \"Endpoint\"; known are HostName, GatewayHostName, DeviceId, ModuleId, SharedAccessKeyName, SharedAccessKey, "
          "SharedAccessSignature, x509");
    CHECK(error_of("HostName=h;\x01=x").find("\"\\x01\"") != std::string::npos);
  }
}
