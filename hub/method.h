// A direct method call: what a service asks and what a device answers (reference/device-mqtt.md section 7, service-rest.md 5.7).
//
// THREAD: value types, but for MethodDispatch.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "hub/limits.h"

namespace nearhub::hub {

struct MethodRequest {
  std::string name;
  std::string payload;  // JSON, or empty when the caller left it out
  int response_timeout_s = kDefaultResponseTimeoutSeconds;
  int connect_timeout_s = 0;
};

struct MethodResult {
  int status = 0;
  std::string payload;  // JSON
};

// Whether a call went to its device, for a caller that may take it back before: a call is sent or withdrawn, never both.
//
// THREAD: any.
class MethodDispatch {
 public:
  // By the shard, right before the call goes out. False: it was withdrawn, and must not.
  bool send() { return become(State::kSent); }
  // By the caller. True: the call was not sent, and never will be. Shard::end_withdrawn_methods() then frees its place.
  bool withdraw() { return become(State::kWithdrawn); }
  bool is_withdrawn() const { return state_.load() == State::kWithdrawn; }

 private:
  enum class State : std::uint8_t { kWaiting, kSent, kWithdrawn };

  bool become(State wanted) {
    State found = State::kWaiting;
    return state_.compare_exchange_strong(found, wanted) || found == wanted;
  }

  std::atomic<State> state_{State::kWaiting};
};

}  // namespace nearhub::hub
