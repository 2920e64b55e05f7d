// The names under which a hub is reached, as they go into a server certificate. Private to this room.
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub::certs {

inline constexpr std::size_t kMaxHostNameLength = 253;  // RFC 1035: 255 bytes on the wire
inline constexpr std::size_t kMaxLabelLength = 63;      // RFC 1035

struct HostName {
  std::string text;      // as given
  std::string ip_bytes;  // 4 or 16 bytes in network order; empty for a DNS name
};

// A DNS name without wildcards, or an IPv4 or IPv6 literal without brackets. Fails with kInvalidSetting and a sentence
// that says what is wrong.
Result<HostName> parse_host_name(std::string_view name);

// "127.0.0.1", "::1"; empty when `bytes` is not an address.
std::string ip_text(std::string_view bytes);

}  // namespace nearhub::certs
