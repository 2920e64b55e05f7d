// `nearhub monitor`: telemetry as it arrives.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/interrupt.h"

namespace nearhub::tools {

struct MonitorOptions {
  std::optional<IdentityId> identity;  // a module: only its messages; a device: its modules' too
  std::string since = "now";
  bool follow = true;  // false: ends when all there is was shown
  bool json = false;   // the API's JSON, one object a line
  bool pretty = false;
};

// Runs until interrupted, or until nobody reads its output any more. A hub that goes away while it follows is waited
// for, and what arrived at the hub in between is shown when it is back.
Status monitor(HubClient& hub, const MonitorOptions& options, const Interrupt& interrupt, Console& console);

}  // namespace nearhub::tools
