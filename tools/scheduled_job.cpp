#include "tools/scheduled_job.h"

#include <fmt/core.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/random.h"
#include "base/time_format.h"
#include "base/url.h"
#include "tools/interrupt.h"
#include "tools/json_text.h"
#include "tools/time_text.h"
#include "twin/json_view.h"

namespace nearhub::tools {
namespace {

constexpr std::chrono::milliseconds kLookInterval{500};
constexpr int kFailuresShown = 20;

Result<std::string> request_body(HubClient& hub, const NewScheduledJob& job, bool& begins_now) {
  JsonWriter json;
  json.object().member("jobId", job.id).member("type", hub::job_kind_text(job.method ? hub::ScheduledJobKind::kDeviceMethod : hub::ScheduledJobKind::kUpdateTwin));
  json.member("queryCondition", job.condition).member(job.method ? "cloudToDeviceMethod" : "updateTwin").raw(job.what);
  begins_now = job.start.empty();
  if (!job.start.empty()) {
    const auto duration = parse_duration(job.start);
    const auto start = duration ? std::optional(hub.now() + *duration) : parse_iso8601(job.start);
    if (!start) return invalid_setting(fmt::format("--start \"{}\" is no point in time: give 10m, 2h, 1d, or a time like 2026-01-31T12:00:00Z", job.start));
    begins_now = *start <= hub.now();
    json.member("startTime", format_iso8601(*start));
  }
  if (!job.max_time.empty()) {
    const auto duration = parse_duration(job.max_time);
    if (!duration || duration->count() == 0) return invalid_setting(fmt::format("--max-time \"{}\" is no duration: give 90s, 10m, 2h or 1d", job.max_time));
    json.member("maxExecutionTimeInSeconds", static_cast<std::int64_t>(duration->count()));
  }
  json.end_object();
  return std::move(json).take();
}

std::int64_t count_at(const JsonValue& job, std::string_view name) { return integer_at(job, {"deviceJobStatistics", name}); }

bool is_over(const std::string& status) { return status == "completed" || status == "failed" || status == "cancelled"; }

std::string query_of(const std::string& id, bool failed_only) {
  std::string quoted;
  for (const char c : id) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("SELECT * FROM devices.jobs WHERE jobId = \"{}\"{}", quoted, failed_only ? " AND status = 'failed'" : "");
}

std::string device_of(const JsonValue& row) {
  const std::string module = text_at(row, {"moduleId"});
  return text_at(row, {"deviceId"}) + (module.empty() ? "" : "/" + module);
}

// What the device answered, or why it did not.
std::string result_of(const JsonValue& row) {
  const std::string code = text_at(row, {"error", "code"});
  if (!code.empty()) return code + ": " + text_at(row, {"error", "description"});
  const JsonValue* answer = find_path(row, {"outcome", "deviceMethodResponse"});
  if (answer == nullptr) return {};
  const JsonValue* payload = find_path(*answer, {"payload"});
  return text_at(*answer, {"status"}) + (payload == nullptr || payload->IsNull() ? "" : " " + to_json(*payload));
}

// One page of rows.
struct Rows {
  std::string body;
  std::string continuation;
};
Result<Rows> read_rows(HubClient& hub, const std::string& query, const std::string& continuation, int limit) {
  JsonWriter body;
  body.object().member("query", query).end_object();
  HubRequest request;
  request.method = "POST";
  request.path = "/devices/query";
  request.body = std::move(body).take();
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"x-ms-max-item-count", std::to_string(limit)}};
  if (!continuation.empty()) request.headers.emplace_back("x-ms-continuation", continuation);
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  return Rows{answer->body, answer->header("x-ms-continuation")};
}

Status show_failures(HubClient& hub, const std::string& id, Console& console) {
  const auto page = read_rows(hub, query_of(id, true), {}, kFailuresShown);
  if (!page.ok()) return page.error();
  const auto rows = parse_array(page->body);
  if (!rows.ok()) return rows.error();
  Table table({"DEVICE", "FAILED BECAUSE"});
  for (const JsonValue& row : rows->GetArray()) table.add({device_of(row), result_of(row)});
  console.print(table.text());
  return {};
}

// The end of a job for people and for scripts.
Status tell_end(HubClient& hub, const JsonValue& job, const std::string& body, const NewScheduledJob& asked, Console& console) {
  if (asked.json) console.print(body + "\n");
  const std::string status = text_at(job, {"status"}), reason = text_at(job, {"failureReason"});
  const std::int64_t devices = count_at(job, "deviceCount"), failed = count_at(job, "failedCount");
  if (!asked.json) {
    console.print(fmt::format("job {} {}: {} device{}, {} succeeded, {} failed\n", asked.id, status, devices, devices == 1 ? "" : "s", count_at(job, "succeededCount"), failed));
    // A login that may not query is told the number all the same.
    if (failed > 0) static_cast<void>(show_failures(hub, asked.id, console));
    if (status == "completed" && devices == 0) console.say("the condition has found no device; `nearhub query \"SELECT deviceId FROM devices WHERE ...\"` shows whom one finds");
  }
  if (status != "completed") return Error{ErrorCode::kGenericConflict, fmt::format("the job {}{}", status == "failed" ? "failed" : "was cancelled", reason.empty() ? "" : ": " + reason)};
  if (failed > 0) return Error{ErrorCode::kGenericConflict, fmt::format("{} of {} device{} failed; `nearhub job results {} --failed` shows all of them", failed, devices, devices == 1 ? "" : "s", asked.id)};
  return {};
}

}  // namespace

std::string scheduled_job_path(const std::string& id) { return "/jobs/v2/" + percent_encode(id); }

bool is_unknown_job(const JsonValue& job) { return text_at(job, {"status"}) == "unknown"; }

std::string progress_of(const JsonValue& job) {
  const std::int64_t devices = count_at(job, "deviceCount");
  return devices == 0 ? "" : fmt::format("{} of {}", count_at(job, "succeededCount") + count_at(job, "failedCount"), devices);
}

Fields scheduled_job_fields(const JsonValue& job) {
  Fields fields;
  fields.add("job", text_at(job, {"jobId"}));
  fields.add("type", text_at(job, {"type"}));
  fields.add("status", text_at(job, {"status"}));
  fields.add("condition", text_at(job, {"queryCondition"}));
  fields.add("update", text_at(job, {"updateTwin"}));
  fields.add("method", text_at(job, {"cloudToDeviceMethod", "methodName"}));
  fields.add("payload", text_at(job, {"cloudToDeviceMethod", "payload"}));
  fields.add("created", show_time(text_at(job, {"createdTime"})));
  fields.add("start", show_time(text_at(job, {"startTime"})));
  const std::string end = text_at(job, {"endTime"});
  if (!end.empty()) fields.add("ended", show_time(end));
  fields.add("max time", format_duration(integer_at(job, {"maxExecutionTimeInSeconds"})));
  fields.add("devices", std::to_string(count_at(job, "deviceCount")));
  for (const auto& [name, member] : {std::pair{"succeeded", "succeededCount"}, {"failed", "failedCount"}, {"running", "runningCount"}, {"pending", "pendingCount"}}) {
    if (const std::int64_t count = count_at(job, member); count != 0) fields.add(name, std::to_string(count));
  }
  fields.add("reason", text_at(job, {"failureReason"}));
  return fields;
}

Result<std::string> list_scheduled_jobs(HubClient& hub) {
  std::string all;
  for (std::string continuation;;) {
    HubRequest request;
    request.path = "/jobs/v2/query";
    request.headers = {{"x-ms-max-item-count", "1000"}};
    if (!continuation.empty()) request.headers.emplace_back("x-ms-continuation", continuation);
    const auto answer = hub.call(request);
    if (!answer.ok()) return answer.error();
    if (const auto page = parse_array(answer->body); !page.ok()) return page.error();
    for (const std::string_view job : split_elements(answer->body)) all.append(all.empty() ? "" : ",").append(job);
    continuation = answer->header("x-ms-continuation");
    if (continuation.empty()) return all;
  }
}

Status schedule_job(HubClient& hub, const NewScheduledJob& asked, Console& console) {
  NewScheduledJob job = asked;
  if (job.id.empty()) job.id = SystemRandom().uuid();
  bool begins_now = true;
  auto wanted = request_body(hub, job, begins_now);
  if (!wanted.ok()) return wanted.error();
  HubRequest request;
  request.method = "PUT";
  request.path = scheduled_job_path(job.id);
  request.body = std::move(*wanted);
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  auto made = parse_object(answer->body);
  if (!made.ok()) return made.error();
  if (job.no_wait || !begins_now) {
    console.print((job.json ? answer->body : job.id) + "\n");
    if (!begins_now) console.say(fmt::format("job {} begins at {}; `nearhub job show {}` tells how it is", job.id, show_time(text_at(*made, {"startTime"})), job.id));
    return {};
  }
  Interrupt interrupt;
  const InterruptOnSignals signals(interrupt);
  std::string body = answer->body, shown;
  // The first look comes at once: most jobs are over by then.
  for (std::chrono::milliseconds pause{0}; !is_over(text_at(*made, {"status"})); pause = kLookInterval) {
    if (interrupt.wait(pause)) {
      console.say(fmt::format("job {0} goes on; `nearhub job show {0}` tells how it is", job.id));
      return {};
    }
    const auto now = hub.get(scheduled_job_path(job.id));
    if (!now.ok()) return now.error();
    body = *now;
    made = parse_object(body);
    if (!made.ok()) return made.error();
    const std::string progress = progress_of(*made);
    if (progress == shown || is_over(text_at(*made, {"status"}))) continue;
    shown = progress;
    console.say(progress + " devices");
  }
  return tell_end(hub, *made, body, job, console);
}

Status show_results(HubClient& hub, const std::string& id, bool failed_only, bool json, Console& console) {
  const auto job = hub.get(scheduled_job_path(id));
  if (!job.ok()) return job.error();
  const auto known = parse_object(*job);
  if (!known.ok()) return known.error();
  if (is_unknown_job(*known)) return Error{ErrorCode::kJobNotFound, fmt::format("there is no scheduled job {}", id)};
  bool any = false, headed = false;
  for (std::string continuation;;) {
    const auto page = read_rows(hub, query_of(id, failed_only), continuation, 1000);
    if (!page.ok()) return page.error();
    const auto rows = parse_array(page->body);
    if (!rows.ok()) return rows.error();
    any |= !rows->Empty();
    if (json) {
      for (const std::string_view row : split_elements(page->body)) {
        if (!console.print(std::string(row) + "\n")) return {};
      }
    } else if (!rows->Empty()) {
      // The headings stand above the first page only.
      std::optional<Table> table;
      if (!std::exchange(headed, true)) table.emplace(std::vector<std::string>{"DEVICE", "STATUS", "ENDED", "RESULT"});
      for (const JsonValue& row : rows->GetArray()) {
        const std::string end = text_at(row, {"endTimeUtc"});
        std::vector<std::string> cells{device_of(row), text_at(row, {"status"}), end.empty() ? "" : show_time(end), result_of(row)};
        table ? table->add(std::move(cells)) : void(table.emplace(std::move(cells)));
      }
      if (!console.print(table->text())) return {};
    }
    continuation = page->continuation;
    if (continuation.empty()) break;
  }
  if (!any && !json) console.say(failed_only ? "no device failed" : "no devices");
  return {};
}

}  // namespace nearhub::tools
