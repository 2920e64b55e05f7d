#include "store/reads.h"

#include <utility>

#include "hub/similar_ids.h"
#include "store/operations.h"

namespace nearhub::store {

const std::string_view kIdentityColumns =
    "i.device, i.module, i.generation_id, i.etag, i.enabled, i.status_reason, i.status_updated, i.auth_type, i.primary_key, i.secondary_key, "
    "i.primary_thumbprint, i.secondary_thumbprint, i.managed_by, i.connection_updated, i.last_activity, i.iot_edge, i.device_scope, i.parent_scope";
const int kIdentityColumnCount = 18;

registry::Identity read_identity(const Statement& row) {
  registry::Identity identity;
  identity.id = {DeviceId(row.text(0)), ModuleId(row.text(1))};
  identity.generation_id = GenerationId(row.text(2));
  identity.etag_counter = row.integer(3);
  identity.enabled = row.integer(4) != 0;
  identity.status_reason = row.optional_text(5);
  identity.status_updated = row.time(6);
  identity.credentials.type = static_cast<auth::AuthenticationType>(row.integer(7));
  identity.credentials.primary_key = row.text(8);
  identity.credentials.secondary_key = row.text(9);
  identity.credentials.primary_thumbprint = row.text(10);
  identity.credentials.secondary_thumbprint = row.text(11);
  identity.managed_by = row.optional_text(12);
  identity.connection_state_updated = row.time(13);
  identity.last_activity = row.time(14);
  identity.iot_edge = row.integer(15) != 0;
  identity.device_scope = row.text(16);
  identity.parent_scope = row.text(17);
  return identity;
}

namespace {

// The columns kTwinColumns, from `column` on.
hub::TwinRecord read_twin(const Statement& row, int column) {
  hub::TwinRecord record;
  record.twin.etag_counter = row.integer(column++);
  // Tags that were never set are kept as NULL; a twin writes and reads them as an empty object.
  auto tags = row.optional_text(column++);
  record.twin.has_tags = tags.has_value();
  record.twin.tags = std::move(tags).value_or("{}");
  record.twin.desired = row.text(column++);
  record.twin.reported = row.text(column++);
  record.model_id = row.text(column++);
  record.configurations = row.text(column);
  return record;
}
constexpr std::string_view kTwinColumns = "t.etag_counter, t.tags, t.desired, t.reported, t.model_id, t.configurations";
constexpr int kTwinColumnCount = 6;

Status load_queue(Database& database, std::int64_t identity, std::vector<hub::CloudMessageHead>& queue) {
  auto rows = database.cached("SELECT sequence, enqueued, expiry, ack, delivery_count, message_id FROM cloud_message WHERE identity=?1 ORDER BY sequence");
  if (!rows.ok()) return rows.error();
  (*rows)->bind(1, identity);
  while ((*rows)->step()) {
    queue.push_back({static_cast<std::uint64_t>((*rows)->integer(0)), (*rows)->time(1), (*rows)->time(2), static_cast<hub::Ack>((*rows)->integer(3)),
                     static_cast<std::uint32_t>((*rows)->integer(4)), (*rows)->text(5)});
  }
  return (*rows)->ok() ? Status() : Status(database.error("loading a queue"));
}

}  // namespace

Result<std::optional<hub::DeviceRecord>> load_device(Database& database, const DeviceId& id) {
  // One statement sees one state of the database; the queues are read in the same transaction.
  if (Status begun = database.execute("BEGIN"); !begun.ok()) return begun.error();
  const auto finish = [&database]() { return database.execute("COMMIT"); };
  const std::string sql =
      "SELECT " + std::string(kIdentityColumns) +
      ", i.id, " + std::string(kTwinColumns) +
      ", s.subscribed, s.at_qos1, s.method_names,"
      " EXISTS(SELECT 1 FROM cloud_message m WHERE m.identity=i.id)"
      " FROM identity i JOIN twin t ON t.identity=i.id LEFT JOIN session s ON s.identity=i.id WHERE i.device=?1 ORDER BY i.module";
  auto rows = database.cached(sql);
  if (!rows.ok()) {
    static_cast<void>(finish());
    return std::move(rows).error();
  }
  (*rows)->bind(1, id.view());
  std::optional<hub::DeviceRecord> device;
  std::vector<hub::IdentityRecord> modules;
  Status failure;
  while (failure.ok() && (*rows)->step()) {
    hub::IdentityRecord record;
    record.identity = read_identity(**rows);
    int column = kIdentityColumnCount;
    const std::int64_t row_id = (*rows)->integer(column++);
    record.twin = read_twin(**rows, column);
    column += kTwinColumnCount;
    if ((*rows)->optional_text(column)) {
      hub::Session session;
      session.subscribed = static_cast<std::uint16_t>((*rows)->integer(column));
      session.at_qos1 = static_cast<std::uint16_t>((*rows)->integer(column + 1));
      session.method_names = parse_method_names((*rows)->text(column + 2));
      record.session = std::move(session);
    }
    column += 3;
    if ((*rows)->integer(column) != 0) failure = load_queue(database, row_id, record.queue);
    if (record.identity.id.is_module()) {
      modules.push_back(std::move(record));
    } else {
      device.emplace().device = std::move(record);
    }
  }
  if (!failure.ok() || !(*rows)->ok()) {
    const Error error = failure.ok() ? database.error("loading a device") : failure.error();
    (*rows)->reset();
    static_cast<void>(finish());
    return error;
  }
  if (Status ended = finish(); !ended.ok()) return ended.error();
  if (device) device->modules = std::move(modules);
  return device;
}

Result<std::vector<hub::CloudMessage>> load_cloud_messages(Database& database, const IdentityId& id, const std::vector<std::uint64_t>& sequences) {
  auto rows = database.cached(
      "SELECT m.enqueued, m.expiry, m.expiry_from_sender, m.ack, m.delivery_count, m.message_id, m.correlation_id, m.user_id, m.content_type, "
      "m.content_encoding, m.properties, m.body FROM cloud_message m JOIN identity i ON i.id=m.identity WHERE i.device=?1 AND i.module=?2 AND m.sequence=?3");
  if (!rows.ok()) return std::move(rows).error();
  std::vector<hub::CloudMessage> messages;
  for (const std::uint64_t sequence : sequences) {
    (*rows)->bind(1, id.device.view()).bind(2, id.module.view()).bind(3, sequence);
    if ((*rows)->step()) {
      hub::CloudMessage message;
      message.sequence = sequence;
      message.enqueued = (*rows)->time(0);
      message.expiry = (*rows)->time(1);
      message.expiry_from_sender = (*rows)->integer(2) != 0;
      message.ack = static_cast<hub::Ack>((*rows)->integer(3));
      message.delivery_count = static_cast<std::uint32_t>((*rows)->integer(4));
      message.message_id = (*rows)->text(5);
      message.correlation_id = (*rows)->text(6);
      message.user_id = (*rows)->text(7);
      message.content_type = (*rows)->text(8);
      message.content_encoding = (*rows)->text(9);
      message.properties = parse_properties((*rows)->text_view(10));
      message.body = (*rows)->blob_view(11);
      messages.push_back(std::move(message));
      (*rows)->reset();
    }
    if (!(*rows)->ok()) return database.error("loading messages");
  }
  return messages;
}

Result<std::vector<registry::Identity>> list_devices(Database& database, std::size_t limit) {
  auto rows = database.cached("SELECT " + std::string(kIdentityColumns) + " FROM identity i WHERE i.module='' ORDER BY i.device LIMIT ?1");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, static_cast<std::int64_t>(limit));
  std::vector<registry::Identity> identities;
  while ((*rows)->step()) identities.push_back(read_identity(**rows));
  if (!(*rows)->ok()) return database.error("listing devices");
  return identities;
}

Result<std::vector<hub::IdentityRecord>> read_identities(Database& database, const hub::IdentityQuery& query) {
  // As a literal: edge devices have an index of their own.
  auto rows = database.cached("SELECT " + std::string(kIdentityColumns) + ", " + std::string(kTwinColumns) +
                              " FROM identity i JOIN twin t ON t.identity=i.id WHERE i.iot_edge=" + (query.edge ? "1" : "0") +
                              " AND (i.device, i.module)>(?1, ?2) ORDER BY i.device, i.module LIMIT ?3");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, query.after.device.view()).bind(2, query.after.module.view()).bind(3, static_cast<std::int64_t>(query.limit));
  std::vector<hub::IdentityRecord> records;
  for (std::size_t bytes = 0; bytes < query.max_bytes && (*rows)->step();) {
    hub::IdentityRecord record;
    record.identity = read_identity(**rows);
    record.twin = read_twin(**rows, kIdentityColumnCount);
    bytes += record.twin.twin.tags.size() + record.twin.twin.desired.size() + record.twin.twin.reported.size();
    records.push_back(std::move(record));
  }
  if (!(*rows)->ok()) return database.error("reading identities");
  (*rows)->reset();
  return records;
}

Result<std::vector<hub::TransferJob>> list_transfer_jobs(Database& database) {
  auto rows = database.cached(
      "SELECT job, kind, status, progress, started, ended, failure, exclude_keys, input_blob, output_blob FROM transfer_job ORDER BY sequence DESC");
  if (!rows.ok()) return std::move(rows).error();
  std::vector<hub::TransferJob> jobs;
  while ((*rows)->step()) {
    jobs.push_back({(*rows)->text(0), static_cast<hub::TransferKind>((*rows)->integer(1)), static_cast<hub::TransferStatus>((*rows)->integer(2)),
                    static_cast<int>((*rows)->integer(3)), (*rows)->time(4), (*rows)->time(5), (*rows)->text(6), (*rows)->integer(7) != 0, (*rows)->text(8),
                    (*rows)->text(9)});
  }
  if (!(*rows)->ok()) return database.error("listing jobs");
  return jobs;
}

Result<hub::DeviceCounts> count_devices(Database& database) {
  hub::DeviceCounts counts;
  for (const auto& [sql, count] : {std::pair{"SELECT count(*) FROM identity WHERE module=''", &counts.total},
                                   std::pair{"SELECT count(*) FROM identity WHERE module='' AND enabled=0", &counts.disabled}}) {
    auto rows = database.cached(sql);
    if (!rows.ok()) return std::move(rows).error();
    if (!(*rows)->step()) return database.error("counting devices");
    *count = (*rows)->integer(0);
    (*rows)->reset();
  }
  return counts;
}

Result<std::vector<IdentityId>> find_expired(Database& database, WallTime now, const IdentityId& after, std::size_t limit) {
  // CROSS: from the expired messages to their identities, of which there are many more.
  auto rows = database.cached(
      "SELECT DISTINCT i.device, i.module FROM cloud_message m CROSS JOIN identity i ON i.id=m.identity "
      "WHERE m.expiry<=?1 AND (i.device, i.module)>(?3, ?4) ORDER BY i.device, i.module LIMIT ?2");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, now).bind(2, static_cast<std::int64_t>(limit)).bind(3, after.device.view()).bind(4, after.module.view());
  std::vector<IdentityId> found;
  while ((*rows)->step()) found.push_back({DeviceId((*rows)->text(0)), ModuleId((*rows)->text(1))});
  if (!(*rows)->ok()) return database.error("finding expired messages");
  return found;
}

Result<std::vector<DeviceId>> find_similar(Database& database, const DeviceId& id) {
  // Ids before and after in the order share a beginning; the whole registry is looked through only while it is small.
  constexpr int kLooked = 5000;
  hub::SimilarIds similar(id.view());
  for (const char* sql : {"SELECT device FROM identity WHERE device>=?1 AND module='' ORDER BY device LIMIT ?2",
                          "SELECT device FROM identity WHERE device<?1 AND module='' ORDER BY device DESC LIMIT ?2"}) {
    auto rows = database.cached(sql);
    if (!rows.ok()) return std::move(rows).error();
    (*rows)->bind(1, id.view()).bind(2, kLooked);
    while ((*rows)->step()) similar.look_at((*rows)->text_view(0));
    if (!(*rows)->ok()) return database.error("looking for similar ids");
  }
  std::vector<DeviceId> devices;
  for (std::string& known : similar.nearest()) devices.emplace_back(std::move(known));
  return devices;
}

Result<std::vector<hub::Feedback>> read_feedback(Database& database, std::size_t limit) {
  auto rows = database.cached("SELECT sequence, device, module, generation_id, message_id, enqueued, outcome FROM feedback ORDER BY sequence LIMIT ?1");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, static_cast<std::int64_t>(limit));
  std::vector<hub::Feedback> records;
  while ((*rows)->step()) {
    hub::Feedback feedback;
    feedback.sequence = static_cast<std::uint64_t>((*rows)->integer(0));
    feedback.identity = {DeviceId((*rows)->text(1)), ModuleId((*rows)->text(2))};
    feedback.generation_id = GenerationId((*rows)->text(3));
    feedback.original_message_id = (*rows)->text(4);
    feedback.enqueued = (*rows)->time(5);
    feedback.outcome = static_cast<hub::Outcome>((*rows)->integer(6));
    records.push_back(std::move(feedback));
  }
  if (!(*rows)->ok()) return database.error("reading feedback");
  return records;
}

}  // namespace nearhub::store
