// A registered certificate authority: whoever has a certificate from it opens the identity that the certificate names (reference/x509-and-boards.md A.6).
//
// It counts once it is verified: whoever registers it has shown that they hold its key, by signing a certificate for a code that the hub made up, or
// has said that no proof is needed (isVerified at the upload).
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authorities.h"
#include "auth/certificate.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "base/result.h"

namespace nearhub::registry {

inline constexpr std::size_t kMaxAuthorities = 25;              // the cloud's, per hub
inline constexpr std::size_t kMaxAuthorityNameLength = 64;      // A.6
inline constexpr std::size_t kMaxAuthorityBytes = 16 * 1024;    // of the DER; a CA with an RSA-16384 key has a quarter of it

struct CertificateAuthority {
  std::string name;
  std::string certificate;  // DER
  // Read from the certificate.
  std::string subject;
  WallTime expiry{};
  std::string thumbprint;  // SHA-1, upper-case hex, as the cloud shows it

  bool verified = false;
  std::string verification_code;  // empty: none was asked for
  WallTime created{};
  WallTime updated{};
  std::int64_t etag_counter = 0;

  ETag etag() const;

  friend bool operator==(const CertificateAuthority&, const CertificateAuthority&) = default;
};

// ^[A-Za-z0-9-._]{1,64}$. Fails with kArgumentInvalid and names the first character that does not belong.
Status check_authority_name(std::string_view name);

struct AuthorityRequest {
  auth::Certificate certificate;
  bool verified = false;
};
// {"properties":{"certificate":"...","isVerified":false}}; the properties may stand at the top as well. Fails with kArgumentInvalid; also for a
// certificate that could never admit anybody: it is no CA's, or its key is too weak.
Result<AuthorityRequest> parse_authority_request(std::string_view body);
Result<AuthorityRequest> authority_request(std::string_view certificate_text, bool verified);
// {"certificate":"..."}: the proof of possession.
Result<auth::Certificate> parse_proof_request(std::string_view body);

CertificateAuthority create_authority(std::string name, const AuthorityRequest& request, WallTime now, Random& random);
CertificateAuthority replace_authority(const CertificateAuthority& old, const AuthorityRequest& request, WallTime now);
// A new code takes the place of the old. Fails with kInvalidOperation when it is verified already.
Result<CertificateAuthority> with_verification_code(const CertificateAuthority& old, WallTime now, Random& random);
// Verified, when the proof is signed directly by the authority, has the code as its common name, and is valid now. What else it says is not looked at.
// Fails with kArgumentInvalid and says what is wrong.
Result<CertificateAuthority> verify_authority(const CertificateAuthority& old, const auth::Certificate& proof, WallTime now);

// Fills in what is read from the certificate. Fails with kCorrupt.
Status read_certificate(CertificateAuthority& authority);

// What the loops judge by. The certificates must be readable, as all that came through this file are.
auth::AuthoritiesPtr parsed_set(const std::vector<CertificateAuthority>& all);

// {"id","name","type","etag","properties":{...}}, as the management API shows it. `id`: its path.
void write_json(JsonWriter& json, const CertificateAuthority& authority, std::string_view id);

}  // namespace nearhub::registry
