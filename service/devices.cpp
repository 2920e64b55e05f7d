// GET, PUT, DELETE /devices/{id} and GET /devices (reference/service-rest.md 5.2).
#include <algorithm>
#include <memory>

#include "base/shard_hash.h"
#include "base/text.h"
#include "registry/identity_json.h"
#include "service/api.h"
#include "service/identities.h"

namespace nearhub::service {
namespace {

constexpr std::size_t kMaxListed = 1000;

// Gathers the live states of listed devices from their home loops, then answers.
struct Listing {
  std::vector<registry::Identity> identities;
  std::vector<registry::LiveState> live;  // by index
  std::size_t waiting = 0;                // shards that have not answered
};

std::string listing_json(const Listing& listing) {
  JsonWriter json;
  json.array();
  for (std::size_t i = 0; i < listing.identities.size(); ++i) registry::write_json(json, listing.identities[i], listing.live[i]);
  json.end_array();
  return std::move(json).take();
}

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
    // Shared by the answers of the shards, all of which run on this loop.
    auto listing = std::make_shared<Listing>();
    listing->identities = std::move(*listed);
    listing->live.resize(listing->identities.size());
    std::vector<std::vector<std::string>> by_home(hub.shard_count());
    for (const registry::Identity& identity : listing->identities) by_home[hub.home_of(identity.id.device)].push_back(identity.id.device.str());
    listing->waiting = static_cast<std::size_t>(std::count_if(by_home.begin(), by_home.end(), [](const auto& ids) { return !ids.empty(); }));
    auto answer = std::make_shared<Responder>(std::move(responder));
    for (std::uint32_t home = 0; home < by_home.size(); ++home) {
      if (by_home[home].empty()) continue;
      hub::Shard& shard = hub.shard(home);
      shard.executor().post([&shard, &loop, ids = std::move(by_home[home]), listing, answer] {
        loop.post([states = shard.live_states(ids), listing, answer] {
          for (const auto& [id, state] : states) {
            const auto found = std::lower_bound(listing->identities.begin(), listing->identities.end(), id,
                                                [](const registry::Identity& identity, const std::string& wanted) { return identity.id.device.str() < wanted; });
            if (found != listing->identities.end() && found->id.device.str() == id) {
              listing->live[static_cast<std::size_t>(found - listing->identities.begin())] = state;
            }
          }
          if (--listing->waiting == 0) answer->respond(json_response(listing_json(*listing)));
        });
      });
    }
  });
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
  if (id->is_module() && id->module.view().starts_with('$')) {
    return responder.respond(api.error({ErrorCode::kArgumentInvalid, "module ids that begin with '$' are the hub's own"}, Envelope::kE1));
  }
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
