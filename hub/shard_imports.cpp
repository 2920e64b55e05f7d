// Items of bulk requests, imports and seeds: identity and twin in one step.
#include <utility>

#include "hub/identity_errors.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

using registry::ImportMode;

}  // namespace

void Shard::import(ImportOperation operation, Answer<std::monostate> answer) {
  use_fixed_keys(operation.request);
  const IdentityId id = operation.id;
  registry::IdentityRequest request = std::move(operation.request);
  with_parent(id, std::move(request),
              [this, operation = std::move(operation), answer = std::move(answer)](registry::IdentityRequest asked, const Status& parent) mutable {
                operation.request = std::move(asked);
                import_item(std::move(operation), parent, std::move(answer));
              });
}

void Shard::import_item(ImportOperation operation, const Status& parent, Answer<std::monostate> answer) {
  const DeviceId id = operation.id.device;
  with_device(id, [this, operation = std::move(operation), parent, answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return answer(loaded.error());
    Device& device = **loaded;
    const auto refuse = [&](const IdentityState& because_of, Error error) {
      answer_after_writes<std::monostate>(because_of, std::move(error), std::move(answer));
    };
    if (operation.id.is_module() && !device.exists) return refuse(device.self, {ErrorCode::kDeviceNotFound, operation.id.device.str()});
    IdentityState* state = find(operation.id);
    if (state == nullptr && operation.mode != ImportMode::kCreate && operation.mode != ImportMode::kCreateOrUpdate &&
        operation.mode != ImportMode::kCreateOrUpdateIfMatchETag) {
      return refuse(device.self, not_found(operation.id));
    }
    switch (operation.mode) {
      case ImportMode::kDelete:
      case ImportMode::kDeleteIfMatchETag: return erase(*state, operation.condition, std::move(answer));
      case ImportMode::kUpdateTwin:
      case ImportMode::kUpdateTwinIfMatchETag: {
        auto change = change_twin(*state, operation.twin ? *operation.twin : twin::Update(), false, operation.twin_condition);
        if (!change.ok()) return refuse(*state, change.error());
        return store_twin(*state, std::move(*change), std::move(answer));
      }
      default: return import_identity(device, std::move(operation), parent, std::move(answer));
    }
  });
}

void Shard::import_identity(Device& device, ImportOperation operation, const Status& parent, Answer<std::monostate> answer) {
  IdentityState* state = find(operation.id);
  auto done = [answer = std::move(answer)](Result<IdentityView> view) mutable {
    answer(view.ok() ? Result<std::monostate>(std::monostate()) : Result<std::monostate>(view.error()));
  };
  if (state == nullptr) {
    if (Status room = room_for(device, operation.id); !room.ok()) return done(room.error());
    if (!parent.ok()) return done(parent.error());
    twin::Twin twin = twin::Twin::create(shared_.clock.now());
    if (operation.twin) {
      if (const auto change = twin.patch(*operation.twin, shared_.clock.now()); !change.ok()) return done(change.error());
    }
    if (operation.initial_reported) {
      if (const auto change = twin.report(*operation.initial_reported, shared_.clock.now()); !change.ok()) return done(change.error());
    }
    return create(device, operation.id, std::move(operation.request), twin, std::move(done));
  }

  const auto refuse = [&](Error error) { answer_after_writes<IdentityView>(*state, std::move(error), std::move(done)); };
  if (operation.mode == ImportMode::kCreate) return refuse(already_there(operation.id, shared_.hosts.primary()));
  if (!operation.condition.matches(state->identity.etag().view())) return refuse(stale_etag(state->identity, operation.condition));
  registry::Identity after = registry::replace_identity(state->identity, std::move(operation.request), shared_.clock.now(), shared_.random);
  if (!parent.ok() && !after.parent_scope.empty() && after.parent_scope != state->identity.parent_scope) return refuse(parent.error());
  if (operation.twin) {
    // The twin first, because it alone may still be refused. Both are in one batch: the store keeps both or none.
    auto change = change_twin(*state, *operation.twin, false, operation.twin_condition);
    if (!change.ok()) return refuse(change.error());
    store_twin(*state, std::move(*change), [](const Result<std::monostate>&) {});
  }
  replace(*state, std::move(after), std::move(done));
}

}  // namespace nearhub::hub
