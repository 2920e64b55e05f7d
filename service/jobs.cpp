// POST /jobs/create, GET /jobs, GET and DELETE /jobs/{id}: import and export of the registry (reference/service-rest.md 5.8).
#include "jobs/transfer_jobs.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

constexpr Envelope kJobEnvelope = Envelope::kE1;

void write_time(JsonWriter& json, std::string_view name, WallTime time) {
  json.member(name);
  time == kNever ? json.null() : json.string(format_iso8601(time));
}

// Container URIs are not echoed, as in the cloud: they hold secrets.
void write_json(JsonWriter& json, const hub::TransferJob& job) {
  const bool import = job.kind == hub::TransferKind::kImport;
  json.object().member("jobId", job.id).member("type", import ? "import" : "export").member("status", hub::transfer_status_text(job.status));
  json.member("progress", job.progress);
  write_time(json, "startTimeUtc", job.started);
  write_time(json, "endTimeUtc", job.ended);
  if (import) json.member("inputBlobName", job.input_blob);
  json.member("outputBlobName", import ? jobs::kErrorBlob : std::string_view(job.output_blob));
  json.member("excludeKeysInExport", job.exclude_keys).member("storageAuthenticationType", "keyBased").member("includeConfigurations", false);
  json.member("failureReason");
  job.failure.empty() ? json.null() : json.string(job.failure);
  json.end_object();
}

Result<std::string> text_member(const JsonValue& document, std::string_view name) {
  const JsonValue* member = find_member(document, name);
  if (member == nullptr || member->IsNull()) return std::string();
  if (!member->IsString()) return invalid_argument(fmt::format("{} is {}; expected a string", name, json_kind(*member)));
  return std::string(string_of(*member));
}

Result<bool> flag_member(const JsonValue& document, std::string_view name) {
  const JsonValue* member = find_member(document, name);
  if (member == nullptr || member->IsNull()) return false;
  if (!member->IsBool()) return invalid_argument(fmt::format("{} is {}; expected a boolean", name, json_kind(*member)));
  return member->GetBool();
}

Result<jobs::TransferRequest> parse_request(std::string_view body) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  if (!document->IsObject()) return invalid_argument(fmt::format("the body is {}; expected an object", json_kind(*document)));
  jobs::TransferRequest request;
  const auto type = text_member(*document, "type");
  if (!type.ok()) return type.error();
  if (equals_ignoring_case(*type, "import")) {
    request.kind = hub::TransferKind::kImport;
  } else if (!equals_ignoring_case(*type, "export")) {
    return invalid_argument(fmt::format("type is \"{}\"; expected import or export", printable(*type, 40)));
  }
  std::string storage;
  const std::pair<std::string_view, std::string*> texts[] = {{"inputBlobContainerUri", &request.input_uri},
                                                             {"outputBlobContainerUri", &request.output_uri},
                                                             {"inputBlobName", &request.input_blob},
                                                             {"outputBlobName", &request.output_blob},
                                                             {"storageAuthenticationType", &storage}};
  for (const auto& [name, target] : texts) {
    auto text = text_member(*document, name);
    if (!text.ok()) return std::move(text).error();
    if (!text->empty()) *target = std::move(*text);
  }
  const bool by_identity = equals_ignoring_case(storage, "identityBased");
  if (!storage.empty() && !by_identity && !equals_ignoring_case(storage, "keyBased")) {
    return invalid_argument(fmt::format("storageAuthenticationType is \"{}\"; expected keyBased or identityBased", printable(storage, 40)));
  }
  // The hub's own folder needs no key.
  for (const std::string* uri : {&request.input_uri, &request.output_uri}) {
    if (!by_identity || uri->empty() || starts_with_ignoring_case(*uri, "file:")) continue;
    return Error{ErrorCode::kBlobContainerValidationError, "storageAuthenticationType identityBased needs Entra ID, which this hub has not: give a URI with a SAS"};
  }
  const auto exclude = flag_member(*document, "excludeKeysInExport");
  if (!exclude.ok()) return exclude.error();
  request.exclude_keys = *exclude;
  const auto configurations = flag_member(*document, "includeConfigurations");
  if (!configurations.ok()) return configurations.error();
  if (*configurations) return Error{ErrorCode::kNotImplemented, "includeConfigurations is not implemented in this version: configurations are not part of import and export"};
  return request;
}

void answer_job(const Api& api, const Result<hub::TransferJob>& job, Responder& responder) {
  if (!job.ok()) return responder.respond(api.error(job.error(), kJobEnvelope));
  JsonWriter json;
  write_json(json, *job);
  responder.respond(json_response(std::move(json).take()));
}

jobs::TransferJobs* jobs_of(const Api& api, Responder& responder) {
  if (api.settings().transfer_jobs == nullptr) responder.respond(api.error({ErrorCode::kNotImplemented, "this hub runs no jobs"}, kJobEnvelope));
  return api.settings().transfer_jobs;
}

void create_job(const Api& api, Request request, Responder responder) {
  auto asked = parse_request(request.http.body);
  if (!asked.ok()) return responder.respond(api.error(asked.error(), kJobEnvelope));
  jobs::TransferJobs* jobs = jobs_of(api, responder);
  if (jobs == nullptr) return;
  jobs->create(std::move(*asked), [&api, responder = std::move(responder)](const Result<hub::TransferJob>& job) mutable { answer_job(api, job, responder); });
}

void list_jobs(const Api& api, Request /*request*/, Responder responder) {
  Executor& loop = responder.loop();
  api.hub().shared().store.list_transfer_jobs(loop, [&api, responder = std::move(responder)](const Result<std::vector<hub::TransferJob>>& jobs) mutable {
    if (!jobs.ok()) return responder.respond(api.error(jobs.error(), kJobEnvelope));
    JsonWriter json;
    json.array();
    for (const hub::TransferJob& job : *jobs) write_json(json, job);
    json.end_array();
    responder.respond(json_response(std::move(json).take()));
  });
}

void get_job(const Api& api, Request request, Responder responder) {
  Executor& loop = responder.loop();
  api.hub().shared().store.list_transfer_jobs(
      loop, [&api, id = request.path[1], responder = std::move(responder)](const Result<std::vector<hub::TransferJob>>& jobs) mutable {
        if (!jobs.ok()) return responder.respond(api.error(jobs.error(), kJobEnvelope));
        const auto found = std::find_if(jobs->begin(), jobs->end(), [&id](const hub::TransferJob& job) { return job.id == id; });
        if (found == jobs->end()) return responder.respond(api.error({ErrorCode::kJobNotFound, printable(id, 100)}, kJobEnvelope));
        answer_job(api, *found, responder);
      });
}

void cancel_job(const Api& api, Request request, Responder responder) {
  jobs::TransferJobs* jobs = jobs_of(api, responder);
  if (jobs == nullptr) return;
  jobs->cancel(request.path[1], [&api, responder = std::move(responder)](const Status& cancelled) mutable {
    responder.respond(cancelled.ok() ? no_content() : api.error(cancelled.error(), kJobEnvelope));
  });
}

}  // namespace

void add_job_routes(std::vector<Route>& routes) {
  const std::vector<auth::Rights> write = {auth::Right::kRegistryWrite};
  routes.push_back({"POST", "jobs/create", write, kJobEnvelope, create_job});
  routes.push_back({"GET", "jobs", write, kJobEnvelope, list_jobs});
  routes.push_back({"GET", "jobs/{}", write, kJobEnvelope, get_job});
  routes.push_back({"DELETE", "jobs/{}", write, kJobEnvelope, cancel_job});
}

}  // namespace nearhub::service
