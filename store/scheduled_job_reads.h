// The reads of scheduled jobs as SQL. Private to store.
//
// THREAD: the thread of the connection.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "hub/store.h"
#include "store/sqlite.h"

namespace nearhub::store {

Result<std::optional<hub::ScheduledJob>> read_scheduled_job(Database& database, const std::string& id);
Result<hub::ScheduledJobPage> list_scheduled_jobs(Database& database, const hub::ScheduledJobQuery& query);
Result<hub::DeviceJobPage> read_device_jobs(Database& database, const hub::DeviceJobQuery& query);
// In the order in which they were made.
Result<std::vector<hub::UnfinishedJob>> unfinished_scheduled_jobs(Database& database);

}  // namespace nearhub::store
