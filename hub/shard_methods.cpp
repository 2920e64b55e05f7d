// Direct methods: one attempt, no storage. A call belongs to the identity: an answer that comes on its next connection completes it.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

// Lower-case hex of at most seven digits: the nRF v1 sample copies seven characters (device-mqtt.md 7.1).
constexpr std::uint32_t kMaxRequest = 0xfffffff;

Error not_online() {
  return {ErrorCode::kDeviceNotOnline,
          "The operation failed because the requested device isn't online or hasn't registered the direct method callback. To learn more, see "
          "https://aka.ms/iothub404103"};
}

Error timed_out() { return {ErrorCode::kGatewayTimeout, "Timed out waiting for the response from device."}; }

}  // namespace

void Shard::invoke_method(const IdentityId& id, MethodRequest request, Answer<MethodResult> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound, [this, request = std::move(request), answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    if (state.methods.size() >= shared_.limits.methods_in_flight) {
      return answer(Error{ErrorCode::kDeviceMaximumInflightMethodExceeded,
                          fmt::format("{} direct methods of {} are under way; at most {} are allowed", state.methods.size(), state.identity.id.text(),
                                      shared_.limits.methods_in_flight)});
    }
    auto call = std::make_unique<MethodCall>();
    call->name = std::move(request.name);
    call->payload = std::move(request.payload);
    call->response_timeout_s = request.response_timeout_s;
    call->answer = std::move(answer);
    const bool ready = state.connection != nullptr && state.session.methods(call->name);
    if (!ready && request.connect_timeout_s == 0) return call->answer(not_online());
    MethodCall* waiting = call.get();
    call->timer = std::make_unique<Timer>(timers_, [this, identity = state.identity.id, waiting] { on_method_timeout(identity, waiting); });
    state.methods.push_back(std::move(call));
    if (ready) {
      start_method(state, *waiting);
    } else {
      // A device that comes late has all of its time to answer: the caller waits for the sum of both (service-rest.md 5.7).
      waiting->timer->start_at(timers_.now() + std::chrono::seconds{request.connect_timeout_s});
    }
  });
}

void Shard::start_waiting_methods(IdentityState& identity) {
  // Looked for anew each time: what is called may answer at once, or end the connection and with it the session.
  const auto startable = [&identity](const auto& call) { return call->request == 0 && identity.session.methods(call->name); };
  while (identity.connection != nullptr) {
    const auto next = std::find_if(identity.methods.begin(), identity.methods.end(), startable);
    if (next == identity.methods.end()) return;
    start_method(identity, **next);
  }
}

void Shard::start_method(IdentityState& identity, MethodCall& call) {
  Connection& connection = *identity.connection;
  const auto pending = [&identity](std::uint32_t request) {
    return std::any_of(identity.methods.begin(), identity.methods.end(), [request](const auto& other) { return other->request == request; });
  };
  while (pending(connection.next_request)) connection.next_request = connection.next_request % kMaxRequest + 1;
  call.request = connection.next_request;
  connection.next_request = connection.next_request % kMaxRequest + 1;
  call.timer->start_at(timers_.now() + std::chrono::seconds{call.response_timeout_s});
  mark_active(identity);
  std::string payload = std::move(call.payload);
  if (payload.empty() && !shared_.behaviour.empty_method_payload) payload = "null";
  connection.link->invoke_method(fmt::format("{:x}", call.request), call.name, payload);
}

void Shard::on_method_timeout(const IdentityId& id, MethodCall* call) {
  IdentityState* state = find(id);
  if (state == nullptr) return;
  auto ended = take_call(*state, call);
  if (!ended) return;
  ended->answer(ended->request == 0 ? not_online() : timed_out());
  // The timer that fired is inside the call: let it return first.
  executor_.post([ended = std::move(ended)] {});
  forget_if_idle(*state->device);
}

std::unique_ptr<MethodCall> Shard::take_call(IdentityState& identity, MethodCall* call) {
  const auto found = std::find_if(identity.methods.begin(), identity.methods.end(), [call](const auto& each) { return each.get() == call; });
  if (found == identity.methods.end()) return nullptr;
  auto taken = std::move(*found);
  identity.methods.erase(found);
  return taken;
}

void Shard::answer_method(Connection& connection, std::string_view request_id, int status, std::string_view payload) {
  IdentityState& state = *connection.identity;
  mark_active(state);
  const auto found = std::find_if(state.methods.begin(), state.methods.end(), [request_id](const auto& call) {
    return call->request != 0 && fmt::format("{:x}", call->request) == request_id;
  });
  if (found == state.methods.end()) {
    // Late, twice or invented: of no consequence to the device (7.2).
    log::debug("hub", "device={} answer to no open method call rid={}", state.identity.id.text(), request_id);
    return;
  }
  const auto call = take_call(state, found->get());
  call->timer->cancel();
  if (payload.size() > kMaxMethodBytes) {
    return call->answer(Error{ErrorCode::kMessageTooLarge, fmt::format("the device's answer has {} bytes; at most {} are allowed", payload.size(), kMaxMethodBytes)});
  }
  if (payload.empty()) return call->answer(MethodResult{status, "null"});
  if (const auto json = parse_json(payload); !json.ok()) {
    log::warn("hub", "device={} method={} the device's answer is not JSON reason=\"{}\"", state.identity.id.text(), call->name, json.error().detail);
    return call->answer(Error{ErrorCode::kGenericBadGateway, "the device's answer is " + json.error().detail});
  }
  call->answer(MethodResult{status, std::string(payload)});
}

void Shard::fail_methods(IdentityState& identity, const Error& error) {
  for (auto& call : std::exchange(identity.methods, {})) {
    call->timer->cancel();
    call->answer(error);
  }
}

}  // namespace nearhub::hub
