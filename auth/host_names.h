// The names that a hub answers to, in user names, tokens and links: `localhost`, the machine's addresses in use, every --host.
//
// Any name of the set is as good as any other. Compared without regard to case and without a port (reference/device-mqtt.md 2.2).
//
// THREAD: immutable after start; any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nearhub::auth {

class HostNames {
 public:
  // The first name is the one that the hub calls itself (connection strings, "hostName").
  explicit HostNames(std::vector<std::string> names) : names_(std::move(names)) {}

  bool contains(std::string_view host_with_optional_port) const;
  const std::string& primary() const { return names_.front(); }
  const std::vector<std::string>& all() const { return names_; }
  std::string list() const;  // "localhost, 127.0.0.1, hub.local.test": for reasons

 private:
  std::vector<std::string> names_;
};

// "h:8883" -> "h"; "[::1]:8883" -> "::1"; "::1" stays.
std::string_view without_port(std::string_view host);

}  // namespace nearhub::auth
