// Times as people write and read them on a command line.
//
// THREAD: any thread.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace nearhub::tools {

// "90", "90s", "10m", "2h", "1d": seconds when no unit is given. Nothing for any other text, or for more than ten
// years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// --since: "start" (kNever), "now", a duration before now, or an ISO 8601 time. Fails with kInvalidSetting.
Result<WallTime> parse_since(std::string_view text, WallTime now);

// --expiry: a duration from now, or an ISO 8601 time. Fails with kInvalidSetting.
Result<WallTime> parse_expiry(std::string_view text, WallTime now);

inline constexpr std::string_view kNeverText = "never";

// "2026-01-31T12:00:00.123Z": milliseconds are enough for people.
std::string show_time(WallTime t);

// A time of the hub's JSON for people: its milliseconds, "never" for the year 1, the text itself when it is no time.
std::string show_time(std::string_view iso8601);

// "3 min ago", "just now", "in 2 h".
std::string relative_time(WallTime t, WallTime now);

}  // namespace nearhub::tools
