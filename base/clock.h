// Time is handed in, so that expiry, retries, lock timeouts and retention are tested without waiting, and so that a user's test can
// move a running hub's clock.
//
// THREAD: any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ratio>

namespace nearhub {

// The cloud's resolution: 100 ns, seven fraction digits.
using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;

// UTC. The epoch is 1970-01-01T00:00:00Z; a value-initialised WallTime is that epoch, not "never".
using WallTime = std::chrono::sys_time<Ticks>;

// The .NET minimum, 0001-01-01T00:00:00: how the hub's documents say "never" (reference/service-rest.md 4.1).
inline constexpr WallTime kNever{Ticks{-621'355'968'000'000'000}};

// Monotonic time for deadlines. Its epoch has no meaning.
struct MonotonicClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonotonicClock::time_point;

inline std::int64_t unix_seconds(WallTime t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }
inline std::int64_t unix_milliseconds(WallTime t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}
inline WallTime from_unix_milliseconds(std::int64_t ms) { return WallTime{std::chrono::milliseconds{ms}}; }

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual MonoTime mono() const = 0;
};

// The machine's clock, plus an offset that only ever grows. The offset moves wall and monotonic time together.
class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  MonoTime mono() const override;

  // For `nearhub serve --test-clock`: lets a user's test step over an expiry. The caller wakes the loops.
  void advance(std::chrono::milliseconds by) { offset_ms_.fetch_add(by.count(), std::memory_order_relaxed); }
  std::chrono::milliseconds offset() const { return std::chrono::milliseconds{offset_ms_.load(std::memory_order_relaxed)}; }

 private:
  std::atomic<std::int64_t> offset_ms_{0};
};

// A clock that stands still until told to move. Threads that read it and the one that moves it need not agree on when.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = from_unix_milliseconds(1'767'225'600'000)) : start_(start) {}  // 2026-01-01
  WallTime now() const override { return start_ + passed(); }
  MonoTime mono() const override { return MonoTime{std::chrono::hours{1}} + passed(); }
  void advance(std::chrono::milliseconds by) { passed_ms_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  std::chrono::milliseconds passed() const { return std::chrono::milliseconds{passed_ms_.load(std::memory_order_relaxed)}; }

  const WallTime start_;
  std::atomic<std::int64_t> passed_ms_{0};
};

}  // namespace nearhub
