#include "hub/live_states.h"

#include <utility>

namespace nearhub::hub {
namespace {

// Shared by the shards' answers, all of which run on the asking loop.
struct Gathering {
  LiveStates states;
  std::size_t waiting = 0;
  UniqueFunction<void(LiveStates)> done;
};

}  // namespace

void gather_live_states(const Hub& hub, Executor& loop, const std::vector<IdentityId>& ids, UniqueFunction<void(LiveStates)> done) {
  struct Share {
    std::vector<std::size_t> indexes;
    std::vector<IdentityId> ids;
  };
  std::vector<Share> shares(hub.shard_count());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Share& share = shares[hub.home_of(ids[i].device)];
    share.indexes.push_back(i);
    share.ids.push_back(ids[i]);
  }
  auto gathering = std::make_shared<Gathering>();
  gathering->states.resize(ids.size());
  gathering->done = std::move(done);
  for (const Share& share : shares) gathering->waiting += share.ids.empty() ? 0 : 1;
  if (gathering->waiting == 0) return gathering->done(std::move(gathering->states));
  for (std::uint32_t home = 0; home < shares.size(); ++home) {
    if (shares[home].ids.empty()) continue;
    Shard& shard = hub.shard(home);
    shard.executor().post([&shard, &loop, gathering, share = std::move(shares[home])]() mutable {
      loop.post([gathering, indexes = std::move(share.indexes), states = shard.live_states(share.ids)]() mutable {
        for (std::size_t i = 0; i < indexes.size(); ++i) gathering->states[indexes[i]] = states[i];
        if (--gathering->waiting == 0) gathering->done(std::move(gathering->states));
      });
    });
  }
}

}  // namespace nearhub::hub
