// Building and signing one certificate. Private to this room.
//
// What every certificate of a kind has in common is a Profile; what is this certificate's own is a Subject; who signs
// is an Issuer. A new kind of certificate is a new Profile beside the function that offers it.
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "certs/host_name.h"
#include "certs/openssl_ptr.h"

namespace nearhub::certs {

// Extensions in the words of OpenSSL's x509v3_config(5). subjectKeyIdentifier and authorityKeyIdentifier are in every
// certificate.
struct Profile {
  const char* basic_constraints;
  const char* key_usage;
  const char* extended_key_usage;  // null: none
};

// Of roots and intermediates: any number of further authorities below them.
inline constexpr Profile kAuthorityProfile = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", nullptr};

struct Subject {
  std::string_view common_name;
  std::vector<HostName> names;  // subjectAltName; none when empty
  WallTime not_before;          // whole seconds; fractions are cut
  WallTime not_after;
};

struct Issuer {
  X509& certificate;
  EVP_PKEY& key;
};

// X.520: the longest common name that a certificate takes, in characters.
inline constexpr std::size_t kMaxCommonNameLength = 64;

// SHA-256 signature, random serial number. A null issuer makes the certificate self-signed with `key`. Fails with kIo.
Result<X509Ptr> issue(const Profile& profile, const Subject& subject, EVP_PKEY& key, const Issuer* issuer,
                      Random& random);

}  // namespace nearhub::certs
