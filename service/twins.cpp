// GET, PATCH, PUT /twins/{d}[/modules/{m}] (reference/service-rest.md 5.5).
#include "service/api.h"
#include "twin/limits.h"
#include "twin/twin.h"

namespace nearhub::service {
namespace {

constexpr Envelope kTwinEnvelope = Envelope::kE3;

void answer_twin(const Api& api, Result<hub::TwinView> view, Responder& responder) {
  if (!view.ok()) return responder.respond(api.error(view.error(), kTwinEnvelope));
  http::Response response = json_response(std::move(view->json));
  response.set("ETag", "\"" + view->etag.str() + "\"");
  responder.respond(std::move(response));
}

void get_twin(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kTwinEnvelope));
  api.on_home(id->device, kTwinEnvelope, std::move(responder), [&api, id = *id](hub::Shard& shard, Responder answer) {
    shard.get_twin(id, [&api, answer = std::move(answer)](Result<hub::TwinView> view) mutable { answer_twin(api, std::move(view), answer); });
  });
}

void update_twin(const Api& api, Request request, Responder responder, bool replace) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kTwinEnvelope));
  auto update = twin::parse_update(request.http.body);
  if (!update.ok()) return responder.respond(api.error(update.error(), kTwinEnvelope));
  hub::Condition condition = parse_if_match(request.http);
  api.on_home(id->device, kTwinEnvelope, std::move(responder),
              [&api, id = *id, update = std::move(*update), replace, condition = std::move(condition)](hub::Shard& shard, Responder answer) mutable {
    shard.update_twin(id, std::move(update), replace, condition,
                      [&api, answer = std::move(answer)](Result<hub::TwinView> view) mutable { answer_twin(api, std::move(view), answer); });
  });
}

void patch_twin(const Api& api, Request request, Responder responder) { update_twin(api, std::move(request), std::move(responder), false); }
void put_twin(const Api& api, Request request, Responder responder) { update_twin(api, std::move(request), std::move(responder), true); }

}  // namespace

void add_twin_routes(std::vector<Route>& routes) {
  using auth::Right;
  for (const std::string_view path : {"twins/{}", "twins/{}/modules/{}"}) {
    routes.push_back({"GET", path, {Right::kServiceConnect}, kTwinEnvelope, get_twin});
    routes.push_back({"PATCH", path, {Right::kServiceConnect}, kTwinEnvelope, patch_twin});
    routes.push_back({"PUT", path, {Right::kServiceConnect}, kTwinEnvelope, put_twin});
  }
}

}  // namespace nearhub::service
