// May this identity come in with this credential?
//
// One function for every door (MQTT CONNECT now; HTTPS, AMQP and WebSocket later), pure: what the registry holds, what was presented and the
// time go in. Reference: device-mqtt.md 2.3, x509-and-boards.md A.1 to A.4. Of a client's certificates the DER is the only input, leaf first: a verdict
// over a resumed TLS session is the same call.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/access_policy.h"
#include "auth/authorities.h"
#include "auth/denial.h"
#include "auth/host_names.h"
#include "auth/sas_token.h"
#include "base/clock.h"
#include "base/ids.h"

namespace nearhub::auth {

enum class AuthenticationType : std::uint8_t { kSas, kSelfSigned, kCertificateAuthority, kNone };
std::string_view authentication_type_text(AuthenticationType type);  // "sas", "selfSigned", "certificateAuthority", "none"

// What the registry holds to recognise an identity by.
struct Credentials {
  AuthenticationType type = AuthenticationType::kSas;
  std::string primary_key;    // base64; empty unless sas
  std::string secondary_key;  // base64
  std::string primary_thumbprint;    // 40 or 64 hex digits, as given; empty when unused
  std::string secondary_thumbprint;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// What a client may present: the whole of its TLS certificate message is bounded by the same number of bytes (wire/net/tls_context.h).
inline constexpr std::size_t kMaxPresentedCertificates = 10;
inline constexpr std::size_t kMaxPresentedCertificateBytes = 16 * 1024;

// What came over the wire.
struct Presented {
  std::optional<std::string_view> password;             // a SAS token, as MQTT password or Authorization header
  const std::vector<std::string>* certificates = nullptr;  // DER, leaf first; null or empty: none
};

// Who was let in, and by what: a later change of the registry ends the connections that the changed credential admitted.
struct Admission {
  enum class Scope : std::uint8_t { kDevice, kModule, kHub };  // of the credential: an identity's own key, or a policy's
  Scope scope = Scope::kDevice;
  AuthenticationType type = AuthenticationType::kSas;
  std::string credential;               // the key (base64) or thumbprint (lower case) that matched, or the SHA-256 thumbprint of the CA
  std::string authority;                // its name, with type certificateAuthority
  std::string policy;                   // with Scope::kHub
  std::optional<WallTime> expiry;       // se of the token
  std::string warning;                  // worth a log line and an entry in the refusal book's margin; usually empty
};

// Another identity of the same device.
struct Relative {
  const IdentityId* identity;
  const Credentials* credentials;
};

struct DeviceQuestion {
  const IdentityId& identity;
  const Credentials& credentials;
  const Credentials* device_credentials = nullptr;  // of the module's device: for hints only
  Presented presented;
  const HostNames& hosts;
  const std::vector<AccessPolicy>& policies;
  WallTime now;
  SasTimes times;
  const Authorities* authorities = nullptr;  // of the hub; null: none
  std::vector<Relative> relatives = {};      // with type selfSigned, for hints only
};

std::variant<Admission, Denial> authenticate_device(const DeviceQuestion& question);

// True while the credential that admitted a connection is still one of the identity's, or the CA that did is still trusted.
bool still_valid(const Admission& admission, const Credentials& credentials, const std::vector<AccessPolicy>& policies, const Authorities& authorities);

// The segments of a decoded `sr`: {host, "devices", id, "modules", id}. A trailing api-version (old VS Code extension) is cut.
std::vector<std::string_view> resource_segments(std::string_view resource);

// How to mend an `sr` whose first segment is no name of the hub.
std::string wrong_host_advice(std::string_view host);

}  // namespace nearhub::auth
