// `nearhub device ...`: identities of devices. What modules have too is in tools/identity.h.
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// At most `top` devices, 1 to 1000.
Status list_devices(HubClient& hub, int top, bool json, Console& console);

// Enables or disables a device, keeping all else of it: what another client changed in between fails the command
// (etag). The reason is the new one, or none.
Status set_device_status(HubClient& hub, const DeviceId& id, bool enabled, const std::string& reason, Console& console);

}  // namespace nearhub::tools
