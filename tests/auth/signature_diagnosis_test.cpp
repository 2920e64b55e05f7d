// A signature that does not match is tried against the mistakes that people make; each one found is named in a sentence of its own.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "auth/sas_token.h"
#include "base/text.h"
#include "tests/auth/samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

const std::vector<NamedKey> kRightful = {{"the primary key of device d1", kDevicePrimary}, {"the secondary key of device d1", kDeviceSecondary}};
const std::vector<NamedKey> kCandidates = {{"the primary key of policy device, but skn is missing", kPolicyPrimary}};

// What is said of a token with this `sr` whose signature was made of `signed_text` with these key bytes.
std::string diagnosis(std::string_view sr, std::string_view key_bytes, std::string_view signed_text) {
  const SasToken token = parsed(token_text(sr, mac(key_bytes, signed_text), "1767229200"));
  CHECK_FALSE(verify_signature(token, bytes_of(kDevicePrimary)));
  return diagnose_signature(token, kRightful, kCandidates);
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("signature diagnosis: what was signed is not what was sent") {
    struct Case {
      const char* sr;
      const char* signed_text;
      const char* sentence;
    };
    const Case cases[] = {
        {"localhost%2Fdevices%2Fd1", "localhost/devices/d1\n1767229200",
         "the signature was made over the decoded sr, but sr was sent percent-encoded: sign the text that is sent"},
        {"localhost%2fdevices%2fd1", "localhost%2Fdevices%2Fd1\n1767229200",
         "the signature was made over sr percent-encoded in upper case, but sr was sent in another spelling: sign the text that is sent"},
        {"localhost/devices/d1", "localhost%2Fdevices%2Fd1\n1767229200",
         "the signature was made over sr percent-encoded in upper case, but sr was sent in another spelling: sign the text that is sent"},
        {"localhost%2Fdevices%2Fd1", "localhost%2fdevices%2fd1\n1767229200",
         "the signature was made over sr percent-encoded in lower case, but sr was sent in another spelling: sign the text that is sent"},
        {"localhost%2Fdevices%2Fd1", "localhost%252Fdevices%252Fd1\n1767229200",
         "the signature was made over an sr that was percent-encoded twice: sign the text that is sent"},
        {"LocalHost%2Fdevices%2Fd1", "localhost%2fdevices%2fd1\n1767229200", "the signature was made over sr in lower case: sign the text that is sent"},
        {"localhost%2Fdevices%2Fd1", "localhost%2Fdevices%2Fd11767229200", "the line feed between sr and se is missing in the signed text"},
        {"localhost%2Fdevices%2Fd1", "localhost%2Fdevices%2Fd1\r\n1767229200", "the signed text has CR LF between sr and se: use LF alone"},
        {"localhost%2Fdevices%2Fd1", "localhost%2Fdevices%2Fd1\\n1767229200",
         "the signed text has the two characters \\n between sr and se: use one line feed byte"},
        {"localhost%2Fdevices%2Fd1", "localhost%2Fdevices%2Fd1\n1767229200\n", "the signed text ends with a line feed: leave it out"},
        {"localhost%2Fdevices%2Fd1", "localhost%2Fdevices%2Fd1", "only sr was signed: sign sr, a line feed, and se"},
        {"localhost%2Fdevices%2Fd1", "1767229200\nlocalhost%2Fdevices%2Fd1", "sr and se were signed in the wrong order"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.signed_text);
      CHECK(diagnosis(c.sr, bytes_of(kDevicePrimary), c.signed_text) == c.sentence);
      CHECK(diagnosis(c.sr, bytes_of(kDeviceSecondary), c.signed_text) == c.sentence);
    }
  }

  TEST_CASE("signature diagnosis: the right key in the wrong form") {
    const std::string text = "localhost%2Fdevices%2Fd1\n1767229200";
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", kDevicePrimary, text) ==
          "it was made with the text of the primary key of device d1 instead of its bytes: base64-decode the key before signing");
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", kDeviceSecondary, text) ==
          "it was made with the text of the secondary key of device d1 instead of its bytes: base64-decode the key before signing");
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", to_hex(bytes_of(kDevicePrimary)), text) ==
          "it was made with the primary key of device d1 in hexadecimal: use its bytes");
  }

  TEST_CASE("signature diagnosis: a key that belongs to somebody else") {
    const std::string text = "localhost%2Fdevices%2Fd1\n1767229200";
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", bytes_of(kPolicyPrimary), text) ==
          "it was made with the primary key of policy device, but skn is missing");
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", kPolicyPrimary, text) ==
          "it was made with the text of the primary key of policy device, but skn is missing");
  }

  TEST_CASE("signature diagnosis: a signature of which nothing is known gets no guess") {
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", "some other key", "localhost%2Fdevices%2Fd1\n1767229200") == "");
    CHECK(diagnosis("localhost%2Fdevices%2Fd1", bytes_of(kDevicePrimary), "something else") == "");
  }

  TEST_CASE("signature diagnosis: keys that are not set, or are no base64, are not guessed") {
    const std::string signed_with_nothing = token_text("localhost%2Fdevices%2Fd1", mac("", "localhost%2Fdevices%2Fd1\n1767229200"), "1767229200");
    CHECK(diagnose_signature(parsed(signed_with_nothing), {{"the primary key of device d1", ""}}, {{"the primary key of policy p", ""}}) == "");
    const std::string signed_with_text = token_text("localhost%2Fdevices%2Fd1", mac("no base64", "localhost%2Fdevices%2Fd1\n1767229200"), "1767229200");
    CHECK(diagnose_signature(parsed(signed_with_text), {{"the primary key of device d1", "no base64"}}, {{"the primary key of policy p", "no base64"}}) == "");
  }
}
