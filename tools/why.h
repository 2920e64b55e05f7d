// `nearhub why`: what the hub refused or warns of, and why.
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

struct WhyRequest {
  std::string id;    // "device", "device/module", "policy:NAME"; empty: of all
  std::string kind;  // "refusal" or "warning"; empty: both
  int limit = 10;
  bool json = false;
};
Status show_refusals(HubClient& hub, const WhyRequest& request, Console& console);

// One entry of the refusal book for people.
std::string refusal_text(const JsonValue& refusal, WallTime now);

}  // namespace nearhub::tools
