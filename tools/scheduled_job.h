// `nearhub job twin`, `job method` and `job results`: one twin update or direct method for many devices, and what came of it.
//
// THREAD: one at a time.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "hub/scheduled_job.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/table.h"

namespace nearhub::tools {

struct NewScheduledJob {
  std::string id;         // empty: made
  std::string condition;  // which devices
  bool method = false;
  std::string what;  // JSON: updateTwin or cloudToDeviceMethod
  std::string start;  // a duration from now, or an ISO 8601 time; empty: now
  std::string max_time;  // a duration; empty: the hub's default
  bool no_wait = false;
  bool json = false;
};

// Schedules a job and, when it begins now and unless told otherwise, shows its progress until it has ended. Fails when the job or one of its devices does;
// Ctrl-C leaves it running.
Status schedule_job(HubClient& hub, const NewScheduledJob& job, Console& console);

// What came of it at each device.
Status show_results(HubClient& hub, const std::string& id, bool failed_only, bool json, Console& console);

std::string scheduled_job_path(const std::string& id);
// Whether the hub's answer is the one for an id that no scheduled job has.
bool is_unknown_job(const JsonValue& job);
// "3 of 100".
std::string progress_of(const JsonValue& job);
Fields scheduled_job_fields(const JsonValue& job);
// All of them, the latest first: the elements of an array, as they came.
Result<std::string> list_scheduled_jobs(HubClient& hub);

}  // namespace nearhub::tools
