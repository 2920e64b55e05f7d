// What an identity is recognised by, changed in place: for `nearhub device update` and `nearhub module update`.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace nearhub::tools {

// Authentication types as a person types them: "sas", "self-signed", "ca". Empty when it is none of them.
std::string authentication_type(const std::string& text);  // "sas", "selfSigned", "certificateAuthority"

struct CredentialChange {
  std::string type;                               // of the API; empty: as it is, or what keys and thumbprints say
  std::optional<std::string> primary_thumbprint;  // as typed; empty: the slot is cleared
  std::optional<std::string> secondary_thumbprint;
  std::string primary_key, secondary_key;  // both or neither
  bool swap_keys = false;

  bool empty() const;
};
// Puts the change into the hub's JSON of an identity; all else stays. Fails with kInvalidSetting when there are no keys to swap.
Status change_credentials(JsonDocument& identity, const CredentialChange& change);

}  // namespace nearhub::tools
