// PUT, GET /jobs/v2/{id}, POST /jobs/v2/{id}/cancel, GET /jobs/v2/query: scheduled jobs (reference/service-rest.md 5.9).
#include "hub/scheduled_jobs.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "base/json_writer.h"
#include "base/shard_hash.h"
#include "base/text.h"
#include "hub/continuation.h"
#include "service/api.h"
#include "service/page_size.h"
#include "service/scheduled_job_json.h"

namespace nearhub::service {
namespace {

constexpr Envelope kScheduledJobEnvelope = Envelope::kE1;

void answer_scheduled_job(const Api& api, const Result<hub::ScheduledJob>& job, Responder& responder) {
  if (!job.ok()) return responder.respond(api.error(job.error(), kScheduledJobEnvelope));
  JsonWriter json;
  write_job(json, *job);
  responder.respond(json_response(std::move(json).take()));
}

template <typename Operation>
void on_jobs(const Api& api, Responder responder, Operation operation) {
  api.on_keeper(api.hub().scheduled_jobs(), kScheduledJobEnvelope, std::move(responder), std::move(operation));
}

void create_scheduled_job(const Api& api, Request request, Responder responder) {
  auto job = parse_job_request(request.path[2], request.http.body, api.hub().shared().clock.now());
  if (!job.ok()) return responder.respond(api.error(job.error(), kScheduledJobEnvelope));
  on_jobs(api, std::move(responder), [&api, job = std::move(*job)](hub::ScheduledJobs& jobs, Responder answer) mutable {
    jobs.create(std::move(job), [&api, answer = std::move(answer)](Result<hub::ScheduledJob> created) mutable {
      // Whatever its start: what the cloud answers, and GET tells more.
      if (created.ok()) created->state.status = hub::ScheduledJobStatus::kQueued;
      answer_scheduled_job(api, created, answer);
    });
  });
}

void get_scheduled_job(const Api& api, Request request, Responder responder) {
  Executor& loop = responder.loop();
  std::string id = request.path[2];
  api.hub().shared().store.read_scheduled_job(id, loop, [&api, id, responder = std::move(responder)](Result<std::optional<hub::ScheduledJob>> found) mutable {
    if (!found.ok()) return responder.respond(api.error(found.error(), kScheduledJobEnvelope));
    if (*found) return answer_scheduled_job(api, std::move(**found), responder);
    // Not a 404: az looks for an import or export job when it sees this. The Java SDK wants the id.
    JsonWriter json;
    json.object().member("jobId", id).member("type", "unknown").member("status", "unknown").end_object();
    responder.respond(json_response(std::move(json).take()));
  });
}

void cancel_scheduled_job(const Api& api, Request request, Responder responder) {
  on_jobs(api, std::move(responder), [&api, id = request.path[2]](hub::ScheduledJobs& jobs, Responder answer) {
    jobs.cancel(id, [&api, answer = std::move(answer)](const Result<hub::ScheduledJob>& cancelled) mutable { answer_scheduled_job(api, cancelled, answer); });
  });
}

// What a filter asks for: nothing when it is absent. `nobody`: what no scheduled job is.
template <typename T, std::size_t kCount>
std::optional<T> filter_of(const Request& request, std::string_view name, const std::string_view (&texts)[kCount], bool& nobody) {
  const std::string* text = request.parameter(name);
  if (text == nullptr || text->empty()) return std::nullopt;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (equals_ignoring_case(*text, texts[i])) return static_cast<T>(i);
  }
  nobody = true;
  return std::nullopt;
}

void list_scheduled_jobs(const Api& api, Request request, Responder responder) {
  bool nobody = false;
  hub::ScheduledJobQuery query;
  query.kind = filter_of<hub::ScheduledJobKind>(request, "jobType", hub::kJobKindTexts, nobody);
  query.status = filter_of<hub::ScheduledJobStatus>(request, "jobStatus", hub::kJobStatusTexts, nobody);
  query.limit = page_rows(request.http);
  // A token goes with the filters that it came from.
  const std::string filters = fmt::format("jobs {} {}", query.kind ? hub::job_kind_text(*query.kind) : "", query.status ? hub::job_status_text(*query.status) : "");
  if (const std::string* token = request.http.header("x-ms-continuation"); token != nullptr && !token->empty()) {
    const auto continuation = hub::decode_continuation(*token, filters);
    if (!continuation.ok()) return responder.respond(api.error(continuation.error(), kScheduledJobEnvelope));
    query.before = parse_decimal(continuation->key).value_or(1);
  }
  const auto respond = [filters](const hub::ScheduledJobPage& page, Responder& to) {
    JsonWriter json;
    json.array();
    for (const hub::ScheduledJob& job : page.jobs) write_job(json, job);
    json.end_array();
    http::Response response = json_response(std::move(json).take());
    response.set("x-ms-item-type", "JobResponse");
    // Never an empty one: the Node SDK would ask for ever.
    if (page.more) response.set("x-ms-continuation", hub::encode({stable_hash(filters), {}, {}, std::to_string(page.jobs.back().sequence)}));
    to.respond(std::move(response));
  };
  if (nobody) return respond({}, responder);
  Executor& loop = responder.loop();
  api.hub().shared().store.list_scheduled_jobs(query, loop, [&api, respond, responder = std::move(responder)](Result<hub::ScheduledJobPage> page) mutable {
    if (!page.ok()) return responder.respond(api.error(page.error(), kScheduledJobEnvelope));
    respond(*page, responder);
  });
}

}  // namespace

void add_scheduled_job_routes(std::vector<Route>& routes) {
  const std::vector<auth::Rights> either = {auth::Right::kServiceConnect, auth::Right::kRegistryWrite};
  routes.push_back({"GET", "jobs/v2/query", either, kScheduledJobEnvelope, list_scheduled_jobs});
  routes.push_back({"PUT", "jobs/v2/{}", either, kScheduledJobEnvelope, create_scheduled_job});
  routes.push_back({"GET", "jobs/v2/{}", either, kScheduledJobEnvelope, get_scheduled_job});
  routes.push_back({"POST", "jobs/v2/{}/cancel", either, kScheduledJobEnvelope, cancel_scheduled_job});
}

}  // namespace nearhub::service
