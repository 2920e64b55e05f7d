// Making certificates: the hub's own certificate authority and the leaves that its listeners show.
//
// Reference: x509-and-boards.md A.8. The root is RSA-2048 with SHA-256 (NetX needs RSA signatures), self-signed, with
// basicConstraints CA:TRUE (critical) and keyUsage keyCertSign + cRLSign (critical). Server leaves are RSA-2048 and EC
// P-256, issued straight by the root, with the hub's names in the SAN, EKU serverAuth, keyUsage digitalSignature (+
// keyEncipherment for RSA; critical), valid for at most 825 days. All carry subjectKeyIdentifier and
// authorityKeyIdentifier and pass OpenSSL's strict mode, which Python 3.13 turns on in its clients.
//
// Serial numbers come from `random`, private keys always from OpenSSL's own generator; both times come from `now`.
//
// THREAD: any thread; `random` as it says. Making an RSA key takes a tenth of a second or more: not on a loop. ERRORS:
// kInvalidSetting for text that is not what it should be, kIo when OpenSSL fails, with the text of its error queue.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace nearhub::certs {

// PEM texts with LF line ends and nothing before BEGIN, so that boards take them as they are.
struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;  // PKCS#8
};

enum class KeyType : std::uint8_t { kRsa2048, kEcP256, kRsa3072, kRsa4096 };

// A certificate's days include the time by which it is backdated, and both ends (RFC 5280).
inline constexpr std::int64_t kRootValidDays = 3650;
inline constexpr std::int64_t kMaxRootValidDays = 36500;
inline constexpr std::int64_t kServerValidDays = 825;   // the most that client stacks accept for a server leaf
inline constexpr std::int64_t kBackdateSeconds = 3600;  // notBefore lies this far back: boards' clocks run late

// A new root. `common_name` is what tools show, e.g. "nearhub root 4f2a": 1 to 64 characters (X.520) of printable
// UTF-8.
Result<KeyPair> make_root(std::string_view common_name, WallTime now, Random& random,
                          std::int64_t valid_days = kRootValidDays);

// A server leaf for `names`: DNS names (letters, digits, - . _; no wildcards) and IP literals without brackets. The CN
// is the first of at most 64 characters (X.520). An IP literal is added as IP and as DNS entry, because some embedded
// stacks compare names as text only. The leaf ends with its root at the latest. The root may be one that a user
// brought: it must be valid now, be a CA and fit its key.
Result<KeyPair> make_server_leaf(const KeyPair& root, const std::vector<std::string>& names, KeyType type, WallTime now,
                                 Random& random, std::int64_t valid_days = kServerValidDays);

// The same for a private key (RSA or EC, PEM) that exists already: a leaf that is issued anew keeps its key.
Result<KeyPair> make_server_leaf_for_key(const KeyPair& root, const std::vector<std::string>& names, std::string_view key_pem,
                                         WallTime now, Random& random, std::int64_t valid_days = kServerValidDays);

// What start-up needs to know of a certificate on disk, whoever made it.
struct CertificateInfo {
  std::string common_name;                // the last one of the subject; empty when absent
  std::vector<std::string> dns_names;     // as in the SAN, in its order
  std::vector<std::string> ip_addresses;  // textual, canonical ("127.0.0.1", "::1")
  WallTime not_before;
  WallTime not_after;
  std::string sha1_thumbprint;    // 40 lower-case hex digits
  std::string sha256_thumbprint;  // 64 lower-case hex digits
  std::string issuer_key_id;      // authorityKeyIdentifier, hex; empty when absent
  std::string key_id;             // subjectKeyIdentifier, hex; empty when absent
};
Result<CertificateInfo> read_certificate(std::string_view certificate_pem);
// The same for every certificate of the text, in its order.
Result<std::vector<CertificateInfo>> read_chain(std::string_view chain_pem);

// True when `leaf` can be shown by a listener and need not be made anew: its key fits, it is a server's, it names all
// of `names` as make_server_leaf() would, was issued by `root` (its signature verifies; the root's key is not looked
// at), is valid now and stays so for at least `spare_days`. A leaf with further names serves.
bool serves(const KeyPair& leaf, const KeyPair& root, const std::vector<std::string>& names, WallTime now,
            std::int64_t spare_days);

}  // namespace nearhub::certs
