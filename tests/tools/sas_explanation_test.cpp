#include "tools/sas_explanation.h"

#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/time_format.h"
#include "base/url.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

const WallTime kNow = *parse_iso8601("2026-01-31T12:00:00Z");
const std::string kKey = base64_encode("0123456789abcdef0123456789abcdef");
const std::string kOtherKey = base64_encode("fedcba9876543210fedcba9876543210");

std::string token(std::int64_t seconds_from_now, std::string_view resource = "hub.local.test/devices/d1",
                  std::string_view policy = {}) {
  return auth::make_sas_token(resource, kKey, unix_seconds(kNow) + seconds_from_now, policy).value();
}

// A token with everything given: `signed_text` signed with these key bytes.
std::string forge(std::string_view key_bytes, const std::string& sr, const std::string& se,
                  const std::string& signed_text) {
  return "SharedAccessSignature sr=" + sr +
         "&sig=" + percent_encode(base64_encode(auth::hmac_sha256(key_bytes, signed_text))) + "&se=" + se;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("sas explain: a good token is shown field by field") {
    const TokenExplanation explained = explain_token(token(3600), {}, kNow);
    CHECK(explained.sound);
    CHECK(explained.parsed);
    CHECK(explained.text == "for          device d1 of the hub hub.local.test\n"
                            "signed by    a key of the device or module itself (no skn)\n"
                            "expires      2026-01-31T13:00:00.000Z (in 1 h 0 min)\n"
                            "sr           hub.local.test%2Fdevices%2Fd1\n"
                            "sr, decoded  hub.local.test/devices/d1\n"
                            "se           1769864400\n"
                            "sig          32 bytes, base64\n");
  }

  TEST_CASE("sas explain: what a token is for, and what is wrong with it, in a sentence") {
    struct Row {
      const char* what;
      std::string token;
      std::string key;
      bool sound;
      std::vector<std::string> says;
    };
    const std::string sr = "hub.local.test%2Fdevices%2Fd1", se = std::to_string(unix_seconds(kNow) + 3600);
    const std::string bytes = *base64_decode(kKey);
    const std::vector<Row> rows = {
        {"module", token(60, "h/devices/d1/modules/m1"), "", true, {"module d1/m1 of the hub h"}},
        {"service",
         token(60, "h", "service"),
         "",
         true,
         {"everything of the hub h", "a key of the policy service (skn)"}},
        {"policy for a device",
         token(60, "h/devices/d1", "device"),
         kKey,
         true,
         {"device d1 of the hub h", "the signature was made with this key"}},
        {"hub without policy", token(60, "h"), "", false, {"a token without skn is a device's or a module's"}},
        {"something else",
         token(60, "h/messages/events", "service"),
         "",
         true,
         {"something at h that is neither a device nor the whole hub"}},
        {"late but forgiven", token(-299), "", true, {"expired, but within the 300 s that a hub forgives"}},
        {"expired",
         token(-301),
         "",
         false,
         {"2026-01-31T11:54:59.000Z (5 min 1 s ago): expired; a hub forgives 300 s"}},
        {"milliseconds",
         forge(bytes, sr, "1769864400000", sr + "\n1769864400000"),
         "",
         false,
         {"device d1 of the hub hub.local.test", "taken for milliseconds it is 2026-01-31T13:00:00.000Z (in 1 h 0 min)",
          "divide by 1000"}},
        {"fraction", forge(bytes, sr, "1769864400.5", "x"), "", false, {"se in whole seconds", "round it down"}},
        {"right key", token(60), kKey, true, {"the signature was made with this key"}},
        {"wrong key",
         token(60),
         kOtherKey,
         false,
         {"does not match this key: it was made with another key, or over another text"}},
        {"key not decoded",
         forge(kKey, sr, se, sr + "\n" + se),
         kKey,
         false,
         {"the text of this key instead of its bytes: base64-decode the key before signing"}},
        {"key in hex",
         forge("3031323334353637383961626364656630313233343536373839616263646566", sr, se, sr + "\n" + se),
         kKey,
         false,
         {"this key in hexadecimal"}},
        {"no line feed", forge(bytes, sr, se, sr + se), kKey, false, {"the line feed between sr and se is missing"}},
        {"decoded sr signed",
         forge(bytes, sr, se, "hub.local.test/devices/d1\n" + se),
         kKey,
         false,
         {"made over the decoded sr"}},
        {"key is not base64", token(60), "not base64!", false, {"--key is not base64"}},
        {"the key itself", kKey, "", false, {"a text that looks like the key itself"}},
        {"no signature", "SharedAccessSignature sr=" + sr + "&se=" + se, "", false, {"sig, the signature"}},
        {"no expiry", "SharedAccessSignature sr=" + sr + "&sig=x", "", false, {"se, the expiry in seconds"}},
        {"two spaces", "SharedAccessSignature  sr=x", "", false, {"exactly one space"}},
        {"hex signature",
         "SharedAccessSignature sr=" + sr + "&sig=" + std::string(64, 'a') + "&se=" + se,
         "",
         false,
         {"it is hexadecimal"}},
        {"nothing", "", "", false, {"a token that begins with"}},
        {"device connection string",
         "HostName=h;DeviceId=d1;SharedAccessKey=" + kKey,
         "",
         false,
         {"this is no token but the connection string of device d1 at h", "nearhub sas make --connection-string"}},
        {"module connection string",
         "HostName=h;DeviceId=d1;ModuleId=m1;SharedAccessKey=" + kKey,
         "",
         false,
         {"connection string of module d1/m1"}},
        {"service connection string",
         "HostName=h;SharedAccessKeyName=service;SharedAccessKey=" + kKey,
         "",
         false,
         {"connection string of policy service"}},
        {"connection string with a token",
         "HostName=h;DeviceId=d1;SharedAccessSignature=" + token(60),
         kKey,
         true,
         {"the token in it:", "device d1 of the hub hub.local.test", "the signature was made with this key"}},
        {"pasted with its header",
         "Authorization: \"" + token(60) + "\"\n",
         kKey,
         true,
         {"left out: the header name in front, the quotes around it", "made with this key"}},
        {"control characters",
         "SharedAccessSignature sr=%1B%5B2J/devices/d1&sig=x&se=" + se,
         "",
         false,
         {"device d1 of the hub \\u001b[2J"}},
    };
    for (const Row& row : rows) {
      const TokenExplanation explained = explain_token(row.token, row.key, kNow);
      CAPTURE(row.what);
      CAPTURE(explained.text);
      CHECK(explained.sound == row.sound);
      for (const std::string& part : row.says) {
        CAPTURE(part);
        CHECK(explained.text.find(part) != std::string::npos);
      }
      CHECK(explained.text.find(kKey) == std::string::npos);
      CHECK(explained.text.find('\x1B') == std::string::npos);
    }
  }

  TEST_CASE("sas explain: the exit code tells whether a hub would take the token") {
    const SystemClock clock;
    const std::string good = auth::make_sas_token("h/devices/d1", kKey, unix_seconds(clock.now()) + 600).value();
    const Outcome right = run({"sas", "explain", good});
    CHECK(right.exit_code == 0);
    CHECK(right.out.ends_with("its form is right; the signature was not checked: --check asks the hub, --key takes a key\n"));
    CHECK(run({"sas", "explain", "-"}, good + "\n").exit_code == 0);
    const Outcome wrong = run({"sas", "explain", good, "--key", kOtherKey});
    CHECK(wrong.exit_code == 1);
    CHECK(wrong.out.find("does not match this key") != std::string::npos);
    CHECK(wrong.error == "nearhub: a hub would refuse this token\n");
    CHECK(run({"sas", "explain", "nonsense"}).error == "nearhub: this is no SAS token that a hub could read\n");
    CHECK(run({"sas", "explain"}).exit_code == 2);
  }

  TEST_CASE("sas explain --check: the hub's keys and rules decide") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    hub.create(
        "x509",
        R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AABBCCDDEEFF00112233445566778899AABBCCDD"}}})");
    const auto check = [&hub](const std::string& text) { return run(hub, {"sas", "explain", text, "--check"}); };

    CHECK(check(hub.token("d1")).out.find("the hub takes it for device d1\n") != std::string::npos);
    CHECK(check(hub.token("d1/m1")).out.find("the hub takes it for module d1/m1\n") != std::string::npos);
    CHECK(check(hub.owner_token()).out.find("the hub takes it as the policy iothubowner\n") != std::string::npos);
    CHECK(check(hub.policy_token("service")).out.find("log in with the policy service") != std::string::npos);
    CHECK(check(hub.owner_token()).exit_code == 0);

    const std::int64_t soon = unix_seconds(hub.clock().now()) + 600;
    const Outcome other_key = check(auth::make_sas_token("localhost/devices/d1", kOtherKey, soon).value());
    CHECK(other_key.exit_code == 1);
    CHECK(other_key.out.find("the hub refuses it: SAS signature\n  expected  a signature by the primary or secondary "
                             "key of device d1\n") != std::string::npos);
    const Outcome other_hub = check(auth::make_sas_token("elsewhere/devices/d1", kKey, soon).value());
    CHECK(other_hub.exit_code == 1);
    CHECK(other_hub.out.find("the hub refuses it: host name\n") != std::string::npos);
    const Outcome other_policy_key = check(auth::make_sas_token("localhost", kOtherKey, soon, "iothubowner").value());
    CHECK(other_policy_key.exit_code == 1);
    CHECK(other_policy_key.out.find("a signature by a key of policy iothubowner") != std::string::npos);
    const Outcome no_key = check(auth::make_sas_token("localhost/devices/x509", kOtherKey, soon).value());
    CHECK(no_key.exit_code == 1);
    CHECK(no_key.out.find("device x509 has authentication type selfSigned, and no key") != std::string::npos);
    const Outcome unknown = check(hub.token("nobody"));
    CHECK(unknown.exit_code == 1);
    CHECK(unknown.error == "nearhub: DeviceNotFound: there is no device nobody\n");

    REQUIRE(run(hub, {"device", "disable", "d1"}).exit_code == 0);
    const Outcome disabled = check(hub.token("d1"));
    CHECK(disabled.exit_code == 1);
    CHECK(disabled.out.find("the device is disabled: `nearhub device enable d1`") != std::string::npos);
  }
}
