// Certificates of devices and modules, and the authorities above them: what `nearhub cert` makes.
//
// Reference: x509-and-boards.md A.3, A.4, A.6. Authorities: basicConstraints CA:TRUE and keyUsage keyCertSign + cRLSign,
// both critical, of any depth. Leaves of clients: CA:FALSE, keyUsage digitalSignature (+ keyEncipherment for RSA;
// critical), EKU clientAuth. All carry subjectKeyIdentifier and authorityKeyIdentifier, are signed with SHA-256, and pass
// OpenSSL's strict mode. A certificate ends with the authority that signs it at the latest.
//
// THREAD: any thread; the random source of the terms as it says. RSA keys take their time: not on a loop. ERRORS: as in
// certs/authority.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certs/authority.h"

namespace nearhub::certs {

// A certificate, its key, and the way up.
struct Credential {
  KeyPair pair;
  std::string chain_pem;  // the certificate, then who signed it, and so on up to the root
};

// What a certificate is made with.
struct Terms {
  KeyType key = KeyType::kEcP256;
  std::int64_t valid_days = 365;
  WallTime now{};
  Random& random;
};

inline constexpr std::int64_t kMaxClientValidDays = 36500;

// A certificate authority: a root, or an intermediate below `above`. `common_name` as in make_root().
Result<Credential> make_authority(std::string_view common_name, const Terms& terms, const Credential* above = nullptr);

// A leaf that a TLS client shows: of a device (common name: its id), of a module ("device/module"), or the proof of
// possession of an authority (common name: the verification code; signed by that very authority, A.6). Without an
// authority it signs itself, and is known by its thumbprint.
Result<Credential> make_client_leaf(std::string_view common_name, const Terms& terms, const Credential* authority = nullptr);

// make_server_leaf() with its chain.
Result<Credential> make_server_credential(const std::vector<std::string>& names, const Terms& terms, const Credential& authority);

// From texts that exist, whoever wrote them: what stands around and between the certificates is ignored (the files of
// some scripts end with "null"). A chain that is empty is the certificate alone; one that begins with another
// certificate is what stands above it. Fails with kInvalidSetting when there is no certificate or key, or the key is of
// another.
Result<Credential> read_credential(std::string_view certificate_pem, std::string_view key_pem, std::string_view chain_pem = {});

// The chain as a client shows it: without the root, which the other side has or does not believe. The certificate itself
// stays, even when it signed itself.
Result<std::string> chain_without_root(std::string_view chain_pem);

}  // namespace nearhub::certs
