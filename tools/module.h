// `nearhub module ...`: identities of modules. What devices have too is in tools/identity.h.
//
// THREAD: one at a time.
#pragma once
#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/credentials.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// The modules of a device.
Status list_modules(HubClient& hub, const DeviceId& device, bool json, Console& console);

// Changes what is named and keeps all else; what another client changed in between fails the command (etag).
Status update_module(HubClient& hub, const IdentityId& id, const CredentialChange& change, bool json, Console& console);

}  // namespace nearhub::tools
