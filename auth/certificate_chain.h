// From a leaf through what was presented to a registered authority.
//
// Anchors are the registered, verified certificates, roots or intermediates alike (partial chains). Of several authorities with one subject and
// other keys, as they stand side by side while a root is rolled, the one whose key has signed is found. OpenSSL judges the path that was found;
// what it finds is told link by link. No revocation lists, never its strict mode (x509-and-boards.md A.3: it would refuse the roots of the source
// documents' own script).
//
// The work is bounded: kMaxChainLength links, kMaxSignatureChecks signatures.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <span>
#include <variant>

#include "auth/authorities.h"
#include "auth/certificate.h"
#include "auth/denial.h"
#include "base/clock.h"

namespace nearhub::auth {

inline constexpr std::size_t kMaxChainLength = 10;     // leaf and anchor included; the reference asks for a depth of five
inline constexpr std::size_t kMaxSignatureChecks = 16;  // while a path is looked for, beyond those of the path itself

// `intermediates` in any order, needed or not. The authority that the leaf chains to, or which link failed, and why.
std::variant<const Authority*, Denial> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates, const Authorities& authorities,
                                                    WallTime now);

}  // namespace nearhub::auth
