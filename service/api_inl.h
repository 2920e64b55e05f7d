// The template of service/api.h.
#pragma once
#include <memory>
#include <utility>

#include "service/api.h"

namespace nearhub::service {

template <typename Operation>
void Api::on_home(const DeviceId& device, Envelope envelope, Responder responder, Operation operation) const {
  hub::Shard& shard = hub_.shard(hub_.home_of(device));
  if (shard.executor().is_current()) {
    operation(shard, std::move(responder));
    return;
  }
  // The responder must survive a refused post, to say so.
  auto kept = std::make_shared<Responder>(std::move(responder));
  const bool posted = shard.executor().try_post([&shard, kept, operation = std::move(operation)]() mutable { operation(shard, std::move(*kept)); });
  if (!posted) {
    kept->respond(error({ErrorCode::kThrottlingException, "the device's loop has too many requests waiting; try again"}, envelope));
  }
}

template <typename Keeper, typename Operation>
void Api::on_keeper(Keeper& keeper, Envelope envelope, Responder responder, Operation operation) const {
  // The responder must survive a refused post, to say so.
  auto kept = std::make_shared<Responder>(std::move(responder));
  const bool posted = keeper.try_post([&keeper, kept, operation = std::move(operation)]() mutable { operation(keeper, std::move(*kept)); });
  if (!posted) kept->respond(error({ErrorCode::kThrottlingException, "the first loop has too many requests waiting; try again"}, envelope));
}

}  // namespace nearhub::service
