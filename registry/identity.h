// A device or module identity (reference/service-rest.md 4.1 to 4.3).
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/device_authentication.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"

namespace nearhub::registry {

inline constexpr std::size_t kMaxModulesPerDevice = 50;
inline constexpr std::size_t kMaxStatusReasonCharacters = 128;
inline constexpr std::size_t kMaxManagedByCharacters = 128;  // the cloud's is not known; it is a product's name
inline constexpr std::size_t kMinKeyBytes = 16;  // of a symmetric key, decoded
inline constexpr std::size_t kMaxKeyBytes = 64;

struct Identity {
  IdentityId id;
  GenerationId generation_id;     // fresh with every create
  std::int64_t etag_counter = 0;  // +1 with every write of the identity
  bool enabled = true;            // modules: always
  std::optional<std::string> status_reason;
  WallTime status_updated = kNever;
  auth::Credentials credentials;
  std::optional<std::string> managed_by;  // modules only

  // Facts that follow the live connection; kept beside the identity and written without a step of the etag.
  WallTime connection_state_updated = kNever;
  WallTime last_activity = kNever;

  ETag etag() const;  // base64 of the decimal counter, e.g. OTg0MjI1NzE1

  friend bool operator==(const Identity&, const Identity&) = default;
};

// What a request asks for; see parse_identity_request() in identity_json.h.
struct IdentityRequest {
  std::optional<bool> enabled;
  std::optional<std::string> status_reason;
  auth::Credentials credentials;  // checked; with type sas and both keys empty: the hub makes them
  std::optional<std::string> managed_by;
};

// A new identity: generation id from the time, random etag counter, keys made when the request has none.
Identity create_identity(IdentityId id, IdentityRequest request, WallTime now, Random& random);

// A full replacement, as the hub updates: what the request leaves out falls back to its default, and keys that it leaves out are made anew.
Identity replace_identity(const Identity& old, IdentityRequest request, WallTime now, Random& random);

}  // namespace nearhub::registry
