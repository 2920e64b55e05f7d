// Everything that a hub can be told at its start. Flags, environment and file are read into it by the command line (tools/serve.cpp).
//
// THREAD: a value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/sas_token.h"
#include "base/result.h"
#include "broker/limits.h"
#include "hub/hub.h"
#include "hub/limits.h"
#include "store/sqlite_store.h"

namespace nearhub::broker {

inline constexpr std::uint16_t kDefaultMqttsPort = 8883;
inline constexpr std::uint16_t kDefaultHttpsPort = 443;
inline constexpr std::uint16_t kFallbackHttpsPort = 8443;  // where 443 is not permitted

// "8883", "0" (any free port), "off".
struct PortSetting {
  bool off = false;
  std::uint16_t port = 0;
  bool is_default = false;  // not said by the user: may fall back
};
Result<PortSetting> parse_port(std::string_view text);

enum class ServerKey : std::uint8_t { kBoth, kRsa, kEc };

struct Config {
  std::string data_folder;  // ignored in memory
  bool in_memory = false;
  std::vector<std::string> hosts;  // --host: further names of the hub; the first is the one it calls itself
  std::vector<std::string> bind;   // addresses; empty: loopback
  PortSetting mqtts{false, kDefaultMqttsPort, true};
  PortSetting https{false, kDefaultHttpsPort, true};
  unsigned loops = 0;  // 0: one per core
  std::string seed_file;
  std::vector<std::string> devices;  // --device: made sure of, with generated keys
  std::string ready_file;
  ServerKey server_key = ServerKey::kBoth;
  bool tls_resumption = true;  // tickets, on all doors
  bool well_known_keys = false;
  bool i_know_these_keys_are_public = false;
  bool test_clock = false;

  std::string storage_ca_file;  // of blob storage that import and export jobs reach by https; empty: the system's

  store::StoreSettings store;
  hub::Limits limits;
  hub::Behaviour behaviour;
  auth::SasTimes sas_times;
  MqttLimits mqtt;
  HttpLimits http;
  ConnectionLimits connections;
};

// What the settings say together: fails with kInvalidSetting and the sentence for the person who starts the hub.
Status check(const Config& config);

}  // namespace nearhub::broker
