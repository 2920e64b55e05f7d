// Scheduled jobs as clients write and read them (reference/service-rest.md 4.6 and 5.9).
//
// THREAD: any thread.
#pragma once
#include <string_view>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "hub/scheduled_job.h"

namespace nearhub::service {

// Letters, digits, - and '; at most kMaxJobIdLength; not "query", which is the name of their list.
Status check_job_id(std::string_view id);

// The body of PUT /jobs/v2/{id}. Its query condition is not looked at: a wrong one fails the job, as in the cloud. Fails with kArgumentInvalid.
Result<hub::ScheduledJob> parse_job_request(std::string_view id, std::string_view body, WallTime now);

// A JobResponse. What is not there is left out: SDKs take null for a value.
void write_job(JsonWriter& json, const hub::ScheduledJob& job);

}  // namespace nearhub::service
