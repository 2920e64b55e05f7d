// One question to the home shards of several devices, and all answers together.
//
// Each home is asked for its share in one go, in the order of the questions: what the shares write is one batch of its turn. `ask(shard, index,
// answer)` runs on the home loops, several at once; each index is asked once. `done` runs on `loop` with the answers in the order of the
// questions. A home with too much waiting answers kThrottlingException for its share.
#pragma once
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/unique_function.h"
#include "hub/hub.h"
#include "hub/shard.h"

namespace nearhub::service {

template <typename T, typename Ask>
void ask_homes(const hub::Hub& hub, Executor& loop, const std::vector<DeviceId>& devices, Ask ask, UniqueFunction<void(std::vector<Result<T>>)> done) {
  // Shared by the answers; touched on `loop` only, but for `ask`, which is const there.
  struct Gathering {
    Gathering(Ask question, UniqueFunction<void(std::vector<Result<T>>)> then) : ask(std::move(question)), done(std::move(then)) {}
    const Ask ask;
    UniqueFunction<void(std::vector<Result<T>>)> done;
    std::vector<std::optional<Result<T>>> answers;
    std::size_t waiting = 0;

    void take(std::size_t index, Result<T> answer) {
      answers[index] = std::move(answer);
      if (--waiting > 0) return;
      std::vector<Result<T>> all;
      all.reserve(answers.size());
      for (auto& each : answers) all.push_back(std::move(*each));
      done(std::move(all));
    }
  };
  if (devices.empty()) return done({});
  auto gathering = std::make_shared<Gathering>(std::move(ask), std::move(done));
  gathering->answers.resize(devices.size());
  gathering->waiting = devices.size();
  std::vector<std::vector<std::size_t>> shares(hub.shard_count());
  for (std::size_t i = 0; i < devices.size(); ++i) shares[hub.home_of(devices[i])].push_back(i);
  for (std::uint32_t home = 0; home < shares.size(); ++home) {
    if (shares[home].empty()) continue;
    hub::Shard& shard = hub.shard(home);
    auto share = std::make_shared<const std::vector<std::size_t>>(std::move(shares[home]));
    const bool posted = shard.executor().try_post([&shard, &loop, gathering, share] {
      for (const std::size_t index : *share) {
        gathering->ask(shard, index, [&loop, gathering, index](Result<T> answer) {
          loop.post([gathering, index, answer = std::move(answer)]() mutable { gathering->take(index, std::move(answer)); });
        });
      }
    });
    if (posted) continue;
    for (const std::size_t index : *share) {
      gathering->take(index, Error{ErrorCode::kThrottlingException, "the device's loop has too many requests waiting; try again"});
    }
  }
}

}  // namespace nearhub::service
