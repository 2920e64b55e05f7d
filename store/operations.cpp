#include "store/operations.h"

#include <fmt/core.h>

#include "base/url.h"
#include "hub/limits.h"
#include "hub/property_bag.h"

namespace nearhub::store {
namespace {

Status missing(const IdentityId& id) {
  return Error{id.is_module() ? ErrorCode::kModuleNotFound : ErrorCode::kDeviceNotFound, id.text() + " is not in the store"};
}

}  // namespace

std::string properties_text(const hub::CloudMessage& message) {
  std::string text;
  for (const auto& [name, value] : message.properties) hub::append_property(text, name, value);
  return text;
}

std::vector<std::pair<std::string, std::string>> parse_properties(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> properties;
  hub::BagReader reader(text);
  std::string_view key;
  std::optional<std::string_view> value;
  while (reader.next(key, value)) properties.emplace_back(percent_decode(key), percent_decode(value.value_or(std::string_view())));
  return properties;
}

std::string method_names_text(const hub::Session& session) {
  std::string text;
  for (const std::string& name : session.method_names) {
    if (!text.empty()) text += '&';
    append_percent_encoded(text, name);
  }
  return text;
}

std::vector<std::string> parse_method_names(std::string_view text) {
  std::vector<std::string> names;
  hub::BagReader reader(text);
  std::string_view name;
  std::optional<std::string_view> value;
  while (reader.next(name, value)) names.push_back(percent_decode(name));
  return names;
}

Result<std::unique_ptr<Operations>> Operations::prepare(Database& database) {
  std::unique_ptr<Operations> result(new Operations(database));
  Operations& o = *result;
  struct Text {
    Statement& statement;
    const char* sql;
  };
  const Text texts[] = {
      {o.find_identity_, "SELECT id, etag FROM identity WHERE device=?1 AND module=?2"},
      {o.insert_identity_,
       "INSERT INTO identity(device, module, generation_id, etag, enabled, status_reason, status_updated, auth_type, primary_key, secondary_key, "
       "primary_thumbprint, secondary_thumbprint, managed_by, connection_updated, last_activity, iot_edge, device_scope, parent_scope) "
       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)"},
      {o.update_identity_,
       "UPDATE identity SET etag=?2, enabled=?3, status_reason=?4, status_updated=?5, auth_type=?6, primary_key=?7, secondary_key=?8, "
       "primary_thumbprint=?9, secondary_thumbprint=?10, managed_by=?11, iot_edge=?12, device_scope=?13, parent_scope=?14 WHERE id=?1"},
      {o.update_activity_, "UPDATE identity SET connection_updated=?3, last_activity=?4 WHERE device=?1 AND module=?2"},
      {o.delete_identity_, "DELETE FROM identity WHERE id=?1"},
      {o.find_modules_, "SELECT id FROM identity WHERE device=?1 AND module<>''"},
      {o.insert_twin_, "INSERT INTO twin(identity, etag_counter, reported_version, model_id, tags, desired, reported) VALUES(?1,?2,?7,?3,?4,?5,?6)"},
      {o.find_twin_, "SELECT etag_counter, reported_version FROM twin WHERE identity=?1"},
      {o.update_twin_,
       "UPDATE twin SET etag_counter=?2, reported_version=?3, tags=coalesce(?4, tags), desired=coalesce(?5, desired), reported=coalesce(?6, reported), "
       "configurations=coalesce(?7, configurations) WHERE identity=?1"},
      {o.update_model_, "UPDATE twin SET model_id=?2 WHERE identity=?1"},
      {o.delete_twin_, "DELETE FROM twin WHERE identity=?1"},
      {o.put_session_,
       "INSERT INTO session(identity, subscribed, at_qos1, method_names) VALUES(?1,?2,?3,?4) ON CONFLICT(identity) DO UPDATE SET "
       "subscribed=excluded.subscribed, at_qos1=excluded.at_qos1, method_names=excluded.method_names"},
      {o.delete_session_, "DELETE FROM session WHERE identity=?1"},
      {o.insert_message_,
       "INSERT INTO cloud_message(identity, sequence, enqueued, expiry, expiry_from_sender, ack, delivery_count, message_id, correlation_id, user_id, "
       "content_type, content_encoding, properties, body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT DO NOTHING"},
      {o.delete_message_, "DELETE FROM cloud_message WHERE identity=?1 AND sequence=?2"},
      {o.count_delivery_, "UPDATE cloud_message SET delivery_count=?3 WHERE identity=?1 AND sequence=?2"},
      {o.delete_messages_, "DELETE FROM cloud_message WHERE identity=?1"},
      {o.find_authority_, "SELECT etag FROM certificate_authority WHERE name=?1"},
      {o.put_authority_,
       "INSERT INTO certificate_authority(name, certificate, verified, verification_code, created, updated, etag) VALUES(?1,?2,?3,?4,?5,?6,?7) ON "
       "CONFLICT(name) DO UPDATE SET certificate=excluded.certificate, verified=excluded.verified, verification_code=excluded.verification_code, "
       "created=excluded.created, updated=excluded.updated, etag=excluded.etag"},
      {o.delete_authority_, "DELETE FROM certificate_authority WHERE name=?1"},
      {o.put_job_,
       "INSERT INTO transfer_job(job, kind, status, progress, started, ended, failure, exclude_keys, input_blob, output_blob) "
       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(job) DO UPDATE SET status=excluded.status, progress=excluded.progress, "
       "started=excluded.started, ended=excluded.ended, failure=excluded.failure"},
      // Those that run have no end yet, and are not too old.
      {o.delete_jobs_,
       "DELETE FROM transfer_job WHERE status>1 AND (ended<?1 OR sequence<=(SELECT max(sequence) FROM transfer_job)-?2)"},
      {o.insert_feedback_, "INSERT INTO feedback(device, module, generation_id, message_id, enqueued, outcome) VALUES(?1,?2,?3,?4,?5,?6)"},
      {o.delete_feedback_, "DELETE FROM feedback WHERE sequence=?1"},
      {o.delete_feedback_of_, "DELETE FROM feedback WHERE device=?1"},
      // Numbers rise with time and without gaps, nearly, so both bounds are one number.
      {o.feedback_to_keep_,
       "SELECT max(coalesce((SELECT sequence FROM feedback WHERE enqueued>=?1 ORDER BY sequence LIMIT 1), last+1), last+1-?2) FROM "
       "(SELECT max(sequence) AS last FROM feedback) WHERE last IS NOT NULL"},
      {o.delete_feedback_before_, "DELETE FROM feedback WHERE sequence<?1"},
  };
  for (const Text& text : texts) {
    auto prepared = database.prepare(text.sql);
    if (!prepared.ok()) return std::move(prepared).error();
    text.statement = std::move(*prepared);
  }
  auto scheduled_jobs = ScheduledJobTable::prepare(database);
  if (!scheduled_jobs.ok()) return std::move(scheduled_jobs).error();
  o.scheduled_jobs_ = std::move(*scheduled_jobs);
  auto configurations = ConfigurationTable::prepare(database);
  if (!configurations.ok()) return std::move(configurations).error();
  result->configurations_ = std::move(*configurations);
  return result;
}

bool Operations::apply(const hub::WriteOperation& operation, Status& result) {
  result = Status();
  return std::visit([&](const auto& op) { return run(op, result); }, operation);
}

bool Operations::find(const IdentityId& id, std::int64_t& row, std::int64_t* etag) {
  row = 0;
  find_identity_.bind(1, id.device.view()).bind(2, id.module.view());
  if (find_identity_.step()) {
    row = find_identity_.integer(0);
    if (etag != nullptr) *etag = find_identity_.integer(1);
    find_identity_.reset();
  }
  return find_identity_.ok();
}

bool Operations::run(const hub::CreateIdentity& op, Status& result) {
  const registry::Identity& identity = op.identity;
  std::int64_t row;
  if (!find(identity.id, row)) return false;
  if (row != 0) {
    result = Error{identity.id.is_module() ? ErrorCode::kModuleAlreadyExistsOnDevice : ErrorCode::kDeviceAlreadyExists,
                   identity.id.text() + " is already in the store"};
    return true;
  }
  if (identity.id.is_module()) {
    const IdentityId device{identity.id.device, {}};
    if (!find(device, row)) return false;
    if (row == 0) {
      result = missing(device);
      return true;
    }
  }
  const auth::Credentials& credentials = identity.credentials;
  insert_identity_.bind(1, identity.id.device.view())
      .bind(2, identity.id.module.view())
      .bind(3, identity.generation_id.view())
      .bind(4, identity.etag_counter)
      .bind(5, identity.enabled ? 1 : 0)
      .bind(6, identity.status_reason)
      .bind(7, identity.status_updated)
      .bind(8, static_cast<int>(credentials.type))
      .bind(9, std::string_view(credentials.primary_key))
      .bind(10, std::string_view(credentials.secondary_key))
      .bind(11, std::string_view(credentials.primary_thumbprint))
      .bind(12, std::string_view(credentials.secondary_thumbprint))
      .bind(13, identity.managed_by)
      .bind(14, identity.connection_state_updated)
      .bind(15, identity.last_activity)
      .bind(16, identity.iot_edge ? 1 : 0)
      .bind(17, std::string_view(identity.device_scope))
      .bind(18, std::string_view(identity.parent_scope));
  if (!insert_identity_.run()) return false;
  const twin::StoredTwin& twin = op.twin.twin;
  const std::optional<std::string> tags = twin.has_tags ? std::optional<std::string>(twin.tags) : std::nullopt;
  insert_twin_.bind(1, database_.last_insert_id())
      .bind(2, twin.etag_counter)
      .bind(3, std::string_view(op.twin.model_id))
      .bind(4, tags)
      .bind(5, std::string_view(twin.desired))
      .bind(6, std::string_view(twin.reported))
      .bind(7, op.reported_version);
  return insert_twin_.run();
}

bool Operations::run(const hub::ReplaceIdentity& op, Status& result) {
  const registry::Identity& identity = op.identity;
  std::int64_t row, etag = 0;
  if (!find(identity.id, row, &etag)) return false;
  if (row == 0) {
    result = missing(identity.id);
    return true;
  }
  if (etag != op.expected_etag) {
    result = Error{ErrorCode::kPreconditionFailed, fmt::format("{} has etag counter {}, expected {}", identity.id.text(), etag, op.expected_etag)};
    return true;
  }
  const auth::Credentials& credentials = identity.credentials;
  update_identity_.bind(1, row)
      .bind(2, identity.etag_counter)
      .bind(3, identity.enabled ? 1 : 0)
      .bind(4, identity.status_reason)
      .bind(5, identity.status_updated)
      .bind(6, static_cast<int>(credentials.type))
      .bind(7, std::string_view(credentials.primary_key))
      .bind(8, std::string_view(credentials.secondary_key))
      .bind(9, std::string_view(credentials.primary_thumbprint))
      .bind(10, std::string_view(credentials.secondary_thumbprint))
      .bind(11, identity.managed_by)
      .bind(12, identity.iot_edge ? 1 : 0)
      .bind(13, std::string_view(identity.device_scope))
      .bind(14, std::string_view(identity.parent_scope));
  return update_identity_.run();
}

bool Operations::delete_rows(std::int64_t identity) {
  for (Statement* statement : {&delete_twin_, &delete_session_, &delete_messages_, &delete_identity_}) {
    statement->bind(1, identity);
    if (!statement->run()) return false;
  }
  return true;
}

bool Operations::run(const hub::DeleteIdentity& op, Status& result) {
  std::int64_t row, etag = 0;
  if (!find(op.id, row, &etag)) return false;
  if (row == 0) {
    result = missing(op.id);
    return true;
  }
  if (etag != op.expected_etag) {
    result = Error{ErrorCode::kPreconditionFailed, fmt::format("{} has etag counter {}, expected {}", op.id.text(), etag, op.expected_etag)};
    return true;
  }
  if (op.id.is_module()) return delete_rows(row);
  std::vector<std::int64_t> rows = {row};
  find_modules_.bind(1, op.id.device.view());
  while (find_modules_.step()) rows.push_back(find_modules_.integer(0));
  if (!find_modules_.ok()) return false;
  for (const std::int64_t each : rows) {
    if (!delete_rows(each)) return false;
  }
  // Deleting the device drops its pending feedback (device-mqtt.md 5.5).
  delete_feedback_of_.bind(1, op.id.device.view());
  return delete_feedback_of_.run();
}

bool Operations::run(const hub::PutActivity& op, Status& /*result*/) {
  update_activity_.bind(1, op.id.device.view()).bind(2, op.id.module.view()).bind(3, op.connection_state_updated).bind(4, op.last_activity);
  return update_activity_.run();
}

bool Operations::run(const hub::PutTwin& op, Status& result) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  if (row == 0) {
    result = missing(op.id);
    return true;
  }
  find_twin_.bind(1, row);
  if (!find_twin_.step()) {
    result = missing(op.id);
    return find_twin_.ok();
  }
  const std::int64_t etag_counter = find_twin_.integer(0), reported_version = find_twin_.integer(1);
  find_twin_.reset();
  if (etag_counter != op.expected_etag_counter || reported_version != op.expected_reported_version) {
    result = Error{ErrorCode::kPreconditionFailed,
                   fmt::format("the twin of {} is at {}/{}, expected {}/{}", op.id.text(), etag_counter, reported_version, op.expected_etag_counter,
                               op.expected_reported_version)};
    return true;
  }
  update_twin_.bind(1, row).bind(2, op.etag_counter).bind(3, op.reported_version).bind(4, op.tags).bind(5, op.desired).bind(6, op.reported).bind(7, op.configurations);
  return update_twin_.run();
}

bool Operations::run(const hub::PutModelId& op, Status& result) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  if (row == 0) {
    result = missing(op.id);
    return true;
  }
  update_model_.bind(1, row).bind(2, std::string_view(op.model_id));
  return update_model_.run();
}

bool Operations::run(const hub::PutSession& op, Status& result) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  if (row == 0) {
    result = missing(op.id);
    return true;
  }
  const std::string names = method_names_text(op.session);
  put_session_.bind(1, row).bind(2, static_cast<int>(op.session.subscribed)).bind(3, static_cast<int>(op.session.at_qos1)).bind(4, std::string_view(names));
  return put_session_.run();
}

bool Operations::run(const hub::DropSession& op, Status& /*result*/) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  delete_session_.bind(1, row);
  return delete_session_.run();
}

bool Operations::run(const hub::EnqueueCloudMessage& op, Status& result) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  if (row == 0) {
    result = missing(op.id);
    return true;
  }
  const hub::CloudMessage& message = op.message;
  const std::string properties = properties_text(message);
  insert_message_.bind(1, row)
      .bind(2, message.sequence)
      .bind(3, message.enqueued)
      .bind(4, message.expiry)
      .bind(5, message.expiry_from_sender ? 1 : 0)
      .bind(6, static_cast<int>(message.ack))
      .bind(7, message.delivery_count)
      .bind(8, std::string_view(message.message_id))
      .bind(9, std::string_view(message.correlation_id))
      .bind(10, std::string_view(message.user_id))
      .bind(11, std::string_view(message.content_type))
      .bind(12, std::string_view(message.content_encoding))
      .bind(13, std::string_view(properties))
      .bind_blob(14, message.body);
  if (!insert_message_.run()) return false;
  if (database_.changes() == 0) {
    result = Error{ErrorCode::kPreconditionFailed, fmt::format("the queue of {} has a message {}", op.id.text(), message.sequence)};
  }
  return true;
}

bool Operations::run(const hub::RemoveCloudMessage& op, Status& /*result*/) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  delete_message_.bind(1, row).bind(2, op.sequence);
  if (!delete_message_.run()) return false;
  if (!op.feedback || database_.changes() == 0) return true;
  const hub::Feedback& feedback = *op.feedback;
  insert_feedback_.bind(1, feedback.identity.device.view())
      .bind(2, feedback.identity.module.view())
      .bind(3, feedback.generation_id.view())
      .bind(4, std::string_view(feedback.original_message_id))
      .bind(5, feedback.enqueued)
      .bind(6, static_cast<int>(feedback.outcome));
  return insert_feedback_.run();
}

bool Operations::run(const hub::CountDelivery& op, Status& /*result*/) {
  std::int64_t row;
  if (!find(op.id, row)) return false;
  count_delivery_.bind(1, row).bind(2, op.sequence).bind(3, op.delivery_count);
  return count_delivery_.run();
}

bool Operations::run(const hub::RemoveFeedback& op, Status& /*result*/) {
  for (const std::uint64_t sequence : op.sequences) {
    delete_feedback_.bind(1, sequence);
    if (!delete_feedback_.run()) return false;
  }
  return true;
}

bool Operations::check_authority(const std::string& name, std::optional<std::int64_t> expected_etag, Status& result) {
  std::optional<std::int64_t> etag;
  find_authority_.bind(1, std::string_view(name));
  if (find_authority_.step()) {
    etag = find_authority_.integer(0);
    find_authority_.reset();
  }
  if (etag != expected_etag) {
    const auto text = [](std::optional<std::int64_t> counter) { return counter ? std::to_string(*counter) : std::string("none"); };
    result = Error{ErrorCode::kPreconditionFailed, fmt::format("certificate authority {} has etag counter {}, expected {}", name, text(etag), text(expected_etag))};
  }
  return find_authority_.ok();
}

bool Operations::run(const hub::PutAuthority& op, Status& result) {
  const registry::CertificateAuthority& authority = op.authority;
  if (!check_authority(authority.name, op.expected_etag, result)) return false;
  if (!result.ok()) return true;
  put_authority_.bind(1, std::string_view(authority.name))
      .bind_blob(2, authority.certificate)
      .bind(3, authority.verified ? 1 : 0)
      .bind(4, std::string_view(authority.verification_code))
      .bind(5, authority.created)
      .bind(6, authority.updated)
      .bind(7, authority.etag_counter);
  return put_authority_.run();
}

bool Operations::run(const hub::DeleteAuthority& op, Status& result) {
  if (!check_authority(op.name, op.expected_etag, result)) return false;
  if (!result.ok()) return true;
  delete_authority_.bind(1, std::string_view(op.name));
  return delete_authority_.run();
}

Status replace_policies(Database& database, const std::vector<auth::AccessPolicy>& policies) {
  if (Status emptied = database.execute("DELETE FROM policy"); !emptied.ok()) return emptied;
  auto insert = database.cached("INSERT INTO policy(name, position, primary_key, secondary_key, rights) VALUES(?1,?2,?3,?4,?5)");
  if (!insert.ok()) return insert.error();
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const auth::AccessPolicy& policy = policies[i];
    (*insert)
        ->bind(1, std::string_view(policy.name))
        .bind(2, static_cast<std::int64_t>(i))
        .bind(3, std::string_view(policy.primary_key))
        .bind(4, std::string_view(policy.secondary_key))
        .bind(5, static_cast<int>(policy.rights.bits()));
    if (!(*insert)->run()) return database.error("writing policies");
  }
  return {};
}

bool Operations::run(const hub::ReplacePolicies& op, Status& /*result*/) { return replace_policies(database_, op.policies).ok(); }

bool Operations::run(const hub::PutTransferJob& op, Status& /*result*/) {
  const hub::TransferJob& job = op.job;
  put_job_.bind(1, std::string_view(job.id))
      .bind(2, static_cast<int>(job.kind))
      .bind(3, static_cast<int>(job.status))
      .bind(4, job.progress)
      .bind(5, job.started)
      .bind(6, job.ended)
      .bind(7, std::string_view(job.failure))
      .bind(8, job.exclude_keys ? 1 : 0)
      .bind(9, std::string_view(job.input_blob))
      .bind(10, std::string_view(job.output_blob));
  return put_job_.run();
}

bool Operations::trim_jobs(WallTime now) {
  delete_jobs_.bind(1, now - hub::kTransferJobHistory).bind(2, static_cast<std::int64_t>(hub::kMaxTransferJobs));
  return delete_jobs_.run() && scheduled_jobs_->trim(now);
}

Status end_interrupted_jobs(Database& database, WallTime now) {
  auto update = database.cached("UPDATE transfer_job SET status=?1, ended=?2, failure=?3 WHERE status<=1");
  if (!update.ok()) return update.error();
  (*update)
      ->bind(1, static_cast<int>(hub::TransferStatus::kFailed))
      .bind(2, now)
      .bind(3, std::string_view("the hub stopped while the job ran; what it had written by then stays, item by item"));
  return (*update)->run() ? Status() : Status(database.error("ending interrupted jobs"));
}

bool Operations::trim_feedback(WallTime now) {
  feedback_to_keep_.bind(1, now - hub::kFeedbackTtl).bind(2, static_cast<std::int64_t>(hub::kMaxFeedback));
  if (!feedback_to_keep_.step()) return feedback_to_keep_.ok();  // there is none
  const std::int64_t from = feedback_to_keep_.integer(0);
  feedback_to_keep_.reset();
  delete_feedback_before_.bind(1, from);
  return delete_feedback_before_.run();
}

}  // namespace nearhub::store
