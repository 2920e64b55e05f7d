// May this identity come in with these client certificates? The X.509 half of device_authentication.h, and private to this room.
//
//   selfSigned            the leaf's thumbprint is registered, and the leaf is within its time. Nothing else is looked at (x509-and-boards.md A.1).
//   certificateAuthority  a chain to a registered, verified CA, the leaf's last common name is the identity byte for byte, the leaf is no CA,
//                         everything is within its time and strong enough (A.3, A.4).
//
// THREAD: any thread.
#pragma once
#include <string>
#include <variant>

#include "auth/device_authentication.h"

namespace nearhub::auth {

// The identity's type is one of the two, and at least one certificate came.
std::variant<Admission, Denial> authenticate_by_certificate(const DeviceQuestion& question);

// What a registered thumbprint is that does not fit the leaf, as proof and not as a guess: of another certificate of the chain, of another form of the
// leaf, of another identity of the device. Empty: nothing of these.
std::string diagnose_thumbprint(const DeviceQuestion& question, const Certificate& leaf);

// "device d1", "module d1/m1".
std::string describe(const IdentityId& identity);

}  // namespace nearhub::auth
