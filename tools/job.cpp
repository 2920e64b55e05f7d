#include "tools/job.h"

#include <fmt/core.h>

#include <chrono>

#include "base/json_writer.h"
#include "base/url.h"
#include "tools/identity.h"
#include "tools/interrupt.h"
#include "tools/json_text.h"
#include "tools/scheduled_job.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::chrono::milliseconds kLook{500};

std::string job_path(const std::string& id) { return "/jobs/" + percent_encode(id); }

std::string body_of(const NewJob& job) {
  JsonWriter json;
  json.object().member("type", job.import ? "import" : "export");
  if (job.import) {
    json.member("inputBlobContainerUri", job.container);
    json.member("outputBlobContainerUri", job.output_container.empty() ? job.container : job.output_container);
    if (!job.blob.empty()) json.member("inputBlobName", job.blob);
  } else {
    json.member("outputBlobContainerUri", job.container).member("excludeKeysInExport", job.exclude_keys);
    if (!job.blob.empty()) json.member("outputBlobName", job.blob);
  }
  json.end_object();
  return std::move(json).take();
}

bool has_ended(const std::string& status) { return status == "completed" || status == "failed" || status == "cancelled"; }

Status end_of(const JsonValue& job) {
  const std::string status = text_at(job, {"status"});
  if (status == "completed") return {};
  const std::string reason = text_at(job, {"failureReason"});
  return Error{ErrorCode::kGenericConflict, fmt::format("the job {}{}{}", status == "failed" ? "failed" : "was cancelled", reason.empty() ? "" : ": ", reason)};
}

// Of a job that is no scheduled one. The rights for import and export jobs are others.
Error unless_unauthorized(const Error& error, const std::string& id) {
  if (error.code == ErrorCode::kJobNotFound) return {ErrorCode::kJobNotFound, fmt::format("JobNotFound: there is no job {}", terminal_text(id))};
  if (error.code != ErrorCode::kIotHubUnauthorizedAccess) return error;
  return {ErrorCode::kJobNotFound, fmt::format("JobNotFound: there is no scheduled job {}, and the login has no right to see import and export jobs (RegistryWrite)", terminal_text(id))};
}

}  // namespace

Status start_job(HubClient& hub, const NewJob& job, Console& console) {
  HubRequest request;
  request.method = "POST";
  request.path = "/jobs/create";
  request.body = body_of(job);
  // The hub tries the container before it answers.
  request.time_limit = std::chrono::seconds{120};
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  auto made = parse_object(answer->body);
  if (!made.ok()) return made.error();
  if (job.no_wait) {
    console.print(job.json ? answer->body + "\n" : text_at(*made, {"jobId"}) + "\n");
    return {};
  }
  const std::string id = text_at(*made, {"jobId"});
  Interrupt interrupt;
  const InterruptOnSignals signals(interrupt);
  std::string body = answer->body, shown;
  while (!has_ended(text_at(*made, {"status"}))) {
    if (interrupt.wait(kLook)) {
      console.say(fmt::format("job {} goes on; `nearhub job cancel {}` ends it", id, id));
      return {};
    }
    const auto now = hub.get(job_path(id));
    if (!now.ok()) return now.error();
    body = *now;
    made = parse_object(body);
    if (!made.ok()) return made.error();
    const std::string progress = text_at(*made, {"progress"});
    if (progress == shown) continue;
    shown = progress;
    console.say(fmt::format("{} {} %", job.import ? "imported" : "exported", progress));
  }
  if (Status ended = end_of(*made); !ended.ok()) return ended;
  if (job.json) {
    console.print(body + "\n");
  } else {
    console.print(job.import ? "imported; lines that failed are in importErrors.log of the output container\n"
                             : fmt::format("exported to {}\n", text_at(*made, {"outputBlobName"})));
  }
  return {};
}

Status list_jobs(HubClient& hub, bool json, Console& console) {
  const auto scheduled = list_scheduled_jobs(hub);
  if (!scheduled.ok()) return scheduled.error();
  HubRequest request;
  request.path = "/jobs";
  const auto transfers = hub.request(request);
  if (!transfers.ok()) return transfers.error();
  std::string body = "[" + *scheduled;
  if (transfers->ok()) {
    for (const std::string_view job : split_elements(transfers->body)) body.append(body.size() > 1 ? "," : "").append(job);
  } else if (transfers->status == 401) {
    console.say("import and export jobs are left out: the login has no right to see them (RegistryWrite)");
  } else {
    return to_error(read_hub_error(*transfers));
  }
  body += "]";
  if (json) {
    console.print(body + "\n");
    return {};
  }
  const auto jobs = parse_array(body);
  if (!jobs.ok()) return jobs.error();
  if (jobs->Empty()) {
    console.print("no jobs; start one with `nearhub job twin`, `job method`, `job export` or `job import`\n");
    return {};
  }
  Table table({"JOB", "TYPE", "STATUS", "PROGRESS", "STARTED", "ENDED"});
  for (const JsonValue& job : jobs->GetArray()) {
    const bool transfer = find_path(job, {"progress"}) != nullptr;
    const std::string end = text_at(job, {transfer ? "endTimeUtc" : "endTime"});
    table.add({text_at(job, {"jobId"}), text_at(job, {"type"}), text_at(job, {"status"}), transfer ? text_at(job, {"progress"}) + " %" : progress_of(job),
               show_time(text_at(job, {transfer ? "startTimeUtc" : "startTime"})), end.empty() ? "" : show_time(end)});
  }
  console.print(table.text());
  return {};
}

Status show_job(HubClient& hub, const std::string& id, bool json, Console& console) {
  auto body = hub.get(scheduled_job_path(id));
  if (!body.ok()) return body.error();
  auto job = parse_object(*body);
  if (!job.ok()) return job.error();
  const bool scheduled = !is_unknown_job(*job);
  if (!scheduled) {
    body = hub.get(job_path(id));
    if (!body.ok()) return unless_unauthorized(body.error(), id);
    job = parse_object(*body);
    if (!job.ok()) return job.error();
  }
  if (json) {
    console.print(*body + "\n");
    return {};
  }
  if (scheduled) {
    console.print(scheduled_job_fields(*job).text());
    return {};
  }
  Fields fields;
  fields.add("job", text_at(*job, {"jobId"}));
  fields.add("type", text_at(*job, {"type"}));
  fields.add("status", text_at(*job, {"status"}));
  fields.add("progress", text_at(*job, {"progress"}) + " %");
  fields.add("started", show_time(text_at(*job, {"startTimeUtc"})));
  if (has_ended(text_at(*job, {"status"}))) fields.add("ended", show_time(text_at(*job, {"endTimeUtc"})));
  fields.add("input", text_at(*job, {"inputBlobName"}));
  fields.add("output", text_at(*job, {"outputBlobName"}));
  fields.add("reason", text_at(*job, {"failureReason"}));
  console.print(fields.text());
  return {};
}

Status cancel_job(HubClient& hub, const std::string& id, Console& console) {
  HubRequest scheduled;
  scheduled.method = "POST";
  scheduled.path = scheduled_job_path(id) + "/cancel";
  auto answer = hub.call(scheduled);
  if (!answer.ok() && answer.error().code == ErrorCode::kJobNotFound) {
    HubRequest request;
    request.method = "DELETE";
    request.path = job_path(id);
    answer = hub.call(request);
    if (!answer.ok()) return unless_unauthorized(answer.error(), id);
  }
  if (!answer.ok()) return answer.error();
  console.print(fmt::format("cancelled job {}\n", id));
  return {};
}

}  // namespace nearhub::tools
