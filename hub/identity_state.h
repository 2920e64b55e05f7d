// What a shard holds of a device and its modules.
//
// THREAD: home loop only.
#pragma once
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timer_queue.h"
#include "hub/cloud_message.h"
#include "hub/method.h"
#include "hub/session.h"
#include "hub/store.h"
#include "registry/identity.h"
#include "twin/twin.h"

namespace nearhub::hub {

struct Connection;
struct Device;

// A queued cloud-to-device message. Its content is in memory only while it is about to be sent.
struct QueuedMessage {
  CloudMessageHead head;
  bool storing = true;       // on the way to the store: not to be sent yet
  bool locked = false;       // sent to the live connection, not settled
  bool sent_before = false;  // to a connection that ended without an answer: DUP
  std::uint32_t sent = 0;    // how often
  bool removing = false;     // its removal is on the way to the store
  std::unique_ptr<CloudMessage> content;
};

struct CloudQueue {
  std::deque<QueuedMessage> messages;  // in order
  std::uint64_t next_sequence = 1;
  bool fetching = false;  // contents are being read
};

// A direct method call that waits for its device: to connect, or to answer.
struct MethodCall {
  std::string name;
  std::string payload;
  std::uint32_t request = 0;  // 0: not sent yet
  int response_timeout_s = 0;
  Answer<MethodResult> answer;
  std::shared_ptr<MethodDispatch> dispatch;  // null: the caller cannot take it back
  std::unique_ptr<Timer> timer;
};

struct IdentityState {
  Device* device = nullptr;
  std::uint64_t incarnation = 0;  // of this object: see Shard::IdentityRef
  registry::Identity identity;

  // The twin as text until somebody asks for it; then parsed.
  twin::StoredTwin stored_twin;
  std::unique_ptr<twin::Twin> twin;
  std::string model_id;
  // What the configurations did to it, as stored (TwinRecord).
  std::string_view configurations() const { return configurations_ ? std::string_view(*configurations_) : std::string_view(); }
  void set_configurations(std::string text) { configurations_ = text.empty() ? nullptr : std::make_unique<std::string>(std::move(text)); }

  std::optional<Session> stored_session;  // of clean session 0
  Session session;                        // of the live connection
  Connection* connection = nullptr;

  std::unique_ptr<CloudQueue> queue;  // null: empty and never used
  std::vector<std::unique_ptr<MethodCall>> methods;

  std::uint64_t last_ticket = 0;  // of the last batch with a write of this identity
  bool active = false;            // in Shard::active_

  // cloudToDeviceMessageCount: what is on its way out no longer counts.
  std::size_t queued() const;

 private:
  std::unique_ptr<std::string> configurations_;  // most have none
};

inline std::size_t IdentityState::queued() const {
  std::size_t count = 0;
  if (queue) {
    for (const QueuedMessage& message : queue->messages) count += message.removing ? 0 : 1;
  }
  return count;
}

struct Device {
  DeviceId id;
  bool exists = false;
  IdentityState self;
  std::map<std::string, std::unique_ptr<IdentityState>, std::less<>> modules;

  std::optional<std::list<Device*>::iterator> idle;  // its place in Shard::idle_
  std::size_t idle_bytes = 0;
};

}  // namespace nearhub::hub
