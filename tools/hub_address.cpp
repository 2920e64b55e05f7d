#include "tools/hub_address.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "auth/host_names.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/config.h"
#include "broker/data_folder.h"
#include "tools/json_text.h"
#include "wire/net/address.h"

namespace nearhub::tools {
namespace {

constexpr const char* kLoginVariable = "NEARHUB_CONNECTION_STRING";
constexpr const char* kCaVariable = "NEARHUB_CA_FILE";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// There is none, or its file is of no use: no mistake in the arguments.
Error unreachable(std::string detail) { return {ErrorCode::kIo, std::move(detail)}; }

bool readable(const std::string& file) { return ::access(file.c_str(), R_OK) == 0; }

// Fills in what a connection string says; `source` is set.
Status read_login(HubAddress& address, std::string_view text) {
  auto parsed = auth::parse_connection_string(text);
  if (!parsed.ok()) return invalid_setting(fmt::format("{}: {}", address.source, parsed.error().detail));
  address.login = std::move(*parsed);
  const auth::ConnectionString& login = address.login;
  if (!login.device_id.empty()) {
    return invalid_setting(fmt::format("{}: this is the connection string of {} {}; give the one of a shared access policy "
                               "(HostName=...;SharedAccessKeyName=...), "
                               "which the hub writes into its ready file",
                               address.source, login.module_id.empty() ? "device" : "a module of device",
                               printable(login.device_id, 128)));
  }
  if (login.signature.empty() && (login.policy_name.empty() || login.key.empty())) {
    return invalid_setting(fmt::format("{}: the connection string has no {}", address.source,
                               login.policy_name.empty() ? "SharedAccessKeyName" : "SharedAccessKey"));
  }
  address.host = auth::without_port(login.host_name);
  if (address.host.empty()) return invalid_setting(fmt::format("{}: HostName has no host", address.source));
  std::string_view port =
      std::string_view(login.host_name).substr(login.host_name.find(address.host) + address.host.size());
  if (port.starts_with(']')) port.remove_prefix(1);
  address.port = broker::kDefaultHttpsPort;
  if (port.starts_with(':')) {
    const auto number = parse_decimal(port.substr(1));
    if (!number || *number == 0 || *number > 65535) {
      return invalid_setting(fmt::format("{}: \"{}\" is no port", address.source, printable(port.substr(1), 40)));
    }
    address.port = static_cast<std::uint16_t>(*number);
  }
  return {};
}

Status read_hub_file(HubAddress& address, std::string_view content) {
  const auto json = parse_json(trim(content));
  if (!json.ok() || !json->IsObject()) return unreachable(address.source + " is damaged; restart the hub");
  if (Status status = read_login(address, text_at(*json, {"serviceConnectionString"})); !status.ok()) return status;
  if (text_at(*json, {"endpoints", "https"}).empty()) {
    return unreachable(address.source + ": that hub runs with --https off, and client commands need HTTPS");
  }
  address.ca_file = text_at(*json, {"caFile"});
  const JsonValue* test_clock = find_path(*json, {"testClock"});
  address.test_clock = test_clock != nullptr && test_clock->IsTrue();
  if (const JsonValue* devices = find_path(*json, {"devices"}); devices != nullptr && devices->IsArray()) {
    for (const JsonValue& device : devices->GetArray()) address.devices.push_back(text_at(device, {"deviceId"}));
  }
  return {};
}

// The CA beside a login that was given: the hub may well be the one of this machine.
std::string ca_of_data_folder(const std::string& folder) {
  std::string file = folder + "/ca.pem";
  return readable(file) ? file : std::string();
}

}  // namespace

std::string HubAddress::endpoint() const { return net::host_and_port(host, port); }

Result<HubAddress> find_hub(const HubFlags& flags) {
  HubAddress address;
  const std::string folder = flags.data_folder.empty() ? broker::default_data_folder() : flags.data_folder;
  const std::string variable = environment(kLoginVariable);
  std::string login = flags.login;
  address.source = "--login";
  if (login.empty() && flags.data_folder.empty() && !variable.empty()) {
    login = variable;
    address.source = kLoginVariable;
  }
  if (!login.empty()) {
    if (Status status = read_login(address, login); !status.ok()) return status.error();
    address.ca_file = ca_of_data_folder(folder);
    address.system_store = true;
  } else {
    address.source = folder + "/hub.json";
    const auto content = broker::read_file(address.source);
    if (!content.ok()) {
      const bool exists = ::access(address.source.c_str(), F_OK) == 0;
      return unreachable(fmt::format("no hub found. Looked for: --login (not given); {} ({}); {} ({}). Start a hub with "
                                 "`nearhub serve`, or say where one is: --login \"HostName=...\", or "
                                 "--data with its data folder",
                                 kLoginVariable, variable.empty() ? "not set" : "set, but --data was given",
                                 address.source,
                                 exists ? "not readable: the hub belongs to another user"
                                        : "no such file: no hub runs with this data folder"));
    }
    address.from_data_folder = true;
    if (Status status = read_hub_file(address, *content); !status.ok()) return status.error();
  }
  std::string ca = flags.ca_file;
  if (ca.empty()) ca = environment(kCaVariable);
  if (!ca.empty()) {
    if (!readable(ca)) return invalid_setting(fmt::format("cannot read the CA file {}", ca));
    address.ca_file = ca;
    address.system_store = false;
  }
  return address;
}

}  // namespace nearhub::tools
