// Text and socket addresses.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nearhub::net {

// True for a textual IPv4 or IPv6 address (no brackets).
bool is_ip_literal(std::string_view text);

// True for 127.0.0.0/8 and ::1.
bool is_loopback(std::string_view ip);

// The addresses of this machine's interfaces that are up, loopback included, link-local ones left out: "127.0.0.1", "192.0.2.7", "::1".
std::vector<std::string> machine_addresses();

// "host:port", with brackets around an IPv6 host.
std::string host_and_port(std::string_view host, std::uint16_t port);

}  // namespace nearhub::net
