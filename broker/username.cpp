#include "broker/username.h"

#include "base/text.h"
#include "base/url.h"

namespace nearhub::broker {
namespace {

Error unparsable(std::string detail) { return {ErrorCode::kIotHubUnauthorized, std::move(detail)}; }

void parse_query(std::string_view query, UserName& result) {
  if (query.starts_with('?')) query.remove_prefix(1);
  while (!query.empty()) {
    const auto [item, rest] = split_once(query, '&');
    query = rest.value_or(std::string_view());
    const auto [name, value] = split_once(item, '=');
    const std::string decoded = percent_decode(value.value_or(std::string_view()));
    if (name == "api-version") {
      // A historic form goes on with "/DeviceClientType=..." where others have '&'.
      result.api_version = decoded.substr(0, decoded.find('/'));
    } else if (name == "DeviceClientType") {
      result.client_type = decoded;
    } else if (name == "model-id") {
      result.model_id = decoded;
    }
  }
}

}  // namespace

Result<UserName> parse_username(std::string_view text) {
  UserName result;
  const auto [host, behind_host] = split_once(text, '/');
  const auto [device, behind_device] = split_once(behind_host.value_or(std::string_view()), '/');
  if (host.empty() || device.empty()) return unparsable("it has no host and device id");
  result.host = host;
  result.identity.device = DeviceId(device);

  // Next comes the query, or a module id and then the query. Without '?' a query is known by its api-version.
  std::string_view rest = behind_device.value_or(std::string_view());
  const auto [segment, behind_segment] = split_once(rest, '/');
  if (!segment.empty() && !segment.starts_with('?') && segment.find("api-version=") == std::string_view::npos) {
    result.identity.module = ModuleId(segment);
    rest = behind_segment.value_or(std::string_view());
    const std::string_view begin = split_once(rest, '/').first;
    if (!begin.empty() && !begin.starts_with('?') && begin.find("api-version=") == std::string_view::npos) {
      return unparsable("it has more than host, device id and module id before the query");
    }
  }
  parse_query(rest, result);

  if (Status status = check_id(result.identity.device.view(), "the device id"); !status.ok()) return unparsable(status.error().detail);
  if (result.identity.is_module()) {
    if (Status status = check_id(result.identity.module.view(), "the module id"); !status.ok()) return unparsable(status.error().detail);
  }
  return result;
}

}  // namespace nearhub::broker
