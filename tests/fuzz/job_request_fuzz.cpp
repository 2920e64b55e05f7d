// The body of a PUT of a scheduled job.
//
// Input: a line with the job's id; the rest is the body.
//
// Checked: a refusal has its code and a sentence; what is accepted keeps every limit; what the hub shows of it is JSON that can be sent back, and then
// means the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "service/scheduled_job_json.h"
#include "twin/twin.h"

using namespace nearhub;
using namespace nearhub::service;

namespace {

constexpr WallTime kNow{std::chrono::seconds{1'767'225'600}};

void check_limits(const hub::ScheduledJob& job) {
  NEARHUB_CHECK(check_job_id(job.id).ok());
  NEARHUB_CHECK(!job.condition.empty() && job.condition.size() <= hub::kMaxJobConditionBytes);
  NEARHUB_CHECK(job.start <= kNow + hub::kMaxJobDelay);
  NEARHUB_CHECK(job.max_execution.count() > 0 && job.max_execution <= hub::kMaxJobExecutionTime);
  if (job.kind == hub::ScheduledJobKind::kUpdateTwin) {
    NEARHUB_CHECK(twin::parse_update(job.update).ok());
  } else {
    NEARHUB_CHECK(!job.method.name.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [id, rest] = split_once({reinterpret_cast<const char*>(data), size}, '\n');
  const Result<hub::ScheduledJob> job = parse_job_request(id, rest.value_or(std::string_view()), kNow);
  if (!job.ok()) {
    NEARHUB_CHECK(!job.error().detail.empty() && is_utf8(job.error().detail));
    return 0;
  }
  check_limits(*job);

  JsonWriter json;
  write_job(json, *job);
  const Result<hub::ScheduledJob> again = parse_job_request(id, json.text(), kNow);
  NEARHUB_CHECK(again.ok());
  NEARHUB_CHECK(again->kind == job->kind && again->condition == job->condition && again->start == job->start);
  NEARHUB_CHECK(again->max_execution == job->max_execution && again->update == job->update);
  // A payload that was not given is shown as null.
  const std::string payload = job->method.payload.empty() && job->kind == hub::ScheduledJobKind::kDeviceMethod ? "null" : job->method.payload;
  NEARHUB_CHECK(again->method.name == job->method.name && again->method.payload == payload);
  return 0;
}
