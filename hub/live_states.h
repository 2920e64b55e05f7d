// Asks the home shards of many identities what only memory knows of them.
//
// THREAD: gather_live_states() on the thread of `loop`, where `done` runs, too.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/unique_function.h"
#include "hub/hub.h"
#include "hub/shard.h"

namespace nearhub::hub {

using LiveStates = std::vector<std::optional<LiveIdentity>>;

// By the index of `ids`. `done` may run before the call returns.
void gather_live_states(const Hub& hub, Executor& loop, const std::vector<IdentityId>& ids, UniqueFunction<void(LiveStates)> done);

}  // namespace nearhub::hub
