#include "auth/connection_string.h"

#include <fmt/core.h>

#include "base/text.h"

namespace nearhub::auth {

std::string ConnectionString::text() const {
  std::string result;
  const auto add = [&result](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!result.empty()) result += ';';
    result.append(name).append("=").append(value);
  };
  add("HostName", host_name);
  add("GatewayHostName", gateway_host_name);
  add("DeviceId", device_id);
  add("ModuleId", module_id);
  add("SharedAccessKeyName", policy_name);
  add("SharedAccessKey", key);
  add("SharedAccessSignature", signature);
  if (x509) add("x509", "true");
  return result;
}

Result<ConnectionString> parse_connection_string(std::string_view text) {
  ConnectionString result;
  std::string_view rest = trim(text);
  while (!rest.empty()) {
    const auto [part, more] = split_once(rest, ';');
    rest = more.value_or(std::string_view());
    if (trim(part).empty()) continue;
    const auto [raw_name, value] = split_once(part, '=');
    const std::string_view name = trim(raw_name);
    if (!value || value->empty()) {
      return Error{ErrorCode::kInvalidSetting, fmt::format("connection string: \"{}\" has no value", printable(name, 40))};
    }
    if (equals_ignoring_case(name, "HostName")) {
      result.host_name = *value;
    } else if (equals_ignoring_case(name, "GatewayHostName")) {
      result.gateway_host_name = *value;
    } else if (equals_ignoring_case(name, "DeviceId")) {
      result.device_id = *value;
    } else if (equals_ignoring_case(name, "ModuleId")) {
      result.module_id = *value;
    } else if (equals_ignoring_case(name, "SharedAccessKeyName")) {
      result.policy_name = *value;
    } else if (equals_ignoring_case(name, "SharedAccessKey")) {
      result.key = *value;
    } else if (equals_ignoring_case(name, "SharedAccessSignature")) {
      result.signature = *value;
    } else if (equals_ignoring_case(name, "x509")) {
      result.x509 = equals_ignoring_case(*value, "true");
    } else {
      return Error{ErrorCode::kInvalidSetting,
                   fmt::format("connection string: unknown part \"{}\"; known are HostName, GatewayHostName, DeviceId, ModuleId, "
                               "SharedAccessKeyName, SharedAccessKey, SharedAccessSignature, x509",
                               printable(name, 40))};
    }
  }
  if (result.host_name.empty()) return Error{ErrorCode::kInvalidSetting, "connection string: HostName is missing"};
  if (!result.module_id.empty() && result.device_id.empty()) {
    return Error{ErrorCode::kInvalidSetting, "connection string: ModuleId without DeviceId"};
  }
  return result;
}

}  // namespace nearhub::auth
