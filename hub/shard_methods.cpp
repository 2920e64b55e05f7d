// Direct methods: one attempt, no storage. A call belongs to the identity: an answer that comes on its next connection completes it.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

// The caller's own timer runs for the same time: its answer must be there before that (service-rest.md 5.7).
constexpr std::chrono::milliseconds kAnswerEarly{100};

// Lower-case hex of at most seven digits: the nRF v1 sample copies seven characters (device-mqtt.md 7.1).
constexpr std::uint32_t kMaxRequest = 0xfffffff;

// The detail is for the refusal book: clients are shown the cloud's sentence, which leaves open which of these it was.
Error not_online(const IdentityState& identity, std::string_view method) {
  std::string detail = identity.identity.id.text();
  const auto& names = identity.session.method_names;
  if (identity.connection == nullptr) {
    detail += " is not connected";
  } else if (names.empty()) {
    detail += " is connected, and has not subscribed to methods";
  } else {
    std::string subscribed;
    bool other_case = false;
    for (const std::string& name : names) {
      subscribed += (subscribed.empty() ? "" : ", ") + name;
      other_case |= equals_ignoring_case(name, method);
    }
    detail += fmt::format(" is connected, and has subscribed to other methods: {}", printable(subscribed, 200));
    if (other_case) detail += " (names are case-sensitive)";
  }
  return {ErrorCode::kDeviceNotOnline, std::move(detail)};
}

auth::Denial no_such_call(const IdentityState& identity, std::string_view request_id) {
  std::string open;
  const auto number = parse_decimal(request_id);
  std::string advice = "send the request id back as it came, byte for byte";
  for (const auto& call : identity.methods) {
    if (call->request == 0) continue;
    open += fmt::format("{}{:x}", open.empty() ? "" : ", ", call->request);
    if (number && *number == call->request) advice = "the request id is text, not a decimal number: send back what came";
  }
  if (open.empty()) advice = "the answer came too late, or twice: the caller's response timeout decides";
  return {auth::Check::kTopic, ErrorCode::kArgumentInvalid, "$rid of a call that waits: " + (open.empty() ? "none" : printable(open, 200)),
          "$rid=" + printable(request_id, 60), std::move(advice)};
}

Error stopping() { return {ErrorCode::kServiceUnavailable, "the hub is stopping"}; }

Error withdrawn() { return {ErrorCode::kServiceUnavailable, "the call was withdrawn before it was sent"}; }

Error timed_out() { return {ErrorCode::kGatewayTimeout, "Timed out waiting for the response from device."}; }

}  // namespace

void Shard::invoke_method(const IdentityId& id, MethodRequest request, Answer<MethodResult> answer, std::shared_ptr<MethodDispatch> dispatch) {
  with_identity(id, ErrorCode::kDeviceNotFound,
                [this, request = std::move(request), answer = std::move(answer), dispatch = std::move(dispatch)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    if (draining_) return answer(stopping());
    if (dispatch && dispatch->is_withdrawn()) return answer(withdrawn());
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
    call->dispatch = std::move(dispatch);
    const bool ready = state.connection != nullptr && state.session.methods(call->name);
    if (!ready && request.connect_timeout_s == 0) return call->answer(not_online(state, call->name));
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

void Shard::start_waiting_methods(const IdentityRef& ref) {
  // Looked for anew each time: what is called may answer at once, and its caller delete the identity; or end the connection and with it the session.
  for (IdentityState* identity = find(ref); identity != nullptr && identity->connection != nullptr; identity = find(ref)) {
    const auto next = std::find_if(identity->methods.begin(), identity->methods.end(), [identity](const auto& call) {
      return call->request == 0 && identity->session.methods(call->name);
    });
    if (next == identity->methods.end()) return;
    start_method(*identity, **next);
  }
}

void Shard::start_method(IdentityState& identity, MethodCall& call) {
  if (call.dispatch && !call.dispatch->send()) {
    const auto ended = take_call(identity, &call);
    return ended->answer(withdrawn());
  }
  Connection& connection = *identity.connection;
  const auto pending = [&identity](std::uint32_t request) {
    return std::any_of(identity.methods.begin(), identity.methods.end(), [request](const auto& other) { return other->request == request; });
  };
  while (pending(connection.next_request)) connection.next_request = connection.next_request % kMaxRequest + 1;
  call.request = connection.next_request;
  connection.next_request = connection.next_request % kMaxRequest + 1;
  call.timer->start_at(timers_.now() + std::chrono::seconds{call.response_timeout_s} - kAnswerEarly);
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
  forget_if_idle(*state->device);
  auto answer = std::move(ended->answer);
  const Error error = ended->request == 0 ? not_online(*state, ended->name) : timed_out();
  // The timer that fired is inside the call: let it return first.
  executor_.post([ended = std::move(ended)] {});
  answer(error);
}

void Shard::end_withdrawn_methods(const IdentityId& id) {
  IdentityState* state = find(id);
  if (state == nullptr) return;
  MethodCalls ended;
  for (auto& call : std::exchange(state->methods, {})) (call->dispatch && call->dispatch->is_withdrawn() ? ended : state->methods).push_back(std::move(call));
  if (ended.empty()) return;
  forget_if_idle(*state->device);
  fail(std::move(ended), withdrawn());
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
    // Late, twice or invented: of no consequence to the device (7.2), but its caller waits in vain.
    log::debug("hub", "device={} answer to no open method call rid={}", state.identity.id.text(), printable(request_id));
    if (std::exchange(connection.answered_no_call, true)) return;
    hub_.refuse(state.identity.id.text(), connection.link->peer(), "method response", "dropped", no_such_call(state, request_id));
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

void Shard::take_calls(IdentityState& identity, MethodCalls& into) {
  for (auto& call : std::exchange(identity.methods, {})) {
    call->timer->cancel();
    into.push_back(std::move(call));
  }
}

Shard::MethodCalls Shard::take_calls(Device& device) {
  MethodCalls calls;
  take_calls(device.self, calls);
  for (auto& [name, module] : device.modules) take_calls(*module, calls);
  return calls;
}

void Shard::fail(MethodCalls calls, const Error& error) {
  for (auto& call : calls) call->answer(error);
}

void Shard::drain(Task drained) {
  flush_activity();
  sweep_timer_.cancel();
  activity_timer_.cancel();
  draining_ = true;
  drained_ = std::move(drained);
  MethodCalls calls;
  for (auto& [id, device] : devices_) {
    for (auto& call : take_calls(*device)) calls.push_back(std::move(call));
  }
  fail(std::move(calls), stopping());
}

}  // namespace nearhub::hub
