// `nearhub device update` and `nearhub module update`: what an identity is recognised by, changed in place.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// Authentication types as a person types them: "sas", "self-signed", "ca". Empty when it is none of them.
std::string authentication_type(const std::string& text);  // "sas", "selfSigned", "certificateAuthority"

struct CredentialChange {
  IdentityId id;
  std::string type;                               // of the API; empty: as it is, or what the thumbprints say
  std::optional<std::string> primary_thumbprint;  // as typed; empty: the slot is cleared
  std::optional<std::string> secondary_thumbprint;
};
// Keeps all else of the identity: what another client changed in between fails the command (etag).
Status update_credentials(HubClient& hub, const CredentialChange& change, Console& console);

}  // namespace nearhub::tools
