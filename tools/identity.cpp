#include "tools/identity.h"

#include <fmt/core.h>

#include "auth/connection_string.h"
#include "auth/host_names.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/url.h"
#include "broker/config.h"
#include "tools/json_text.h"
#include "tools/time_text.h"
#include "wire/net/address.h"

namespace nearhub::tools {
namespace {

constexpr const char* kHiddenKey = "***";

std::string below(std::string_view root, const IdentityId& id) {
  std::string path = fmt::format("/{}/{}", root, percent_encode(id.device.view()));
  if (id.is_module()) path += "/modules/" + percent_encode(id.module.view());
  return path;
}

void hide_keys(JsonValue& value) {
  if (value.IsArray()) {
    for (JsonValue& item : value.GetArray()) hide_keys(item);
  } else if (value.IsObject()) {
    for (auto& member : value.GetObject()) {
      const std::string_view name = string_of(member.name);
      if (member.value.IsString() && (name == kPrimaryKey || name == kSecondaryKey)) {
        member.value.SetString(rapidjson::StringRef(kHiddenKey));
      } else {
        hide_keys(member.value);
      }
    }
  }
}

}  // namespace

Result<IdentityId> parse_identity(std::string_view text) {
  const auto [device, module] = split_once(text, '/');
  Status status = check_id(device, "the device id");
  if (status.ok() && module) status = check_id(*module, "the module id");
  if (!status.ok()) return Error{ErrorCode::kInvalidSetting, status.error().detail};
  return IdentityId{DeviceId(device), ModuleId(module.value_or(std::string_view()))};
}

std::string registry_path(const IdentityId& id) { return below("devices", id); }

std::string twin_path(const IdentityId& id) { return below("twins", id); }

std::string describe(const IdentityId& id) { return (id.is_module() ? "module " : "device ") + id.text(); }

std::string clean_thumbprint(std::string_view text) {
  std::string cleaned;
  if (const std::size_t equals = text.find("Fingerprint="); equals != std::string_view::npos) text.remove_prefix(equals + 12);
  for (std::size_t at = 0; at < text.size();) {
    // Left-to-right mark, right-to-left mark, byte order mark.
    const std::string_view three = text.substr(at, 3);
    if (three == "\xE2\x80\x8E" || three == "\xE2\x80\x8F" || three == "\xEF\xBB\xBF") {
      at += 3;
      continue;
    }
    const char c = text[at++];
    if (c != ':' && c != ' ' && c != '\t' && c != '\n' && c != '\r') cleaned += c;
  }
  return cleaned;
}

std::string DeviceEndpoint::host_name() const {
  return mqtts_port == 0 || mqtts_port == broker::kDefaultMqttsPort ? host : net::host_and_port(host, mqtts_port);
}

Result<DeviceEndpoint> device_endpoint(HubClient& hub) {
  const auto body = hub.get("/_nearhub/status");
  if (!body.ok()) return body.error();
  const auto status = parse_object(*body);
  if (!status.ok()) return status.error();
  DeviceEndpoint endpoint;
  endpoint.host = hub.address().from_data_folder ? text_at(*status, {"hostName"}) : hub.address().host;
  const std::string mqtts = text_at(*status, {"endpoints", "mqtts"});
  const auto port = parse_decimal(std::string_view(mqtts).substr(mqtts.rfind(':') + 1));
  if (port && *port <= 65535) endpoint.mqtts_port = static_cast<std::uint16_t>(*port);
  return endpoint;
}

std::string connection_string(const JsonValue& identity, std::string_view host_name, std::string_view which_key) {
  auth::ConnectionString text;
  text.host_name = host_name;
  text.device_id = text_at(identity, {"deviceId"});
  text.module_id = text_at(identity, {"moduleId"});
  text.key = text_at(identity, {"authentication", "symmetricKey", which_key});
  text.x509 = text.key.empty();
  return text.text();
}

Result<JsonDocument> get_identity(HubClient& hub, const IdentityId& id) {
  const auto body = hub.get(registry_path(id));
  if (!body.ok()) return body.error();
  return parse_object(*body);
}

Result<JsonDocument> put_identity(HubClient& hub, const IdentityId& id, const JsonValue& identity) {
  HubRequest request;
  request.method = "PUT";
  request.path = registry_path(id);
  request.headers = {{"If-Match", "\"" + text_at(identity, {"etag"}) + "\""}};
  request.body = to_json(identity);
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  return parse_object(answer->body);
}

Result<std::string> scope_of(HubClient& hub, const std::string& edge_device) {
  const auto id = parse_identity(edge_device);
  if (!id.ok()) return id.error();
  const auto parent = get_identity(hub, *id);
  if (!parent.ok()) return parent.error();
  if (text_at(*parent, {"capabilities", "iotEdge"}) != "true") {
    return Error{ErrorCode::kInvalidSetting, fmt::format("device {} is no edge device: make it one with `nearhub device update {} --edge`", edge_device, edge_device)};
  }
  return text_at(*parent, {"deviceScope"});
}

std::string identity_body(const NewIdentity& identity, const std::string& parent_scope) {
  JsonWriter json;
  json.object().member("deviceId", identity.id.device.str());
  if (identity.id.is_module()) {
    json.member("moduleId", identity.id.module.str());
    if (!identity.managed_by.empty()) json.member("managedBy", identity.managed_by);
  } else {
    json.member("status", identity.disabled ? "disabled" : "enabled");
    if (!identity.status_reason.empty()) json.member("statusReason", identity.status_reason);
    if (identity.edge) json.member("capabilities").object().member("iotEdge", true).end_object();
    if (!parent_scope.empty() && identity.edge) json.member("parentScopes").array().string(parent_scope).end_array();
    if (!parent_scope.empty() && !identity.edge) json.member("deviceScope", parent_scope);
  }
  json.member("authentication").object();
  const bool thumbprints = !identity.primary_thumbprint.empty();
  const std::string type = !identity.type.empty() ? identity.type : thumbprints ? "selfSigned" : "sas";
  json.member("type", type);
  if (thumbprints) {
    json.member("x509Thumbprint").object();
    json.member("primaryThumbprint", clean_thumbprint(identity.primary_thumbprint));
    if (!identity.secondary_thumbprint.empty()) {
      json.member("secondaryThumbprint", clean_thumbprint(identity.secondary_thumbprint));
    }
    json.end_object();
  } else if (!identity.primary_key.empty()) {
    json.member("symmetricKey")
        .object()
        .member("primaryKey", identity.primary_key)
        .member("secondaryKey", identity.secondary_key)
        .end_object();
  }
  json.end_object().end_object();
  return std::move(json).take();
}

Status create_identity(HubClient& hub, const NewIdentity& identity, Console& console) {
  // Asked first: after it nothing can keep the connection string from being shown.
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();
  std::string parent_scope;
  if (!identity.parent.empty()) {
    auto scope = scope_of(hub, identity.parent);
    if (!scope.ok()) return scope.error();
    parent_scope = std::move(*scope);
  }
  HubRequest request;
  request.method = "PUT";
  request.path = registry_path(identity.id);
  request.body = identity_body(identity, parent_scope);
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  if (identity.json) {
    console.print(answer->body + "\n");
    return {};
  }
  const auto created = parse_object(answer->body);
  if (!created.ok()) return created.error();
  console.print(connection_string(*created, endpoint->host_name()) + "\n");
  return {};
}

Status show_identity(HubClient& hub, const IdentityId& id, bool keys, bool json, Console& console) {
  const auto body = hub.get(registry_path(id));
  if (!body.ok()) return body.error();
  if (json && keys) {
    console.print(*body + "\n");
    return {};
  }
  auto identity = parse_object(*body);
  if (!identity.ok()) return identity.error();
  console.print(json ? without_keys(std::move(*identity)) + "\n" : identity_text(*identity, keys));
  return {};
}

Status delete_identity(HubClient& hub, const IdentityId& id, Console& console) {
  HubRequest request;
  request.method = "DELETE";
  request.path = registry_path(id);
  request.headers = {{"If-Match", "*"}};
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  console.print("deleted " + describe(id) + "\n");
  return {};
}

Status print_connection_string(HubClient& hub, const IdentityId& id, bool secondary, Console& console) {
  const auto identity = get_identity(hub, id);
  if (!identity.ok()) return identity.error();
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();
  console.print(connection_string(*identity, endpoint->host_name(), secondary ? kSecondaryKey : kPrimaryKey) + "\n");
  return {};
}

std::string identity_text(const JsonValue& identity, bool keys) {
  Fields fields;
  fields.add("device", text_at(identity, {"deviceId"}));
  fields.add("module", text_at(identity, {"moduleId"}));
  fields.add("managed by", text_at(identity, {"managedBy"}));
  const std::string reason = text_at(identity, {"statusReason"});
  fields.add("status", text_at(identity, {"status"}) + (reason.empty() ? "" : " (" + reason + ")"));
  const std::string since = show_time(text_at(identity, {"connectionStateUpdatedTime"}));
  fields.add("connection", text_at(identity, {"connectionState"}) + (since == kNeverText ? "" : " since " + since));
  fields.add("last activity", show_time(text_at(identity, {"lastActivityTime"})));
  fields.add("queued messages", text_at(identity, {"cloudToDeviceMessageCount"}));
  fields.add("authentication", authentication_cell(identity));
  fields.add("primary thumbprint", text_at(identity, {"authentication", "x509Thumbprint", "primaryThumbprint"}));
  fields.add("secondary thumbprint", text_at(identity, {"authentication", "x509Thumbprint", "secondaryThumbprint"}));
  if (keys) {
    fields.add("primary key", text_at(identity, {"authentication", "symmetricKey", kPrimaryKey}));
    fields.add("secondary key", text_at(identity, {"authentication", "symmetricKey", kSecondaryKey}));
  }
  if (text_at(identity, {"capabilities", "iotEdge"}) == "true") fields.add("edge", text_at(identity, {"deviceScope"}));
  if (const JsonValue* parents = find_path(identity, {"parentScopes"}); parents != nullptr && parents->IsArray() && !parents->Empty()) {
    fields.add("parent", (*parents)[0].IsString() ? std::string(string_of((*parents)[0])) : std::string());
  }
  fields.add("etag", text_at(identity, {"etag"}));
  fields.add("generation id", text_at(identity, {"generationId"}));
  return fields.text();
}

std::string without_keys(JsonDocument document) {
  hide_keys(document);
  return to_json(document);
}

std::string authentication_cell(const JsonValue& identity) { return text_at(identity, {"authentication", "type"}); }

std::string activity_cell(const JsonValue& identity) { return show_time(text_at(identity, {"lastActivityTime"})); }

}  // namespace nearhub::tools
