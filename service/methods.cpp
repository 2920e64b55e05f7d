// POST /twins/{d}[/modules/{m}]/methods (reference/service-rest.md 5.7).
#include <fmt/core.h>

#include "service/api.h"
#include "service/method_request.h"
#include "twin/value.h"

namespace nearhub::service {
namespace {

constexpr Envelope kMethodEnvelope = Envelope::kE3;

Result<hub::MethodRequest> parse_body(std::string_view text) {
  const auto body = twin::parse_value(text, text.size());
  if (!body.ok()) return body.error();
  if (!body->is_object()) return invalid_argument(fmt::format("the body is {}; expected an object", twin::kind_name(body->kind())));
  return parse_method_request(*body);
}

void invoke(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kMethodEnvelope));
  auto method = parse_body(request.http.body);
  if (!method.ok()) return responder.respond(api.error(method.error(), kMethodEnvelope));
  api.on_home(id->device, kMethodEnvelope, std::move(responder), [&api, id = *id, method = std::move(*method)](hub::Shard& shard, Responder answer) mutable {
    shard.invoke_method(id, std::move(method), [&api, answer = std::move(answer)](Result<hub::MethodResult> result) mutable {
      if (!result.ok()) return answer.respond(api.error(result.error(), kMethodEnvelope));
      JsonWriter json;
      json.object().member("status", static_cast<std::int64_t>(result->status)).member("payload").raw(result->payload).end_object();
      answer.respond(json_response(std::move(json).take()));
    });
  });
}

}  // namespace

void add_method_routes(std::vector<Route>& routes) {
  routes.push_back({"POST", "twins/{}/methods", {auth::Right::kServiceConnect}, kMethodEnvelope, invoke});
  routes.push_back({"POST", "twins/{}/modules/{}/methods", {auth::Right::kServiceConnect}, kMethodEnvelope, invoke});
}

}  // namespace nearhub::service
