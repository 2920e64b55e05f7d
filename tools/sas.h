// `nearhub sas make`: a token for a device, a module or a service.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct NewToken {
  std::int64_t lifetime_s = 3600;
  std::optional<IdentityId> identity;  // --device, --module
  std::string connection_string;       // of a device, a module or a policy
  std::string resource, key, policy;   // all by hand; the policy may be empty
};

// True when no hub is needed: everything was given.
bool is_offline(const NewToken& token);

// Signs with what was given. A policy's connection string and an identity give a token of that policy for that
// identity. Fails with kInvalidSetting.
Result<std::string> make_token(const NewToken& token, WallTime now);

// Signs with the hub's help: for an identity by its primary key, which the API shows; else by the login's policy for the
// whole hub.
Result<std::string> make_token_with_hub(HubClient& hub, const NewToken& token);

// Makes it, with a hub only when one is needed, and prints it.
Status print_token(const HubFlags& flags, const NewToken& token, const Clock& clock, Console& console);

}  // namespace nearhub::tools
