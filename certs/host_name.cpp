#include "certs/host_name.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <array>
#include <optional>

#include "base/text.h"

namespace nearhub::certs {
namespace {

constexpr std::size_t kIpv4Bytes = 4, kIpv6Bytes = 16;

// inet_pton, and not OpenSSL's reader of addresses: it refuses what tools would read differently ("010.0.0.1").
std::string ip_bytes_of(const std::string& text) {
  std::array<char, kIpv6Bytes> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), kIpv4Bytes};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), kIpv6Bytes};
  return {};
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

Error refused(std::string_view name, std::string_view reason) {
  return {ErrorCode::kInvalidSetting, fmt::format("host name \"{}\" {}", printable(name), reason)};
}

}  // namespace

Result<HostName> parse_host_name(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::kInvalidSetting, "a host name is empty"};
  if (name.size() > kMaxHostNameLength) {
    return refused(name, fmt::format("has {} characters; at most {} are allowed", name.size(), kMaxHostNameLength));
  }
  if (name.find('*') != std::string_view::npos) return refused(name, "is a wildcard; name each host instead");

  HostName host{std::string(name), {}};
  // inet_pton reads up to the first NUL.
  if (name.find('\0') == std::string_view::npos) host.ip_bytes = ip_bytes_of(host.text);
  if (!host.ip_bytes.empty()) return host;

  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_host_character(name[i])) {
      const auto byte = static_cast<unsigned char>(name[i]);
      const std::string shown =
          byte > 0x20 && byte < 0x7f ? fmt::format("'{}'", name[i]) : fmt::format("byte 0x{:02X}", byte);
      return refused(name,
                     fmt::format("contains {} at position {}; allowed are letters, digits and - . _, or an IP address",
                                 shown, i + 1));
    }
  }
  for (std::optional<std::string_view> rest = name; rest;) {
    const auto [label, after] = split_once(*rest, '.');
    if (label.empty()) {
      return refused(name, "has an empty label; write it without a dot at either end and without two in a row");
    }
    if (label.size() > kMaxLabelLength) {
      return refused(
          name, fmt::format("has a label of {} characters; at most {} are allowed", label.size(), kMaxLabelLength));
    }
    rest = after;
  }
  // A container's name may be all digits; with dots it is a mistyped address that no client could match.
  if (name.find('.') != std::string_view::npos && name.find_first_not_of("0123456789.") == std::string_view::npos) {
    return refused(name, "looks like an IP address but is none");
  }
  return host;
}

std::string ip_text(std::string_view bytes) {
  if (bytes.size() != kIpv4Bytes && bytes.size() != kIpv6Bytes) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == kIpv4Bytes ? AF_INET : AF_INET6, bytes.data(), text.data(),
            static_cast<socklen_t>(text.size()));
  return text.data();
}

}  // namespace nearhub::certs
