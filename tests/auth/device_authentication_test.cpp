#include "auth/device_authentication.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/auth/samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

const IdentityId kDevice{DeviceId("d1"), ModuleId()};
const IdentityId kModule{DeviceId("d1"), ModuleId("m1")};
const Credentials kDeviceKeys{AuthenticationType::kSas, kDevicePrimary, kDeviceSecondary, {}, {}};
const Credentials kModuleKeys{AuthenticationType::kSas, kModulePrimary, kModuleSecondary, {}, {}};
const HostNames kHosts({"hub.local.test", "localhost", "::1"});
const Authorities kNoAuthorities;
const std::string kNoMatch =
    "compare the key in the client with the registered one (`nearhub device connection-string`); keys change when a device is re-created";

struct Attempt {
  IdentityId identity = kDevice;
  Credentials credentials = kDeviceKeys;
  std::optional<std::string> password;
  WallTime now = kNow;
  SasTimes times = {};
  std::vector<std::string> certificates = {};
};

std::variant<Admission, Denial> judge(const Attempt& attempt) {
  Presented presented;
  if (attempt.password) presented.password = *attempt.password;
  presented.certificates = &attempt.certificates;
  return authenticate_device({attempt.identity, attempt.credentials, attempt.identity.is_module() ? &kDeviceKeys : nullptr, presented, kHosts,
                              policies(), attempt.now, attempt.times});
}

Admission admitted(const Attempt& attempt) {
  auto verdict = judge(attempt);
  if (const auto* denial = std::get_if<Denial>(&verdict)) FAIL("refused: ", denial->sentence());
  return std::get<Admission>(verdict);
}

Denial denied(const Attempt& attempt) {
  auto verdict = judge(attempt);
  REQUIRE(std::holds_alternative<Denial>(verdict));
  return std::get<Denial>(verdict);
}

// "check: sentence".
std::string refusal_of(const Attempt& attempt) {
  const Denial denial = denied(attempt);
  return std::string(check_text(denial.check)) + ": " + denial.sentence();
}

Attempt of_device(std::string token) {
  Attempt attempt;
  attempt.password = std::move(token);
  return attempt;
}
Attempt of_module(std::string token) {
  Attempt attempt = of_device(std::move(token));
  attempt.identity = kModule;
  attempt.credentials = kModuleKeys;
  return attempt;
}
Attempt by_policy(IdentityId identity, std::string_view sr, std::string_view name = "device") {
  Attempt attempt = of_device(signed_token(sr, policy_key("primary", name), kInAnHour, name));
  if (identity.is_module()) attempt.credentials = kModuleKeys;
  attempt.identity = std::move(identity);
  return attempt;
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("device authentication: a device comes in by either of its keys, and the one that matched is remembered") {
    for (const char* key : {kDevicePrimary, kDeviceSecondary}) {
      const Admission admission = admitted(of_device(signed_token("localhost%2Fdevices%2Fd1", key)));
      CHECK(admission.scope == Admission::Scope::kDevice);
      CHECK(admission.type == AuthenticationType::kSas);
      CHECK(admission.credential == key);
      CHECK(admission.policy == "");
      CHECK(admission.expiry == kNow + std::chrono::hours{1});
      CHECK(admission.warning == "");
    }
  }

  TEST_CASE("device authentication: a module comes in by either of its keys") {
    for (const char* key : {kModulePrimary, kModuleSecondary}) {
      const Admission admission = admitted(of_module(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", key)));
      CHECK(admission.scope == Admission::Scope::kModule);
      CHECK(admission.credential == key);
    }
  }

  TEST_CASE("device authentication: a policy with DeviceConnect opens any identity on the path that sr begins") {
    for (const char* sr : {"localhost", "localhost%2Fdevices", "localhost%2Fdevices%2Fd1"}) {
      CAPTURE(sr);
      const Admission device = admitted(by_policy(kDevice, sr));
      CHECK(device.scope == Admission::Scope::kHub);
      CHECK(device.policy == "device");
      CHECK(device.credential == policy_key("primary", "device"));
      CHECK(admitted(by_policy(kModule, sr)).scope == Admission::Scope::kHub);
    }
    CHECK(admitted(by_policy(kModule, "localhost%2Fdevices%2Fd1%2Fmodules")).policy == "device");
    CHECK(admitted(by_policy(kModule, "localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", "iothubowner")).policy == "iothubowner");
    Attempt secondary;
    secondary.password = signed_token("localhost", policy_key("secondary", "device"), kInAnHour, "device");
    CHECK(admitted(secondary).credential == policy_key("secondary", "device"));
  }

  TEST_CASE("device authentication: policies without DeviceConnect do not open devices") {
    for (const auto& [name, rights] : {std::pair{"service", "ServiceConnect"}, std::pair{"registryRead", "RegistryRead"},
                                       std::pair{"registryReadWrite", "RegistryWrite"}}) {
      CHECK(refusal_of(by_policy(kDevice, "localhost", name)) ==
            "permission: expected a policy with DeviceConnect; received policy " + std::string(name) + " with " + rights +
                "; use the policy device or iothubowner, or the device's own key");
    }
  }

  TEST_CASE("device authentication: skn must name a policy of this hub") {
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary, kInAnHour, "nobody"))) ==
          "SAS policy: expected skn naming a shared access policy of this hub, or no skn with a device's key; received skn=nobody");
  }

  TEST_CASE("device authentication: sr begins with any of the hub's names, in any case and with any port") {
    for (const char* sr : {"hub.local.test%2Fdevices%2Fd1", "HUB.local.TEST%2Fdevices%2Fd1", "localhost%3A8883%2Fdevices%2Fd1",
                           "%5B%3A%3A1%5D%3A8883%2Fdevices%2Fd1", "::1/devices/d1"}) {
      CAPTURE(sr);
      CHECK(admitted(of_device(signed_token(sr, kDevicePrimary))).credential == kDevicePrimary);
    }
    CHECK(refusal_of(of_device(signed_token("myhub.azure-devices.net%2Fdevices%2Fd1", kDevicePrimary))) ==
          "host name: expected sr that begins with a name of this hub (hub.local.test, localhost, ::1); received "
          "sr=myhub.azure-devices.net/devices/d1; use the hub's name, or start the hub with --host myhub.azure-devices.net");
    CHECK(refusal_of(of_device(signed_token("%2F", kDevicePrimary))) ==
          "host name: expected sr that begins with a name of this hub (hub.local.test, localhost, ::1); received sr=/; use the hub's name, or start the hub "
          "with --host NAME");
  }

  TEST_CASE("device authentication: sr covers by whole segments, d1 is not d10") {
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd10", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d10; the token is for device d10");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d; the token is for device d");
    CHECK(refusal_of(by_policy(kDevice, "localhost%2Fdevices%2Fd10")) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d10; the token is for device d10");
    CHECK(refusal_of(by_policy(kDevice, "localhost%2Ftwins")) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/twins; sign a token for this identity");
  }

  TEST_CASE("device authentication: ids are case-sensitive, the words between them are not") {
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2FD1", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/D1; ids are case-sensitive");
    CHECK(refusal_of(of_module(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2FM1", kModulePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1/modules/m1; received sr=localhost/devices/d1/modules/M1; sign a token for this identity");
    CHECK(admitted(of_device(signed_token("localhost%2FDevices%2Fd1", kDevicePrimary))).credential == kDevicePrimary);
    CHECK(admitted(of_module(signed_token("localhost%2Fdevices%2Fd1%2FModules%2Fm1", kModulePrimary))).credential == kModulePrimary);
  }

  TEST_CASE("device authentication: a token for the whole hub, or for all devices, needs a policy") {
    CHECK(refusal_of(of_device(signed_token("localhost", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost; a token for the whole hub needs a policy: add skn, or sign a token for "
          "this device");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices; sign a token for this identity");
  }

  TEST_CASE("device authentication: a device's token does not open its modules, nor a module's token the device") {
    CHECK(refusal_of(of_module(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1/modules/m1; received sr=localhost/devices/d1; a device's token does not open its modules: sign "
          "with the module's key for .../modules/m1");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", kModulePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d1/modules/m1; a module's token does not open its device");
    // Whoever signed it: its scope is the module.
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", kDevicePrimary))) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d1/modules/m1; a module's token does not open its device");
    CHECK(refusal_of(by_policy(kDevice, "localhost%2Fdevices%2Fd1%2Fmodules%2Fm1")) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d1/modules/m1; a module's token does not open its device");
    CHECK(refusal_of(by_policy(kDevice, "localhost%2Fdevices%2Fd1%2Fmodules")) ==
          "SAS resource: expected sr=hub.local.test/devices/d1; received sr=localhost/devices/d1/modules; a module's token does not open its device");
    // The right scope with the key of the other.
    CHECK(refusal_of(of_module(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", kDevicePrimary))) ==
          "SAS signature: expected a signature by the primary or secondary key of module d1/m1; received a signature by neither; it was made with the primary "
          "key of device d1");
    CHECK(refusal_of(of_module(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", kDeviceSecondary))) ==
          "SAS signature: expected a signature by the primary or secondary key of module d1/m1; received a signature by neither; it was made with the "
          "secondary key of device d1");
  }

  TEST_CASE("device authentication: what old tools write behind the resource does not count") {
    CHECK(admitted(of_device(signed_token("localhost%2Fdevices%2Fd1%2Fapi-version%3D2016-11-14", kDevicePrimary))).credential == kDevicePrimary);
    CHECK(admitted(of_device(signed_token("localhost/devices/d1/?api-version=2016-11-14", kDevicePrimary))).credential == kDevicePrimary);
    CHECK(admitted(of_device(signed_token("localhost/devices/d1/", kDevicePrimary))).credential == kDevicePrimary);
    CHECK(admitted(of_device(signed_token("localhost/devices/d1/messages/events", kDevicePrimary))).credential == kDevicePrimary);
  }

  TEST_CASE("device authentication: an id that looks like a query or like an encoded text is an id") {
    for (const char* id : {"?abc", "api-version=1", "a%41b", "%2F"}) {
      CAPTURE(id);
      for (const std::string& sr : {"localhost/devices/" + std::string(id), percent_encode("localhost/devices/" + std::string(id))}) {
        Attempt attempt = of_device(signed_token(sr, kDevicePrimary));
        attempt.identity = {DeviceId(id), ModuleId()};
        CHECK(admitted(attempt).credential == kDevicePrimary);
      }
    }
    // And not that of the device whose id it decodes to, as long as it is encoded.
    Attempt other = of_device(signed_token("localhost%2Fdevices%2Fa%2541b", kDevicePrimary));
    other.identity = {DeviceId("aAb"), ModuleId()};
    CHECK(denied(other).check == Check::kSasResource);
  }

  TEST_CASE("resource segments: host, words and ids, and a trailing api-version is cut") {
    using Segments = std::vector<std::string_view>;
    CHECK(resource_segments("h/devices/d1/modules/m1") == Segments{"h", "devices", "d1", "modules", "m1"});
    CHECK(resource_segments("h/devices/d1/api-version=2016-11-14") == Segments{"h", "devices", "d1"});
    CHECK(resource_segments("h/devices/d1/API-Version=2016-11-14/x") == Segments{"h", "devices", "d1"});
    CHECK(resource_segments("h/devices/d1/?x=1") == Segments{"h", "devices", "d1"});
    CHECK(resource_segments("h//devices/") == Segments{"h", "devices"});
    // Only where a word would stand: these are ids.
    CHECK(resource_segments("h/devices/?abc/?x=1") == Segments{"h", "devices", "?abc"});
    CHECK(resource_segments("h/devices/api-version=1/modules/?m/api-version=2") == Segments{"h", "devices", "api-version=1", "modules", "?m"});
    CHECK(resource_segments("").empty());
    CHECK(resource_segments("///").empty());
  }

  TEST_CASE("device authentication: a wrong key is refused with what it was made with") {
    const std::string nobody = "SAS signature: expected a signature by the primary or secondary key of device d1; received a signature by neither; ";
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", kModulePrimary))) == nobody + kNoMatch);
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", policy_key("primary", "device")))) ==
          nobody + "it was made with the primary key of policy device, but skn is missing");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", policy_key("secondary", "iothubowner")))) ==
          nobody + "it was made with the secondary key of policy iothubowner, but skn is missing");
    CHECK(refusal_of(of_device(token_text("localhost%2Fdevices%2Fd1", mac(kDevicePrimary, "localhost%2Fdevices%2Fd1\n1767229200"), "1767229200"))) ==
          nobody + "it was made with the text of the primary key of device d1 instead of its bytes: base64-decode the key before signing");
  }

  TEST_CASE("device authentication: a device's key with a policy's skn") {
    const std::string nobody = "SAS signature: expected a signature by the primary or secondary key of policy device; received a signature by neither; ";
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary, kInAnHour, "device"))) ==
          nobody + "it was made with the primary key of device d1: leave skn out");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", kDeviceSecondary, kInAnHour, "device"))) ==
          nobody + "it was made with the secondary key of device d1: leave skn out");
    CHECK(refusal_of(of_device(signed_token("localhost%2Fdevices%2Fd1", policy_key("primary", "service"), kInAnHour, "device"))) == nobody + kNoMatch);
  }

  TEST_CASE("device authentication: a token serves until se and 300 s more, then no longer") {
    Attempt attempt = of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary, 1'767'225'600));
    attempt.now = kNow;  // exactly se
    CHECK(admitted(attempt).warning == "");
    attempt.now = kNow + std::chrono::seconds{1};
    CHECK(admitted(attempt).warning == "SAS token expired 1 s ago, accepted within the 300 s skew; device clock?");
    attempt.now = kNow + std::chrono::seconds{300};
    CHECK(admitted(attempt).warning == "SAS token expired 5 min 0 s ago, accepted within the 300 s skew; device clock?");
    CHECK(admitted(attempt).expiry == kNow);
    attempt.now = kNow + std::chrono::seconds{301};
    CHECK(refusal_of(attempt) ==
          "SAS expiry: expected a token that is valid now (2026-01-01T00:05:01.0000000Z); 300 s of skew are forgiven; received se=1767225600, expired 5 min 1 s "
          "ago; make a new token; check the device's clock");
  }

  TEST_CASE("device authentication: the skew can be set, to nothing too") {
    Attempt attempt = of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary, 1'767'225'600));
    attempt.times.skew_s = 0;
    CHECK(admitted(attempt).warning == "");
    attempt.now = kNow + std::chrono::seconds{1};
    CHECK(denied(attempt).check == Check::kSasExpiry);
    attempt.times.skew_s = 1;
    CHECK(admitted(attempt).warning == "SAS token expired 1 s ago, accepted within the 1 s skew; device clock?");
  }

  TEST_CASE("device authentication: a wrong signature says so even when the token has expired") {
    Attempt attempt = of_device(signed_token("localhost%2Fdevices%2Fd1", kModulePrimary, 1));
    CHECK(denied(attempt).check == Check::kSasSignature);
  }

  TEST_CASE("device authentication: a sas identity without a token is refused, with or without a certificate") {
    const std::string expected = "credential: expected a SAS token as password: device d1 is registered with authentication type sas; received ";
    Attempt attempt;
    CHECK(refusal_of(attempt) == expected + "no password; make a token with `nearhub sas make`, or use an SDK with the connection string");
    attempt.password = "";
    CHECK(refusal_of(attempt) == expected + "no password; make a token with `nearhub sas make`, or use an SDK with the connection string");
    attempt.certificates = {"a certificate"};
    CHECK(refusal_of(attempt) == expected + "a client certificate and no password; send a token, or register the identity for X.509");
    attempt.password.reset();
    attempt.identity = kModule;
    CHECK(refusal_of(attempt) ==
          "credential: expected a SAS token as password: module d1/m1 is registered with authentication type sas; received a client certificate and no "
          "password; send a token, or register the identity for X.509");
  }

  TEST_CASE("device authentication: a certificate beside a good token is of no consequence") {
    Attempt attempt = of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary));
    attempt.certificates = {"a certificate"};
    CHECK(admitted(attempt).type == AuthenticationType::kSas);
  }

  TEST_CASE("device authentication: a password that is no token is refused for its format") {
    CHECK(denied(of_device("secret")).check == Check::kSasFormat);
    CHECK(denied(of_device("HostName=localhost;DeviceId=d1;SharedAccessKey=k")).received == "a connection string");
  }

  TEST_CASE("device authentication: an empty registered key lets nobody in") {
    Attempt attempt = of_device(token_text("localhost%2Fdevices%2Fd1", mac("", "localhost%2Fdevices%2Fd1\n1767229200"), "1767229200"));
    attempt.credentials = Credentials{AuthenticationType::kSas, "", "", {}, {}};
    CHECK(denied(attempt).check == Check::kSasSignature);
  }

  TEST_CASE("device authentication: authentication type none opens nothing") {
    Attempt attempt = of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary));
    attempt.credentials.type = AuthenticationType::kNone;
    CHECK(refusal_of(attempt) ==
          "credential: expected an identity with keys or thumbprints; received one with authentication type none; update the identity with authentication type sas");
  }

  TEST_CASE("device authentication: authentication types as text") {
    CHECK(authentication_type_text(AuthenticationType::kSas) == "sas");
    CHECK(authentication_type_text(AuthenticationType::kSelfSigned) == "selfSigned");
    CHECK(authentication_type_text(AuthenticationType::kCertificateAuthority) == "certificateAuthority");
    CHECK(authentication_type_text(AuthenticationType::kNone) == "none");
  }

  TEST_CASE("still valid: an admission stands while its credential is one of the identity's, in either place") {
    const Admission by_primary = admitted(of_device(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary)));
    CHECK(still_valid(by_primary, kDeviceKeys, policies(), kNoAuthorities));
    CHECK(still_valid(by_primary, {AuthenticationType::kSas, kDeviceSecondary, kDevicePrimary, {}, {}}, policies(), kNoAuthorities));
    CHECK(still_valid(by_primary, {AuthenticationType::kSas, kDevicePrimary, kModulePrimary, {}, {}}, policies(), kNoAuthorities));
    CHECK_FALSE(still_valid(by_primary, {AuthenticationType::kSas, kModulePrimary, kDeviceSecondary, {}, {}}, policies(), kNoAuthorities));
    CHECK_FALSE(still_valid(by_primary, {AuthenticationType::kSelfSigned, {}, {}, {}, {}}, policies(), kNoAuthorities));
    CHECK_FALSE(still_valid(by_primary, {AuthenticationType::kSelfSigned, kDevicePrimary, {}, {}, {}}, policies(), kNoAuthorities));
  }

  TEST_CASE("still valid: a policy's admission stands while the policy has the key and the right, whatever happens to the device's keys") {
    const Admission admission = admitted(by_policy(kDevice, "localhost"));
    CHECK(still_valid(admission, kDeviceKeys, policies(), kNoAuthorities));
    CHECK(still_valid(admission, kModuleKeys, policies(), kNoAuthorities));
    CHECK_FALSE(still_valid(admission, kDeviceKeys, {}, kNoAuthorities));
    AccessPolicy changed = policy("device", Right::kServiceConnect);
    CHECK_FALSE(still_valid(admission, kDeviceKeys, {changed}, kNoAuthorities));
    changed = policy("device", Right::kDeviceConnect);
    std::swap(changed.primary_key, changed.secondary_key);
    CHECK(still_valid(admission, kDeviceKeys, {changed}, kNoAuthorities));
    changed.primary_key = changed.secondary_key = kModulePrimary;
    CHECK_FALSE(still_valid(admission, kDeviceKeys, {changed}, kNoAuthorities));
  }
}
