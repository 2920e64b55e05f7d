#include "tools/time_text.h"

#include <doctest/doctest.h>

#include "base/time_format.h"

using namespace nearhub;
using namespace nearhub::tools;

namespace {
const WallTime kNow = *parse_iso8601("2026-01-31T12:00:00Z");
}

TEST_SUITE("tools") {
  TEST_CASE("durations: a number with s, m, h or d, seconds without") {
    CHECK(parse_duration("90") == std::chrono::seconds{90});
    CHECK(parse_duration("90s") == std::chrono::seconds{90});
    CHECK(parse_duration("10m") == std::chrono::seconds{600});
    CHECK(parse_duration("2h") == std::chrono::seconds{7200});
    CHECK(parse_duration("1d") == std::chrono::seconds{86400});
    CHECK(parse_duration("3650d") == std::chrono::seconds{315'360'000});
    for (const char* wrong : {"", "s", "-5", "1.5h", "10w", "5x", "1h30m", "3651d", "99999999999999999999", " 5"}) {
      CAPTURE(wrong);
      CHECK_FALSE(parse_duration(wrong).has_value());
    }
  }

  TEST_CASE("since: start, now, a time ago, or a point in time") {
    CHECK(parse_since("now", kNow).value() == kNow);
    CHECK(parse_since("start", kNow).value() == kNever);
    CHECK(parse_since("10m", kNow).value() == *parse_iso8601("2026-01-31T11:50:00Z"));
    CHECK(parse_since("2026-01-01T00:00:00+01:00", kNow).value() == *parse_iso8601("2025-12-31T23:00:00Z"));
    REQUIRE_FALSE(parse_since("yesterday", kNow).ok());
    CHECK(parse_since("yesterday", kNow).error().detail ==
          "\"yesterday\" is no point in time: give 10m, 2h, 1d, now, start, or a time like 2026-01-31T12:00:00Z");
  }

  TEST_CASE("expiry: a time from now, or a point in time") {
    CHECK(parse_expiry("1h", kNow).value() == *parse_iso8601("2026-01-31T13:00:00Z"));
    CHECK(parse_expiry("2026-02-01T00:00:00Z", kNow).value() == *parse_iso8601("2026-02-01T00:00:00Z"));
    CHECK_FALSE(parse_expiry("start", kNow).ok());
  }

  TEST_CASE("shown times have milliseconds, the year 1 is never, what is no time stays") {
    CHECK(show_time("2026-01-31T12:00:00.1234567Z") == "2026-01-31T12:00:00.123Z");
    CHECK(show_time("0001-01-01T00:00:00") == "never");
    CHECK(show_time("0001-01-01T00:00:00Z") == "never");
    CHECK(show_time("soon") == "soon");
    CHECK(show_time(kNow) == "2026-01-31T12:00:00.000Z");
  }

  TEST_CASE("relative times look back and ahead") {
    CHECK(relative_time(kNow, kNow) == "just now");
    CHECK(relative_time(kNow - std::chrono::seconds{42}, kNow) == "42 s ago");
    CHECK(relative_time(kNow - std::chrono::seconds{150}, kNow) == "2 min 30 s ago");
    CHECK(relative_time(kNow + std::chrono::hours{1}, kNow) == "in 1 h 0 min");
    CHECK(relative_time(kNow + std::chrono::milliseconds{500}, kNow) == "just now");
  }
}
