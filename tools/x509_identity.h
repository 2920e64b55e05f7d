// Devices and modules with certificates in one step: the certificate, its files, the registration at the hub, and that of the authority when the hub
// does not know it yet.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "certs/credential.h"
#include "tools/certificate_files.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/identity.h"

namespace nearhub::tools {

struct IdentityCertificate {
  std::string authority;  // as find_authority() takes it; empty: self-signed, known by its thumbprint
  std::string authority_key;
  std::string folder = ".";
  std::string file_name;  // empty: made of the id
  int rsa_bits = 0;       // 0: EC P-256
  std::int64_t days = 0;  // 0: a year
  bool force = false;
};

// What was made.
struct MadeIdentity {
  CertificateFiles files;
  certs::Credential credential;
  std::string answer;  // the hub's JSON
};

// Nothing is changed when it fails: when the hub refuses the identity the files go, and those that were replaced come back.
Result<MadeIdentity> create_with_certificate(HubClient& hub, NewIdentity identity, const IdentityCertificate& order, Random& random, Console& console);

// The same for `nearhub device create --x509`: prints the connection string and the files, or with `json` the hub's answer.
Status create_x509_identity(HubClient& hub, const NewIdentity& identity, const IdentityCertificate& order, Random& random, Console& console);

}  // namespace nearhub::tools
