// The seed file: certificate authorities and identities that a hub is to have when it starts. Making sure of them twice changes nothing the second
// time.
//
//   {"certificateAuthorities": [{"name": "plant-7", "certificate": "root_cert.pem", "isVerified": true}],
//    "devices": [{"deviceId": "d1", "authentication": {...}, "status": "enabled", "twin": {"tags": {...}, "properties": {"desired": {...}}},
//                 "modules": [{"moduleId": "m1", ...}]}]}
//
// Identities are written as the registry API takes them; `twin` and `modules` may be left out. An identity that exists is updated when the seed
// says something else about it; keys that the seed does not name stay. An initial twin counts only when the identity is made. A certificate is PEM
// text or the path of a file; who writes the seed owns the hub, so it is verified unless the seed says otherwise.
//
// THREAD: start-up.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "hub/hub.h"
#include "registry/certificate_authority.h"
#include "registry/identity.h"
#include "twin/twin.h"

namespace nearhub::broker {

struct SeedIdentity {
  IdentityId id;
  registry::IdentityRequest request;
  std::optional<DeviceId> parent;  // the edge device above it
  bool names_keys = false;   // the seed gives keys or thumbprints
  bool only_create = false;  // an identity that exists stays as it is
  std::optional<twin::Update> twin;
};

struct SeedAuthority {
  std::string name;
  registry::AuthorityRequest request;
};

struct Seed {
  std::vector<SeedAuthority> authorities;
  std::vector<SeedIdentity> identities;  // in the order of the file, a device before its modules
};

// `folder`: where paths in it begin. Fails with kInvalidSetting and the place of the fault; nothing counts then.
Result<Seed> parse_seed(std::string_view text, const std::string& folder);

// Brings it into the hub, one after the other; the loops must run. `done` gets the identities of devices as they are now, in order, on any loop.
void apply_seed(const hub::Hub& hub, Seed seed, UniqueFunction<void(Result<std::vector<registry::Identity>>)> done);

}  // namespace nearhub::broker
