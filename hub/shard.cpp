// Loading devices, keeping them in memory, and writing in batches.
#include "hub/shard.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nearhub::hub {
namespace {

// How often activity times are written, and expired messages and other old things looked for.
constexpr std::chrono::seconds kActivityInterval{30};
constexpr std::chrono::seconds kSweepInterval{15};
constexpr std::size_t kMaxSpareBatches = 8;
// What a block of a batch that is kept for reuse may hold on to; a flood must not stay in memory for ever.
constexpr std::size_t kMaxSpareBlockBytes = 256 * 1024;

std::size_t bytes_of(const WriteOperation& operation) {
  std::size_t bytes = sizeof operation;
  if (const auto* create = std::get_if<CreateIdentity>(&operation)) {
    bytes += create->twin.twin.desired.size() + create->twin.twin.reported.size();
  } else if (const auto* twin = std::get_if<PutTwin>(&operation)) {
    for (const auto* section : {&twin->tags, &twin->desired, &twin->reported, &twin->configurations}) bytes += *section ? (*section)->size() : 0;
  } else if (const auto* enqueue = std::get_if<EnqueueCloudMessage>(&operation)) {
    bytes += enqueue->message.size_bytes();
  } else if (const auto* session = std::get_if<PutSession>(&operation)) {
    for (const std::string& name : session->session.method_names) bytes += sizeof name + name.size();
  }
  return bytes;
}

}  // namespace

void WriteBatch::set_partitions(std::uint32_t partitions) {
  events.resize(partitions);
  open.resize(partitions);
  for (std::uint32_t i = 0; i < partitions; ++i) events[i].partition = open[i] = i;
}

EventBlock& WriteBatch::block_for(std::uint32_t partition, std::size_t event_bytes) {
  EventBlock& block = events[open[partition]];
  if (block.count == 0 || block.bytes.size() + event_bytes <= kMaxBlockBytes) return block;
  open[partition] = static_cast<std::uint32_t>(events.size());
  EventBlock& next = events.emplace_back();
  next.partition = partition;
  return next;
}

void WriteBatch::clear() {
  set_partitions(static_cast<std::uint32_t>(open.size()));
  for (EventBlock& block : events) {
    block.clear();
    if (block.bytes.capacity() > kMaxSpareBlockBytes) std::string().swap(block.bytes);
  }
  acks.clear();
  operations.clear();
  done.clear();
  results.clear();
  bytes = 0;
}

Shard::Shard(std::uint32_t index, const Hub& hub, Executor& executor, TimerQueue& timers)
    : index_(index),
      hub_(hub),
      shared_(hub.shared()),
      executor_(executor),
      timers_(timers),
      authorities_(shared_.authorities ? shared_.authorities : std::make_shared<const auth::Authorities>()),
      configurations_(shared_.configurations ? shared_.configurations : std::make_shared<const ConfigurationList>(std::vector<std::shared_ptr<const TargetedConfiguration>>())),
      activity_timer_(timers, [this] { flush_activity(); }),
      sweep_timer_(timers, [this] { sweep_expired(); }) {
  // One shard looks for everybody's expired messages: the store knows them all.
  if (index_ == 0) sweep_timer_.start_at(timers_.now() + kSweepInterval);
}

Shard::~Shard() = default;

// --- Devices ------------------------------------------------------------------------------------------------------------------

void Shard::with_device(const DeviceId& id, UniqueFunction<void(Result<Device*>)> callback) {
  NEARHUB_DCHECK(executor_.is_current());
  const auto found = devices_.find(id.view());
  if (found != devices_.end()) {
    Device& device = *found->second;
    touch(device);
    callback(&device);
    forget_if_idle(device);
    return;
  }
  auto& waiting = loading_[id.str()];
  waiting.push_back(std::move(callback));
  if (waiting.size() > 1) return;
  // What is on its way to the store must be part of what is loaded.
  const auto lost = lost_.find(id.view());
  if (lost == lost_.end()) return load(id);
  after_commit_.emplace(lost->second, Waiting{nullptr, [this, id](const Status&) { load(id); }});
}

void Shard::load(const DeviceId& id) {
  shared_.store.load_device(id, executor_, [this, id](Result<std::optional<DeviceRecord>> record) { on_loaded(id, std::move(record)); });
}

void Shard::on_loaded(const DeviceId& id, Result<std::optional<DeviceRecord>> record) {
  auto node = loading_.extract(id.str());
  NEARHUB_CHECK(!node.empty());
  if (!record.ok()) {
    for (auto& callback : node.mapped()) callback(record.error());
    return;
  }
  auto owned = std::make_unique<Device>();
  Device& device = *owned;
  device.id = id;
  device.self.device = &device;
  const auto fill = [this](IdentityState& state, IdentityRecord&& from) {
    state.incarnation = next_incarnation_++;
    state.identity = std::move(from.identity);
    state.stored_twin = std::move(from.twin.twin);
    state.model_id = std::move(from.twin.model_id);
    state.set_configurations(std::move(from.twin.configurations));
    state.stored_session = std::move(from.session);
    if (from.queue.empty()) return;
    state.queue = std::make_unique<CloudQueue>();
    for (CloudMessageHead& head : from.queue) {
      state.queue->next_sequence = head.sequence + 1;
      QueuedMessage queued;
      queued.head = std::move(head);
      queued.storing = false;
      state.queue->messages.push_back(std::move(queued));
    }
  };
  if (*record) {
    device.exists = true;
    fill(device.self, std::move((*record)->device));
    for (IdentityRecord& module : (*record)->modules) {
      auto state = std::make_unique<IdentityState>();
      state->device = &device;
      fill(*state, std::move(module));
      device.modules.emplace(state->identity.id.module.str(), std::move(state));
    }
  }
  devices_.emplace(id.str(), std::move(owned));
  for (auto& callback : node.mapped()) callback(&device);
  forget_if_idle(device);
}

void Shard::with_identity(const IdentityId& id, ErrorCode not_found, UniqueFunction<void(Result<IdentityState*>)> callback) {
  with_device(id.device, [this, id, not_found, callback = std::move(callback)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return callback(loaded.error());
    Device& device = **loaded;
    if (!device.exists) return answer_after_writes<IdentityState*>(device.self, Error{ErrorCode::kDeviceNotFound, id.device.str()}, std::move(callback));
    if (!id.is_module()) return callback(&device.self);
    const auto module = device.modules.find(id.module.view());
    if (module == device.modules.end()) {
      const Error missing{not_found, not_found == ErrorCode::kModuleNotFound ? id.module.str() : id.text()};
      return answer_after_writes<IdentityState*>(device.self, missing, std::move(callback));
    }
    callback(module->second.get());
  });
}

IdentityState* Shard::find(const IdentityId& id) {
  const auto device = devices_.find(id.device.view());
  if (device == devices_.end() || !device->second->exists) return nullptr;
  if (!id.is_module()) return &device->second->self;
  const auto module = device->second->modules.find(id.module.view());
  return module == device->second->modules.end() ? nullptr : module->second.get();
}

IdentityState* Shard::find(const IdentityRef& ref) {
  IdentityState* found = find(ref.id);
  return found != nullptr && found->incarnation == ref.incarnation ? found : nullptr;
}

void Shard::touch(Device& device) {
  if (!device.idle) return;
  idle_.erase(*device.idle);
  device.idle.reset();
  idle_bytes_ -= device.idle_bytes;
}

void Shard::forget_if_idle(Device& device) {
  touch(device);
  const auto busy = [this](const IdentityState& state) {
    return state.connection != nullptr || !is_durable(state) || !state.methods.empty() || state.active ||
           (state.queue && state.queue->fetching);
  };
  if (busy(device.self)) return;
  for (const auto& [name, module] : device.modules) {
    if (busy(*module)) return;
  }
  device.idle_bytes = size_of(device);
  idle_bytes_ += device.idle_bytes;
  // An id that was asked for and does not exist is the next to go, so that clients cannot fill the memory with such ids.
  device.idle = idle_.insert(device.exists ? idle_.end() : idle_.begin(), &device);
}

// Only at the end of a turn: nobody holds a pointer to a device then.
void Shard::evict() {
  const std::size_t bound = shared_.limits.cache_bytes / std::max<std::uint32_t>(1, hub_.shard_count());
  while (!idle_.empty() && (idle_bytes_ > bound || !idle_.front()->exists)) {
    Device& device = *idle_.front();
    touch(device);
    devices_.erase(device.id.str());
  }
}

// An estimate, good enough for a bound.
std::size_t Shard::size_of(const Device& device) {
  const auto of = [](const IdentityState& state) {
    const registry::Identity& identity = state.identity;
    std::size_t bytes = sizeof(IdentityState) + 256 + state.model_id.size() + state.configurations().size();
    for (const std::optional<std::string>* text : {&identity.status_reason, &identity.managed_by}) bytes += *text ? (*text)->size() : 0;
    bytes += identity.device_scope.size() + identity.parent_scope.size();
    if (state.stored_session) {
      for (const std::string& name : state.stored_session->method_names) bytes += sizeof name + name.size();
    }
    bytes += state.stored_twin.tags.size() + state.stored_twin.desired.size() + state.stored_twin.reported.size();
    if (state.twin) {
      for (const twin::Section* section : {&state.twin->tags(), &state.twin->desired(), &state.twin->reported()}) {
        bytes += static_cast<std::size_t>(section->size().stored) * 2 + sizeof(twin::Twin) / 3;
      }
    }
    if (state.queue) {
      for (const QueuedMessage& message : state.queue->messages) {
        bytes += sizeof(QueuedMessage) + (message.content ? message.content->size_bytes() + sizeof(CloudMessage) : 0);
      }
    }
    return bytes;
  };
  std::size_t bytes = sizeof(Device) + 128 + of(device.self);
  for (const auto& [name, module] : device.modules) bytes += of(*module) + 64;
  return bytes;
}

// --- Writing ------------------------------------------------------------------------------------------------------------------

WriteBatch& Shard::batch() {
  if (batch_) return *batch_;
  if (spare_batches_.empty()) {
    batch_ = std::make_unique<WriteBatch>();
    batch_->set_partitions(shared_.partitions);
  } else {
    batch_ = std::move(spare_batches_.back());
    spare_batches_.pop_back();
  }
  batch_->ticket = next_ticket_;
  return *batch_;
}

void Shard::write(IdentityState& identity, WriteOperation operation, UniqueFunction<void(const Status&)> done) {
  WriteBatch& open = batch();
  open.bytes += bytes_of(operation);
  open.operations.push_back(std::move(operation));
  open.done.push_back(std::move(done));
  identity.last_ticket = next_ticket_;
}

void Shard::end_turn() {
  if (batch_ && !batch_->empty()) {
    ++next_ticket_;
    uncommitted_bytes_ += batch_->bytes;
    shared_.store.submit(std::move(batch_), executor_, [this](std::unique_ptr<WriteBatch> answered) { on_committed(std::move(answered)); });
  }
  if (!idle_.empty()) evict();
  if (drained_ && committed_ticket_ + 1 == next_ticket_ && loading_.empty()) std::exchange(drained_, nullptr)();
}

void Shard::on_committed(std::unique_ptr<WriteBatch> answered) {
  NEARHUB_CHECK(answered->ticket == committed_ticket_ + 1);
  committed_ticket_ = answered->ticket;
  uncommitted_bytes_ -= answered->bytes;
  for (const EventAck& ack : answered->acks) {
    // Whoever is gone does not hear of it.
    if (ack.slot < connections_.size() && generations_[ack.slot] == ack.generation && connections_[ack.slot]) {
      connections_[ack.slot]->link->on_event_stored(ack.token);
    }
  }
  acknowledged_ticket_ = committed_ticket_;
  for (std::size_t i = 0; i < answered->operations.size(); ++i) {
    if (answered->done[i]) answered->done[i](answered->results[i]);
  }
  std::erase_if(lost_, [this](const auto& lost) { return lost.second <= committed_ticket_; });
  while (!after_commit_.empty() && after_commit_.begin()->first <= committed_ticket_) {
    const auto node = after_commit_.extract(after_commit_.begin());
    node.mapped().task(Status());
  }
  for (const WriteOperation& operation : answered->operations) {
    // Devices that were only waiting for their write may be forgotten now.
    std::visit(
        [this](const auto& op) {
          if constexpr (requires { op.id.device; }) {
            if (const auto found = devices_.find(op.id.device.view()); found != devices_.end()) forget_if_idle(*found->second);
          } else if constexpr (requires { op.identity.id.device; }) {
            if (const auto found = devices_.find(op.identity.id.device.view()); found != devices_.end()) forget_if_idle(*found->second);
          }
        },
        operation);
  }
  answered->clear();
  if (spare_batches_.size() < kMaxSpareBatches) spare_batches_.push_back(std::move(answered));

  if (!waiting_for_store_.empty() && uncommitted_bytes_ <= shared_.limits.uncommitted_bytes / 2) {
    for (const std::uint32_t slot : std::exchange(waiting_for_store_, {})) {
      Connection* connection = connections_[slot].get();
      if (connection == nullptr || !std::exchange(connection->waiting_for_store, false)) continue;
      connection->link->on_store_ready();
    }
  }
}

void Shard::after_writes(const IdentityState& identity, UniqueFunction<void(const Status&)> task) {
  if (is_durable(identity)) {
    task(Status());
  } else {
    after_commit_.emplace(identity.last_ticket, Waiting{identity.device, std::move(task)});
  }
}

void Shard::lose(const DeviceId& id, const Error& error) {
  log::error("hub", "device={} the store holds another version than memory; the device is loaded anew code={} reason=\"{}\"", id.str(),
             error_name(error.code), error.detail);
  const auto found = devices_.find(id.view());
  if (found == devices_.end()) return;
  Device& device = *found->second;
  end_connections(device, {auth::Check::kState, ErrorCode::kServerError, "the state that this connection was built on", "a newer one in the store", "connect again"});
  std::uint64_t last_ticket = device.self.last_ticket;
  for (auto& [name, module] : device.modules) last_ticket = std::max(last_ticket, module->last_ticket);
  MethodCalls calls = take_calls(device);
  if (last_ticket > committed_ticket_) lost_[id.str()] = last_ticket;
  std::vector<Waiting> waiting;
  for (auto at = after_commit_.begin(); at != after_commit_.end();) {
    if (at->second.device != &device) {
      ++at;
      continue;
    }
    waiting.push_back(std::move(at->second));
    at = after_commit_.erase(at);
  }
  // Later writes of the same device are on their way and fail the same check, or apply all the same; their answers find nobody.
  touch(device);
  devices_.erase(id.str());
  fail(std::move(calls), error);
  for (Waiting& each : waiting) each.task(error);
}

Shard::Figures Shard::figures() const {
  Figures figures;
  figures.connections = connected_;
  figures.connected_devices = connected_devices_;
  figures.devices_in_memory = devices_.size();
  figures.events = events_;
  figures.uncommitted_bytes = uncommitted_bytes_;
  return figures;
}

void Shard::sweep_expired() {
  constexpr std::size_t kMaxPerSweep = 1000;
  sweep_timer_.start_at(timers_.now() + kSweepInterval);
  shared_.store.trim();
  // Where the last one ended: messages that are in a device's hand stay although they have expired, and must not hide those of others.
  shared_.store.find_expired(shared_.clock.now(), swept_, kMaxPerSweep, executor_, [this](Result<std::vector<IdentityId>> found) {
    if (!found.ok()) return;
    swept_ = found->size() < kMaxPerSweep ? IdentityId() : found->back();
    for (const IdentityId& id : *found) {
      Shard& home = hub_.shard(hub_.home_of(id.device));
      home.executor().post([&home, id] { home.expire(id); });
    }
  });
}

void Shard::mark_active(IdentityState& identity) {
  identity.identity.last_activity = shared_.clock.now();
  if (identity.active) return;
  identity.active = true;
  active_.push_back(identity.identity.id);
  if (!activity_timer_.running()) activity_timer_.start_at(timers_.now() + kActivityInterval);
}

void Shard::flush_activity() {
  for (const IdentityId& id : std::exchange(active_, {})) {
    IdentityState* state = find(id);
    if (state == nullptr || !state->active) continue;
    state->active = false;
    write(*state, PutActivity{id, state->identity.connection_state_updated, state->identity.last_activity}, nullptr);
  }
}

}  // namespace nearhub::hub
