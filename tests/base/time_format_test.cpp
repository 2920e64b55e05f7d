#include "base/time_format.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace nearhub;

namespace {

WallTime utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0,
             std::int64_t fraction = 0) {
  const std::chrono::sys_days date = std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day);
  return WallTime{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
         Ticks{fraction};
}

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("ISO 8601: seven fraction digits and a Z") {
    CHECK(format_iso8601(utc(2022, 6, 1, 22, 27, 50, 2'612'586)) == "2022-06-01T22:27:50.2612586Z");
    CHECK(format_iso8601(utc(2026, 1, 1)) == "2026-01-01T00:00:00.0000000Z");
    CHECK(format_iso8601(utc(2024, 2, 29, 23, 59, 59, 9'999'999)) == "2024-02-29T23:59:59.9999999Z");
    CHECK(format_iso8601(WallTime{}) == "1970-01-01T00:00:00.0000000Z");
    CHECK(format_iso8601(WallTime{} - Ticks{1}) == "1969-12-31T23:59:59.9999999Z");
    CHECK(format_identity_time(utc(2022, 6, 1, 22, 27, 50, 2'612'586)) == "2022-06-01T22:27:50.2612586Z");
  }

  TEST_CASE("never: the .NET minimum, without a fraction, identity documents write it without the Z") {
    CHECK(format_iso8601(kNever) == "0001-01-01T00:00:00Z");
    CHECK(format_identity_time(kNever) == "0001-01-01T00:00:00");
    CHECK(parse_iso8601("0001-01-01T00:00:00") == kNever);
    CHECK(parse_iso8601("0001-01-01T00:00:00Z") == kNever);
    CHECK(kNever == utc(1, 1, 1));
  }

  TEST_CASE("ISO 8601: one to nine fraction digits are read, those beyond 100 ns are cut") {
    const WallTime second = utc(2026, 3, 4, 5, 6, 7);
    const std::string stem = "2026-03-04T05:06:07";
    CHECK(parse_iso8601(stem + "Z") == second);
    const struct {
      const char* digits;
      std::int64_t ticks;
    } fractions[] = {{".1", 1'000'000},       {".12", 1'200'000},       {".123", 1'230'000},
                     {".1234", 1'234'000},    {".12345", 1'234'500},    {".123456", 1'234'560},
                     {".1234567", 1'234'567}, {".12345678", 1'234'567}, {".123456789", 1'234'567},
                     {".0000001", 1}};
    for (const auto& fraction : fractions) {
      CAPTURE(std::string(fraction.digits));
      CHECK(parse_iso8601(stem + fraction.digits + "Z") == second + Ticks{fraction.ticks});
      CHECK(parse_iso8601(stem + fraction.digits) == second + Ticks{fraction.ticks});
      CHECK(parse_iso8601(stem + fraction.digits + "+00:00") == second + Ticks{fraction.ticks});
    }
  }

  TEST_CASE("ISO 8601: zones are taken off, without one the time is UTC") {
    const WallTime noon = utc(2026, 3, 4, 12);
    for (const char* text : {"2026-03-04T12:00:00", "2026-03-04T12:00:00Z", "2026-03-04t12:00:00z",
                             "2026-03-04 12:00:00Z", "2026-03-04T14:00:00+02:00", "2026-03-04T06:30:00-05:30",
                             "2026-03-05T01:00:00+13:00", "2026-03-03T12:01:00-23:59", "2026-03-04T12:00:00-00:00"}) {
      CAPTURE(std::string(text));
      CHECK(parse_iso8601(text) == noon);
    }
  }

  TEST_CASE("ISO 8601: what is formatted is read back, on leap days and at the ends of the range too") {
    for (const WallTime t :
         {utc(2024, 2, 29, 1, 2, 3, 4), utc(2000, 2, 29), utc(1, 1, 1, 0, 0, 0, 1),
          utc(9999, 12, 31, 23, 59, 59, 9'999'999), WallTime{}, utc(1999, 12, 31, 23, 59, 59, 9'999'999)}) {
      CHECK(parse_iso8601(format_iso8601(t)) == t);
      CHECK(parse_iso8601(format_identity_time(t)) == t);
    }
  }

  TEST_CASE("ISO 8601: anything else is refused") {
    const auto refused = [](std::initializer_list<const char*> texts) {
      for (const char* text : texts) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_iso8601(text).has_value());
      }
    };
    // Shape.
    refused({"", "2026", "2026-03-04", "2026-03-04T", "2026-03-04T05", "2026-03-04T05:06", "2026-03-04T05:06Z",
             "20260304T050607Z", "2026-3-4T05:06:07Z", "26-03-04T05:06:07Z", "2026/03/04T05:06:07Z",
             "2026-03-04X05:06:07Z", "2026-03-04T05.06.07Z", " 2026-03-04T05:06:07Z"});
    // Dates and times that do not exist.
    refused({"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-00T00:00:00Z",
             "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
             "2026-03-04T24:00:00Z", "2026-03-04T05:60:00Z", "2026-03-04T05:06:60Z", "2026-03-04T-1:00:00Z"});
    // Fractions.
    refused({"2026-03-04T05:06:07.Z", "2026-03-04T05:06:07.", "2026-03-04T05:06:07.1234567890Z",
             "2026-03-04T05:06:07,5Z"});
    // Zones, and what follows them.
    refused({"2026-03-04T05:06:07+2", "2026-03-04T05:06:07+02", "2026-03-04T05:06:07+0200", "2026-03-04T05:06:07+02:0",
             "2026-03-04T05:06:07+24:00", "2026-03-04T05:06:07+02:60", "2026-03-04T05:06:07ZZ", "2026-03-04T05:06:07Z ",
             "2026-03-04T05:06:07+02:00Z", "2026-03-04T05:06:07 UTC"});
  }

  TEST_CASE("ISO 8601: a zone that leads out of the years 1 to 9999 is refused, for nothing could write the result") {
    CHECK_FALSE(parse_iso8601("0001-01-01T00:00:00+00:01").has_value());
    CHECK_FALSE(parse_iso8601("9999-12-31T23:59:59-00:01").has_value());
    CHECK(parse_iso8601("0001-01-01T00:01:00+00:01") == kNever);
    CHECK(parse_iso8601("9999-12-31T23:59:59.9999999+00:00").has_value());
  }

  TEST_CASE("HTTP date: weekday, day and month by name, GMT") {
    CHECK(format_http_date(utc(1994, 11, 6, 8, 49, 37)) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(format_http_date(utc(2024, 2, 29, 23, 59, 59, 9'999'999)) == "Thu, 29 Feb 2024 23:59:59 GMT");
    CHECK(format_http_date(WallTime{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(format_http_date(utc(2026, 12, 5)) == "Sat, 05 Dec 2026 00:00:00 GMT");
  }

  TEST_CASE("tracking time: month first, whole seconds") {
    CHECK(format_tracking_time(utc(2026, 1, 31, 23, 59, 59, 9'999'999)) == "01/31/2026 23:59:59");
    CHECK(format_tracking_time(utc(2026, 12, 5, 1, 2, 3)) == "12/05/2026 01:02:03");
  }

  TEST_CASE(".NET ticks: 100 ns since the year 1") {
    CHECK(dotnet_ticks(kNever) == 0);
    CHECK(dotnet_ticks(utc(2000, 1, 1)) == 630'822'816'000'000'000);
    CHECK(dotnet_ticks(WallTime{}) == 621'355'968'000'000'000);
    CHECK(dotnet_ticks(utc(2000, 1, 1, 0, 0, 0, 1)) == 630'822'816'000'000'001);
  }

  TEST_CASE("durations: in the two units that matter, never negative") {
    CHECK(format_duration(0) == "0 s");
    CHECK(format_duration(42) == "42 s");
    CHECK(format_duration(119) == "119 s");
    CHECK(format_duration(120) == "2 min 0 s");
    CHECK(format_duration(3599) == "59 min 59 s");
    CHECK(format_duration(3600) == "1 h 0 min");
    CHECK(format_duration(3900) == "1 h 5 min");
    CHECK(format_duration(2 * 86400 - 1) == "47 h 59 min");
    CHECK(format_duration(2 * 86400) == "2 days");
    CHECK(format_duration(3 * 86400 + 86399) == "3 days");
    CHECK(format_duration(-42) == "42 s");
    CHECK(format_duration(INT64_MIN).find('-') == std::string::npos);
  }
}
