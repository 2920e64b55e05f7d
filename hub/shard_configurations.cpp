// What configurations do to the twins of this shard, and the content that a service applies to an edge device once.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "hub/configuration_merge.h"
#include "hub/configuration_target.h"
#include "hub/identity_errors.h"
#include "hub/shard.h"
#include "hub/twin_snapshot.h"
#include "twin/query_evaluate.h"

namespace nearhub::hub {
namespace {

// What the configuration has for this twin itself; null: nothing.
const TwinContent* content_for(const TargetedConfiguration& configuration, const IdentityId& id) {
  switch (configuration.content.kind) {
    case ConfigurationKind::kDevice: return id.is_module() ? nullptr : &configuration.content.twins.front();
    case ConfigurationKind::kModule: return id.is_module() ? &configuration.content.twins.front() : nullptr;
    case ConfigurationKind::kEdge: return id.is_module() ? configuration.content.find(id.module.view()) : nullptr;
  }
  return nullptr;
}

bool meets(const TargetedConfiguration& configuration, const TwinSnapshot& twin) {
  return configuration.target && twin::query::matches(*configuration.target, twin.document);
}

}  // namespace

std::unique_ptr<const TwinSnapshot> Shard::snapshot_of(IdentityState& state) {
  const auto twin = twin_of(state);
  if (!twin.ok()) return nullptr;  // damaged, and refused to everybody who asks for it
  return std::make_unique<const TwinSnapshot>(head_of(state, **twin), **twin);
}

bool Shard::sees_reported(const IdentityState& state) const {
  if (state.identity.id.is_module()) return configurations_->sees_reported(ConfigurationKind::kModule);
  return configurations_->sees_reported(ConfigurationKind::kDevice) || configurations_->sees_reported(ConfigurationKind::kEdge);
}

void Shard::reconfigure(IdentityState& state, bool all_modules) {
  if (configurations_->ranked().empty() && state.configurations().empty() && !all_modules) return;
  Device& device = *state.device;
  const std::vector<Deployment> deployments = deployments_of(device.self);
  configure_twin(state, deployments);
  if (state.identity.id.is_module() || (!all_modules && !configurations_->has(ConfigurationKind::kEdge))) return;
  for (const auto& [name, module] : device.modules) configure_twin(*module, deployments);
}

std::vector<Shard::Deployment> Shard::deployments_of(IdentityState& device) {
  std::vector<Deployment> deployments;
  if (!configurations_->has(ConfigurationKind::kEdge) || !device.identity.iot_edge) return deployments;
  const auto twin = snapshot_of(device);
  if (!twin) return deployments;
  bool hidden = false;
  for (const auto& each : configurations_->ranked()) {
    if (each->content.kind != ConfigurationKind::kEdge || !meets(*each, *twin)) continue;
    deployments.push_back({each.get(), !hidden});
    hidden = hidden || each->content.is_base();
  }
  return deployments;
}

void Shard::configure_twin(IdentityState& state, const std::vector<Deployment>& deployments) {
  const IdentityId& id = state.identity.id;
  const ConfigurationKind own_kind = id.is_module() ? ConfigurationKind::kModule : ConfigurationKind::kDevice;
  if (!configurations_->has(own_kind) && deployments.empty() && state.configurations().empty()) return;
  const auto loaded = twin_of(state);
  if (!loaded.ok()) return;
  twin::Twin& twin = **loaded;

  const std::vector<ConfigurationState> before = parse_states(state.configurations());
  const auto was_applied = [&before](std::string_view configuration) {
    return std::any_of(before.begin(), before.end(), [&](const ConfigurationState& each) { return each.applied && each.id == configuration; });
  };
  std::vector<Contribution> contributions;
  std::unique_ptr<const TwinSnapshot> snapshot;
  auto deployment = deployments.begin();
  for (const auto& each : configurations_->ranked()) {
    const TwinContent* content = content_for(*each, id);
    if (each->content.kind == ConfigurationKind::kEdge) {
      if (deployment == deployments.end() || deployment->configuration != each.get()) continue;
      const bool takes_part = (deployment++)->takes_part;
      if (id.is_module() && content == nullptr) continue;
      // Once, when it begins: what a service adds to the module later stays.
      const bool whole = content != nullptr && content->whole && !was_applied(each->configuration.id);
      contributions.push_back({each->configuration.id, content != nullptr ? &content->desired : nullptr, takes_part, whole});
    } else if (each->content.kind == own_kind) {
      if (!snapshot) snapshot = snapshot_of(state);
      if (snapshot && meets(*each, *snapshot)) contributions.push_back({each->configuration.id, &content->desired});
    }
  }

  // What the contributions make of the twin: their values, and the end of those that are in effect no more.
  MergedContent merged;
  const auto patch_of = [&](const std::vector<Contribution>& effective) {
    merged = merge_contents(effective);
    const bool whole = std::any_of(effective.begin(), effective.end(), [](const Contribution& c) { return c.takes_part && c.whole; });
    twin::Value patch = difference(twin.desired().root(), merged.desired, whole);
    for (const ConfigurationState& each : before) {
      const bool goes_on = std::any_of(effective.begin(), effective.end(), [&](const Contribution& c) { return c.takes_part && c.id == each.id; });
      if (!each.applied || goes_on) continue;
      // What a deleted one has left behind stays: nobody knows any more what it was.
      const TargetedConfiguration* known = configurations_->find(each.id);
      const TwinContent* content = known != nullptr ? content_for(*known, id) : nullptr;
      if (content != nullptr) add_removal(patch, twin.desired().root(), content->desired, merged.desired);
    }
    return patch;
  };
  twin::Value patch = patch_of(contributions);
  Error refusal;
  if (const auto legal = twin.desired().check_patch(patch); !legal.ok()) {
    refusal = legal.error();
    // By rank, as many as fit.
    std::vector<Contribution> fitting = contributions;
    for (Contribution& each : fitting) each.takes_part = false;
    for (std::size_t i = 0; i < fitting.size(); ++i) {
      if (!contributions[i].takes_part) continue;
      fitting[i].takes_part = true;
      if (!twin.desired().check_patch(patch_of(fitting)).ok()) fitting[i].takes_part = false;
    }
    patch = patch_of(fitting);
  }

  const TwinVersions versions{twin.etag_counter(), twin.reported_version()};
  twin::Change change;
  if (!patch.members().empty()) {
    twin::Update update;
    update.desired = std::move(patch);
    auto made = twin.patch(update, shared_.clock.now());
    if (made.ok()) {
      change = std::move(*made);
      notify_twin(state, update, false);
    } else {
      refusal = made.error();
      for (ConfigurationState& each : merged.states) each.applied = false;
    }
  }
  std::string text = states_text(merged.states);
  const bool moved = text != state.configurations();
  if (!change.desired && !moved) return;
  if (!refusal.detail.empty()) {
    hub_.warn(id.text(), {}, "configurations", "not applied",
              {auth::Check::kSize, refusal.code, "desired properties that the configurations fit into", refusal.detail, "make room in the twin, or give it fewer of them"});
  }
  state.set_configurations(text);
  put_twin(state, versions, change, moved ? std::optional(std::move(text)) : std::nullopt,
           [this, ref = ref_of(state), version = twin.desired_version(), notification = std::move(change.desired_notification)](const Status& status) {
             if (status.ok() && !notification.empty()) notify_desired(ref, notification, version);
           });
}

void Shard::set_configurations(ConfigurationListPtr list, Task done) {
  configurations_ = std::move(list);
  after_all_writes(std::move(done));
}

void Shard::configure(const IdentityId& id, Task done) {
  with_device(id.device, [this, id, done = std::move(done)](Result<Device*> loaded) mutable {
    IdentityState* state = loaded.ok() ? find(id) : nullptr;
    if (state == nullptr) return done();
    reconfigure(*state, true);
    after_all_writes(std::move(done));
  });
}

void Shard::after_all_writes(Task task) {
  const std::uint64_t last = batch_ && !batch_->empty() ? next_ticket_ : next_ticket_ - 1;
  if (last <= committed_ticket_) return task();
  after_commit_.emplace(last, Waiting{nullptr, [task = std::move(task)](const Status&) mutable { task(); }});
}

void Shard::apply_content(const DeviceId& id, std::shared_ptr<const ConfigurationContent> content, Answer<std::monostate> answer) {
  with_device(id, [this, id, content = std::move(content), answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return answer(loaded.error());
    Device& device = **loaded;
    const auto refuse = [&](Error error) { answer_after_writes<std::monostate>(device.self, std::move(error), std::move(answer)); };
    if (!device.exists) return refuse({ErrorCode::kDeviceNotFound, id.str()});
    if (!device.self.identity.iot_edge) return refuse({ErrorCode::kInvalidOperation, "Not an Azure IoT Edge device"});
    std::vector<std::pair<IdentityState*, twin::Value>> patches;
    for (const TwinContent& each : content->twins) {
      IdentityState* module = find(IdentityId{id, ModuleId(each.module)});
      if (module == nullptr) continue;
      const auto twin = twin_of(*module);
      if (!twin.ok()) return refuse(twin.error());
      twin::Value patch = difference((*twin)->desired().root(), each.desired, each.whole);
      if (patch.members().empty()) continue;
      if (const auto legal = (*twin)->desired().check_patch(patch); !legal.ok()) return refuse({legal.error().code, each.module + ": " + legal.error().detail});
      patches.emplace_back(module, std::move(patch));
    }
    const IdentityState* latest = &device.self;
    for (auto& [module, patch] : patches) {
      twin::Update update;
      update.desired = std::move(patch);
      auto change = change_twin(*module, update, false, {Condition::kAny, {}});
      if (!change.ok()) return refuse(change.error());
      store_twin(*module, std::move(*change), [](const Result<std::monostate>&) {});
      latest = module;
    }
    answer_after_writes<std::monostate>(*latest, std::monostate(), std::move(answer));
  });
}

}  // namespace nearhub::hub
