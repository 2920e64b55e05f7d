// /devices/{d}/modules and /devices/{d}/modules/{m} (reference/service-rest.md 5.3).
#include "registry/identity_json.h"
#include "service/identities.h"

namespace nearhub::service {
namespace {

void list_modules(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), Envelope::kE1));
  api.on_home(id->device, Envelope::kE1, std::move(responder), [&api, id = *id](hub::Shard& shard, Responder answer) {
    shard.list_modules(id.device, [&api, answer = std::move(answer)](Result<std::vector<hub::IdentityView>> views) mutable {
      if (!views.ok()) return answer.respond(api.error(views.error(), Envelope::kE1));
      JsonWriter json;
      json.array();
      for (const hub::IdentityView& view : *views) registry::write_json(json, view.identity, view.live);
      json.end_array();
      answer.respond(json_response(std::move(json).take()));
    });
  });
}

}  // namespace

void add_module_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"GET", "devices/{}/modules", {Right::kRegistryRead}, Envelope::kE1, list_modules});
  routes.push_back({"GET", "devices/{}/modules/{}", {Right::kRegistryRead}, Envelope::kE1, get_identity});
  routes.push_back({"PUT", "devices/{}/modules/{}", {Right::kRegistryWrite}, Envelope::kE1, put_identity});
  routes.push_back({"DELETE", "devices/{}/modules/{}", {Right::kRegistryWrite}, Envelope::kE1, delete_identity});
}

}  // namespace nearhub::service
