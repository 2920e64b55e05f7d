// GET /_nearhub/refusals: why the hub said no, and its warnings. What `nearhub why` shows.
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
  std::optional<auth::EntryKind> kind;
  if (const std::string* given = request.parameter("kind")) {
    if (*given != "refusal" && *given != "warning") {
      return responder.respond(api.error({ErrorCode::kArgumentInvalid, "kind must be refusal or warning."}, Envelope::kE1));
    }
    kind = *given == "warning" ? auth::EntryKind::kWarning : auth::EntryKind::kRefusal;
  }
  const std::string* identity = request.parameter("id");
  JsonWriter json;
  json.array();
  for (const auth::Refusal& refusal : api.hub().shared().refusals.recent(identity == nullptr ? std::string_view() : *identity, limit, kind)) {
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
