// GET /_nearhub/refusals: why the hub said no. What `nearhub why` shows.
#include "auth/refusal.h"
#include "base/text.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

constexpr std::size_t kDefaultShown = 20;
constexpr std::size_t kMaxShown = 1000;

void list_refusals(const Api& api, Request request, Responder responder) {
  std::size_t limit = kDefaultShown;
  if (const std::string* given = request.parameter("limit")) {
    const auto number = parse_decimal(*given);
    if (!number || *number < 1 || *number > kMaxShown) {
      return responder.respond(api.error({ErrorCode::kArgumentInvalid, "limit must be within [1; 1000]."}, Envelope::kE1));
    }
    limit = static_cast<std::size_t>(*number);
  }
  const std::string* identity = request.parameter("id");
  JsonWriter json;
  json.array();
  for (const auth::Refusal& refusal : api.hub().shared().refusals.recent(identity == nullptr ? std::string_view() : *identity, limit)) {
    auth::write_json(json, refusal);
  }
  json.end_array();
  responder.respond(json_response(std::move(json).take()));
}

}  // namespace

void add_refusal_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"GET", "_nearhub/refusals", {Right::kServiceConnect, Right::kRegistryRead}, Envelope::kE1, list_refusals, false});
}

}  // namespace nearhub::service
