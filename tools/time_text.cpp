#include "tools/time_text.h"

#include <fmt/core.h>

#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::tools {

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t kMaxSeconds = std::int64_t{10} * 365 * 24 * 3600;
  constexpr std::string_view kUnits = "smhd";
  constexpr std::int64_t kUnitSeconds[] = {1, 60, 3600, 24 * 3600};
  std::int64_t unit = 1;
  if (const std::size_t at = text.empty() ? std::string_view::npos : kUnits.find(text.back());
      at != std::string_view::npos) {
    unit = kUnitSeconds[at];
    text.remove_suffix(1);
  }
  const auto number = parse_decimal(text);
  if (!number || *number > static_cast<std::uint64_t>(kMaxSeconds)) return std::nullopt;
  const std::int64_t seconds = static_cast<std::int64_t>(*number) * unit;
  if (seconds > kMaxSeconds) return std::nullopt;
  return std::chrono::seconds{seconds};
}

Result<WallTime> parse_since(std::string_view text, WallTime now) {
  if (text == "now") return now;
  if (text == "start") return kNever;
  if (const auto duration = parse_duration(text)) return now - *duration;
  if (const auto time = parse_iso8601(text)) return *time;
  return Error{
      ErrorCode::kInvalidSetting,
      fmt::format("\"{}\" is no point in time: give 10m, 2h, 1d, now, start, or a time like 2026-01-31T12:00:00Z",
                  printable(text, 60))};
}

Result<WallTime> parse_expiry(std::string_view text, WallTime now) {
  if (const auto duration = parse_duration(text)) return now + *duration;
  if (const auto time = parse_iso8601(text)) return *time;
  return Error{
      ErrorCode::kInvalidSetting,
      fmt::format("\"{}\" is no expiry: give 10m, 2h, 1d, or a time like 2026-01-31T12:00:00Z", printable(text, 60))};
}

std::string show_time(WallTime t) {
  if (t == kNever) return std::string(kNeverText);
  std::string text = format_iso8601(t);
  // The last four of seven fraction digits stand before the Z.
  if (text.size() > 5) text.erase(text.size() - 5, 4);
  return text;
}

std::string show_time(std::string_view iso8601) {
  const auto time = parse_iso8601(iso8601);
  return time ? show_time(*time) : std::string(iso8601);
}

std::string relative_time(WallTime t, WallTime now) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now - t).count();
  if (seconds < -1) return "in " + format_duration(-seconds);
  if (seconds < 1) return "just now";
  return format_duration(seconds) + " ago";
}

}  // namespace nearhub::tools
