// Device-to-cloud messages into the turn's batch.
#include <utility>

#include "base/shard_hash.h"
#include "hub/shard.h"

namespace nearhub::hub {

void Shard::append_event(Connection& connection, const EventInput& input, bool acknowledge, std::uint32_t token) {
  IdentityState& state = *connection.identity;
  const registry::Identity& identity = state.identity;
  Event event;
  event.enqueued = shared_.clock.now();
  event.retain = input.retain;
  event.will = input.will;
  event.auth_scope = connection.admission.scope;
  event.auth_type = connection.admission.type;
  event.device = identity.id.device.view();
  event.module = identity.id.module.view();
  event.generation_id = identity.generation_id.view();
  event.model_id = connection.model_id;
  event.bag = input.bag;
  event.body = input.body;

  WriteBatch& open = batch();
  EventBlock& block = open.block_for(partition_of(event.device, shared_.partitions), event.bag.size() + event.body.size());
  const std::size_t before = block.bytes.size();
  block.append(event);
  open.bytes += block.bytes.size() - before;
  if (acknowledge) {
    open.acks.push_back({connection.slot, connection.generation, token});
    connection.last_ack_ticket = next_ticket_;
  }
  ++events_;
  state.identity.last_activity = event.enqueued;
  if (!state.active) mark_active(state);
}

void Shard::acknowledge_in_order(Connection& connection, std::uint32_t token) {
  // While a batch is being acknowledged its own acknowledgements still come first.
  if (connection.last_ack_ticket <= acknowledged_ticket_) {
    connection.link->on_event_stored(token);
    return;
  }
  batch().acks.push_back({connection.slot, connection.generation, token});
  connection.last_ack_ticket = next_ticket_;
}

bool Shard::congested(Connection& connection) {
  const std::size_t waiting = uncommitted_bytes_ + (batch_ ? batch_->bytes : 0);
  if (waiting <= shared_.limits.uncommitted_bytes) return false;
  if (!std::exchange(connection.waiting_for_store, true)) waiting_for_store_.push_back(connection.slot);
  return true;
}

}  // namespace nearhub::hub
