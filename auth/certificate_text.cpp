#include "auth/certificate_text.h"

#include <fmt/core.h>

#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::auth {
namespace {

constexpr std::size_t kMaxShownName = 120;

std::string whole_seconds(WallTime t) { return format_iso8601(std::chrono::floor<std::chrono::seconds>(t)).substr(0, 19) + "Z"; }

}  // namespace

std::string shown(std::string_view name) { return printable(name, kMaxShownName); }

std::optional<Denial> judge_validity(const Certificate& certificate, std::string_view which, WallTime now) {
  if (certificate.is_valid_at(now)) return std::nullopt;
  const std::string expected = fmt::format("certificates that are valid now ({})", whole_seconds(now));
  if (now < certificate.not_before()) {
    return Denial{Check::kCertificate, ErrorCode::kIotHubUnauthorized, expected,
                  fmt::format("{} becomes valid at {}, in {}", which, whole_seconds(certificate.not_before()),
                              format_duration(unix_seconds(certificate.not_before()) - unix_seconds(now))),
                  "check the clocks of the hub and of the machine that made it"};
  }
  return Denial{Check::kCertificate, ErrorCode::kIotHubUnauthorized, expected,
                fmt::format("{} expired at {}, {} ago", which, whole_seconds(certificate.not_after()),
                            format_duration(unix_seconds(now) - unix_seconds(certificate.not_after()))),
                "issue it anew"};
}

}  // namespace nearhub::auth
