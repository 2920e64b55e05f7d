#include "service/api.h"

#include <fmt/core.h>

#include "auth/service_authentication.h"
#include "base/log.h"
#include "base/text.h"

namespace nearhub::service {
namespace {

const std::vector<Route>& routes() {
  static const std::vector<Route> table = [] {
    std::vector<Route> made;
    add_operation_routes(made);
    add_query_routes(made);
    add_scheduled_job_routes(made);
    add_job_routes(made);
    add_configuration_routes(made);
    add_missing_routes(made);
    add_policy_routes(made);
    add_bulk_routes(made);
    add_statistics_routes(made);
    add_event_routes(made);
    add_refusal_routes(made);
    add_certificate_routes(made);
    add_cloud_message_routes(made);
    add_feedback_routes(made);
    add_method_routes(made);
    add_twin_routes(made);
    add_digital_twin_routes(made);
    add_module_routes(made);
    add_device_routes(made);
    return made;
  }();
  return table;
}

// Words in any case, ids as they are.
bool path_matches(std::string_view pattern, const std::vector<std::string>& path) {
  std::size_t i = 0;
  while (!pattern.empty()) {
    const auto [word, rest] = split_once(pattern, '/');
    pattern = rest.value_or(std::string_view());
    if (i == path.size() || (word != "{}" && !equals_ignoring_case(word, path[i]))) return false;
    ++i;
  }
  return i == path.size();
}

// The identity that a request is about, for the refusal book: "d1", "d1/m1"; empty when it names none.
std::string subject_of(const Request& request) {
  const auto& path = request.path;
  if (request.method == "POST" && path.size() == 2) return {};  // devices/query
  if (path.size() < 2) return {};
  const auto begins_with = [&path](std::string_view word) { return equals_ignoring_case(path[0], word); };
  if (!begins_with("devices") && !begins_with("twins") && !begins_with("digitaltwins")) return {};
  if (path.size() >= 4 && equals_ignoring_case(path[2], "modules")) return path[1] + "/" + path[3];
  return path[1];
}

}  // namespace

Api::Api(const hub::Hub& hub, ApiSettings settings) : hub_(hub), settings_(std::move(settings)) {}

http::Response Api::error(const Error& error, Envelope envelope) const {
  return error_response(error, envelope, hub_.shared().clock.now(), hub_.shared().random);
}

http::Response Api::refuse(std::string identity, const std::string& peer, std::string operation, auth::Denial denial, Error shown,
                           Envelope envelope) const {
  http::Response response = error(shown, envelope);
  response.reason.clear();  // it stands in the book
  hub_.refuse(std::move(identity), peer, std::move(operation), fmt::format("{} {}", http_status(shown.code), error_name(shown.code)), std::move(denial));
  return response;
}

std::optional<http::Response> Api::judge(Request& request, const Route*& route) const {
  const hub::Hub::Shared& shared = hub_.shared();
  const auto denied = [&](auth::Denial denial, Envelope envelope) {
    Error shown{denial.code, denial.code == ErrorCode::kIotHubUnauthorizedAccess ? "Unauthorized" : denial.sentence()};
    return refuse(auth::claimed_identity(request.http.header("Authorization")), request.peer, request.operation(), std::move(denial), std::move(shown), envelope);
  };
  const auto missing = [&](std::string identity, std::string operation, std::string what, Envelope envelope) {
    return refuse(std::move(identity), request.peer, std::move(operation), {auth::Check::kBody, ErrorCode::kNotImplemented, {}, what, {}},
                  {ErrorCode::kNotImplemented, what}, envelope);
  };
  if (const std::string* upgrade = request.http.header("Upgrade"); upgrade != nullptr && equals_ignoring_case(*upgrade, "websocket")) {
    return missing({}, "WebSocket upgrade", "MQTT and AMQP over WebSocket are not implemented in this version: use MQTT over TLS", Envelope::kE1);
  }
  bool path_known = false;
  for (const Route& candidate : routes()) {
    if (!path_matches(candidate.path, request.path)) continue;
    path_known = true;
    if (candidate.method == request.method || (request.method == "HEAD" && candidate.method == "GET")) {
      route = &candidate;
      break;
    }
  }
  if (route == nullptr) {
    if (path_known) {
      return denied({auth::Check::kProtocol, ErrorCode::kGenericMethodNotAllowed, "a method that this resource has", request.method, {}}, Envelope::kE1);
    }
    return denied({auth::Check::kProtocol, ErrorCode::kGenericNotFound, "a path of the hub's API", printable(request.operation(), 300), {}}, Envelope::kE1);
  }
  if (!route->any_of.empty()) {
    const auth::PolicyTable::List policies = shared.policies.current();
    auth::ServiceQuestion question{request.http.header("Authorization"), route->any_of, {}, shared.hosts, *policies, shared.clock.now(),
                                   shared.sas_times};
    for (const std::string& segment : request.path) question.path.emplace_back(segment);
    auto verdict = auth::authorize_service(question);
    if (auto* denial = std::get_if<auth::Denial>(&verdict)) return denied(std::move(*denial), route->envelope);
    request.grant = std::move(std::get<auth::ServiceGrant>(verdict));
  }
  if (route->api_version) {
    const std::string* version = request.parameter("api-version");
    if (version == nullptr || !is_api_version(*version)) {
      return denied({auth::Check::kApiVersion, ErrorCode::kInvalidProtocolVersion, "api-version=YYYY-MM-DD in the query",
                     version == nullptr ? "none" : printable(*version, 40), "add ?api-version=2021-04-12"},
                    route->envelope);
    }
  }
  if (route->handler == nullptr) {
    return missing(subject_of(request), request.operation(),
                   request.method + " /" + std::string(route->path) + " is not implemented in this version of nearhub", route->envelope);
  }
  return std::nullopt;
}

std::optional<http::Response> Api::refusal_of(http::Request header, const std::string& peer) const {
  auto request = take_apart(header, peer);
  if (!request.ok()) {
    return refuse({}, peer, header.method + " " + std::string(split_once(header.target, '?').first),
                  {auth::Check::kBody, request.error().code, {}, request.error().detail, {}}, request.error(), Envelope::kE1);
  }
  const Route* route = nullptr;
  if (auto refused = judge(*request, route)) return refused;
  if (!route->any_of.empty()) return std::nullopt;
  // Nobody knows who sends it.
  const std::string why = "a request without credentials takes no body";
  return refuse({}, peer, request->operation(), {auth::Check::kSize, ErrorCode::kGenericRequestEntityTooLarge, {}, why, {}},
                {ErrorCode::kGenericRequestEntityTooLarge, why}, route->envelope);
}

void Api::handle(http::Request http, const std::string& peer, Responder responder) const {
  auto request = take_apart(http, peer);
  if (!request.ok()) {
    responder.describe({&hub_, {}, peer, http.method + " " + std::string(split_once(http.target, '?').first)});
    return responder.respond(error(request.error(), Envelope::kE1));
  }
  const Route* route = nullptr;
  if (auto refused = judge(*request, route)) return responder.respond(std::move(*refused));
  responder.describe({&hub_, subject_of(*request), peer, request->operation()});
  log::debug("http", "peer={} op=\"{}\"", peer, printable(request->operation()));
  route->handler(*this, std::move(*request), std::move(responder));
}

Result<IdentityId> identity_of(const Request& request) {
  IdentityId id{DeviceId(request.path.at(1)), ModuleId()};
  if (Status status = check_id(id.device.view(), "deviceId"); !status.ok()) return status.error();
  if (request.path.size() >= 4 && equals_ignoring_case(request.path[2], "modules")) {
    id.module = ModuleId(request.path[3]);
    if (Status status = check_id(id.module.view(), "moduleId"); !status.ok()) return status.error();
  }
  return id;
}

void add_missing_routes(std::vector<Route>& routes) {
  const Envelope e1 = Envelope::kE1;
  // A device's own requests: their credentials are not looked at before there is something to open with them.
  const std::vector<auth::Rights> nobody;
  routes.insert(routes.end(), {
      {"POST", "devices/{}/messages/events", nobody, e1, nullptr, false},
      {"GET", "devices/{}/messages/devicebound", nobody, e1, nullptr, false},
      {"DELETE", "devices/{}/messages/devicebound/{}", nobody, e1, nullptr, false},
      {"POST", "devices/{}/messages/devicebound/{}/abandon", nobody, e1, nullptr, false},
      {"POST", "devices/{}/files", nobody, e1, nullptr, false},
      {"POST", "devices/{}/files/notifications", nobody, e1, nullptr, false},
      {"POST", "devices/{}/files/notifications/{}", nobody, e1, nullptr, false},
  });
}

}  // namespace nearhub::service
