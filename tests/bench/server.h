// The servers that are compared, each started on free loopback ports with TLS: nearhub, and mosquitto with nearhub's certificates.
//
// THREAD: the main thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/process.h"

namespace nearhub::bench {

struct RunningServer {
  ServerProcess process;
  std::uint16_t mqtts = 0;      // nearhub: shows both certificates
  std::uint16_t mqtts_rsa = 0;  // shows the RSA certificate, at least to a client that accepts no other
  std::uint16_t https = 0;      // nearhub only
  std::string service_key;      // of the policy `iothubowner`; nearhub only
};

struct NearhubOptions {
  std::string binary;
  std::string data_folder;  // empty: in memory
  std::string durability = "full";
  std::string seed_file;    // empty: none
  int loops = 1;
  std::vector<std::string> flags = {};  // further ones
};

// Waits until it is ready. `log_file` is named in errors.
Result<RunningServer> start_nearhub(const NearhubOptions& options, const std::string& log_file, Core core);

// `certificates`: a data folder of nearhub. Anonymous clients, no bounds on queues, nothing on disk; two listeners, because mosquitto
// shows one certificate per listener. `config_file` is written.
Result<RunningServer> start_mosquitto(const std::string& binary, const std::string& certificates, const std::string& config_file,
                                      const std::string& log_file, Core core);

// `openssl s_server` with the certificates of a data folder of nearhub, one connection at a time: asks for a client certificate, accepts any, gives one
// ticket. Its port is `mqtts`.
Result<RunningServer> start_s_server(const std::string& binary, const std::string& certificates, const std::string& log_file, Core core);

// The devices of the seed: "bench-0", "bench-1", ...
std::string device_id(std::size_t number);
// A key that all of them share.
extern const char* const kDeviceKey;
std::string seed_json(std::size_t devices);

}  // namespace nearhub::bench
