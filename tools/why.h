// `nearhub why`: what the hub refused, and why.
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

// `id`: "device", "device/module", "policy:NAME"; empty: of all.
Status show_refusals(HubClient& hub, const std::string& id, int limit, bool json, Console& console);

// One entry of the refusal book for people.
std::string refusal_text(const JsonValue& refusal, WallTime now);

}  // namespace nearhub::tools
