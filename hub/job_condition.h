// The query condition of a scheduled job: which identities it is for.
//
// THREAD: any thread.
#pragma once
#include <string_view>

#include "base/result.h"
#include "hub/query_run.h"

namespace nearhub::hub {

// What stands behind WHERE, for devices ("tags.floor = 2", "*"), a query from FROM or WHERE on ("FROM devices.modules WHERE moduleId = 'm1'"), or a whole one.
// Fails with kArgumentInvalid: the sentence has the place in the condition.
Result<SharedQuery> parse_job_condition(std::string_view condition);

}  // namespace nearhub::hub
