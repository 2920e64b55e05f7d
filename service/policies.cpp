// /_nearhub/policies: the shared access policies. A member is what the cloud's management API shows of one:
//
//   {"keyName":"reader","primaryKey":"...","secondaryKey":"...","rights":"RegistryRead, ServiceConnect"}
//
// Whoever may read or change them may do everything, so it takes a policy with all rights.
#include <fmt/core.h>

#include "base/json.h"
#include "service/api.h"
#include "service/key_choice.h"

namespace nearhub::service {
namespace {

constexpr Envelope kPolicyEnvelope = Envelope::kE1;

void write_json(JsonWriter& json, const auth::AccessPolicy& policy) {
  json.object()
      .member("keyName", policy.name)
      .member("primaryKey", policy.primary_key)
      .member("secondaryKey", policy.secondary_key)
      .member("rights", policy.rights.text())
      .end_object();
}

void list_policies(const Api& api, Request /*request*/, Responder responder) {
  JsonWriter json;
  json.object().member("value").array();
  const auth::PolicyTable::List policies = api.hub().shared().policies.current();
  for (const auth::AccessPolicy& policy : *policies) write_json(json, policy);
  json.end_array().end_object();
  responder.respond(json_response(std::move(json).take()));
}

void get_policy(const Api& api, Request request, Responder responder) {
  const auth::PolicyTable::List policies = api.hub().shared().policies.current();
  const auth::AccessPolicy* policy = auth::find_policy(*policies, request.path[2]);
  if (policy == nullptr) return responder.respond(api.error({ErrorCode::kGenericNotFound, fmt::format("there is no policy {}", request.path[2])}, kPolicyEnvelope));
  JsonWriter json;
  write_json(json, *policy);
  responder.respond(json_response(std::move(json).take()));
}

Result<std::string> key_member(const JsonValue& document, std::string_view name) {
  const JsonValue* member = find_member(document, name);
  if (member == nullptr || member->IsNull()) return std::string();
  if (!member->IsString()) return Error{ErrorCode::kArgumentInvalid, fmt::format("{} is {}; expected a string", name, json_kind(*member))};
  std::string key(string_of(*member));
  if (key.empty()) return key;
  if (Status sound = auth::check_policy_key(key, name); !sound.ok()) return sound.error();
  return key;
}

Result<hub::PolicyRequest> parse_policy(std::string_view body, std::string_view name) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  if (!document->IsObject()) return Error{ErrorCode::kArgumentInvalid, fmt::format("the body is {}; expected an object", json_kind(*document))};
  const JsonValue* named = find_member(*document, "keyName");
  if (named != nullptr && !named->IsNull() && (!named->IsString() || string_of(*named) != name)) {
    return Error{ErrorCode::kArgumentInvalid, "keyName in the body is not the name in the path"};
  }
  hub::PolicyRequest request;
  const JsonValue* rights = find_member(*document, "rights");
  if (rights != nullptr && !rights->IsNull()) {
    if (!rights->IsString()) return Error{ErrorCode::kArgumentInvalid, fmt::format("rights is {}; expected a string", json_kind(*rights))};
    const auto parsed = auth::parse_rights(string_of(*rights));
    if (!parsed.ok()) return parsed.error();
    request.rights = *parsed;
  }
  auto primary = key_member(*document, "primaryKey");
  if (!primary.ok()) return std::move(primary).error();
  auto secondary = key_member(*document, "secondaryKey");
  if (!secondary.ok()) return std::move(secondary).error();
  if (primary->empty() != secondary->empty()) return Error{ErrorCode::kArgumentInvalid, "Either no keys or both keys can be set"};
  request.primary_key = std::move(*primary);
  request.secondary_key = std::move(*secondary);
  return request;
}

// Runs `operation` on the first shard's loop, where policies are changed.
template <typename Operation>
void on_first_shard(const Api& api, Responder responder, Operation operation) {
  hub::Shard& shard = api.hub().shard(0);
  shard.executor().post([&shard, responder = std::move(responder), operation = std::move(operation)]() mutable { operation(shard, std::move(responder)); });
}

void respond_when_known(const Api& api, http::Response response, Responder responder) {
  if (!api.settings().policies_changed) return responder.respond(std::move(response));
  api.settings().policies_changed([response = std::move(response), responder = std::move(responder)]() mutable { responder.respond(std::move(response)); });
}

void answer_changed(const Api& api, const Result<auth::AccessPolicy>& policy, Responder responder) {
  if (!policy.ok()) return responder.respond(api.error(policy.error(), kPolicyEnvelope));
  JsonWriter json;
  write_json(json, *policy);
  respond_when_known(api, json_response(std::move(json).take()), std::move(responder));
}

void put_policy(const Api& api, Request request, Responder responder) {
  const std::string& name = request.path[2];
  auto asked = parse_policy(request.http.body, name);
  if (!asked.ok()) return responder.respond(api.error(asked.error(), kPolicyEnvelope));
  on_first_shard(api, std::move(responder), [&api, name, asked = std::move(*asked)](hub::Shard& shard, Responder answer) mutable {
    shard.put_policy(name, std::move(asked), [&api, answer = std::move(answer)](const Result<auth::AccessPolicy>& policy) mutable {
      answer_changed(api, policy, std::move(answer));
    });
  });
}

void regenerate_policy(const Api& api, Request request, Responder responder) {
  const auto document = parse_json(request.http.body);
  if (!document.ok()) return responder.respond(api.error(document.error(), kPolicyEnvelope));
  const auto which = parse_key_choice(*document);
  if (!which.ok()) return responder.respond(api.error(which.error(), kPolicyEnvelope));
  on_first_shard(api, std::move(responder), [&api, name = request.path[2], which = which->which](hub::Shard& shard, Responder answer) mutable {
    shard.regenerate_policy(name, which, [&api, answer = std::move(answer)](const Result<auth::AccessPolicy>& policy) mutable {
      answer_changed(api, policy, std::move(answer));
    });
  });
}

void delete_policy(const Api& api, Request request, Responder responder) {
  on_first_shard(api, std::move(responder), [&api, name = request.path[2]](hub::Shard& shard, Responder answer) mutable {
    shard.delete_policy(name, [&api, answer = std::move(answer)](const Result<std::monostate>& deleted) mutable {
      if (!deleted.ok()) return answer.respond(api.error(deleted.error(), kPolicyEnvelope));
      respond_when_known(api, no_content(), std::move(answer));
    });
  });
}

}  // namespace

void add_policy_routes(std::vector<Route>& routes) {
  const std::vector<auth::Rights> owner = {auth::kAllRights};
  routes.push_back({"GET", "_nearhub/policies", owner, kPolicyEnvelope, list_policies, false});
  routes.push_back({"GET", "_nearhub/policies/{}", owner, kPolicyEnvelope, get_policy, false});
  routes.push_back({"PUT", "_nearhub/policies/{}", owner, kPolicyEnvelope, put_policy, false});
  routes.push_back({"DELETE", "_nearhub/policies/{}", owner, kPolicyEnvelope, delete_policy, false});
  routes.push_back({"POST", "_nearhub/policies/{}/regenerate", owner, kPolicyEnvelope, regenerate_policy, false});
}

}  // namespace nearhub::service
