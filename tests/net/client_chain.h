// Client certificates and their issuers, made while a test runs.
//
// THREAD: any thread. Failures stop the test case.
#pragma once
#include <string>
#include <vector>

#include "base/clock.h"

namespace nearhub::test {

enum class ClientKey { kEc, kRsa };

struct ClientCertificate {
  std::string certificate_pem;
  std::string key_pem;
  std::string der;
};

struct ClientCertificateOptions {
  ClientKey key = ClientKey::kEc;
  bool ca = false;
  WallTime not_before = SystemClock().now() - std::chrono::hours{1};
  WallTime not_after = SystemClock().now() + std::chrono::hours{24 * 30};
  std::size_t padding = 0;  // bytes of an extension that nobody knows
};

// `issuer` null: self-signed.
ClientCertificate make_client_certificate(const std::string& common_name, const ClientCertificate* issuer, const ClientCertificateOptions& options = {});

}  // namespace nearhub::test
