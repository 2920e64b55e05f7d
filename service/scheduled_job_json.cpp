#include "service/scheduled_job_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "service/method_request.h"
#include "twin/twin.h"
#include "twin/value.h"

namespace nearhub::service {
namespace {

using twin::Value;

// A member that is there and not null.
const Value* given_member(const Value& document, std::string_view name) {
  const Value* member = document.find(name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Result<std::string> text_of(const Value& document, std::string_view name) {
  const Value* member = given_member(document, name);
  if (member == nullptr) return std::string();
  if (member->kind() != Value::Kind::kString) return invalid_argument(fmt::format("{} is {}; expected a string", name, twin::kind_name(member->kind())));
  return member->text();
}

Result<hub::ScheduledJobKind> parse_kind(const Value& document) {
  const auto type = text_of(document, "type");
  if (!type.ok()) return type.error();
  for (const auto kind : {hub::ScheduledJobKind::kUpdateTwin, hub::ScheduledJobKind::kDeviceMethod}) {
    if (equals_ignoring_case(*type, hub::job_kind_text(kind))) return kind;
  }
  return invalid_argument(fmt::format("type is \"{}\"; expected scheduleUpdateTwin or scheduleDeviceMethod", printable(*type, 40)));
}

// Nobody who leaves it out is taken to mean every device.
Result<std::string> parse_condition(const Value& document) {
  auto condition = text_of(document, "queryCondition");
  if (!condition.ok()) return condition;
  if (trim(*condition).empty()) return invalid_argument("queryCondition is missing: say which devices, \"deviceId IN ['d1','d2']\" or \"tags.floor = 2\"; * for all");
  if (condition->size() > hub::kMaxJobConditionBytes) {
    return invalid_argument(fmt::format("queryCondition has {} bytes; at most {} are allowed", condition->size(), hub::kMaxJobConditionBytes));
  }
  return condition;
}

Result<WallTime> parse_start(const Value& document, WallTime now) {
  const auto text = text_of(document, "startTime");
  if (!text.ok()) return text.error();
  if (text->empty()) return now;
  const auto start = parse_iso8601(*text);
  if (!start) return invalid_argument(fmt::format("startTime is \"{}\"; expected a time like 2026-01-31T12:00:00Z", printable(*text, 60)));
  if (*start > now + hub::kMaxJobDelay) {
    return invalid_argument(fmt::format("startTime {} is more than {} hours ahead", format_iso8601(*start), hub::kMaxJobDelay.count()));
  }
  return *start;
}

Result<std::chrono::seconds> parse_max_execution(const Value& document) {
  constexpr std::string_view kName = "maxExecutionTimeInSeconds";
  const Value* member = given_member(document, kName);
  if (member == nullptr) return hub::kDefaultJobExecutionTime;
  const std::string& text = member->text();
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const std::int64_t most = std::chrono::seconds{hub::kMaxJobExecutionTime}.count();
  if (member->kind() != Value::Kind::kNumber || read.ec != std::errc() || read.ptr != text.data() + text.size() || seconds < 0 || seconds > most) {
    return invalid_argument(fmt::format("{} must be a whole number of seconds within [0; {}].", kName, most));
  }
  return seconds == 0 ? hub::kDefaultJobExecutionTime : std::chrono::seconds{seconds};
}

// Quoted it is the wildcard, too, as in If-Match (service-rest.md 12, trap 1).
bool is_any_etag(std::string_view etag) { return etag.empty() || etag == "*" || etag == "\"*\""; }

Status parse_update_twin(const Value& document, hub::ScheduledJob& job) {
  const Value* update = given_member(document, "updateTwin");
  if (update == nullptr) return invalid_argument("updateTwin is missing: a scheduleUpdateTwin job needs it");
  job.update = update->to_json();
  const auto parsed = twin::parse_update(job.update);
  if (!parsed.ok()) return invalid_argument("updateTwin: " + parsed.error().detail);
  const auto etag = text_of(*update, "etag");
  if (!etag.ok()) return etag.error();
  if (!is_any_etag(*etag)) return invalid_argument(fmt::format("updateTwin has the etag {}; a job updates twins whatever their etags are: \"*\", or none", printable(*etag, 60)));
  if (!parsed->tags && !parsed->desired) return invalid_argument("updateTwin changes nothing: it has neither tags nor properties.desired");
  // What not even an empty twin could take no twin can.
  const auto taken = twin::Twin::create(WallTime{}).patch(*parsed, WallTime{});
  if (!taken.ok()) return Error{taken.error().code, "updateTwin: " + taken.error().detail};
  return {};
}

Status parse_method(const Value& document, hub::ScheduledJob& job) {
  const Value* method = given_member(document, "cloudToDeviceMethod");
  if (method == nullptr) return invalid_argument("cloudToDeviceMethod is missing: a scheduleDeviceMethod job needs it");
  if (!method->is_object()) return invalid_argument(fmt::format("cloudToDeviceMethod is {}; expected an object", twin::kind_name(method->kind())));
  auto request = parse_method_request(*method);
  if (!request.ok()) return Error{request.error().code, "cloudToDeviceMethod: " + request.error().detail};
  job.method = std::move(*request);
  return {};
}

}  // namespace

Status check_job_id(std::string_view id) {
  if (id.size() > hub::kMaxJobIdLength) return invalid_argument(fmt::format("the job's id has {} characters; at most {} are allowed", id.size(), hub::kMaxJobIdLength));
  for (const char c : id) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && c != '-' && c != '\'') {
      return invalid_argument(fmt::format("the job's id contains '{}'; allowed are letters, digits, - and '", printable(std::string(1, c))));
    }
  }
  if (equals_ignoring_case(id, "query")) return invalid_argument("query cannot be the id of a job: /jobs/v2/query is their list");
  return {};
}

Result<hub::ScheduledJob> parse_job_request(std::string_view id, std::string_view body, WallTime now) {
  if (Status sound = check_job_id(id); !sound.ok()) return sound.error();
  const auto document = twin::parse_value(body, body.size());
  if (!document.ok()) return document.error();
  if (!document->is_object()) return invalid_argument(fmt::format("the body is {}; expected an object", twin::kind_name(document->kind())));
  const auto named = text_of(*document, "jobId");
  if (!named.ok()) return named.error();
  if (!named->empty() && *named != id) return invalid_argument(fmt::format("jobId is {}, the path names {}", printable(*named, 80), printable(id, 80)));
  hub::ScheduledJob job;
  job.id = id;
  const auto kind = parse_kind(*document);
  if (!kind.ok()) return kind.error();
  job.kind = *kind;
  auto condition = parse_condition(*document);
  if (!condition.ok()) return std::move(condition).error();
  job.condition = std::move(*condition);
  const auto start = parse_start(*document, now);
  if (!start.ok()) return start.error();
  job.start = *start;
  const auto max_execution = parse_max_execution(*document);
  if (!max_execution.ok()) return max_execution.error();
  job.max_execution = *max_execution;
  const Status what = job.kind == hub::ScheduledJobKind::kUpdateTwin ? parse_update_twin(*document, job) : parse_method(*document, job);
  if (!what.ok()) return what.error();
  return job;
}

void write_job(JsonWriter& json, const hub::ScheduledJob& job) {
  const hub::ScheduledJobState& state = job.state;
  json.object().member("jobId", job.id).member("createdTime", format_iso8601(job.created)).member("startTime", format_iso8601(job.start));
  if (state.ended != kNever) json.member("endTime", format_iso8601(state.ended));
  json.member("maxExecutionTimeInSeconds", static_cast<std::int64_t>(job.max_execution.count())).member("type", hub::job_kind_text(job.kind));
  if (job.kind == hub::ScheduledJobKind::kUpdateTwin) {
    json.member("updateTwin").raw(job.update);
  } else {
    const hub::MethodRequest& method = job.method;
    json.member("cloudToDeviceMethod").object().member("methodName", method.name);
    json.member("payload").raw(method.payload.empty() ? "null" : method.payload);
    json.member("responseTimeoutInSeconds", method.response_timeout_s).member("connectTimeoutInSeconds", method.connect_timeout_s).end_object();
  }
  json.member("queryCondition", job.condition).member("status", hub::job_status_text(state.status));
  if (!state.failure.empty()) json.member("failureReason", state.failure);
  const hub::JobStatistics& statistics = state.statistics;
  json.member("deviceJobStatistics")
      .object()
      .member("deviceCount", statistics.devices)
      .member("failedCount", statistics.failed)
      .member("succeededCount", statistics.succeeded)
      .member("runningCount", statistics.running)
      .member("pendingCount", statistics.pending)
      .end_object()
      .end_object();
}

}  // namespace nearhub::service
