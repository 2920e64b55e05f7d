#include "registry/identity_json.h"

#include <fmt/core.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::registry {
namespace {

using auth::AuthenticationType;

const JsonValue* find_named(const JsonValue& object, std::string_view name, MemberNames names) {
  if (names == MemberNames::kExact) return find_member(object, name);
  for (const auto& member : object.GetObject()) {
    if (equals_ignoring_case(string_of(member.name), name)) return &member.value;
  }
  return nullptr;
}

// A member that is a string, null or absent; the latter two are nothing.
Result<std::optional<std::string>> optional_string(const JsonValue& object, std::string_view name, std::string_view path,
                                                   MemberNames names = MemberNames::kExact) {
  const JsonValue* member = find_named(object, name, names);
  if (member == nullptr || member->IsNull()) return std::optional<std::string>();
  if (!member->IsString()) return invalid_argument(fmt::format("{}{} is {}; expected a string", path, name, json_kind(*member)));
  return std::optional<std::string>(string_of(*member));
}

Result<const JsonValue*> optional_object(const JsonValue& object, std::string_view name, std::string_view path, MemberNames names = MemberNames::kExact) {
  const JsonValue* member = find_named(object, name, names);
  if (member == nullptr || member->IsNull()) return static_cast<const JsonValue*>(nullptr);
  if (!member->IsObject()) return invalid_argument(fmt::format("{}{} is {}; expected an object", path, name, json_kind(*member)));
  return member;
}

Status check_length(std::string_view name, const std::optional<std::string>& text, std::size_t most) {
  // Characters, not bytes: continuation bytes of UTF-8 do not count.
  std::size_t characters = 0;
  for (const char c : text.value_or(std::string())) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  if (characters <= most) return {};
  return invalid_argument(fmt::format("{} has {} characters; at most {} are allowed", name, characters, most));
}

Status check_key(const std::string& key, std::string_view name) {
  const auto bytes = base64_decode(key);
  if (!bytes) return invalid_argument(fmt::format("authentication.symmetricKey.{} is not base64", name));
  if (bytes->size() < kMinKeyBytes || bytes->size() > kMaxKeyBytes) {
    return invalid_argument(fmt::format("Invalid device key length: authentication.symmetricKey.{} has {} bytes; {} to {} are allowed", name, bytes->size(),
                               kMinKeyBytes, kMaxKeyBytes));
  }
  return {};
}

Status check_thumbprint(const std::string& thumbprint, std::string_view name) {
  for (std::size_t i = 0; i < thumbprint.size(); ++i) {
    const char c = ascii_lower(thumbprint[i]);
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return invalid_argument(fmt::format("StringIsNotThumbprint: authentication.x509Thumbprint.{} contains '{}' at position {}; give hexadecimal digits only", name,
                                 printable(thumbprint.substr(i, 1)), i + 1));
    }
  }
  if (thumbprint.size() != 40 && thumbprint.size() != 64) {
    return invalid_argument(fmt::format("StringIsNotThumbprint: authentication.x509Thumbprint.{} has {} digits; expected 40 (SHA-1) or 64 (SHA-256)", name,
                               thumbprint.size()));
  }
  return {};
}

Result<AuthenticationType> parse_type(std::string_view text) {
  for (const auto type : {AuthenticationType::kSas, AuthenticationType::kSelfSigned, AuthenticationType::kCertificateAuthority, AuthenticationType::kNone}) {
    if (equals_ignoring_case(text, auth::authentication_type_text(type))) return type;
  }
  return invalid_argument(fmt::format("authentication.type is \"{}\"; expected sas, selfSigned, certificateAuthority or none", printable(text, 40)));
}

// Both keys or neither; an empty string is no key (the Node SDK sends two of them).
Status read_keys(const JsonValue& authentication, MemberNames names, auth::Credentials& credentials) {
  auto keys = optional_object(authentication, "symmetricKey", "authentication.", names);
  if (!keys.ok()) return keys.error();
  if (*keys == nullptr) return {};
  auto primary = optional_string(**keys, "primaryKey", "authentication.symmetricKey.", names);
  if (!primary.ok()) return primary.error();
  auto secondary = optional_string(**keys, "secondaryKey", "authentication.symmetricKey.", names);
  if (!secondary.ok()) return secondary.error();
  credentials.primary_key = std::move(*primary).value_or("");
  credentials.secondary_key = std::move(*secondary).value_or("");
  if (credentials.primary_key.empty() != credentials.secondary_key.empty()) {
    return invalid_argument(fmt::format("Either no keys or both keys can be set: authentication.symmetricKey.{} is missing",
                               credentials.primary_key.empty() ? "primaryKey" : "secondaryKey"));
  }
  if (credentials.primary_key.empty()) return {};
  if (Status status = check_key(credentials.primary_key, "primaryKey"); !status.ok()) return status;
  return check_key(credentials.secondary_key, "secondaryKey");
}

Status read_thumbprints(const JsonValue& authentication, MemberNames names, auth::Credentials& credentials) {
  auto prints = optional_object(authentication, "x509Thumbprint", "authentication.", names);
  if (!prints.ok()) return prints.error();
  if (*prints == nullptr) return {};
  auto primary = optional_string(**prints, "primaryThumbprint", "authentication.x509Thumbprint.", names);
  if (!primary.ok()) return primary.error();
  auto secondary = optional_string(**prints, "secondaryThumbprint", "authentication.x509Thumbprint.", names);
  if (!secondary.ok()) return secondary.error();
  credentials.primary_thumbprint = std::move(*primary).value_or("");
  credentials.secondary_thumbprint = std::move(*secondary).value_or("");
  if (!credentials.primary_thumbprint.empty()) {
    if (Status status = check_thumbprint(credentials.primary_thumbprint, "primaryThumbprint"); !status.ok()) return status;
  }
  if (!credentials.secondary_thumbprint.empty()) return check_thumbprint(credentials.secondary_thumbprint, "secondaryThumbprint");
  return {};
}

Result<auth::Credentials> read_credentials(const JsonValue& document, bool is_module, MemberNames names) {
  auth::Credentials credentials;
  auto authentication = optional_object(document, "authentication", "", names);
  if (!authentication.ok()) return std::move(authentication).error();
  if (*authentication == nullptr) return credentials;
  auto type = optional_string(**authentication, "type", "authentication.", names);
  if (!type.ok()) return std::move(type).error();
  if (Status status = read_keys(**authentication, names, credentials); !status.ok()) return status.error();
  if (Status status = read_thumbprints(**authentication, names, credentials); !status.ok()) return status.error();
  if (*type) {
    const auto parsed = parse_type(**type);
    if (!parsed.ok()) return parsed.error();
    credentials.type = *parsed;
  } else if (!credentials.primary_thumbprint.empty() || !credentials.secondary_thumbprint.empty()) {
    // Older clients leave the type out and mean it by what they fill in.
    credentials.type = AuthenticationType::kSelfSigned;
  }
  if (credentials.type == AuthenticationType::kNone) {
    if (!is_module) return invalid_argument("DeviceAuthenticationTypeIsMissing: authentication.type none is not allowed for a device");
    credentials.type = AuthenticationType::kSas;
  }
  // What another type would use is not kept, so that it can never let anybody in.
  if (credentials.type != AuthenticationType::kSas) credentials.primary_key.clear(), credentials.secondary_key.clear();
  if (credentials.type != AuthenticationType::kSelfSigned) credentials.primary_thumbprint.clear(), credentials.secondary_thumbprint.clear();
  return credentials;
}

Status read_parent_scopes(const JsonValue& document, MemberNames names, std::vector<std::string>& scopes) {
  const JsonValue* member = find_named(document, "parentScopes", names);
  if (member == nullptr || member->IsNull()) return {};
  if (!member->IsArray()) return invalid_argument(fmt::format("parentScopes is {}; expected an array", json_kind(*member)));
  for (const JsonValue& scope : member->GetArray()) {
    if (!scope.IsString()) return invalid_argument(fmt::format("parentScopes holds {}; expected strings", json_kind(scope)));
    if (!string_of(scope).empty()) scopes.emplace_back(string_of(scope));
  }
  if (scopes.size() > 1) return invalid_argument(fmt::format("parentScopes holds {} scopes; a device has one parent", scopes.size()));
  return {};
}

Status check_named_id(const JsonValue& document, std::string_view member, std::string_view in_path) {
  auto id = optional_string(document, member, "");
  if (!id.ok()) return id.error();
  if (*id && **id != in_path) {
    return invalid_argument(fmt::format("{} in the body is \"{}\", in the path \"{}\"", member, printable(**id, kMaxIdLength), in_path));
  }
  return {};
}

void write_optional(JsonWriter& json, std::string_view name, const std::string& value) {
  json.member(name);
  if (value.empty()) {
    json.null();
  } else {
    json.string(value);
  }
}

}  // namespace

Result<IdentityRequest> parse_identity_request(std::string_view body, const IdentityId& id) {
  auto parsed = parse_json(body);
  if (!parsed.ok()) return std::move(parsed).error();
  const JsonDocument& document = *parsed;
  if (!document.IsObject()) return invalid_argument(fmt::format("the body is {}; expected an object", json_kind(document)));
  if (Status status = check_named_id(document, "deviceId", id.device.view()); !status.ok()) return status.error();
  if (id.is_module()) {
    if (Status status = check_named_id(document, "moduleId", id.module.view()); !status.ok()) return status.error();
  }
  return read_identity_request(document, id, MemberNames::kExact);
}

Result<IdentityRequest> read_identity_request(const JsonValue& document, const IdentityId& id, MemberNames names) {
  IdentityRequest request;
  auto credentials = read_credentials(document, id.is_module(), names);
  if (!credentials.ok()) return std::move(credentials).error();
  request.credentials = std::move(*credentials);

  if (id.is_module()) {
    auto managed_by = optional_string(document, "managedBy", "", names);
    if (!managed_by.ok()) return std::move(managed_by).error();
    if (Status status = check_length("managedBy", *managed_by, kMaxManagedByCharacters); !status.ok()) return status.error();
    request.managed_by = std::move(*managed_by);
    return request;
  }

  auto status = optional_string(document, "status", "", names);
  if (!status.ok()) return std::move(status).error();
  if (*status) {
    if (!equals_ignoring_case(**status, "enabled") && !equals_ignoring_case(**status, "disabled")) {
      return invalid_argument(fmt::format("status is \"{}\"; expected enabled or disabled", printable(**status, 40)));
    }
    request.enabled = equals_ignoring_case(**status, "enabled");
  }
  auto reason = optional_string(document, "statusReason", "", names);
  if (!reason.ok()) return std::move(reason).error();
  if (Status length = check_length("statusReason", *reason, kMaxStatusReasonCharacters); !length.ok()) return length.error();
  request.status_reason = std::move(*reason);

  auto capabilities = optional_object(document, "capabilities", "", names);
  if (!capabilities.ok()) return std::move(capabilities).error();
  if (*capabilities != nullptr) {
    const JsonValue* edge = find_named(**capabilities, "iotEdge", names);
    if (edge != nullptr && !edge->IsNull() && !edge->IsBool()) {
      return invalid_argument(fmt::format("capabilities.iotEdge is {}; expected a boolean", json_kind(*edge)));
    }
    request.iot_edge = edge != nullptr && edge->IsTrue();
  }
  auto scope = optional_string(document, "deviceScope", "", names);
  if (!scope.ok()) return std::move(scope).error();
  request.device_scope = std::move(*scope);
  if (Status scopes = read_parent_scopes(document, names, request.parent_scopes); !scopes.ok()) return scopes.error();
  return request;
}

void write_json(JsonWriter& json, const Identity& identity, const LiveState& live) {
  const bool module = identity.id.is_module();
  json.object();
  if (module) json.member("moduleId", identity.id.module.str());
  if (module) {
    json.member("managedBy");
    identity.managed_by ? json.string(*identity.managed_by) : json.null();
  }
  json.member("deviceId", identity.id.device.str())
      .member("generationId", identity.generation_id.str())
      .member("etag", identity.etag().str())
      .member("connectionState", live.connected ? "Connected" : "Disconnected");
  if (!module) {
    json.member("status", identity.enabled ? "enabled" : "disabled").member("statusReason");
    identity.status_reason ? json.string(*identity.status_reason) : json.null();
  }
  json.member("connectionStateUpdatedTime", format_identity_time(identity.connection_state_updated));
  if (!module) json.member("statusUpdatedTime", format_identity_time(identity.status_updated));
  json.member("lastActivityTime", format_identity_time(identity.last_activity)).member("cloudToDeviceMessageCount", live.queued_messages);

  const auth::Credentials& credentials = identity.credentials;
  json.member("authentication").object().member("symmetricKey").object();
  write_optional(json, "primaryKey", credentials.primary_key);
  write_optional(json, "secondaryKey", credentials.secondary_key);
  json.end_object().member("x509Thumbprint").object();
  write_optional(json, "primaryThumbprint", credentials.primary_thumbprint);
  write_optional(json, "secondaryThumbprint", credentials.secondary_thumbprint);
  json.end_object().member("type", auth::authentication_type_text(credentials.type)).end_object();
  if (!module) {
    json.member("capabilities").object().member("iotEdge", identity.iot_edge).end_object();
    // A leaf shows its parent's scope in both (4.5, trap 25). Tools look for the members, so they are there without a parent too.
    write_optional(json, "deviceScope", identity.iot_edge ? identity.device_scope : identity.parent_scope);
    json.member("parentScopes").array();
    if (!identity.parent_scope.empty()) json.string(identity.parent_scope);
    json.end_array();
  }
  json.end_object();
}

}  // namespace nearhub::registry
