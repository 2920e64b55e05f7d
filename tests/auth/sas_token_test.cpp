#include "auth/sas_token.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "tests/auth/samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

constexpr const char* kGoodSignature = "sig=wexkUJllu52Gj%2FIgNXT9JRLrKP%2BzmMKY7sY%2FgWWQM24%3D";

// The whole sentence with which a text is refused; "" when it is taken.
std::string refusal_of(std::string_view text) {
  const SasParse parse = parse_sas_token(text);
  if (parse.ok) return {};
  CHECK(parse.denial.check == Check::kSasFormat);
  CHECK(parse.denial.code == ErrorCode::kIotHubUnauthorized);
  return parse.denial.sentence();
}

// A token that has everything but a good signature.
std::string refusal_of_signature(std::string_view sig) { return refusal_of("SharedAccessSignature sr=h&se=1&sig=" + std::string(sig)); }

// One that has everything but a good expiry.
std::string refusal_of_expiry(std::string_view se) {
  return refusal_of("SharedAccessSignature sr=h&" + std::string(kGoodSignature) + "&se=" + std::string(se));
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("HMAC-SHA256: the vectors of RFC 4231, and an empty key") {
    CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  }

  TEST_CASE("SAS token: the one that we make is the one that others make") {
    // Computed with other tools:
    //   printf 'localhost%%2Fdevices%%2Fd1\n1767229200' | openssl dgst -sha256 -mac HMAC -macopt key:'primary key of the device d1 ...' -binary | base64
    const auto token = make_sas_token("localhost/devices/d1", kDevicePrimary, kInAnHour);
    REQUIRE(token.ok());
    CHECK(*token ==
          "SharedAccessSignature sr=localhost%2Fdevices%2Fd1&sig=wexkUJllu52Gj%2FIgNXT9JRLrKP%2BzmMKY7sY%2FgWWQM24%3D&se=1767229200");
    const auto of_policy = make_sas_token("hub.local.test", kPolicyPrimary, kInAnHour, "my policy");
    REQUIRE(of_policy.ok());
    CHECK(*of_policy ==
          "SharedAccessSignature sr=hub.local.test&sig=dARFbegxHjmJ5o90HgEIMNWHiHY0oXkzbf0Yvu5Arbs%3D&se=1767229200&skn=my%20policy");
    CHECK(parsed(*of_policy).policy == "my policy");
  }

  TEST_CASE("SAS token: one cannot be made with a key that is no key") {
    for (const char* key : {"", "not base64", "YWJj=", "YWI"}) {
      CAPTURE(key);
      const auto token = make_sas_token("h", key, 1);
      REQUIRE_FALSE(token.ok());
      CHECK(token.error() == Error{ErrorCode::kInvalidSetting, "the key is not base64"});
    }
  }

  TEST_CASE("SAS token: every SDK's own encoding verifies over the literal sr [device-mqtt.md 2.3, service-rest.md 2.3]") {
    // Signatures made outside of this program over the `sr` as each SDK writes it. A verifier that encodes the decoded `sr` anew refuses most.
    struct Case {
      const char* who;
      const char* text;
      const char* key;
      const char* resource;
      const char* policy;
    };
    const Case cases[] = {
        {"Node device: strict, but lower-case hex for !'()*",
         "SharedAccessSignature sr=localhost%2Fdevices%2Fd%27%281%29%21%2a&sig=bF6pSO72VKggfX0QIj3r7o9N%2BIpjayQdOfAIoB0Gp40%3D&se=1767229200",
         kDevicePrimary, "localhost/devices/d'(1)!*", ""},
        {"Python device: full quoting, upper case",
         "SharedAccessSignature sr=localhost%2Fdevices%2Fd1&sig=wexkUJllu52Gj%2FIgNXT9JRLrKP%2BzmMKY7sY%2FgWWQM24%3D&se=1767229200", kDevicePrimary,
         "localhost/devices/d1", ""},
        {"C: sr not encoded, an empty skn",
         "SharedAccessSignature sr=localhost/devices/d1&sig=UticNt00ZjthzqmlHypbW%2fUPt9B1rjG7txk9SYBit%2fc%3d&se=1767229200&skn=", kDevicePrimary,
         "localhost/devices/d1", ""},
        {"embedded C: parts encoded, joined with %2F",
         "SharedAccessSignature sr=hub.local.test%2Fdevices%2Furn%3Adev%3B1&sig=wrYxmChL7eoGaygb5E%2BWecctyLnXzoCqwkna5VKY4p4%3D&se=1767229200",
         kDevicePrimary, "hub.local.test/devices/urn:dev;1", ""},
        {"samples of the documentation: lower-case hex",
         "SharedAccessSignature sr=localhost%2fdevices%2fd1&sig=WdKCiMfIoIrJfWQ0hCle0eT63qV%2BB2PHj%2BlJ6JEKssw%3D&se=1767229200", kDevicePrimary,
         "localhost/devices/d1", ""},
        {"C#: WebUtility.UrlEncode leaves !() as they are",
         "SharedAccessSignature sr=localhost%2Fdevices%2Fd!(1)&sig=dyQHTnlvIvP1yYtDEKL1RfM%2BkIVbOBbZb7he0rEduQs%3D&se=1767229200", kDevicePrimary,
         "localhost/devices/d!(1)", ""},
        {"Java module: sig, se, sr",
         "SharedAccessSignature sig=UHj7mSD%2F9QDXrujqr80OdyQHJwfnhj4iOylLiTkYii0%3D&se=1767229200&sr=localhost%2Fdevices%2Fd1%2Fmodules%2Fm1",
         kDevicePrimary, "localhost/devices/d1/modules/m1", ""},
        {"Node service: bare host; sr, sig, skn, se",
         "SharedAccessSignature sr=hub.local.test&sig=dARFbegxHjmJ5o90HgEIMNWHiHY0oXkzbf0Yvu5Arbs%3D&skn=service&se=1767229200", kPolicyPrimary,
         "hub.local.test", "service"},
        {"Python service: a port in the host, an unescaped slash in sig",
         "SharedAccessSignature sr=hub.local.test%3A8443&sig=JooFUir9KDK%2BJ0dyFPHuHBwzihMp5/ncT3zklbN3Twg%3D&se=1767229204&skn=service",
         kPolicyPrimary, "hub.local.test:8443", "service"},
        {"a sample of the documentation: sig, se, skn, sr",
         "SharedAccessSignature sig=dARFbegxHjmJ5o90HgEIMNWHiHY0oXkzbf0Yvu5Arbs%3d&se=1767229200&skn=service&sr=hub.local.test", kPolicyPrimary,
         "hub.local.test", "service"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.who);
      const SasToken token = parsed(c.text);
      CHECK(token.resource == c.resource);
      CHECK(token.policy == c.policy);
      CHECK(verify_signature(token, bytes_of(c.key)));
      CHECK_FALSE(verify_signature(token, bytes_of(kModulePrimary)));
      CHECK_FALSE(verify_signature(token, c.key));
    }
  }

  TEST_CASE("SAS token: the fields stand in any order, and unknown ones are passed over") {
    const std::string sr = "sr=localhost%2Fdevices%2Fd1", sig = kGoodSignature, se = "se=1767229200", skn = "skn=device";
    for (const std::string& text : {sr + "&" + sig + "&" + se + "&" + skn, skn + "&" + se + "&" + sig + "&" + sr, se + "&" + sr + "&" + skn + "&" + sig,
                                    "x=1&" + sig + "&y&" + se + "&&" + sr + "&" + skn + "&"}) {
      CAPTURE(text);
      const SasToken token = parsed("SharedAccessSignature " + text);
      CHECK(token.resource_text == "localhost%2Fdevices%2Fd1");
      CHECK(token.resource == "localhost/devices/d1");
      CHECK(token.expiry_text == "1767229200");
      CHECK(token.expiry_s == kInAnHour);
      CHECK(token.expiry() == kNow + std::chrono::hours{1});
      CHECK(token.policy == "device");
      CHECK(to_hex(token.signature) == "c1ec64509965bb9d868ff2203574fd2512eb28ffb398c298eec63f816590336e");
    }
  }

  TEST_CASE("SAS token: names of fields are case-sensitive") {
    CHECK(refusal_of("SharedAccessSignature SR=h&sig=x&se=1") == "expected sr, the resource; received a token without it");
  }

  TEST_CASE("SAS token: skn absent and skn empty are the same") {
    CHECK(parsed("SharedAccessSignature sr=h&" + std::string(kGoodSignature) + "&se=1").policy.empty());
    CHECK(parsed("SharedAccessSignature sr=h&" + std::string(kGoodSignature) + "&se=1&skn=").policy.empty());
    CHECK(parsed("SharedAccessSignature sr=h&" + std::string(kGoodSignature) + "&se=1&skn").policy.empty());
  }

  TEST_CASE("SAS token: a signature with unescaped base64 characters is the same signature") {
    for (const char* sig : {"wexkUJllu52Gj/IgNXT9JRLrKP+zmMKY7sY/gWWQM24=", "wexkUJllu52Gj%2fIgNXT9JRLrKP%2bzmMKY7sY%2fgWWQM24%3d",
                            "wexkUJllu52Gj%2FIgNXT9JRLrKP%2BzmMKY7sY%2FgWWQM24=", "wexkUJllu52Gj/IgNXT9JRLrKP%2BzmMKY7sY/gWWQM24%3D"}) {
      CAPTURE(sig);
      const SasToken token = parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&sig=" + std::string(sig) + "&se=1767229200");
      CHECK(verify_signature(token, bytes_of(kDevicePrimary)));
    }
  }

  TEST_CASE("SAS token: a changed sr, expiry or key, however little, fails") {
    const std::string sig = std::string("&") + kGoodSignature;
    const std::string key = bytes_of(kDevicePrimary);
    CHECK(verify_signature(parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&se=1767229200" + sig), key));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost%2fdevices%2Fd1&se=1767229200" + sig), key));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost/devices/d1&se=1767229200" + sig), key));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&se=1767229201" + sig), key));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&se=01767229200" + sig), key));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&se=1767229200" + sig), key.substr(1)));
    CHECK_FALSE(verify_signature(parsed("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&se=1767229200" + sig), ""));
  }

  TEST_CASE("SAS token: what is no token at all is refused with what it looks like") {
    CHECK(refusal_of("HostName=localhost;DeviceId=d1;SharedAccessKey=cHJpbWFyeQ==") ==
          "expected a SAS token; received a connection string; make a token from it: `nearhub sas make`");
    CHECK(refusal_of(kDevicePrimary) == "expected a SAS token; received a text that looks like the key itself; sign a token with the key instead of sending "
                                        "it: `nearhub sas make`");
    CHECK(refusal_of("secret") == "expected a token that begins with \"SharedAccessSignature \"; received a text of 6 bytes that begins otherwise; make one "
                                  "with `nearhub sas make` and compare");
    CHECK(refusal_of("sharedaccesssignature sr=h&sig=x&se=1") ==
          "expected a token that begins with \"SharedAccessSignature \"; received a text of 37 bytes that begins otherwise; make one with `nearhub sas make` and "
          "compare");
    CHECK(refusal_of(std::string("SharedAccessSignature ") + std::string(4075, 'x')) ==
          "expected a SAS token of at most 4096 bytes; received 4097 bytes");
    CHECK(refusal_of(std::string("SharedAccessSignature ") + std::string(4074, 'x')) == "expected sr, the resource; received a token without it");
  }

  TEST_CASE("SAS token: exactly one space stands behind the scheme") {
    CHECK(refusal_of("SharedAccessSignaturesr=h&sig=x&se=1") == "expected exactly one space behind \"SharedAccessSignature\"; received none");
    CHECK(refusal_of("SharedAccessSignature") == "expected exactly one space behind \"SharedAccessSignature\"; received none");
    CHECK(refusal_of("SharedAccessSignature  sr=h&sig=x&se=1") == "expected exactly one space behind \"SharedAccessSignature\"; received more than one");
  }

  TEST_CASE("SAS token: sr, sig and se stand in it once each") {
    CHECK(refusal_of("SharedAccessSignature ") == "expected sr, the resource; received a token without it");
    CHECK(refusal_of("SharedAccessSignature sr=&sig=x&se=1") == "expected sr, the resource; received a token without it");
    CHECK(refusal_of("SharedAccessSignature sr=h&se=1") ==
          "expected sig, the signature; received a token without it; an '&' inside the signature must be sent as %26");
    CHECK(refusal_of("SharedAccessSignature sr=h&sig=x") == "expected se, the expiry in seconds since 1970; received a token without it");
    CHECK(refusal_of("SharedAccessSignature sr=h&sr=h&sig=x&se=1") == "expected one sr; received two");
    CHECK(refusal_of("SharedAccessSignature sr=h&sig=x&sig=x&se=1") == "expected one sig; received two");
    CHECK(refusal_of("SharedAccessSignature sr=h&sig=x&se=1&se=1") == "expected one se; received two");
  }

  TEST_CASE("SAS token: se is whole seconds since 1970") {
    CHECK(refusal_of_expiry("") == "expected se in whole seconds since 1970; received \"\"; round it down: floor(now) + lifetime");
    CHECK(refusal_of_expiry("1767229200.5") ==
          "expected se in whole seconds since 1970; received \"1767229200.5\"; round it down: floor(now) + lifetime");
    CHECK(refusal_of_expiry("-1") == "expected se in whole seconds since 1970; received \"-1\"; round it down: floor(now) + lifetime");
    CHECK(refusal_of_expiry("2026-01-01") == "expected se in whole seconds since 1970; received \"2026-01-01\"; round it down: floor(now) + lifetime");
    CHECK(refusal_of_expiry("18446744073709551616") ==
          "expected se in whole seconds since 1970; received \"18446744073709551616\"; round it down: floor(now) + lifetime");
  }

  TEST_CASE("SAS token: se in milliseconds is recognised, and the last second that is none") {
    CHECK(refusal_of_expiry("1767229200000") ==
          "expected se in seconds since 1970; received 1767229200000, beyond the year 9999; it looks like milliseconds: divide by 1000");
    CHECK(refusal_of_expiry("253402300800") ==
          "expected se in seconds since 1970; received 253402300800, beyond the year 9999; it looks like milliseconds: divide by 1000");
    CHECK(refusal_of_expiry("253402300799") == "");
    CHECK(refusal_of_expiry("0") == "");
  }

  TEST_CASE("SAS token: a signature that is not the base64 of 32 bytes is refused with what it looks like") {
    const std::string is_not = " characters that is not; ";
    CHECK(refusal_of_signature("") ==
          "expected sig: base64 of 32 bytes; received a text of 0 characters that is not; sign with HMAC-SHA256, encode as base64, then percent-encode");
    CHECK(refusal_of_signature("c2hvcnQ=") ==
          "expected sig: base64 of 32 bytes; received a text of 8" + is_not + "sign with HMAC-SHA256, encode as base64, then percent-encode");
    CHECK(refusal_of_signature("wexkUJllu52Gj%2FIgNXT9JRLrKP zmMKY7sY%2FgWWQM24%3D") ==
          "expected sig: base64 of 32 bytes; received a text of 44" + is_not +
              "it holds a space where base64 has '+': percent-encode the signature ('+' as %2B)");
    CHECK(refusal_of_signature("wexkUJllu52Gj%252FIgNXT9JRLrKP%252BzmMKY7sY%252FgWWQM24%253D") ==
          "expected sig: base64 of 32 bytes; received a text of 52" + is_not + "it is percent-encoded twice: encode it once");
    CHECK(refusal_of_signature("c1ec64509965bb9d868ff2203574fd2512eb28ffb398c298eec63f816590336e") ==
          "expected sig: base64 of 32 bytes; received a text of 64" + is_not + "it is hexadecimal: encode the 32 bytes as base64");
  }

  TEST_CASE("SAS token: what a refused text says is still told, for the refusal book") {
    const SasParse parse = parse_sas_token("SharedAccessSignature sr=localhost%2Fdevices%2Fd1&skn=device&sig=x&se=1");
    CHECK_FALSE(parse.ok);
    CHECK(parse.token.resource == "localhost/devices/d1");
    CHECK(parse.token.policy == "device");
  }

  TEST_CASE("SAS token: refusals hold neither the signature nor the key") {
    for (const std::string& text :
         {std::string(kDevicePrimary), "SharedAccessSignature sr=h&se=1&sig=" + std::string(kDevicePrimary) + "x", std::string("HostName=h;SharedAccessKey=") + kDevicePrimary}) {
      CHECK(refusal_of(text).find("cHJpbWFyeSBrZXkg") == std::string::npos);
    }
  }
}
