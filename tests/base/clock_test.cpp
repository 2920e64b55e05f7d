#include "base/clock.h"

#include <doctest/doctest.h>

using namespace nearhub;
using std::chrono::hours;
using std::chrono::milliseconds;

TEST_SUITE("base") {
  TEST_CASE("system clock: moving it forward moves wall and monotonic time together, and stays so") {
    SystemClock clock;
    CHECK(clock.offset() == milliseconds(0));
    const WallTime wall = clock.now();
    const MonoTime mono = clock.mono();
    clock.advance(hours(1000));
    // The machine may set its wall clock back in between, but hardly by an hour.
    CHECK(clock.now() - wall >= hours(999));
    CHECK(clock.now() - wall < hours(1001));
    CHECK(clock.mono() - mono >= hours(1000));
    CHECK(clock.mono() - mono < hours(1001));
    clock.advance(milliseconds(1));
    CHECK(clock.offset() == hours(1000) + milliseconds(1));
  }

  TEST_CASE("system clock: monotonic time never runs back") {
    const SystemClock clock;
    MonoTime before = clock.mono();
    for (int i = 0; i < 1000; ++i) {
      const MonoTime now = clock.mono();
      CHECK(now >= before);
      before = now;
    }
  }

  TEST_CASE("manual clock: stands still until it is told to move, then moves both times") {
    ManualClock clock;
    const WallTime wall = clock.now();
    const MonoTime mono = clock.mono();
    CHECK(unix_seconds(wall) == 1'767'225'600);  // 2026-01-01
    CHECK(clock.now() == wall);
    clock.advance(milliseconds(1500));
    CHECK(clock.now() - wall == milliseconds(1500));
    CHECK(clock.mono() - mono == milliseconds(1500));
    CHECK(ManualClock(WallTime{}).now() == WallTime{});
  }

  TEST_CASE("Unix time: rounds towards the past, before 1970 too") {
    CHECK(unix_seconds(from_unix_milliseconds(1999)) == 1);
    CHECK(unix_seconds(from_unix_milliseconds(-1)) == -1);
    CHECK(unix_milliseconds(from_unix_milliseconds(1'767'225'600'123)) == 1'767'225'600'123);
    CHECK(unix_milliseconds(WallTime{Ticks{19'999}}) == 1);
    CHECK(unix_milliseconds(WallTime{Ticks{-1}}) == -1);
    CHECK(unix_seconds(kNever) == -62'135'596'800);
  }
}
