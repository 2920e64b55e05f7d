#include "broker/config.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "wire/net/address.h"

namespace nearhub::broker {

Result<PortSetting> parse_port(std::string_view text) {
  if (text == "off") return PortSetting{true, 0, false};
  const auto number = parse_decimal(text);
  if (!number || *number > 65535) return Error{ErrorCode::kInvalidSetting, fmt::format("\"{}\" is no port: expected 0 to 65535, or off", text)};
  return PortSetting{false, static_cast<std::uint16_t>(*number), false};
}

Status check(const Config& config) {
  if (config.data_folder.empty() && !config.in_memory) return Error{ErrorCode::kInvalidSetting, "--data is empty; give a folder, or --in-memory"};
  if (config.mqtts.off && config.https.off) return Error{ErrorCode::kInvalidSetting, "--mqtts off and --https off leave nothing to listen on"};
  for (const std::string& address : config.bind) {
    if (!net::is_ip_literal(address)) return Error{ErrorCode::kInvalidSetting, fmt::format("--bind {}: not an IP address", address)};
  }
  const bool beyond_loopback = std::any_of(config.bind.begin(), config.bind.end(), [](const std::string& address) { return !net::is_loopback(address); });
  if (config.well_known_keys && beyond_loopback && !config.i_know_these_keys_are_public) {
    return Error{ErrorCode::kInvalidSetting,
                 "--well-known-keys are published in nearhub's documentation: everybody who reaches this hub could use them. To listen beyond loopback "
                 "with them all the same, give --i-know-these-keys-are-public too"};
  }
  if (config.loops > 256) return Error{ErrorCode::kInvalidSetting, "--loops: at most 256"};
  return {};
}

}  // namespace nearhub::broker
