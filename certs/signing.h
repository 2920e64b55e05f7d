// What making any certificate needs besides issue(): a key, a name and a time that are checked, and who signs. Private to
// this room.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "certs/authority.h"
#include "certs/openssl_ptr.h"

namespace nearhub::certs {

// Fails with kIo.
Result<PkeyPtr> make_key(KeyType type);

// 1 to 64 characters (X.520) of printable UTF-8; kInvalidSetting otherwise.
Status check_common_name(std::string_view name);
Status check_valid_days(std::int64_t days, std::int64_t most);

// From an hour ago, for so many days in all.
struct Validity {
  WallTime not_before, not_after;
};
Validity validity_from(WallTime now, std::int64_t days);

Result<KeyPair> to_pem(X509& certificate, EVP_PKEY& key);

// A certificate authority with its key.
struct Signer {
  X509Ptr certificate;
  PkeyPtr key;
  WallTime not_after;
};
// It must be a CA, be valid now and fit its key; kInvalidSetting otherwise, with `what` in front of the sentence.
Result<Signer> load_signer(const KeyPair& pair, WallTime now, std::string_view what);

}  // namespace nearhub::certs
