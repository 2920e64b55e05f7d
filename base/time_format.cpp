#include "base/time_format.h"

#include <fmt/core.h>

#include <array>
#include <cstdlib>

namespace nearhub {
namespace {

struct Parts {
  int year;
  unsigned month, day;
  int hour, minute, second;
  int fraction;  // 100 ns
  unsigned weekday;
};

Parts split(WallTime t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss time{t - days};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count()),
          static_cast<int>(time.subseconds().count()),
          std::chrono::weekday{days}.c_encoding()};
}

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

constexpr WallTime kYear10000{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};

// Reads exactly `digits` decimal digits at `at` and moves past them.
bool read_digits(std::string_view text, std::size_t& at, int digits, int& value) {
  value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return false;
    value = value * 10 + (text[at] - '0');
  }
  return true;
}

bool read_char(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

}  // namespace

std::string format_iso8601(WallTime t) {
  if (t == kNever) return "0001-01-01T00:00:00Z";
  const Parts p = split(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z", p.year, p.month, p.day, p.hour, p.minute, p.second, p.fraction);
}

std::string format_identity_time(WallTime t) { return t == kNever ? "0001-01-01T00:00:00" : format_iso8601(t); }

std::optional<WallTime> parse_iso8601(std::string_view text) {
  std::size_t at = 0;
  int year, month, day, hour, minute, second;
  if (!read_digits(text, at, 4, year) || !read_char(text, at, '-') || !read_digits(text, at, 2, month) ||
      !read_char(text, at, '-') || !read_digits(text, at, 2, day)) {
    return std::nullopt;
  }
  if (!read_char(text, at, 'T') && !read_char(text, at, 't') && !read_char(text, at, ' ')) return std::nullopt;
  if (!read_digits(text, at, 2, hour) || !read_char(text, at, ':') || !read_digits(text, at, 2, minute) ||
      !read_char(text, at, ':') || !read_digits(text, at, 2, second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;

  std::int64_t fraction = 0;
  if (read_char(text, at, '.')) {
    int digits = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
      if (digits < 7) fraction = fraction * 10 + (text[at] - '0');
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 7; ++digits) fraction *= 10;
  }

  int offset_minutes = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int sign = text[at++] == '+' ? 1 : -1;
    int zone_hours, zone_minutes;
    if (!read_digits(text, at, 2, zone_hours) || !read_char(text, at, ':') || !read_digits(text, at, 2, zone_minutes) ||
        zone_hours > 23 || zone_minutes > 59) {
      return std::nullopt;
    }
    offset_minutes = sign * (zone_hours * 60 + zone_minutes);
  } else if (at < text.size()) {
    if (!read_char(text, at, 'Z') && !read_char(text, at, 'z')) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;

  WallTime t{std::chrono::sys_days{date}.time_since_epoch()};
  t += std::chrono::hours{hour} + std::chrono::minutes{minute - offset_minutes} + std::chrono::seconds{second};
  t += Ticks{fraction};
  // A zone can lead out of the years that four digits write.
  if (t < kNever || t >= kYear10000) return std::nullopt;
  return t;
}

std::string format_tracking_time(WallTime t) {
  const Parts p = split(t);
  return fmt::format("{:02}/{:02}/{:04} {:02}:{:02}:{:02}", p.month, p.day, p.year, p.hour, p.minute, p.second);
}

std::string format_http_date(WallTime t) {
  const Parts p = split(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[p.weekday], p.day, kMonths[p.month - 1], p.year,
                     p.hour, p.minute, p.second);
}

std::int64_t dotnet_ticks(WallTime t) { return (t - kNever).count(); }

std::string format_duration(std::int64_t seconds) {
  seconds = seconds == INT64_MIN ? INT64_MAX : std::abs(seconds);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 2 * 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} days", seconds / 86400);
}

}  // namespace nearhub
