// The shard's record of one live connection. The front holds a reference to it from attach() to detach().
//
// THREAD: home loop only.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/device_authentication.h"
#include "base/timer_queue.h"
#include "hub/link.h"
#include "hub/session.h"

namespace nearhub::hub {

struct IdentityState;

struct Connection {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  Link* link = nullptr;
  IdentityState* identity = nullptr;
  auth::Admission admission;
  Session wanted;  // what the client has subscribed to; the identity's session once that is settled
  std::string model_id;
  bool persistent = false;  // clean session 0: subscriptions are stored
  bool holding = false;      // queued messages wait for the device's subscription or the end of the hold
  bool waiting_for_store = false;  // was told to pause, and is to be told to go on
  std::uint32_t next_request = 1;  // of direct methods; from 1 on each connection (device-mqtt.md 7.1)
  bool answered_no_call = false;   // a method response without a call is told of once
  std::uint32_t in_flight = 0;     // cloud-to-device messages sent and not settled by the client, those purged meanwhile included
  std::vector<std::uint64_t> purged;  // which of them
  std::uint64_t last_ack_ticket = 0;  // the batch that its latest acknowledgement waits for
  std::unique_ptr<Timer> token_end;
  std::unique_ptr<Timer> hold_end;
};

}  // namespace nearhub::hub
