// The time formats that clients read and write. All are UTC.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace nearhub {

// "2022-06-01T22:27:50.2612586Z": seven fraction digits, as the hub's documents and the C# client's round-trip format have it. kNever
// gives "0001-01-01T00:00:00Z".
std::string format_iso8601(WallTime t);

// The same, but kNever without the final Z: identity documents write never-set times this way (reference/service-rest.md 4.1).
std::string format_identity_time(WallTime t);

// Accepts "YYYY-MM-DDTHH:MM:SS[.f{1,9}][Z|+hh:mm|-hh:mm]" in the years 1 to 9999, zone taken off; without a zone it is
// UTC. Digits beyond 100 ns are cut.
std::optional<WallTime> parse_iso8601(std::string_view text);

// "01/31/2026 23:59:59": the stamp inside tracking ids.
std::string format_tracking_time(WallTime t);

// "Sun, 06 Nov 1994 08:49:37 GMT": the HTTP Date header.
std::string format_http_date(WallTime t);

// 100 ns since 0001-01-01: what a generation id is made of.
std::int64_t dotnet_ticks(WallTime t);

// "1 h 5 min", "42 s", "3 days": for sentences in refusals. Never negative.
std::string format_duration(std::int64_t seconds);

}  // namespace nearhub
