// A live connection of an identity, as the hub core sees it: what a front (MQTT now) must be able to do.
//
// THREAD: the home loop of the device. LIFETIME: from Shard::attach() to Shard::detach(). No call may destroy the link before it returns.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/denial.h"
#include "hub/cloud_message.h"

namespace nearhub::hub {

class Link {
 public:
  virtual ~Link() = default;

  // The event that append_event() was called for with this token is durable. In the order of the events.
  virtual void on_event_stored(std::uint32_t token) = 0;

  // Sends the message. The front calls Shard::complete() when the device has settled it, or before it returns when the delivery is not
  // acknowledged. `redelivery`: it was sent before, without an answer.
  virtual void deliver(const CloudMessage& message, bool redelivery) = 0;

  // A change of the desired properties, as JSON with $version.
  virtual void notify_desired(std::string_view json, std::int64_t version) = 0;

  // A direct method call; the device answers with Shard::answer_method(). `payload` is JSON, or empty.
  virtual void invoke_method(std::string_view request_id, std::string_view name, std::string_view payload) = 0;

  // The hub ends the connection (taken over, disabled, deleted, token expired, ...). The front drops it without further delivery and calls
  // detach() before this returns.
  virtual void close(const auth::Denial& why) = 0;

  // The store has caught up: publishing may go on (see Shard::congested()).
  virtual void on_store_ready() = 0;

  // For the log and the refusal book: "192.0.2.7:50412".
  virtual std::string peer() const = 0;
};

}  // namespace nearhub::hub
