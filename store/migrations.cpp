#include "store/migrations.h"

#include <fmt/core.h>

#include <iterator>

namespace nearhub::store {
namespace {

// Version 1. Times are ticks of 100 ns since 1970 (base/clock.h).
//
// `event`: a row is a block of one partition (hub/event.h). Its key is partition << 48 | first sequence number, so that a partition is one
// range of the table; `end_offset` is the number of bytes of the partition up to the block's end, which gives sizes without a scan.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE policy(
  name TEXT PRIMARY KEY, position INTEGER NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL, rights INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE identity(
  id INTEGER PRIMARY KEY, device TEXT NOT NULL, module TEXT NOT NULL, generation_id TEXT NOT NULL, etag INTEGER NOT NULL,
  enabled INTEGER NOT NULL, status_reason TEXT, status_updated INTEGER NOT NULL,
  auth_type INTEGER NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
  primary_thumbprint TEXT NOT NULL, secondary_thumbprint TEXT NOT NULL, managed_by TEXT,
  connection_updated INTEGER NOT NULL, last_activity INTEGER NOT NULL,
  UNIQUE(device, module)
) STRICT;
CREATE TABLE twin(
  identity INTEGER PRIMARY KEY, etag_counter INTEGER NOT NULL, reported_version INTEGER NOT NULL, model_id TEXT NOT NULL,
  tags TEXT, desired TEXT NOT NULL, reported TEXT NOT NULL
) STRICT;
CREATE TABLE session(
  identity INTEGER PRIMARY KEY, subscribed INTEGER NOT NULL, at_qos1 INTEGER NOT NULL, method_names TEXT NOT NULL
) STRICT;
CREATE TABLE cloud_message(
  identity INTEGER NOT NULL, sequence INTEGER NOT NULL, enqueued INTEGER NOT NULL, expiry INTEGER NOT NULL,
  expiry_from_sender INTEGER NOT NULL, ack INTEGER NOT NULL, delivery_count INTEGER NOT NULL,
  message_id TEXT NOT NULL, correlation_id TEXT NOT NULL, user_id TEXT NOT NULL, content_type TEXT NOT NULL, content_encoding TEXT NOT NULL,
  properties TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(identity, sequence)
) STRICT;
CREATE INDEX cloud_message_expiry ON cloud_message(expiry);
CREATE TABLE feedback(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, module TEXT NOT NULL, generation_id TEXT NOT NULL,
  message_id TEXT NOT NULL, enqueued INTEGER NOT NULL, outcome INTEGER NOT NULL
) STRICT;
CREATE INDEX feedback_device ON feedback(device);
CREATE TABLE event(
  key INTEGER PRIMARY KEY, count INTEGER NOT NULL, first_enqueued INTEGER NOT NULL, last_enqueued INTEGER NOT NULL,
  end_offset INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT;
)sql";

// Version 2. Disabled devices are few, and are counted by themselves.
constexpr const char* kVersion2 = "CREATE INDEX identity_disabled ON identity(device) WHERE module='' AND enabled=0";

// Version 3. Certificates are DER; what can be read from them is not stored again.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE certificate_authority(
  name TEXT PRIMARY KEY, certificate BLOB NOT NULL, verified INTEGER NOT NULL, verification_code TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, etag INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Version 4. Modules are found in the order of their ids without going through all the devices that have none.
constexpr const char* kVersion4 = "CREATE INDEX identity_of_module ON identity(device, module) WHERE module<>''";

// Version 5. IoT Edge: edge devices, their own scopes and their parents'. Import and export jobs.
constexpr const char* kVersion5 = R"sql(
ALTER TABLE identity ADD COLUMN iot_edge INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identity ADD COLUMN device_scope TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN parent_scope TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_edge ON identity(device, module) WHERE iot_edge=1;
CREATE TABLE transfer_job(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, status INTEGER NOT NULL, progress INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER NOT NULL, failure TEXT NOT NULL, exclude_keys INTEGER NOT NULL,
  input_blob TEXT NOT NULL, output_blob TEXT NOT NULL
) STRICT;
)sql";

// Version 6. Scheduled jobs: what they are to do, which stays; how far they are, which is written with every step; and a row for each identity of theirs.
// A job without a name is being deleted.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE scheduled_job(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT UNIQUE, kind INTEGER NOT NULL, condition TEXT NOT NULL, created INTEGER NOT NULL,
  start INTEGER NOT NULL, max_execution INTEGER NOT NULL, update_twin TEXT NOT NULL, method_name TEXT NOT NULL, method_payload TEXT NOT NULL,
  response_timeout INTEGER NOT NULL, connect_timeout INTEGER NOT NULL
) STRICT;
CREATE TABLE scheduled_job_state(
  sequence INTEGER PRIMARY KEY, status INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, failure TEXT NOT NULL,
  devices INTEGER NOT NULL, pending INTEGER NOT NULL, running INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL,
  selected_device TEXT NOT NULL, selected_module TEXT NOT NULL, all_selected INTEGER NOT NULL
) STRICT;
CREATE TABLE device_job(
  job INTEGER NOT NULL, device TEXT NOT NULL, module TEXT NOT NULL, status INTEGER NOT NULL, created INTEGER NOT NULL, started INTEGER NOT NULL,
  ended INTEGER NOT NULL, updated INTEGER NOT NULL, method_status INTEGER, payload TEXT, error_code TEXT NOT NULL, error TEXT NOT NULL,
  PRIMARY KEY(job, device, module)
) STRICT, WITHOUT ROWID;
)sql";

// Version 7. Configurations, what they did to each twin, and the sweeps over the twins that are still to be done.
constexpr const char* kVersion7 = R"sql(
ALTER TABLE twin ADD COLUMN configurations TEXT NOT NULL DEFAULT '';
CREATE TABLE configuration(
  id TEXT PRIMARY KEY, schema_version TEXT, labels TEXT NOT NULL, content TEXT NOT NULL, target_condition TEXT NOT NULL, priority INTEGER NOT NULL,
  metrics TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, etag INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE configuration_sweep(id TEXT PRIMARY KEY, sweep INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// The step that leads to each version, from 1 on.
constexpr const char* kSteps[] = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5, kVersion6, kVersion7};
static_assert(std::size(kSteps) == kSchemaVersion);

}  // namespace

Status migrate(Database& database, const std::string& path) {
  const auto damaged = [&path](const Error& error) {
    return Error{ErrorCode::kCorrupt, fmt::format("{} is damaged or not a database ({}). Restore it from a backup, or start with another --data folder",
                                                  path, error.detail)};
  };
  const auto objects = database.query_integer("SELECT count(*) FROM sqlite_schema");
  if (!objects.ok()) return damaged(objects.error());
  const auto application = database.query_integer("PRAGMA application_id");
  if (!application.ok()) return damaged(application.error());
  const auto version = database.query_integer("PRAGMA user_version");
  if (!version.ok()) return damaged(version.error());

  if (*objects > 0 && *application != kApplicationId) {
    return Error{ErrorCode::kCorrupt, fmt::format("{} is a database of another program (application id {}, nearhub's is {})", path, *application,
                                                  kApplicationId)};
  }
  if (*version > kSchemaVersion) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("{} was written by a newer nearhub (schema version {}, this one knows up to {}): use that one",
                                                         path, *version, kSchemaVersion)};
  }
  if (*version == kSchemaVersion) return {};
  if (*version < 0 || (*objects > 0) != (*version > 0)) {
    return damaged({ErrorCode::kCorrupt, fmt::format("it has {} tables and indexes, and schema version {}", *objects, *version)});
  }
  // A half-made schema must not remain: all of it or nothing.
  if (Status begun = database.execute("BEGIN IMMEDIATE"); !begun.ok()) return begun;
  for (std::int64_t step = *version; step < kSchemaVersion; ++step) {
    if (Status made = database.execute(kSteps[step]); !made.ok()) return made;
  }
  const std::string stamp = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId, kSchemaVersion);
  if (Status stamped = database.execute(stamp.c_str()); !stamped.ok()) return stamped;
  return database.execute("COMMIT");
}

}  // namespace nearhub::store
