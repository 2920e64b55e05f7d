#include "registry/identity.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::registry {
namespace {

constexpr std::string_view kScopePrefix = "ms-azure-iot-edge://";

void apply(Identity& identity, IdentityRequest&& request, Random& random) {
  identity.enabled = request.enabled.value_or(true);
  identity.status_reason = std::move(request.status_reason);
  identity.credentials = std::move(request.credentials);
  identity.managed_by = std::move(request.managed_by);
  identity.parent_scope = request.parent_scope();
  identity.iot_edge = request.iot_edge;
  if (!identity.iot_edge) {
    // A leaf that was an edge device echoes what was its own scope; nobody is below itself.
    if (identity.parent_scope == identity.device_scope) identity.parent_scope.clear();
    identity.device_scope.clear();
  }
  if (identity.credentials.type == auth::AuthenticationType::kSas && identity.credentials.primary_key.empty()) {
    identity.credentials.primary_key = random.symmetric_key();
    identity.credentials.secondary_key = random.symmetric_key();
  }
}

}  // namespace

bool is_edge_module(const ModuleId& module) {
  return std::find(std::begin(kEdgeModules), std::end(kEdgeModules), module.view()) != std::end(kEdgeModules);
}

std::string IdentityRequest::parent_scope() const {
  if (iot_edge) return parent_scopes.empty() ? std::string() : parent_scopes.front();
  // parentScopes alone say nothing about a leaf.
  return device_scope.value_or(std::string());
}

std::string edge_scope(const DeviceId& device, std::string_view suffix) { return std::string(kScopePrefix) + device.str() + "-" + std::string(suffix); }

std::optional<DeviceId> device_of_scope(std::string_view scope) {
  if (!scope.starts_with(kScopePrefix)) return std::nullopt;
  scope.remove_prefix(kScopePrefix.size());
  const std::size_t dash = scope.rfind('-');
  if (dash == std::string_view::npos || !check_id(scope.substr(0, dash), "scope").ok()) return std::nullopt;
  const std::string_view suffix = scope.substr(dash + 1);
  if (!suffix.empty() && !parse_decimal(suffix)) return std::nullopt;
  return DeviceId(scope.substr(0, dash));
}

Status check_replacement(const Identity& old, const IdentityRequest& request) {
  if (!old.iot_edge || !request.iot_edge || request.device_scope == old.device_scope) return {};
  return Error{ErrorCode::kArgumentInvalid, "Device scope is immutable: an edge device must send its own deviceScope, " + old.device_scope};
}

ETag Identity::etag() const { return ETag(base64_encode(std::to_string(etag_counter))); }

Identity create_identity(IdentityId id, IdentityRequest request, WallTime now, Random& random) {
  Identity identity;
  identity.id = std::move(id);
  identity.generation_id = GenerationId(std::to_string(dotnet_ticks(now)));
  identity.etag_counter = 100'000'000 + static_cast<std::int64_t>(random.next() % 900'000'000);
  const std::string brought = request.keeps_scope && request.device_scope ? *request.device_scope : std::string();
  apply(identity, std::move(request), random);
  if (identity.iot_edge) {
    const bool own = device_of_scope(brought) == identity.id.device;
    identity.device_scope = own ? brought : edge_scope(identity.id.device, identity.generation_id.view());
  }
  return identity;
}

Identity replace_identity(const Identity& old, IdentityRequest request, WallTime now, Random& random) {
  Identity identity = old;
  ++identity.etag_counter;
  apply(identity, std::move(request), random);
  // As the cloud names a leaf that becomes an edge device.
  if (identity.iot_edge && !old.iot_edge) identity.device_scope = edge_scope(identity.id.device, "");
  if (identity.enabled != old.enabled) identity.status_updated = now;
  return identity;
}

}  // namespace nearhub::registry
