// The keys of --well-known-keys: fixed, published in docs/well-known-keys.md, and therefore secret from nobody. For CI and for boards that are
// flashed once and meet a fresh hub every day. A hub with these keys listens on loopback only, unless told that its owner knows.
//
// THREAD: constants.
#pragma once
#include <vector>

#include "auth/access_policy.h"

namespace nearhub::broker {

// Every identity that is made without keys gets these two.
extern const char* const kWellKnownPrimaryKey;
extern const char* const kWellKnownSecondaryKey;

extern const char* const kWellKnownCaCertificate;
extern const char* const kWellKnownCaKey;
// Private keys of the server leaves, so that a start makes none.
extern const char* const kWellKnownServerRsaKey;
extern const char* const kWellKnownServerEcKey;

// The default policies, each with its own fixed pair of keys.
std::vector<auth::AccessPolicy> well_known_policies();

}  // namespace nearhub::broker
