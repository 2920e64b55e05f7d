// The identity registry's operations, and what they do to connections, twins and queues.
#include <fmt/core.h>

#include <utility>

#include "base/check.h"
#include "hub/identity_errors.h"
#include "hub/shard.h"

namespace nearhub::hub {
void Shard::get_identity(const IdentityId& id, Answer<IdentityView> answer) {
  with_identity(id, not_found_code(id), [this, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    answer_after_writes<IdentityView>(**found, view(**found), std::move(answer));
  });
}

void Shard::list_modules(const DeviceId& id, Answer<std::vector<IdentityView>> answer) {
  with_device(id, [this, id, answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return answer(loaded.error());
    Device& device = **loaded;
    if (!device.exists) {
      return answer_after_writes<std::vector<IdentityView>>(device.self, Error{ErrorCode::kDeviceNotFound, id.str()}, std::move(answer));
    }
    std::vector<IdentityView> views;
    const IdentityState* latest = &device.self;
    for (const auto& [name, module] : device.modules) {
      views.push_back(view(*module));
      if (module->last_ticket > latest->last_ticket) latest = module.get();
    }
    answer_after_writes<std::vector<IdentityView>>(*latest, std::move(views), std::move(answer));
  });
}

void Shard::put_identity(const IdentityId& id, registry::IdentityRequest request, const Condition& condition, Answer<IdentityView> answer) {
  use_fixed_keys(request);
  with_parent(id, std::move(request),
              [this, id, condition, answer = std::move(answer)](registry::IdentityRequest asked, const Status& parent) mutable {
                put(id, std::move(asked), parent, condition, std::move(answer));
              });
}

void Shard::put(const IdentityId& id, registry::IdentityRequest request, const Status& parent, const Condition& condition, Answer<IdentityView> answer) {
  with_device(id.device, [this, id, request = std::move(request), parent, condition, answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return answer(loaded.error());
    Device& device = **loaded;
    const auto refuse = [&](const IdentityState& because_of, Error error) {
      answer_after_writes<IdentityView>(because_of, std::move(error), std::move(answer));
    };
    if (id.is_module() && !device.exists) return refuse(device.self, {ErrorCode::kDeviceNotFound, id.device.str()});
    IdentityState* state = find(id);
    if (condition.kind == Condition::kAbsent) {
      if (state != nullptr) return refuse(*state, already_there(id, shared_.hosts.primary()));
      if (Status room = room_for(device, id); !room.ok()) return answer(room.error());
      if (!parent.ok()) return answer(parent.error());
      return create(device, id, std::move(request), twin::Twin::create(shared_.clock.now()), std::move(answer));
    }
    if (state == nullptr) return refuse(device.self, not_found(id));
    if (!condition.matches(state->identity.etag().view())) return refuse(*state, stale_etag(state->identity, condition));
    if (Status allowed = registry::check_replacement(state->identity, request); !allowed.ok()) return refuse(*state, allowed.error());
    registry::Identity after = registry::replace_identity(state->identity, std::move(request), shared_.clock.now(), shared_.random);
    // A parent that stays is not asked for again: it may be gone, and its children must still be updated.
    if (!parent.ok() && !after.parent_scope.empty() && after.parent_scope != state->identity.parent_scope) return refuse(*state, parent.error());
    replace(*state, std::move(after), std::move(answer));
  });
}

void Shard::use_fixed_keys(registry::IdentityRequest& request) const {
  auth::Credentials& credentials = request.credentials;
  if (!shared_.fixed_keys || credentials.type != auth::AuthenticationType::kSas || !credentials.primary_key.empty()) return;
  credentials.primary_key = shared_.fixed_keys->primary;
  credentials.secondary_key = shared_.fixed_keys->secondary;
}

Status Shard::room_for(const Device& device, const IdentityId& id) const {
  if (!id.is_module() || device.modules.size() < registry::kMaxModulesPerDevice) return {};
  return Error{ErrorCode::kTooManyModulesOnDevice,
               fmt::format("device {} has {} modules; more are not allowed", id.device.str(), device.modules.size())};
}

void Shard::create(Device& device, const IdentityId& id, registry::IdentityRequest request, const twin::Twin& twin, Answer<IdentityView> answer) {
  const WallTime now = shared_.clock.now();
  IdentityState* state = &device.self;
  if (id.is_module()) {
    auto made = std::make_unique<IdentityState>();
    state = made.get();
    device.modules.emplace(id.module.str(), std::move(made));
  } else {
    const std::uint64_t last_ticket = device.self.last_ticket;  // of a deletion that may still be on its way
    device.self = IdentityState();
    device.self.last_ticket = last_ticket;
    device.exists = true;
  }
  state->device = &device;
  state->incarnation = next_incarnation_++;
  state->identity = registry::create_identity(id, std::move(request), now, shared_.random);
  state->stored_twin = twin.stored();
  write(*state, CreateIdentity{state->identity, {state->stored_twin, {}}, twin.reported_version()},
        [this, id, after = view(*state), answer = std::move(answer)](const Status& status) mutable {
          if (status.ok()) return answer(std::move(after));
          lose(id.device, status.error());
          answer(status.error());
        });
  notify_creation(*state, twin);
  if (!id.is_module()) follow_edge(device);
  reconfigure(*state);
}

void Shard::replace(IdentityState& state, registry::Identity after, Answer<IdentityView> answer) {
  const std::int64_t before = state.identity.etag_counter;
  const bool was_edge = state.identity.iot_edge;
  state.identity = std::move(after);
  const IdentityId id = state.identity.id;
  write(state, ReplaceIdentity{state.identity, before},
        [this, id, after = view(state), answer = std::move(answer)](const Status& status) mutable {
          if (status.ok()) return answer(std::move(after));
          lose(id.device, status.error());
          answer(status.error());
        });

  if (state.identity.iot_edge != was_edge) follow_edge(*state.device);
  reconfigure(state, true);

  // At once, not after the commit: whoever is locked out must not get one more message through (device-mqtt.md 2.8).
  if (!id.is_module() && !state.identity.enabled) {
    end_connections(*state.device, {auth::Check::kStatus, ErrorCode::kDeviceDisabled, "an enabled device", "device " + id.text() + ", disabled just now",
                                    "enable it: nearhub device enable " + id.text()});
  } else {
    end_connection_if_locked_out(state);
  }
}

void Shard::delete_identity(const IdentityId& id, const Condition& condition, Answer<std::monostate> answer) {
  with_identity(id, not_found_code(id), [this, condition, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    erase(**found, condition, std::move(answer));
  });
}

void Shard::erase(IdentityState& state, const Condition& condition, Answer<std::monostate> answer) {
  const IdentityId id = state.identity.id;
  Device& device = *state.device;
  if (!condition.matches(state.identity.etag().view())) {
    return answer_after_writes<std::monostate>(state, stale_etag(state.identity, condition), std::move(answer));
  }

  const auth::Denial why{auth::Check::kIdentity, not_found_code(id), id.is_module() ? "a registered module" : "a registered device",
                         id.text() + ", deleted just now", "create it again; it gets new keys"};
  const Error gone{ErrorCode::kDeviceNotFound, id.text()};
  auto done = [answer = std::move(answer), this, device_id = id.device](const Status& status) mutable {
    if (status.ok()) return answer(std::monostate());
    lose(device_id, status.error());
    answer(status.error());
  };
  if (id.is_module()) {
    end_connection(state, why);
    notify_deletion(state);
    MethodCalls calls;
    take_calls(state, calls);
    write(state, DeleteIdentity{id, state.identity.etag_counter}, std::move(done));
    // The device carries the deletion's ticket from here on.
    device.self.last_ticket = state.last_ticket;
    device.modules.erase(device.modules.find(id.module.view()));
    return fail(std::move(calls), gone);
  }
  end_connections(device, why);
  for (const auto& [name, module] : device.modules) notify_deletion(*module);
  notify_deletion(device.self);
  MethodCalls calls = take_calls(device);
  write(device.self, DeleteIdentity{id, state.identity.etag_counter}, std::move(done));
  device.modules.clear();
  const std::uint64_t last_ticket = device.self.last_ticket;
  device.self = IdentityState();
  device.self.device = &device;
  device.self.last_ticket = last_ticket;
  device.exists = false;
  fail(std::move(calls), gone);
}

void Shard::regenerate_keys(const IdentityId& id, SymmetricKey which, Answer<IdentityView> answer) {
  with_identity(id, not_found_code(id), [this, which, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    if (state.identity.credentials.type != auth::AuthenticationType::kSas) {
      return answer_after_writes<IdentityView>(
          state,
          Error{ErrorCode::kInvalidOperation, fmt::format("{} has authentication type {}, which has no keys", state.identity.id.text(),
                                                          auth::authentication_type_text(state.identity.credentials.type))},
          std::move(answer));
    }
    registry::Identity after = state.identity;
    ++after.etag_counter;
    if (which != SymmetricKey::kSecondary) after.credentials.primary_key = shared_.random.symmetric_key();
    if (which != SymmetricKey::kPrimary) after.credentials.secondary_key = shared_.random.symmetric_key();
    replace(state, std::move(after), std::move(answer));
  });
}

LiveIdentity Shard::live_of(const IdentityState& state) {
  return {state.identity.generation_id, {state.connection != nullptr, static_cast<std::int64_t>(state.queued())}, state.identity.connection_state_updated, state.identity.last_activity};
}

std::vector<std::optional<LiveIdentity>> Shard::live_states(const std::vector<IdentityId>& ids) {
  std::vector<std::optional<LiveIdentity>> states;
  states.reserve(ids.size());
  for (const IdentityId& id : ids) {
    const IdentityState* state = find(id);
    states.push_back(state == nullptr ? std::nullopt : std::optional(live_of(*state)));
  }
  return states;
}

}  // namespace nearhub::hub
