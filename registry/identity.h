// A device or module identity (reference/service-rest.md 4.1 to 4.3).
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
inline constexpr int kMaxEdgeLevels = 5;  // edge devices above each other, the cloud's nesting depth

// The modules that every IoT Edge device has, made and deleted with its being one.
inline constexpr std::string_view kEdgeModules[] = {"$edgeAgent", "$edgeHub"};
bool is_edge_module(const ModuleId& module);

struct Identity {
  IdentityId id;
  GenerationId generation_id;     // fresh with every create
  std::int64_t etag_counter = 0;  // +1 with every write of the identity
  bool enabled = true;            // modules: always
  std::optional<std::string> status_reason;
  WallTime status_updated = kNever;
  auth::Credentials credentials;
  std::optional<std::string> managed_by;  // modules only
  bool iot_edge = false;                  // devices only, like the scopes
  std::string device_scope;               // an edge device's own: what its children name; empty otherwise
  std::string parent_scope;               // of the edge device above it; empty: none

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
  bool iot_edge = false;
  std::optional<std::string> device_scope;   // as given: an edge device's own, else its parent's
  std::vector<std::string> parent_scopes;    // as given, at most one
  bool keeps_scope = false;                  // a new edge device may bring its own scope: import files do, PUT makes a new one

  // The scope above, by the rules of reference/service-rest.md 4.5: a leaf says it in deviceScope, an edge device in parentScopes.
  std::string parent_scope() const;
};

// "ms-azure-iot-edge://{deviceId}-{suffix}". The suffix is the generation id, or nothing for a device that became an edge device later.
std::string edge_scope(const DeviceId& device, std::string_view suffix);
// The edge device that a scope names; nullopt when it is none.
std::optional<DeviceId> device_of_scope(std::string_view scope);

// A new identity: generation id from the time, random etag counter, keys made when the request has none.
Identity create_identity(IdentityId id, IdentityRequest request, WallTime now, Random& random);

// A full replacement, as the hub updates: what the request leaves out falls back to its default, and keys that it leaves out are made anew.
// Whether PUT may replace: fails with kArgumentInvalid when an edge device does not echo its own scope (4.5).
Status check_replacement(const Identity& old, const IdentityRequest& request);
Identity replace_identity(const Identity& old, IdentityRequest request, WallTime now, Random& random);

}  // namespace nearhub::registry
