#include "base/timer_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

using namespace nearhub;
using std::chrono::milliseconds;

TEST_SUITE("base") {
  TEST_CASE("timers: fire once, in the order of their deadlines, not before") {
    ManualClock clock;
    TimerQueue queue(clock);
    std::vector<int> fired;
    Timer late(queue, [&] { fired.push_back(2); }), early(queue, [&] { fired.push_back(1); });
    late.start_at(clock.mono() + milliseconds(20));
    early.start_at(clock.mono() + milliseconds(10));
    clock.advance(milliseconds(9));
    queue.run_due();
    CHECK(fired.empty());
    clock.advance(milliseconds(11));
    queue.run_due();
    CHECK(fired == std::vector{1, 2});
    queue.run_due();
    CHECK(fired.size() == 2);
    CHECK(queue.empty());
  }

  TEST_CASE("timers: a callback may cancel or start others, and re-arm itself without starving the caller") {
    ManualClock clock;
    TimerQueue queue(clock);
    int self = 0, other = 0;
    Timer victim(queue, [&] { ++other; });
    Timer again(queue, [] {});
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(queue, [&] {
      ++self;
      victim.cancel();
      timer->start_at(clock.mono());
    });
    timer->start_at(clock.mono());
    victim.start_at(clock.mono() + milliseconds(1));
    clock.advance(milliseconds(1));
    queue.run_due();
    CHECK(self >= 1);
    CHECK(self <= 2);
    CHECK(other == 0);
  }

  TEST_CASE("timers: the loop is told when the earliest deadline moves forward") {
    ManualClock clock;
    TimerQueue queue(clock);
    int told = 0;
    queue.on_earlier([&] { ++told; });
    Timer a(queue, [] {}), b(queue, [] {}), c(queue, [] {});
    a.start_at(clock.mono() + milliseconds(10));
    b.start_at(clock.mono() + milliseconds(20));
    CHECK(told == 1);
    c.start_at(clock.mono() + milliseconds(5));
    CHECK(told == 2);
  }

  TEST_CASE("timers: a thousand random starts, moves and cancels keep the heap in order") {
    ManualClock clock;
    TimerQueue queue(clock);
    std::mt19937 random(7);
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<MonoTime> fired;
    for (int i = 0; i < 200; ++i) {
      timers.push_back(std::make_unique<Timer>(queue, [&fired, &timers, i] { fired.push_back(timers[static_cast<std::size_t>(i)]->deadline()); }));
    }
    for (int i = 0; i < 1000; ++i) {
      Timer& timer = *timers[random() % timers.size()];
      if (random() % 4 == 0) {
        timer.cancel();
      } else {
        timer.start_at(clock.mono() + milliseconds(random() % 500));
      }
    }
    std::size_t running = 0;
    for (const auto& timer : timers) running += timer->running() ? 1 : 0;
    clock.advance(milliseconds(500));
    queue.run_due();
    CHECK(fired.size() == running);
    CHECK(std::is_sorted(fired.begin(), fired.end()));
  }
}
