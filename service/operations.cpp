// GET /health and /ready without credentials; GET /_nearhub/status; POST /_nearhub/clock for tests.
#include "base/json.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

void health(const Api& /*api*/, Request /*request*/, Responder responder) { responder.respond(json_response(R"({"status":"healthy"})")); }

void ready(const Api& api, Request /*request*/, Responder responder) {
  const bool is_ready = api.settings().ready();
  http::Response response = json_response(is_ready ? R"({"status":"ready"})" : R"({"status":"not ready"})");
  response.status = is_ready ? 200 : 503;
  responder.respond(std::move(response));
}

void status(const Api& api, Request /*request*/, Responder responder) { responder.respond(json_response(api.settings().status_json())); }

void advance_clock(const Api& api, Request request, Responder responder) {
  constexpr double kMaxSeconds = 10.0 * 365 * 24 * 3600;
  if (!api.settings().advance_clock) {
    return responder.respond(api.error({ErrorCode::kOperationNotAllowedInCurrentState, "the hub runs without --test-clock"}, Envelope::kE1));
  }
  const auto body = parse_json(request.http.body);
  if (!body.ok()) return responder.respond(api.error(body.error(), Envelope::kE1));
  const JsonValue* seconds = body->IsObject() ? find_member(*body, "advanceSeconds") : nullptr;
  if (seconds == nullptr || !seconds->IsNumber() || !(seconds->GetDouble() >= 0) || seconds->GetDouble() > kMaxSeconds) {
    return responder.respond(api.error({ErrorCode::kArgumentInvalid, "expected {\"advanceSeconds\": n} with n from 0 to ten years"}, Envelope::kE1));
  }
  api.settings().advance_clock(std::chrono::milliseconds(static_cast<std::int64_t>(seconds->GetDouble() * 1000)));
  responder.respond(no_content());
}

}  // namespace

void add_operation_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"GET", "health", {}, Envelope::kE1, health, false});
  routes.push_back({"GET", "ready", {}, Envelope::kE1, ready, false});
  routes.push_back({"GET", "_nearhub/status", {Right::kServiceConnect, Right::kRegistryRead}, Envelope::kE1, status, false});
  routes.push_back({"POST", "_nearhub/clock", {Right::kServiceConnect}, Envelope::kE1, advance_clock, false});
}

}  // namespace nearhub::service
