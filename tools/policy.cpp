#include "tools/policy.h"

#include <fmt/core.h>

#include "auth/access_policy.h"
#include "auth/connection_string.h"
#include "base/json_writer.h"
#include "base/url.h"
#include "broker/config.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "wire/net/address.h"

namespace nearhub::tools {
namespace {

std::string policy_path(const std::string& name) { return "/_nearhub/policies/" + percent_encode(name); }

Status check_name(const std::string& name) {
  const Status sound = auth::check_policy_name(name);
  return sound.ok() ? sound : Status(Error{ErrorCode::kInvalidSetting, sound.error().detail});
}

std::string service_connection_string(const HubClient& hub, const JsonValue& policy, std::string_view which_key) {
  const HubAddress& address = hub.address();
  auth::ConnectionString text;
  text.host_name = address.port == broker::kDefaultHttpsPort ? address.host : net::host_and_port(address.host, address.port);
  text.policy_name = text_at(policy, {"keyName"});
  text.key = text_at(policy, {which_key});
  return text.text();
}

Result<JsonDocument> call(HubClient& hub, HubRequest request, std::string& body) {
  auto answer = hub.call(request);
  if (!answer.ok()) return std::move(answer).error();
  body = std::move(answer->body);
  return parse_object(body);
}

}  // namespace

Status list_policies(HubClient& hub, bool keys, bool json, Console& console) {
  const auto body = hub.get("/_nearhub/policies");
  if (!body.ok()) return body.error();
  auto document = parse_object(*body);
  if (!document.ok()) return document.error();
  if (json) {
    console.print((keys ? *body : without_keys(std::move(*document))) + "\n");
    return {};
  }
  std::vector<std::string> headings = {"POLICY", "RIGHTS"};
  if (keys) headings.insert(headings.end(), {"PRIMARY KEY", "SECONDARY KEY"});
  Table table(std::move(headings));
  if (const JsonValue* policies = find_path(*document, {"value"}); policies != nullptr && policies->IsArray()) {
    for (const JsonValue& policy : policies->GetArray()) {
      std::vector<std::string> cells = {text_at(policy, {"keyName"}), text_at(policy, {"rights"})};
      if (keys) cells.insert(cells.end(), {text_at(policy, {kPrimaryKey}), text_at(policy, {kSecondaryKey})});
      table.add(std::move(cells));
    }
  }
  console.print(table.text());
  return {};
}

Status show_policy(HubClient& hub, const std::string& name, bool keys, bool json, Console& console) {
  if (Status sound = check_name(name); !sound.ok()) return sound;
  const auto body = hub.get(policy_path(name));
  if (!body.ok()) return body.error();
  auto policy = parse_object(*body);
  if (!policy.ok()) return policy.error();
  if (json) {
    console.print((keys ? *body : without_keys(std::move(*policy))) + "\n");
    return {};
  }
  Fields fields;
  fields.add("policy", text_at(*policy, {"keyName"}));
  fields.add("rights", text_at(*policy, {"rights"}));
  if (keys) {
    fields.add("primary key", text_at(*policy, {kPrimaryKey}));
    fields.add("secondary key", text_at(*policy, {kSecondaryKey}));
  }
  console.print(fields.text());
  return {};
}

Status put_policy(HubClient& hub, const std::string& name, const std::string& rights, bool replace, bool json, Console& console) {
  if (Status sound = check_name(name); !sound.ok()) return sound;
  if (const auto parsed = auth::parse_rights(rights); !parsed.ok()) return Error{ErrorCode::kInvalidSetting, parsed.error().detail};
  HubRequest request;
  request.path = policy_path(name);
  if (!replace) {
    const auto there = hub.request(request);
    if (!there.ok()) return there.error();
    if (there->status == 200) return Error{ErrorCode::kGenericConflict, fmt::format("policy {} is there already; `nearhub policy update` changes its rights", name)};
  }
  JsonWriter json_body;
  json_body.object().member("rights", rights).end_object();
  request.method = "PUT";
  request.body = std::move(json_body).take();
  std::string body;
  const auto policy = call(hub, std::move(request), body);
  if (!policy.ok()) return policy.error();
  console.print((json ? body : service_connection_string(hub, *policy, kPrimaryKey)) + "\n");
  return {};
}

Status delete_policy(HubClient& hub, const std::string& name, Console& console) {
  if (Status sound = check_name(name); !sound.ok()) return sound;
  HubRequest request;
  request.method = "DELETE";
  request.path = policy_path(name);
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  console.print(fmt::format("deleted policy {}; the connections that it admitted are closed\n", name));
  return {};
}

Status regenerate_policy(HubClient& hub, const std::string& name, const std::string& which, bool json, Console& console) {
  if (Status sound = check_name(name); !sound.ok()) return sound;
  JsonWriter json_body;
  json_body.object().member("policyKey", which).end_object();
  HubRequest request;
  request.method = "POST";
  request.path = policy_path(name) + "/regenerate";
  request.body = std::move(json_body).take();
  std::string body;
  const auto policy = call(hub, std::move(request), body);
  if (!policy.ok()) return policy.error();
  console.print((json ? body : service_connection_string(hub, *policy, which == kSecondaryKey ? kSecondaryKey : kPrimaryKey)) + "\n");
  return {};
}

Status print_policy_connection_string(HubClient& hub, const std::string& name, bool secondary, Console& console) {
  if (Status sound = check_name(name); !sound.ok()) return sound;
  const auto body = hub.get(policy_path(name));
  if (!body.ok()) return body.error();
  const auto policy = parse_object(*body);
  if (!policy.ok()) return policy.error();
  console.print(service_connection_string(hub, *policy, secondary ? kSecondaryKey : kPrimaryKey) + "\n");
  return {};
}

}  // namespace nearhub::tools
