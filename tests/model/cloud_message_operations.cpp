// Cloud-to-device messages are sent, settled and purged.
#include <chrono>
#include <utility>

#include "tests/model/world.h"

namespace nearhub::hub {

using namespace std::chrono_literals;

void World::send(const std::string& id, Dice& dice) {
  const std::string what = "send " + id;
  CloudMessage message;
  message.body = std::to_string(++bodies_);
  message.message_id = message.body;
  message.ack = static_cast<Ack>(dice.roll(4));
  if (dice.roll(2) == 1) {
    message.expiry = clock_.now() + std::chrono::seconds(20 * (1 + dice.roll(5)));
    message.expiry_from_sender = true;
  }
  ModelIdentity* identity = model_.find(id);
  Answer<std::uint64_t> answer;
  if (identity == nullptr) {
    answer = expect_error<std::uint64_t>(what, missing_now(id));
  } else if (identity->queue.size() >= kQueueDepth) {
    answer = expect_error<std::uint64_t>(what, ErrorCode::kDeviceMaximumQueueDepthExceeded);
  } else {
    const std::uint64_t sequence = identity->next_sequence++;
    const WallTime expiry = message.expiry_from_sender ? message.expiry : clock_.now() + 3600s;
    identity->queue.push_back({sequence, message.body, message.ack, expiry});
    answer = expect_success<std::uint64_t>(what, [what, sequence](const std::uint64_t& got) { expect_equal(got, sequence, what); });
  }
  shard_->send(id_of(id), std::move(message), std::move(answer));
}

void World::purge(const std::string& id) {
  rest();
  const std::string what = "purge " + id;
  ModelIdentity* identity = model_.find(id);
  Answer<std::int64_t> answer;
  if (identity == nullptr) {
    answer = expect_error<std::int64_t>(what, missing_now(id));
  } else {
    for (const ModelMessage& message : identity->queue) model_.settle_message(id, message, Outcome::kPurged);
    answer = expect_success<std::int64_t>(
        what, [what, count = static_cast<std::int64_t>(identity->queue.size())](const std::int64_t& got) { expect_equal(got, count, what); });
    identity->queue.clear();
  }
  shard_->purge(id_of(id), std::move(answer));
}

void World::complete(const std::string& id, Dice& dice) {
  rest();
  ModelIdentity* identity = model_.find(id);
  if (identity == nullptr || identity->in_flight() == 0) return;
  std::size_t nth = dice.roll(identity->in_flight());
  for (auto at = identity->queue.begin(); at != identity->queue.end(); ++at) {
    if (!at->in_flight || nth-- != 0) continue;
    model_.settle_message(id, *at, Outcome::kSuccess);
    shard_->complete(*link_of(id)->connection, at->sequence);
    identity->queue.erase(at);
    break;
  }
  rest();
}

}  // namespace nearhub::hub
