#include "tools/sas.h"

#include <doctest/doctest.h>

#include "auth/sas_token.h"
#include "base/base64.h"
#include "base/text.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

const std::string kKey = base64_encode("0123456789abcdef0123456789abcdef");

auth::SasToken parse(const std::string& text) {
  const auth::SasParse parsed = auth::parse_sas_token(trim(text));
  INFO("token: ", text);
  REQUIRE(parsed.ok);
  return parsed.token;
}

std::uint8_t connack(TestHub& hub, std::string_view identity, std::string_view token) {
  auto client = hub.open();
  const std::string user = hub.username(identity);
  mqtt::Connect packet;
  packet.client_id = identity;
  packet.username = user;
  packet.password = token;
  return client->connect(packet).return_code;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("sas make: without a hub, from a connection string or from parts") {
    const auto now = from_unix_milliseconds(1'000'000'000);
    const auto make = [now](NewToken token) { return parse(make_token(token, now).value()); };
    NewToken token;
    token.connection_string = "HostName=h.test:8883;DeviceId=d1;SharedAccessKey=" + kKey;
    CHECK(make(token).resource == "h.test/devices/d1");
    CHECK(make(token).expiry_s == 1'003'600);
    CHECK(make(token).policy == "");
    CHECK(auth::verify_signature(make(token), *base64_decode(kKey)));
    token.connection_string = "HostName=h;DeviceId=d1;ModuleId=m1;SharedAccessKey=" + kKey;
    CHECK(make(token).resource == "h/devices/d1/modules/m1");
    token.connection_string = "HostName=h;SharedAccessKeyName=service;SharedAccessKey=" + kKey;
    CHECK(make(token).resource == "h");
    CHECK(make(token).policy == "service");
    token.identity = IdentityId{DeviceId("d2"), {}};
    token.lifetime_s = 60;
    CHECK(make(token).resource == "h/devices/d2");
    CHECK(make(token).policy == "service");
    CHECK(make(token).expiry_s == 1'000'060);

    NewToken parts;
    parts.key = kKey;
    parts.resource = "h/devices/a#b";
    CHECK(make(parts).resource_text == "h%2Fdevices%2Fa%23b");
    parts.policy = "device";
    CHECK(make(parts).policy == "device");
  }

  TEST_CASE("sas make: what cannot be signed is refused with the reason") {
    const auto error_of = [](NewToken token) { return make_token(token, kNever).error().detail; };
    NewToken token;
    token.connection_string = "HostName=h;DeviceId=d1;x509=true";
    CHECK(error_of(token) == "the connection string has no SharedAccessKey to sign with");
    token.connection_string = "HostName=h;SharedAccessKey=AAAA";
    CHECK(error_of(token) == "the connection string has neither DeviceId nor SharedAccessKeyName");
    token.connection_string = "HostName=h;DeviceId=d1;SharedAccessKey=%%%";
    CHECK(error_of(token) == "the key is not base64");
    token.connection_string = "HostName=h;DeviceId=d1;SharedAccessKey=" + kKey;
    token.identity = IdentityId{DeviceId("d2"), {}};
    CHECK(error_of(token) ==
          "the connection string is that of device d1: its key signs for nothing else, and not for device d2");
  }

  TEST_CASE("sas make: with the hub's help, and the hub takes it over MQTT and HTTPS") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    const Outcome device = run(hub, {"sas", "make", "--device", "d1"});
    CHECK(device.exit_code == 0);
    CHECK(device.error == "");
    CHECK(connack(hub, "d1", trim(device.out)) == 0);
    CHECK(connack(hub, "d1/m1", trim(run(hub, {"sas", "make", "--device", "d1", "--module", "m1"}).out)) == 0);

    const std::string service(trim(run(hub, {"sas", "make", "--lifetime", "10m"}).out));
    HttpClient http(hub.tls(), hub.https());
    CHECK(http.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", service}}).status == 200);

    const Outcome unknown = run(hub, {"sas", "make", "--device", "nobody"});
    CHECK(unknown.exit_code == 1);
    CHECK(unknown.error == "nearhub: DeviceNotFound: there is no device nobody\n");
    hub.create(
        "x509",
        R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AABBCCDDEEFF00112233445566778899AABBCCDD"}}})");
    CHECK(run(hub, {"sas", "make", "--device", "x509"}).error ==
          "nearhub: device x509 has no key: its authentication type is selfSigned\n");
  }

  TEST_CASE("sas make: a hub whose clock was moved gets tokens by its own time") {
    TestHub hub;
    hub.create("d1");
    hub.advance(std::chrono::hours{100});
    const auto token = parse(run(hub, {"sas", "make", "--device", "d1"}).out);
    CHECK(std::abs(token.expiry_s - unix_seconds(hub.clock().now()) - 3600) < 60);
  }

  TEST_CASE("sas make: arguments that do not fit together are refused") {
    CHECK(run({"sas", "make", "--module", "m1"}).exit_code == 2);
    CHECK(run({"sas", "make", "--key", "AAAA"}).exit_code == 2);
    CHECK(run({"sas", "make", "--policy", "p"}).exit_code == 2);
    CHECK(run({"sas", "make", "--key", "AAAA", "--resource", "h", "--device", "d1"}).exit_code == 2);
    CHECK(run({"sas", "make", "--lifetime", "soon", "--key", "AAAA", "--resource", "h"}).error ==
          "nearhub: --lifetime: soon is no duration: give seconds, or 10m, 2h, 1d\nTry `nearhub sas make --help`.\n");
    CHECK(run({"sas", "make", "--device", "a/b"}).exit_code == 2);
    CHECK(run({"sas", "make", "--key", "%%%", "--resource", "h"}).error == "nearhub: the key is not base64\n");
  }
}
