// GET, PUT, DELETE /devices/{id} and GET /devices (reference/service-rest.md 5.2).
#include "base/text.h"
#include "hub/live_states.h"
#include "registry/identity_json.h"
#include "service/api.h"
#include "service/identities.h"

namespace nearhub::service {
namespace {

constexpr std::size_t kMaxListed = 1000;

void list_devices(const Api& api, Request request, Responder responder) {
  std::size_t top = kMaxListed;
  if (const std::string* given = request.parameter("top")) {
    // Outside 1..1000 it is 1000 (5.2).
    const auto number = parse_decimal(*given);
    if (number && *number >= 1 && *number <= kMaxListed) top = static_cast<std::size_t>(*number);
  }
  Executor& loop = responder.loop();
  const hub::Hub& hub = api.hub();
  hub.shared().store.list_devices(top, loop, [&api, &hub, &loop, responder = std::move(responder)](Result<std::vector<registry::Identity>> listed) mutable {
    if (!listed.ok()) return responder.respond(api.error(listed.error(), Envelope::kE1));
    if (listed->empty()) return responder.respond(json_response("[]"));
    std::vector<IdentityId> ids;
    ids.reserve(listed->size());
    for (const registry::Identity& identity : *listed) ids.push_back(identity.id);
    hub::gather_live_states(hub, loop, ids, [identities = std::move(*listed), responder = std::move(responder)](hub::LiveStates live) mutable {
      JsonWriter json;
      json.array();
      for (std::size_t i = 0; i < identities.size(); ++i) {
        // One that was deleted and made again meanwhile is another device.
        if (live[i] && live[i]->generation_id != identities[i].generation_id) live[i].reset();
        if (live[i]) {
          identities[i].connection_state_updated = live[i]->connection_state_updated;
          identities[i].last_activity = live[i]->last_activity;
        }
        registry::write_json(json, identities[i], live[i] ? live[i]->state : registry::LiveState());
      }
      json.end_array();
      responder.respond(json_response(std::move(json).take()));
    });
  });
}

// The modules that the hub makes for an edge device can be read, and their twins written.
Status check_not_system(const IdentityId& id, const http::Request& request) {
  if (!id.is_module() || !id.module.view().starts_with('$')) return {};
  const bool creates = request.method == "PUT" && parse_if_match(request).kind == hub::Condition::kAbsent;
  if (registry::is_edge_module(id.module) && !creates) {
    return Error{ErrorCode::kSystemModuleModifyUnauthorizedAccess, id.module.str() + " belongs to the edge device: it is made and deleted with it"};
  }
  return Error{ErrorCode::kArgumentInvalid, "module ids that begin with '$' are the hub's own"};
}

}  // namespace

void get_identity(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), Envelope::kE1));
  api.on_home(id->device, Envelope::kE1, std::move(responder), [&api, id = *id](hub::Shard& shard, Responder answer) {
    shard.get_identity(id, [&api, answer = std::move(answer)](Result<hub::IdentityView> view) mutable { answer_identity(api, std::move(view), answer); });
  });
}

void put_identity(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), Envelope::kE1));
  if (Status ours = check_not_system(*id, request.http); !ours.ok()) return responder.respond(api.error(ours.error(), Envelope::kE1));
  auto wanted = registry::parse_identity_request(request.http.body, *id);
  if (!wanted.ok()) return responder.respond(api.error(wanted.error(), Envelope::kE1));
  api.on_home(id->device, Envelope::kE1, std::move(responder),
              [&api, id = *id, wanted = std::move(*wanted), condition = parse_if_match(request.http)](hub::Shard& shard, Responder answer) mutable {
    shard.put_identity(id, std::move(wanted), condition,
                       [&api, answer = std::move(answer)](Result<hub::IdentityView> view) mutable { answer_identity(api, std::move(view), answer); });
  });
}

void delete_identity(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), Envelope::kE1));
  if (Status ours = check_not_system(*id, request.http); !ours.ok()) return responder.respond(api.error(ours.error(), Envelope::kE1));
  const hub::Condition condition = parse_if_match(request.http);
  if (condition.kind == hub::Condition::kAbsent) {
    return responder.respond(api.error({ErrorCode::kPreconditionFailed, "Etag missing: DELETE needs an If-Match header, * for any"}, Envelope::kE1));
  }
  api.on_home(id->device, Envelope::kE1, std::move(responder), [&api, id = *id, condition](hub::Shard& shard, Responder answer) {
    shard.delete_identity(id, condition, [&api, answer = std::move(answer)](Result<std::monostate> deleted) mutable {
      answer.respond(deleted.ok() ? no_content() : api.error(deleted.error(), Envelope::kE1));
    });
  });
}

void answer_identity(const Api& api, Result<hub::IdentityView> view, Responder& responder) {
  if (!view.ok()) {
    const bool known_module = view.error().code == ErrorCode::kModuleAlreadyExistsOnDevice;
    return responder.respond(api.error(view.error(), known_module ? Envelope::kE2 : Envelope::kE1));
  }
  JsonWriter json;
  registry::write_json(json, view->identity, view->live);
  http::Response response = json_response(std::move(json).take());
  response.set("ETag", "\"" + view->identity.etag().str() + "\"");
  responder.respond(std::move(response));
}

void add_device_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"GET", "devices", {Right::kRegistryRead}, Envelope::kE1, list_devices});
  routes.push_back({"GET", "devices/{}", {Right::kRegistryRead}, Envelope::kE1, get_identity});
  routes.push_back({"PUT", "devices/{}", {Right::kRegistryWrite}, Envelope::kE1, put_identity});
  routes.push_back({"DELETE", "devices/{}", {Right::kRegistryWrite}, Envelope::kE1, delete_identity});
}

}  // namespace nearhub::service
