// Certificates of every kind, good and bad, made while a test runs: what it says is in the certificate, and nothing else.
//
//   const TestCertificate root = make_certificate({.common_names = {"root"}, .ca = true});
//   const TestCertificate leaf = make_certificate({.common_names = {"d1"}, .issuer = &root});
//
// THREAD: one at a time. Failures stop the test case.
#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace nearhub::test {

enum class KeyKind { kEc256, kEc384, kEc521, kRsa1024, kRsa2048, kRsa4096, kEd25519 };

struct TestCertificate {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;

  std::string der() const;
  std::string pem() const;
  std::string key_pem() const;
  std::string sha1() const;    // thumbprints, lower case
  std::string sha256() const;
};

// 2026-01-01T00:00:00Z: where a test's clock begins, unless it says otherwise.
inline constexpr WallTime kCertificateNow{std::chrono::seconds{1'767'225'600}};

struct CertificateSpec {
  std::vector<std::string> common_names = {"d1"};
  std::string organization = {};
  std::vector<std::string> dns_names = {};
  KeyKind key = KeyKind::kEc256;
  const TestCertificate* same_key_as = nullptr;  // instead of a new one
  const TestCertificate* issuer = nullptr;       // null: self-signed
  const char* digest = "SHA256";
  WallTime not_before = kCertificateNow - std::chrono::hours{24};
  WallTime not_after = kCertificateNow + std::chrono::hours{24 * 365};
  std::optional<bool> ca = std::nullopt;  // basicConstraints; absent: no such extension
  int path_length = -1;                   // of a CA
  std::string key_usage = {};             // "critical,keyCertSign"; empty: no such extension
  std::string extended_key_usage = {};
  bool key_ids = true;  // subject and authority key identifiers
  bool version_1 = false;  // no extensions at all
  std::string unknown_critical_extension = {};  // an object identifier
};

TestCertificate make_certificate(const CertificateSpec& spec);

// As the system's clock has it: for hubs that run by it.
inline CertificateSpec valid_now(CertificateSpec spec) {
  const WallTime now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
  spec.not_before = now - std::chrono::hours{1};
  spec.not_after = now + std::chrono::hours{24};
  return spec;
}

}  // namespace nearhub::test
