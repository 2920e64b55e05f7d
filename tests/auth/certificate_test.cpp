// Reading certificates: what people upload, and what is read from them.
#include "auth/certificate.h"

#include "base/base64.h"
#include "tests/auth/certificate_samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

std::string read(std::string_view text) {
  const auto certificate = Certificate::from_text(text);
  return certificate.ok() ? certificate->subject() : certificate.error().detail;
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("certificate text: PEM with anything around it, and base64 of PEM or DER") {
    const std::string pem = root().pem(), der = root().der();
    for (const std::string& text : {pem, "subject=CN = root\n" + pem, pem + "null", base64_encode(der), base64_encode(pem), base64_encode(pem + "null")}) {
      CAPTURE(text);
      CHECK(read(text) == "CN=root");
    }
    std::string lines = base64_encode(der);
    for (std::size_t at = 64; at < lines.size(); at += 66) lines.insert(at, "\r\n");
    CHECK(read(lines) == "CN=root");
  }

  TEST_CASE("certificate text: what is something else is refused by its name") {
    CHECK(read("") == "it is neither PEM (-----BEGIN CERTIFICATE-----) nor base64");
    CHECK(read("/etc/ssl/ca.pem") == "it is neither PEM (-----BEGIN CERTIFICATE-----) nor base64");
    CHECK(read("bm90aGluZw==") == "it is no X.509 certificate");
    CHECK(read(root().pem() + root().key_pem()) == "it holds a private key, which must stay with its owner: give the certificate alone");
    CHECK(read(root().key_pem()) == "it holds a private key, which must stay with its owner: give the certificate alone");
    CHECK(read(leaf().pem() + intermediate().pem()) == "it holds 2 certificates; give one");
    CHECK(read("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n") == "it is a signing request; expected the certificate made from it");
    CHECK(read("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n") == "it is no X.509 certificate");
    CHECK(read("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n") == "it is no X.509 certificate");
  }

  TEST_CASE("certificate: thumbprints, names and times are those of the certificate") {
    const TestCertificate made = make_certificate({.common_names = {"a", "b\xc3\xa9"}, .organization = "Contoso, Ltd."});
    const auto certificate = Certificate::from_der(made.der());
    REQUIRE(certificate.ok());
    CHECK(certificate->thumbprint(Digest::kSha1) == made.sha1());
    CHECK(certificate->thumbprint(Digest::kSha256) == made.sha256());
    CHECK(certificate->der() == made.der());
    CHECK(certificate->pem() == made.pem());
    CHECK(certificate->subject() == "CN=b\xc3\xa9, CN=a, O=Contoso\\, Ltd.");
    CHECK(certificate->common_names() == std::vector<std::string>{"a", "b\xc3\xa9"});
    CHECK(certificate->not_before() == test::kCertificateNow - std::chrono::hours{24});
    CHECK(certificate->is_signed_by(*certificate));
    const auto nameless = Certificate::from_der(make_certificate({.common_names = {}}).der());
    REQUIRE(nameless.ok());
    CHECK(nameless->subject() == "no subject");
  }
}
