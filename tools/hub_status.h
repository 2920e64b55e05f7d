// `nearhub status` and `nearhub clock`: the hub process itself.
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

Status show_status(HubClient& hub, bool json, Console& console);

// GET /_nearhub/status for people.
std::string status_text(const JsonValue& status);

// Moves the clock of a hub that runs with --test-clock.
Status advance_clock(HubClient& hub, double seconds, Console& console);

}  // namespace nearhub::tools
