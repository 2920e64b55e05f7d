// What the hub itself says in the event stream: identities made and deleted, twins changed, connections begun and ended (reference/service-rest.md 7).
// Each stands in the batch of the change that it tells of: both are committed, or none.
#include <fmt/core.h>

#include "base/shard_hash.h"
#include "base/time_format.h"
#include "hub/property_bag.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

std::string_view schema_of(EventSource source) {
  switch (source) {
    case EventSource::kTelemetry: break;
    case EventSource::kTwinChange: return "twinChangeNotification";
    case EventSource::kDeviceLifecycle: return "deviceLifecycleNotification";
    case EventSource::kConnectionState: return "deviceConnectionStateNotification";
  }
  return {};
}

void begin_document(JsonWriter& json, const IdentityId& id, const ETag& etag) {
  json.object().member("deviceId", id.device.str());
  if (id.is_module()) json.member("moduleId", id.module.str());
  json.member("etag", etag.str());
}

std::string twin_document(const IdentityId& id, const twin::Twin& twin) {
  JsonWriter json;
  begin_document(json, id, twin.etag());
  json.member("version", twin.version());
  twin.write_service_members(json);
  json.end_object();
  return std::move(json).take();
}

// A twin that nobody asked for since the start is as the store gave it.
std::string twin_document(const IdentityId& id, const twin::StoredTwin& stored) {
  if (const auto twin = twin::Twin::restore(stored); twin.ok()) return twin_document(id, *twin);
  JsonWriter json;
  begin_document(json, id, twin::etag_of(stored.etag_counter));
  json.end_object();
  return std::move(json).take();
}

std::string patch_body(const twin::Twin& twin, const twin::Update& update, const twin::Value* reported) {
  JsonWriter json;
  json.object().member("version", twin.version());
  if (update.tags) {
    json.member("tags");
    update.tags->write(json);
  }
  if (update.desired || reported != nullptr) {
    json.member("properties").object();
    if (update.desired) {
      json.member("desired");
      twin.desired().write_change(json, *update.desired);
    }
    if (reported != nullptr) {
      json.member("reported");
      twin.reported().write_change(json, *reported);
    }
    json.end_object();
  }
  json.end_object();
  return std::move(json).take();
}

}  // namespace

void Shard::notify(const IdentityState& state, EventSource source, std::string_view operation, std::string_view body) {
  const registry::Identity& identity = state.identity;
  const std::string& hub_name = shared_.hosts.primary();
  Event event;
  event.enqueued = shared_.clock.now();
  event.source = source;
  event.device = identity.id.device.view();
  event.module = identity.id.module.view();
  event.generation_id = identity.generation_id.view();
  event.body = body;
  std::string bag;
  append_property(bag, "$.ct", "application/json");
  append_property(bag, "$.ce", "utf-8");
  append_property(bag, "$.cid", shared_.random.hex(4));
  append_property(bag, "$.uid", hub_name);
  append_property(bag, "hubName", hub_name);
  append_property(bag, "deviceId", event.device);
  if (identity.id.is_module()) append_property(bag, "moduleId", event.module);
  append_property(bag, "operationTimestamp", format_iso8601(event.enqueued));
  append_property(bag, "opType", operation);
  append_property(bag, "iothub-message-schema", schema_of(source));
  event.bag = bag;

  WriteBatch& open = batch();
  EventBlock& block = open.block_for(partition_of(event.device, shared_.partitions), bag.size() + body.size());
  const std::size_t before = block.bytes.size();
  block.append(event);
  open.bytes += block.bytes.size() - before;
  ++events_;
}

void Shard::notify_creation(const IdentityState& state, const twin::Twin& twin) {
  if (!shared_.behaviour.lifecycle_events) return;
  // A fresh twin shows no time of its making here, as in the cloud.
  const bool fresh = twin.etag_counter() == 1 && twin.reported_version() == 1;
  notify(state, EventSource::kDeviceLifecycle, "createDeviceIdentity", twin_document(state.identity.id, fresh ? twin::Twin::create(kNever) : twin));
}

void Shard::notify_deletion(const IdentityState& state) {
  if (!shared_.behaviour.lifecycle_events) return;
  const IdentityId& id = state.identity.id;
  notify(state, EventSource::kDeviceLifecycle, "deleteDeviceIdentity", state.twin ? twin_document(id, *state.twin) : twin_document(id, state.stored_twin));
}

void Shard::notify_twin(const IdentityState& state, const twin::Update& update, bool replace, const twin::Value* reported) {
  if (!shared_.behaviour.twin_events || (!replace && !update.tags && !update.desired && reported == nullptr)) return;
  const twin::Twin& twin = *state.twin;
  if (replace) {
    notify(state, EventSource::kTwinChange, "replaceTwin", twin_document(state.identity.id, twin));
  } else {
    notify(state, EventSource::kTwinChange, "updateTwin", patch_body(twin, update, reported));
  }
}

void Shard::notify_connection(const IdentityState& state, bool connected) {
  if (!shared_.behaviour.connection_events) return;
  // Rises with time, and within one tick with the count: to be compared as text.
  const std::string body = fmt::format(R"({{"sequenceNumber":"{:032X}{:032X}"}})", shared_.clock.now().time_since_epoch().count(), events_);
  notify(state, EventSource::kConnectionState, connected ? "deviceConnected" : "deviceDisconnected", body);
}

}  // namespace nearhub::hub
