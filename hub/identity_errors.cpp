#include "hub/identity_errors.h"

#include <fmt/core.h>

namespace nearhub::hub {

ErrorCode not_found_code(const IdentityId& id) { return id.is_module() ? ErrorCode::kModuleNotFound : ErrorCode::kDeviceNotFound; }

Error not_found(const IdentityId& id) { return {not_found_code(id), id.is_module() ? id.module.str() : id.device.str()}; }

Error already_there(const IdentityId& id, const std::string& hub_name) {
  if (!id.is_module()) return {ErrorCode::kDeviceAlreadyExists, fmt::format("A device with ID '{}' is already registered.", id.device.str())};
  return {ErrorCode::kModuleAlreadyExistsOnDevice,
          fmt::format("Device {} in IotHub {} already contains Module {}.", id.device.str(), hub_name, id.module.str())};
}

Error stale_etag(const registry::Identity& identity, const Condition& condition) {
  return {ErrorCode::kPreconditionFailed, fmt::format("PreconditionFailed, ETag may be invalid. The etag of {} is {}, If-Match says {}", identity.id.text(),
                                                      identity.etag().str(), condition.etag)};
}

}  // namespace nearhub::hub
