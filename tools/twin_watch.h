// `nearhub twin watch`: what changes in a twin, as it changes.
//
// The twin is read again and again, so it takes no setting of the hub; what changes more than once between two looks is one change.
//
// THREAD: one at a time.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/interrupt.h"

namespace nearhub::tools {

inline constexpr std::chrono::milliseconds kWatchInterval{500};

// Runs until interrupted, or until nobody reads its output any more. A hub that goes away is waited for, and so is a twin that is deleted. Fails when
// there is no such twin at the beginning.
Status watch_twin(HubClient& hub, const IdentityId& id, bool json, const Interrupt& interrupt, Console& console);

// One part of a twin that is not as it was.
struct TwinChange {
  std::string part;   // "tags", "desired $version 3", "connectionState"
  std::string value;  // JSON: of a section what has to be merged into the one before; of other members the value
  std::string time;   // when, as far as the twin tells; else empty
};
std::vector<TwinChange> changes_of(const JsonValue& before, const JsonValue& after);

// The changes as one JSON object, which has the shape of a twin and no more than what has changed: "time", "version", and the parts.
std::string change_json(const JsonValue& before, const JsonValue& after, std::string_view time);

}  // namespace nearhub::tools
