#include "tests/bench/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "auth/connection_string.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace nearhub::bench {
namespace {

constexpr std::chrono::seconds kStartTime{60};

Error not_started(std::string_view name, const std::string& log_file) {
  std::ifstream file(log_file);
  const std::string log{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return {ErrorCode::kIo, fmt::format("{} did not start; it said: {}", name, log)};
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool listens(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

// mosquitto cannot choose a port itself; the moment between this and its start is the usual small gap.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

// One line from the named pipe that nearhub writes when it is ready; empty when the process ended or the time was over.
std::string read_line(int pipe, ServerProcess& process) {
  std::string line;
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while ((line.empty() || line.back() != '\n') && process.running() && std::chrono::steady_clock::now() < deadline) {
    pollfd ready{pipe, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    char buffer[65536];
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n > 0) line.append(buffer, static_cast<std::size_t>(n));
  }
  return line;
}

std::uint16_t port_of(const JsonValue& endpoints, std::string_view name) {
  const JsonValue* endpoint = find_member(endpoints, name);
  if (endpoint == nullptr || !endpoint->IsString()) return 0;
  const std::string_view text = string_of(*endpoint);
  return static_cast<std::uint16_t>(parse_decimal(text.substr(text.rfind(':') + 1)).value_or(0));
}

}  // namespace

// 32 bytes of the letter "b".
const char* const kDeviceKey = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

std::string device_id(std::size_t number) { return fmt::format("bench-{}", number); }

std::string seed_json(std::size_t devices) {
  JsonWriter json;
  json.object().member("devices").array();
  for (std::size_t i = 0; i < devices; ++i) {
    json.object().member("deviceId", device_id(i)).member("authentication").object().member("type", "sas");
    json.member("symmetricKey").object().member("primaryKey", kDeviceKey).member("secondaryKey", kDeviceKey).end_object();
    json.end_object();
    json.member("twin").raw(R"({"tags":{"site":"bench"},"properties":{"desired":{"interval_s":30}}})").end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

Result<RunningServer> start_nearhub(const NearhubOptions& options, const std::string& log_file, Core core) {
  const std::string ready_pipe = log_file + ".ready";
  ::unlink(ready_pipe.c_str());
  if (::mkfifo(ready_pipe.c_str(), 0600) != 0) return Error{ErrorCode::kIo, "cannot make " + ready_pipe};
  const int pipe = ::open(ready_pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::vector<std::string> arguments = {options.binary, "serve",   "--bind", "127.0.0.1", "--mqtts",      "0",
                                        "--https",      "0",       "--loops", std::to_string(options.loops), "--well-known-keys",
                                        "--ready-file", ready_pipe};
  if (options.data_folder.empty()) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--data", options.data_folder, "--durability", options.durability});
  }
  if (!options.seed_file.empty()) arguments.insert(arguments.end(), {"--seed", options.seed_file});
  arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
  auto process = ServerProcess::start(arguments, log_file, core);
  if (!process.ok()) return std::move(process).error();
  const std::string line = read_line(pipe, *process);
  ::close(pipe);
  const auto json = parse_json(trim(line));
  if (!json.ok() || !json->IsObject()) return not_started(options.binary, log_file);

  RunningServer server{std::move(*process), 0, 0, 0, {}};
  if (const JsonValue* endpoints = find_member(*json, "endpoints")) {
    server.mqtts = server.mqtts_rsa = port_of(*endpoints, "mqtts");
    server.https = port_of(*endpoints, "https");
  }
  if (const JsonValue* text = find_member(*json, "serviceConnectionString")) {
    if (const auto parsed = auth::parse_connection_string(string_of(*text)); parsed.ok()) server.service_key = parsed->key;
  }
  if (server.mqtts == 0 || server.https == 0 || server.service_key.empty()) return not_started(options.binary, log_file);
  return server;
}

Result<RunningServer> start_mosquitto(const std::string& binary, const std::string& certificates, const std::string& config_file,
                                      const std::string& log_file, Core core) {
  const std::uint16_t ec = free_port(), rsa = free_port();
  const passwd* user = ::getpwuid(::getuid());
  {
    std::ofstream config(config_file);
    config << "allow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n";
    // Started by root it would become a user who may not read the key.
    if (user != nullptr) config << "user " << user->pw_name << '\n';
    for (const auto& [port, key] : {std::pair(ec, "ec"), std::pair(rsa, "rsa")}) {
      config << "listener " << port << " 127.0.0.1\ncertfile " << certificates << "/server-" << key << ".pem\nkeyfile " << certificates
             << "/server-" << key << ".key\n";
    }
  }
  auto process = ServerProcess::start({binary, "-c", config_file}, log_file, core);
  if (!process.ok()) return std::move(process).error();
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while (!listens(ec) || !listens(rsa)) {
    // It has no way to tell that it listens.
    if (process->ends_within(std::chrono::milliseconds{10}) || std::chrono::steady_clock::now() >= deadline) return not_started(binary, log_file);
  }
  return RunningServer{std::move(*process), ec, rsa, 0, {}};
}

Result<RunningServer> start_s_server(const std::string& binary, const std::string& certificates, const std::string& log_file, Core core) {
  const std::uint16_t port = free_port();
  auto process = ServerProcess::start(
      {binary, "s_server", "-accept", "127.0.0.1:" + std::to_string(port), "-cert", certificates + "/server-ec.pem", "-key", certificates + "/server-ec.key",
       "-dcert", certificates + "/server-rsa.pem", "-dkey", certificates + "/server-rsa.key", "-www", "-quiet", "-verify", "1", "-verify_quiet",
       "-num_tickets", "1", "-groups", "P-256"},
      log_file, core);
  if (!process.ok()) return std::move(process).error();
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while (!listens(port)) {
    if (process->ends_within(std::chrono::milliseconds{10}) || std::chrono::steady_clock::now() >= deadline) return not_started(binary, log_file);
  }
  return RunningServer{std::move(*process), port, port, 0, {}};
}

}  // namespace nearhub::bench
