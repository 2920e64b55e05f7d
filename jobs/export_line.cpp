#include "jobs/export_line.h"

#include "base/json_writer.h"

namespace nearhub::jobs {
namespace {

void write_text(JsonWriter& json, std::string_view name, const std::string& text, bool shown = true) {
  json.member(name);
  shown && !text.empty() ? json.string(text) : json.null();
}

}  // namespace

void append_export_line(std::string& out, const hub::IdentityRecord& record, bool exclude_keys) {
  const registry::Identity& identity = record.identity;
  const auth::Credentials& credentials = identity.credentials;
  const bool module = identity.id.is_module();
  JsonWriter json(std::move(out));
  json.object().member("id", identity.id.device.str());
  if (module) json.member("moduleId", identity.id.module.str());
  json.member("eTag", identity.etag().str());
  if (module) {
    if (identity.managed_by) json.member("managedBy", *identity.managed_by);
  } else {
    json.member("status", identity.enabled ? "enabled" : "disabled");
    if (identity.status_reason) json.member("statusReason", *identity.status_reason);
  }
  json.member("authentication").object().member("symmetricKey").object();
  write_text(json, "primaryKey", credentials.primary_key, !exclude_keys);
  write_text(json, "secondaryKey", credentials.secondary_key, !exclude_keys);
  json.end_object().member("x509Thumbprint").object();
  write_text(json, "primaryThumbprint", credentials.primary_thumbprint);
  write_text(json, "secondaryThumbprint", credentials.secondary_thumbprint);
  json.end_object().member("type", auth::authentication_type_text(credentials.type)).end_object();
  if (!module) {
    json.member("capabilities").object().member("iotEdge", identity.iot_edge).end_object();
    const std::string& scope = identity.iot_edge ? identity.device_scope : identity.parent_scope;
    if (!scope.empty()) json.member("deviceScope", scope);
    if (!identity.parent_scope.empty()) json.member("parentScopes").array().string(identity.parent_scope).end_array();
  }
  const twin::StoredTwin& twin = record.twin.twin;
  json.member("twinETag", twin::etag_of(twin.etag_counter).str());
  if (twin.has_tags) json.member("tags").raw(twin.tags);
  // A section is stored as a service sees it: with $metadata and $version.
  json.member("properties").object().member("desired").raw(twin.desired).member("reported").raw(twin.reported).end_object().end_object();
  out = std::move(json).take();
  out += '\n';
}

}  // namespace nearhub::jobs
