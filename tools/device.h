// `nearhub device ...`: identities of devices. What modules have too is in tools/identity.h.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/credentials.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

inline constexpr int kMostListed = 1000;  // devices at once, by the API

// At most `top` devices, 1 to kMostListed.
Status list_devices(HubClient& hub, int top, bool json, Console& console);

struct DeviceUpdate {
  DeviceId id;
  CredentialChange credentials;
  std::optional<std::string> status_reason;  // empty: none
  bool edge = false, no_edge = false;
  std::string parent;  // the edge device above
  bool no_parent = false;
  bool json = false;
};
// Changes what is named and keeps all else; what another client changed in between fails the command (etag). Fails with kInvalidSetting when nothing is named.
Status update_device(HubClient& hub, const DeviceUpdate& update, Console& console);

// Enables or disables a device, keeping all else of it: what another client changed in between fails the command
// (etag). The reason is the new one, or none.
Status set_device_status(HubClient& hub, const DeviceId& id, bool enabled, const std::string& reason, Console& console);

}  // namespace nearhub::tools
