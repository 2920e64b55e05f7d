// The write operations of hub/store.h as SQL: each a compare-and-set that checks first and writes then, so that one which does not apply leaves
// nothing behind. Private to store.
//
// THREAD: writer thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "hub/store.h"
#include "store/configuration_table.h"
#include "store/scheduled_job_table.h"
#include "store/sqlite.h"

namespace nearhub::store {

class Operations {
 public:
  static Result<std::unique_ptr<Operations>> prepare(Database& database);

  // Inside a transaction. `result`: whether the operation applied. False: the database failed, and with it the transaction.
  bool apply(const hub::WriteOperation& operation, Status& result);

  // Deletes feedback that is older than kFeedbackTtl, and the oldest of more than kMaxFeedback. Inside a transaction; false: the database failed.
  bool trim_feedback(WallTime now);
  // The same for the history of jobs: kTransferJobHistory, kMaxTransferJobs; and ScheduledJobTable::trim().
  bool trim_jobs(WallTime now);

 private:
  explicit Operations(Database& database) : database_(database) {}

  bool run(const hub::CreateIdentity& op, Status& result);
  bool run(const hub::ReplaceIdentity& op, Status& result);
  bool run(const hub::DeleteIdentity& op, Status& result);
  bool run(const hub::PutActivity& op, Status& result);
  bool run(const hub::PutTwin& op, Status& result);
  bool run(const hub::PutModelId& op, Status& result);
  bool run(const hub::PutSession& op, Status& result);
  bool run(const hub::DropSession& op, Status& result);
  bool run(const hub::EnqueueCloudMessage& op, Status& result);
  bool run(const hub::RemoveCloudMessage& op, Status& result);
  bool run(const hub::CountDelivery& op, Status& result);
  bool run(const hub::RemoveFeedback& op, Status& result);
  bool run(const hub::PutAuthority& op, Status& result);
  bool run(const hub::DeleteAuthority& op, Status& result);

  // Whether a certificate authority is stored with this etag counter; nullopt: is not stored. What is wrong goes into `result`.
  bool check_authority(const std::string& name, std::optional<std::int64_t> expected_etag, Status& result);
  bool run(const hub::ReplacePolicies& op, Status& result);
  bool run(const hub::PutTransferJob& op, Status& result);
  bool run(const hub::CreateScheduledJob& op, Status& result) { return scheduled_jobs_->run(op, result); }
  bool run(const hub::UpdateScheduledJob& op, Status& /*result*/) { return scheduled_jobs_->run(op); }
  bool run(const hub::PutDeviceJobs& op, Status& /*result*/) { return scheduled_jobs_->run(op); }
  bool run(const hub::PutConfiguration& op, Status& result) { return configurations_->run(op, result); }
  bool run(const hub::DeleteConfiguration& op, Status& result) { return configurations_->run(op, result); }
  bool run(const hub::EndConfigurationSweep& op, Status& /*result*/) { return configurations_->run(op); }

  // The row of an identity: 0 when there is none. False: the database failed.
  bool find(const IdentityId& id, std::int64_t& row, std::int64_t* etag = nullptr);
  bool delete_rows(std::int64_t identity);

  Database& database_;
  std::unique_ptr<ConfigurationTable> configurations_;
  Statement find_identity_, insert_identity_, update_identity_, update_activity_, delete_identity_, find_modules_;
  Statement insert_twin_, find_twin_, update_twin_, update_model_, delete_twin_;
  Statement put_session_, delete_session_;
  Statement insert_message_, delete_message_, count_delivery_, delete_messages_;
  Statement find_authority_, put_authority_, delete_authority_;
  Statement put_job_, delete_jobs_;
  std::unique_ptr<ScheduledJobTable> scheduled_jobs_;
  Statement insert_feedback_, delete_feedback_, delete_feedback_of_, feedback_to_keep_, delete_feedback_before_;
};

// Inside a transaction.
Status replace_policies(Database& database, const std::vector<auth::AccessPolicy>& policies);

// Jobs that the last stop cut off have failed.
Status end_interrupted_jobs(Database& database, WallTime now);

// The form of application properties in the column `properties`: a property bag.
std::string properties_text(const hub::CloudMessage& message);
std::vector<std::pair<std::string, std::string>> parse_properties(std::string_view text);

// The form of method names in the column `method_names`: percent-encoded, '&' between them.
std::string method_names_text(const hub::Session& session);
std::vector<std::string> parse_method_names(std::string_view text);

}  // namespace nearhub::store
