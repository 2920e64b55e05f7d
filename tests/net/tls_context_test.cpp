#include "wire/net/tls_context.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/net/running_loop.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

std::string error_of(const std::vector<CertificateAndKey>& leaves, std::string_view session_id_context = "test") {
  const auto context = TlsContext::create(leaves, session_id_context);
  REQUIRE_FALSE(context.ok());
  CHECK(context.error().code == ErrorCode::kInvalidSetting);
  return context.error().detail;
}

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("TLS context: a certificate or key that cannot be used is named, not met at the first client") {
    const CertificateAndKey good{broker::kWellKnownCaCertificate, broker::kWellKnownCaKey};
    CHECK(TlsContext::create({good}, "test").ok());
    CHECK(error_of({{"", good.key_pem}}).starts_with("server certificate is not a PEM certificate: "));
    CHECK(error_of({{good.key_pem, good.key_pem}}).starts_with("server certificate is not a PEM certificate: "));
    CHECK(error_of({{good.certificate_pem, ""}}).starts_with("server key is not a PEM private key: "));
    CHECK(error_of({{good.certificate_pem, good.certificate_pem}}).starts_with("server key is not a PEM private key: "));
    CHECK(error_of({{good.certificate_pem, broker::kWellKnownServerRsaKey}}) == "server key does not fit its certificate: private key mismatch");
    CHECK(error_of({{good.certificate_pem, broker::kWellKnownServerEcKey}}) == "server key does not fit its certificate: different key types");
  }

  TEST_CASE("TLS context: one without a leaf is refused") {
    CHECK(error_of({}) == "no server certificate");
  }

  TEST_CASE("TLS context: the name that separates hubs has at most 32 bytes") {
    const CertificateAndKey good{broker::kWellKnownCaCertificate, broker::kWellKnownCaKey};
    CHECK(TlsContext::create({good}, std::string(32, 'x')).ok());
    CHECK(error_of({good}, std::string(33, 'x')).starts_with("session id context: "));
  }
}
