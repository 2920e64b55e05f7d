// Twins: the device's own view and reports, the service's view and updates.
#include <utility>

#include "hub/shard.h"
#include "hub/twin_document.h"
#include "hub/twin_snapshot.h"
#include "twin/query_evaluate.h"

namespace nearhub::hub {

Result<twin::Twin*> Shard::twin_of(IdentityState& identity) {
  if (!identity.twin) {
    auto restored = twin::Twin::restore(identity.stored_twin);
    if (!restored.ok()) return std::move(restored).error();
    identity.twin = std::make_unique<twin::Twin>(std::move(*restored));
    identity.stored_twin = {};
  }
  return identity.twin.get();
}

void Shard::put_twin(IdentityState& identity, const TwinVersions& before, const twin::Change& change, std::optional<std::string> configurations,
                     UniqueFunction<void(const Status&)> done) {
  const twin::Twin& twin = *identity.twin;
  PutTwin operation{identity.identity.id, before.etag_counter, before.reported_version, twin.etag_counter(), twin.reported_version(), {}, {}, {},
                    std::move(configurations)};
  // Tags that were never set stay unset, whatever else was replaced.
  if (change.tags && twin.has_tags()) operation.tags = twin.tags().stored();
  if (change.desired) operation.desired = twin.desired().stored();
  if (change.reported) operation.reported = twin.reported().stored();
  write(identity, std::move(operation), [this, device = identity.identity.id.device, done = std::move(done)](const Status& status) mutable {
    if (!status.ok()) lose(device, status.error());
    done(status);
  });
}

void Shard::get_device_twin(Connection& connection, Answer<std::string> answer) {
  IdentityState& state = *connection.identity;
  mark_active(state);
  const auto twin = twin_of(state);
  if (!twin.ok()) return answer(twin.error());
  answer_after_writes<std::string>(state, (*twin)->device_json(), std::move(answer));
}

void Shard::report(Connection& connection, std::string_view patch, std::optional<std::int64_t> if_version, Answer<std::int64_t> answer) {
  IdentityState& state = *connection.identity;
  mark_active(state);
  const auto found = twin_of(state);
  if (!found.ok()) return answer(found.error());
  twin::Twin& twin = **found;
  if (if_version && *if_version != twin.reported_version()) {
    const Error stale{ErrorCode::kPreconditionFailed,
                      "reported $version is " + std::to_string(twin.reported_version()) + ", the request expects " + std::to_string(*if_version)};
    return answer_after_writes<std::int64_t>(state, stale, std::move(answer));
  }
  if (patch.size() > twin::kMaxUpdateBytes) {
    return answer(Error{ErrorCode::kArgumentInvalid, "the patch has " + std::to_string(patch.size()) + " bytes; at most " +
                                                         std::to_string(twin::kMaxUpdateBytes) + " are read"});
  }
  const auto value = twin::parse_value(patch);
  if (!value.ok()) return answer(value.error());
  const TwinVersions before{twin.etag_counter(), twin.reported_version()};
  const auto change = twin.report(*value, shared_.clock.now());
  if (!change.ok()) return answer(change.error());
  notify_twin(state, {}, false, &*value);
  put_twin(state, before, *change, std::nullopt, [version = twin.reported_version(), answer = std::move(answer)](const Status& status) mutable {
    if (status.ok()) {
      answer(version);
    } else {
      answer(status.error());
    }
  });
  if (sees_reported(state)) reconfigure(state);
}

TwinHead Shard::head_of(const IdentityState& state, const twin::Twin& twin) {
  return {state.identity, state.device->self.identity, twin.etag_counter(), twin.reported_version(), state.model_id, live_of(state).state,
          state.identity.last_activity, state.configurations()};
}

TwinView Shard::service_view(IdentityState& state, const twin::Twin& twin) {
  JsonWriter json;
  TwinDocument(head_of(state, twin)).write(json, [&twin](JsonWriter& out) { twin.write_service_members(out); });
  return {std::move(json).take(), twin.etag()};
}

void Shard::get_twin(const IdentityId& id, Answer<TwinView> answer) {
  // A missing module's twin is DeviceNotFound too (service-rest.md 5.5).
  with_identity(id, ErrorCode::kDeviceNotFound, [this, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    const auto twin = twin_of(**found);
    if (!twin.ok()) return answer(twin.error());
    answer_after_writes<TwinView>(**found, service_view(**found, **twin), std::move(answer));
  });
}

void Shard::match_twin(const IdentityId& id, std::shared_ptr<const twin::query::Query> query, Answer<bool> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound, [this, query = std::move(query), answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    const auto twin = twin_of(state);
    if (!twin.ok()) return answer(twin.error());
    const TwinSnapshot snapshot(head_of(state, **twin), **twin);
    answer_after_writes<bool>(state, twin::query::matches(*query, snapshot.document), std::move(answer));
  });
}

void Shard::update_twin(const IdentityId& id, twin::Update update, bool replace, const Condition& condition, Answer<TwinView> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound,
                [this, update = std::move(update), replace, condition, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    auto change = change_twin(**found, update, replace, condition);
    if (!change.ok()) return answer_after_writes<TwinView>(**found, change.error(), std::move(answer));
    IdentityState& state = **found;
    if (!change->change.tags && !change->change.desired) return answer_after_writes<TwinView>(state, service_view(state, *state.twin), std::move(answer));
    const auto after = std::make_shared<TwinView>();
    store_twin(state, std::move(*change), [after, answer = std::move(answer)](const Result<std::monostate>& stored) mutable {
      answer(stored.ok() ? Result<TwinView>(std::move(*after)) : Result<TwinView>(stored.error()));
    });
    // With what the configurations made of it.
    *after = service_view(state, *state.twin);
  });
}

void Shard::patch_twin(const IdentityId& id, std::shared_ptr<const twin::Update> update, Answer<std::monostate> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound, [this, update = std::move(update), answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    auto change = change_twin(**found, *update, false, {});
    if (!change.ok()) return answer_after_writes<std::monostate>(**found, change.error(), std::move(answer));
    store_twin(**found, std::move(*change), std::move(answer));
  });
}

void Shard::get_digital_twin(const IdentityId& id, Answer<TwinView> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound, [this, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    IdentityState& state = **found;
    const auto twin = twin_of(state);
    if (!twin.ok()) return answer(twin.error());
    TwinView view{twin::digital_twin_json(state.identity.id.device.view(), state.model_id, **twin), (*twin)->etag()};
    answer_after_writes<TwinView>(state, std::move(view), std::move(answer));
  });
}

void Shard::patch_digital_twin(const IdentityId& id, twin::DigitalTwinPatch patch, const Condition& condition, Answer<ETag> answer) {
  with_identity(id, ErrorCode::kDeviceNotFound,
                [this, patch = std::move(patch), condition, answer = std::move(answer)](Result<IdentityState*> found) mutable {
    if (!found.ok()) return answer(found.error());
    auto change = change_digital_twin(**found, patch, condition);
    if (!change.ok()) return answer_after_writes<ETag>(**found, change.error(), std::move(answer));
    IdentityState& state = **found;
    if (!change->change.desired) return answer_after_writes<ETag>(state, state.twin->etag(), std::move(answer));
    const auto after = std::make_shared<ETag>();
    store_twin(state, std::move(*change), [after, answer = std::move(answer)](const Result<std::monostate>& stored) mutable {
      answer(stored.ok() ? Result<ETag>(std::move(*after)) : Result<ETag>(stored.error()));
    });
    // With what the configurations made of it.
    *after = state.twin->etag();
  });
}

Status Shard::check_twin_etag(const twin::Twin& twin, const Condition& condition) {
  if (condition.matches(twin.etag().view())) return {};
  return Error{ErrorCode::kPreconditionFailed,
               "PreconditionFailed, ETag may be invalid. The twin's etag is " + twin.etag().str() + ", If-Match says " + condition.etag};
}

Result<Shard::TwinChange> Shard::change_digital_twin(IdentityState& state, const twin::DigitalTwinPatch& patch, const Condition& condition) {
  const auto twin = twin_of(state);
  if (!twin.ok()) return twin.error();
  if (Status same = check_twin_etag(**twin, condition); !same.ok()) return same.error();
  const auto update = twin::update_of(patch, **twin);
  if (!update.ok()) return update.error();
  return change_twin(state, *update, false, condition);
}

Result<Shard::TwinChange> Shard::change_twin(IdentityState& state, const twin::Update& update, bool replace, const Condition& condition) {
  const auto loaded = twin_of(state);
  if (!loaded.ok()) return loaded.error();
  twin::Twin& twin = **loaded;
  if (Status same = check_twin_etag(twin, condition); !same.ok()) return same.error();
  const TwinVersions before{twin.etag_counter(), twin.reported_version()};
  auto change = replace ? twin.replace(update, shared_.clock.now()) : twin.patch(update, shared_.clock.now());
  if (!change.ok()) return std::move(change).error();
  notify_twin(state, update, replace);
  return TwinChange{before, std::move(*change)};
}

void Shard::store_twin(IdentityState& state, TwinChange made, Answer<std::monostate> answer) {
  twin::Change& change = made.change;
  if (!change.tags && !change.desired) return answer_after_writes<std::monostate>(state, std::monostate(), std::move(answer));
  put_twin(state, made.before, change, std::nullopt, [this, ref = ref_of(state), version = state.twin->desired_version(),
                                                      notification = std::move(change.desired_notification), answer = std::move(answer)](const Status& status) mutable {
    if (!status.ok()) return answer(status.error());
    // Told to whoever is connected and subscribed now; others read the twin when they connect (device-mqtt.md 6.4).
    if (!notification.empty()) notify_desired(ref, notification, version);
    answer(std::monostate());
  });
  reconfigure(state);
}

void Shard::notify_desired(const IdentityRef& ref, std::string_view notification, std::int64_t version) {
  IdentityState* state = find(ref);
  if (state == nullptr || state->connection == nullptr || !state->session.has(Topic::kDesired)) return;
  mark_active(*state);
  state->connection->link->notify_desired(notification, version);
}

}  // namespace nearhub::hub
