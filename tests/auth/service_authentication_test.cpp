#include "auth/service_authentication.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/auth/samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

const HostNames kHosts({"hub.local.test", "localhost"});

struct Call {
  std::optional<std::string> authorization;
  std::vector<Rights> any_of = {Right::kServiceConnect};
  std::vector<std::string_view> path = {"devices", "d1"};
  WallTime now = kNow;
};

std::variant<ServiceGrant, Denial> authorize(const Call& call) {
  return authorize_service({call.authorization ? &*call.authorization : nullptr, call.any_of, call.path, kHosts, policies(), call.now, {}});
}

Denial denied(const Call& call) {
  auto verdict = authorize(call);
  REQUIRE(std::holds_alternative<Denial>(verdict));
  const Denial denial = std::get<Denial>(verdict);
  // 401 for all authentication and permission: 403 is quota to every SDK.
  CHECK(denial.code == ErrorCode::kIotHubUnauthorizedAccess);
  return denial;
}

std::string refusal_of(const Call& call) {
  const Denial denial = denied(call);
  return std::string(check_text(denial.check)) + ": " + denial.sentence();
}

Call with_token(std::string_view sr, std::string_view policy = "service", std::string_view key_of = {}, std::int64_t expiry_s = kInAnHour) {
  Call call;
  call.authorization = signed_token(sr, policy_key("primary", key_of.empty() ? policy : key_of), expiry_s, policy);
  return call;
}

bool allows(const Call& call) { return std::holds_alternative<ServiceGrant>(authorize(call)); }

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("service authentication: either key of the policy is right, and the grant names policy and rights") {
    for (const char* which : {"primary", "secondary"}) {
      Call call;
      call.authorization = signed_token("localhost", policy_key(which, "service"), kInAnHour, "service");
      const auto verdict = authorize(call);
      REQUIRE(std::holds_alternative<ServiceGrant>(verdict));
      CHECK(std::get<ServiceGrant>(verdict).policy == "service");
      CHECK(std::get<ServiceGrant>(verdict).rights == Rights(Right::kServiceConnect));
    }
  }

  TEST_CASE("service authentication: which policy has which right") {
    const Rights needed[] = {Right::kRegistryRead, Right::kRegistryWrite, Right::kServiceConnect, Right::kDeviceConnect};
    const std::pair<const char*, std::string> table[] = {
        {"iothubowner", "yyyy"}, {"service", "nnyn"}, {"device", "nnny"}, {"registryRead", "ynnn"}, {"registryReadWrite", "yynn"}};
    for (const auto& [name, expected] : table) {
      std::string found;
      for (const Rights right : needed) {
        Call call = with_token("localhost", name);
        call.any_of = {right};
        found += allows(call) ? 'y' : 'n';
      }
      CAPTURE(name);
      CHECK(found == expected);
    }
  }

  TEST_CASE("service authentication: one of several rights is enough, and the refusal names them all") {
    Call call = with_token("localhost", "registryReadWrite");
    call.any_of = {Right::kServiceConnect, Right::kRegistryWrite};
    CHECK(allows(call));
    call = with_token("localhost", "registryRead");
    call.any_of = {Right::kServiceConnect, Right::kRegistryWrite};
    CHECK(refusal_of(call) ==
          "permission: expected a policy with ServiceConnect or RegistryWrite; received policy registryRead with RegistryRead; use a policy that has the right, "
          "for instance iothubowner");
  }

  TEST_CASE("service authentication: no header, a bearer token, and what is no token") {
    CHECK(refusal_of({}) ==
          "credential: expected an Authorization header with a SAS token of a shared access policy; received none; make one with `nearhub sas make`");
    for (const char* bearer : {"Bearer eyJ0eXAiOiJKV1QifQ", "bearer x"}) {
      Call call;
      call.authorization = bearer;
      CHECK(refusal_of(call) ==
            "credential: expected a SAS token of a shared access policy; received a bearer token; use the connection string of a policy: this hub has no Entra ID");
    }
    Call call;
    call.authorization = "Basic dXNlcjpwYXNz";
    CHECK(refusal_of(call) ==
          "SAS format: expected a token that begins with \"SharedAccessSignature \"; received a text of 18 bytes that begins otherwise; make one with `nearhub "
          "sas make` and compare");
    call.authorization = "";
    CHECK(denied(call).check == Check::kSasFormat);
  }

  TEST_CASE("service authentication: a device's token opens no service endpoint") {
    Call call;
    call.authorization = signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary);
    CHECK(refusal_of(call) ==
          "SAS policy: expected a token signed with a shared access policy (skn); received a token without skn for sr=localhost/devices/d1; a device's key opens "
          "only the device's own endpoints: use the service connection string");
  }

  TEST_CASE("service authentication: skn names a policy of this hub, by its exact name") {
    CHECK(refusal_of(with_token("localhost", "root")) ==
          "SAS policy: expected skn naming one of this hub's policies (iothubowner, service, device, registryRead, registryReadWrite); received skn=root");
    CHECK(denied(with_token("localhost", "Service")).received == "skn=Service");
  }

  TEST_CASE("service authentication: sr begins with any of the hub's names") {
    for (const char* sr : {"hub.local.test", "HUB.LOCAL.TEST", "localhost%3A8443", "localhost%2F"}) CHECK(allows(with_token(sr)));
    CHECK(refusal_of(with_token("other.test%3A443")) ==
          "host name: expected sr that begins with a name of this hub (hub.local.test, localhost); received sr=other.test:443; use the hub's name, or start the "
          "hub with --host other.test");
  }

  TEST_CASE("service authentication: sr covers what it is a prefix of, by whole segments") {
    for (const char* sr : {"localhost", "localhost%2Fdevices", "localhost%2FDevices", "localhost%2Fdevices%2Fd1"}) {
      CAPTURE(sr);
      CHECK(allows(with_token(sr)));
      Call below = with_token(sr);
      below.path = {"devices", "d1", "modules", "m1"};
      CHECK(allows(below));
    }
    for (const char* sr : {"localhost%2Fdevices%2Fd10", "localhost%2Fdevices%2FD1", "localhost%2Fdevices%2Fd", "localhost%2Ftwins",
                           "localhost%2Fdevices%2Fd1%2Fmodules"}) {
      CAPTURE(sr);
      CHECK(denied(with_token(sr)).check == Check::kSasResource);
    }
    CHECK(refusal_of(with_token("localhost%2Fdevices%2Fd10")) ==
          "SAS resource: expected sr that covers hub.local.test/devices/d1; received sr=localhost/devices/d10; sign a token for the host alone");
    Call list = with_token("localhost%2Fdevices%2Fd1");
    list.path = {"devices"};
    CHECK(refusal_of(list) == "SAS resource: expected sr that covers hub.local.test/devices; received sr=localhost/devices/d1; sign a token for the host alone");
  }

  TEST_CASE("service authentication: a wrong signature is refused with what it was made with") {
    const std::string wrong = "SAS signature: expected a signature by a key of policy service; received a signature by none of its keys; ";
    CHECK(refusal_of(with_token("localhost", "service", "iothubowner")) ==
          wrong + "it was made with the primary key of policy iothubowner, but skn says service");
    Call call;
    call.authorization = signed_token("localhost", policy_key("secondary", "registryRead"), kInAnHour, "service");
    CHECK(refusal_of(call) == wrong + "it was made with the secondary key of policy registryRead, but skn says service");
    CHECK(refusal_of(with_token("localhost", "service", "another hub")) ==
          wrong + "compare the key with the hub's connection string: every data folder has keys of its own");
    call.authorization = token_text("localhost", mac(policy_key("primary", "service"), "localhost\n1767229200"), "1767229200", "service");
    CHECK(refusal_of(call) == wrong + "it was made with the text of the primary key of policy service instead of its bytes: base64-decode the key before signing");
  }

  TEST_CASE("service authentication: a token serves until se and 300 s more") {
    Call call = with_token("localhost", "service", "", 1'767'225'600);
    call.now = kNow + std::chrono::seconds{300};
    CHECK(allows(call));
    call.now = kNow + std::chrono::seconds{301};
    CHECK(refusal_of(call) ==
          "SAS expiry: expected a token that is valid now (2026-01-01T00:05:01.0000000Z); 300 s of skew are forgiven; received se=1767225600, expired 5 min 1 s "
          "ago; make a new token; check the clock");
  }

  TEST_CASE("service authentication: a missing right is not told to whoever has no valid token") {
    Call call = with_token("localhost", "registryRead", "another hub");
    CHECK(denied(call).check == Check::kSasSignature);
    call = with_token("localhost", "registryRead", "", 1);
    CHECK(denied(call).check == Check::kSasExpiry);
  }

  TEST_CASE("claimed identity: the policy of a token, else the device that it names") {
    const auto claimed = [](std::string text) { return claimed_identity(&text); };
    CHECK(claimed_identity(nullptr) == "");
    CHECK(claimed(signed_token("localhost", kDevicePrimary, kInAnHour, "service")) == "policy:service");
    CHECK(claimed(signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary)) == "d1");
    CHECK(claimed(signed_token("localhost%2Fdevices%2Fd1%2Fmodules%2Fm1", kModulePrimary)) == "d1/m1");
    CHECK(claimed(signed_token("localhost", kDevicePrimary)) == "");
    CHECK(claimed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&sig=bad&se=1") == "d1");
    CHECK(claimed("Bearer x") == "");
    CHECK(claimed("SharedAccessSignature sr=h&sig=x&se=1&skn=%0A") == "policy:\\x0A");
  }
}
