// Cloud-to-device messages: the queue of each identity, its delivery and its settlement.
//
// A message is in the store before it is sent and leaves the store when it is settled. Its content is in memory only from the moment it is about
// to be sent; what waits behind it is a short head.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

// MQTT's limit on a topic, and the longest "devices/{id}/modules/{id}/messages/devicebound/".
constexpr std::size_t kMaxTopicBytes = 65'535;
constexpr std::size_t kMaxTopicPrefixBytes = 2 * kMaxIdLength + 64;

QueuedMessage* find_message(IdentityState& identity, std::uint64_t sequence) {
  if (!identity.queue) return nullptr;
  for (QueuedMessage& message : identity.queue->messages) {
    if (message.head.sequence == sequence) return &message;
  }
  return nullptr;
}

void erase_message(IdentityState& identity, std::uint64_t sequence) {
  auto& messages = identity.queue->messages;
  const auto found = std::find_if(messages.begin(), messages.end(), [sequence](const QueuedMessage& m) { return m.head.sequence == sequence; });
  if (found != messages.end()) messages.erase(found);
}

}  // namespace

CloudMessageHead Shard::head_of(const CloudMessage& message) {
  return {message.sequence, message.enqueued, message.expiry, message.ack, message.delivery_count, message.message_id};
}

void Shard::send(const IdentityId& id, CloudMessage message, Answer<std::uint64_t> answer) {
  with_identity(id, id.is_module() ? ErrorCode::kModuleNotFound : ErrorCode::kDeviceNotFound,
                [this, message = std::move(message), answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    const WallTime now = shared_.clock.now();
    if (const std::size_t bytes = message.size_bytes(); bytes > kMaxCloudMessageBytes) {
      return answer(Error{ErrorCode::kMessageTooLarge, fmt::format("the message has {} bytes, body and properties; at most {} are allowed", bytes,
                                                                   kMaxCloudMessageBytes)});
    }
    if (message.properties.size() > kMaxCloudMessageProperties) {
      return answer(Error{ErrorCode::kArgumentInvalid, fmt::format("the message has {} properties; at most {} are allowed", message.properties.size(),
                                                                   kMaxCloudMessageProperties)});
    }
    // Percent-encoding can triple the properties; the topic that carries them has MQTT's limit.
    if (const std::size_t topic = kMaxTopicPrefixBytes + device_topic_bag(message, state.identity.id).size(); topic > kMaxTopicBytes) {
      return answer(Error{ErrorCode::kMessageTooLarge, fmt::format("the message's properties make an MQTT topic of {} bytes; at most {} are possible", topic,
                                                                   kMaxTopicBytes)});
    }
    if (message.expiry_from_sender && message.expiry <= now) {
      return answer(Error{ErrorCode::kInvalidMessageExpiryTime, "the message's expiry time is in the past"});
    }
    expire_due(state);
    if (state.queued() >= shared_.limits.cloud_queue_messages) {
      return answer(Error{ErrorCode::kDeviceMaximumQueueDepthExceeded,
                          fmt::format("{} messages wait for {}; at most {} are allowed", state.queued(), state.identity.id.text(),
                                      shared_.limits.cloud_queue_messages)});
    }
    if (!state.queue) state.queue = std::make_unique<CloudQueue>();
    message.sequence = state.queue->next_sequence++;
    message.enqueued = now;
    if (!message.expiry_from_sender) message.expiry = now + shared_.limits.cloud_message_ttl;

    const std::uint64_t sequence = message.sequence;
    QueuedMessage queued;
    queued.head = head_of(message);
    queued.content = std::make_unique<CloudMessage>(message);
    state.queue->messages.push_back(std::move(queued));
    write(state, EnqueueCloudMessage{state.identity.id, std::move(message)},
          [this, ref = ref_of(state), sequence, answer = std::move(answer)](const Status& status) mutable {
            IdentityState* owner = find(ref);
            QueuedMessage* stored = owner == nullptr ? nullptr : find_message(*owner, sequence);
            if (!status.ok()) {
              if (stored != nullptr) erase_message(*owner, sequence);
              return answer(status.error());
            }
            if (stored != nullptr) {
              stored->storing = false;
              pump(*owner);
              // What cannot be sent now waits in the store and not in memory.
              stored = find_message(*owner, sequence);
              if (stored != nullptr) stored->content.reset();
            }
            answer(sequence);
          });
  });
}

void Shard::pump(IdentityState& identity) {
  if (pumping_ || identity.connection == nullptr || !identity.queue || !identity.session.cloud_messages()) return;
  Connection& connection = *identity.connection;
  if (connection.holding) return;
  expire_due(identity);
  pumping_ = true;
  // By index: delivering at QoS 0 completes at once, which leaves the entry in place until its removal is durable.
  for (std::size_t i = 0; i < identity.queue->messages.size(); ++i) {
    QueuedMessage& message = identity.queue->messages[i];
    if (message.locked || message.removing) continue;
    // In order: what is not durable yet, or not in memory, holds up what is behind it.
    if (message.storing || connection.in_flight >= shared_.limits.cloud_in_flight) break;
    if (!message.content) {
      fetch(identity);
      break;
    }
    deliver(identity, message);
    if (identity.connection != &connection) break;
  }
  pumping_ = false;
}

void Shard::deliver(IdentityState& identity, QueuedMessage& queued) {
  Connection& connection = *identity.connection;
  const std::unique_ptr<CloudMessage> content = std::move(queued.content);
  queued.locked = true;
  ++connection.in_flight;
  if (++queued.sent == kMaxDeliveryCount + 1) {
    log::warn("hub", "device={} message={} was sent {} times without an answer; does it crash the device?", identity.identity.id.text(),
              queued.head.sequence, kMaxDeliveryCount);
  }
  mark_active(identity);
  connection.link->deliver(*content, queued.sent_before);
}

void Shard::fetch(IdentityState& identity) {
  CloudQueue& queue = *identity.queue;
  if (queue.fetching) return;
  std::vector<std::uint64_t> wanted;
  for (const QueuedMessage& message : queue.messages) {
    if (message.locked || message.removing || message.storing || message.content) continue;
    wanted.push_back(message.head.sequence);
    if (wanted.size() >= shared_.limits.cloud_in_flight) break;
  }
  if (wanted.empty()) return;
  queue.fetching = true;
  shared_.store.load_cloud_messages(identity.identity.id, std::move(wanted), executor_,
                                    [this, ref = ref_of(identity)](Result<std::vector<CloudMessage>> loaded) {
    IdentityState* owner = find(ref);
    if (owner == nullptr || !owner->queue) return;
    Device& device = *owner->device;
    owner->queue->fetching = false;
    if (!loaded.ok()) {
      log::error("hub", "device={} queued messages cannot be read reason=\"{}\"", ref.id.text(), loaded.error().detail);
      return;
    }
    if (owner->connection != nullptr) {
      for (CloudMessage& message : *loaded) {
        QueuedMessage* queued = find_message(*owner, message.sequence);
        if (queued == nullptr || queued->locked || queued->removing) continue;
        message.delivery_count = queued->head.delivery_count;
        queued->content = std::make_unique<CloudMessage>(std::move(message));
      }
      // Only with something new in memory: a message that the store does not have must not be asked for again and again.
      if (!loaded->empty()) pump(*owner);
    }
    forget_if_idle(device);
  });
}

void Shard::complete(Connection& connection, std::uint64_t sequence) {
  IdentityState& state = *connection.identity;
  if (std::erase(connection.purged, sequence) > 0) {
    --connection.in_flight;
    return pump(state);
  }
  QueuedMessage* message = find_message(state, sequence);
  if (message == nullptr || !message->locked || message->removing) return;
  remove(state, sequence, Outcome::kSuccess);
  pump(state);
}

void Shard::remove(IdentityState& identity, std::uint64_t sequence, Outcome outcome) {
  QueuedMessage* message = find_message(identity, sequence);
  if (message->locked) {
    message->locked = false;
    if (outcome == Outcome::kSuccess) {
      --identity.connection->in_flight;
    } else {
      // The client has it, and its packet id is taken until it says so.
      identity.connection->purged.push_back(sequence);
    }
  }
  message->removing = true;
  message->content.reset();
  RemoveCloudMessage operation{identity.identity.id, sequence, std::nullopt};
  if (wants_feedback(message->head.ack, outcome)) {
    operation.feedback = Feedback{0, message->head.message_id, identity.identity.id, identity.identity.generation_id, shared_.clock.now(), outcome};
  }
  write(identity, std::move(operation), [this, ref = ref_of(identity), sequence](const Status&) {
    IdentityState* owner = find(ref);
    if (owner != nullptr && owner->queue) erase_message(*owner, sequence);
  });
}

void Shard::purge(const IdentityId& id, Answer<std::int64_t> answer) {
  with_identity(id, id.is_module() ? ErrorCode::kModuleNotFound : ErrorCode::kDeviceNotFound,
                [this, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    std::vector<std::uint64_t> purged;
    if (state.queue) {
      for (const QueuedMessage& message : state.queue->messages) {
        if (!message.removing) purged.push_back(message.head.sequence);
      }
    }
    for (const std::uint64_t sequence : purged) remove(state, sequence, Outcome::kPurged);
    answer_after_writes<std::int64_t>(state, static_cast<std::int64_t>(purged.size()), std::move(answer));
  });
}

std::size_t Shard::expire_due(IdentityState& identity) {
  if (!identity.queue) return 0;
  const WallTime now = shared_.clock.now();
  std::vector<std::uint64_t> due;
  for (const QueuedMessage& message : identity.queue->messages) {
    // A message on its way to the device or the store is settled there first.
    if (message.head.expiry <= now && !message.locked && !message.removing && !message.storing) due.push_back(message.head.sequence);
  }
  for (const std::uint64_t sequence : due) remove(identity, sequence, Outcome::kExpired);
  return due.size();
}

void Shard::expire(const IdentityId& id) {
  with_identity(id, ErrorCode::kDeviceNotFound, [this](Result<IdentityState*> found) {
    if (found.ok()) expire_due(**found);
  });
}

}  // namespace nearhub::hub
