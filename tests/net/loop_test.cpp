#include "wire/net/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/running_loop.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

TEST_SUITE("net") {
  TEST_CASE("loop: tasks run in the order in which one sender posted them, those posted before the loop runs included") {
    const SystemClock clock;
    Loop loop(clock);
    std::vector<int> order;
    for (int i = 0; i < 5; ++i) loop.post([&order, i] { order.push_back(i); });
    loop.post([&] {
      loop.post([&order] { order.push_back(6); });
      order.push_back(5);
    });
    loop.post([&] { loop.stop(); });
    CHECK(order.empty());
    loop.run();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6});
  }

  TEST_CASE("loop: the tasks of each of several threads keep their order") {
    constexpr int kThreads = 4, kEach = 5000;
    const SystemClock clock;
    std::vector<int> next(kThreads, 0);  // by sender; loop's thread
    std::atomic<int> out_of_order{0};
    RunningLoop loop(clock);
    std::vector<std::thread> senders;
    for (int t = 0; t < kThreads; ++t) {
      senders.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto task = [&, t, i] {
            if (next[static_cast<std::size_t>(t)]++ != i) ++out_of_order;
          };
          if (i % 2 == 0 || !loop.get().try_post(task)) loop.get().post(task);
        }
      });
    }
    for (std::thread& sender : senders) sender.join();
    CHECK(loop.run([&] { return next; }) == std::vector<int>(kThreads, kEach));
    CHECK(out_of_order == 0);
  }

  TEST_CASE("loop: new requests are refused beyond the bound, answers are not") {
    const SystemClock clock;
    Loop loop(clock);
    std::size_t ran = 0;
    for (std::size_t i = 0; i < kMaxMailboxRequests; ++i) REQUIRE(loop.try_post([&ran] { ++ran; }));
    bool destroyed = false;
    CHECK_FALSE(loop.try_post([&ran, keep = std::shared_ptr<bool>(&destroyed, [](bool* flag) { *flag = true; })] { ran += 1000; }));
    CHECK(destroyed);
    loop.post([&ran] { ++ran; });
    bool taken_again = false;
    loop.post([&] {
      taken_again = loop.try_post([&ran] { ++ran; });
      loop.stop();
    });
    loop.run();
    CHECK(taken_again);
    CHECK(ran == kMaxMailboxRequests + 2);
  }

  TEST_CASE("loop: knows its own thread") {
    const SystemClock clock;
    {
      Loop loop(clock);
      CHECK(loop.is_current());  // before it runs: whoever builds things on it
    }
    RunningLoop loop(clock);
    CHECK(loop.run([&] { return loop.get().is_current(); }));
    CHECK_FALSE(loop.get().is_current());
  }

  TEST_CASE("loop: at the end of a turn deferred tasks run first, then the others in their order") {
    const SystemClock clock;
    Loop loop(clock);
    std::vector<std::string> events;
    bool said = false;
    loop.at_turn_end([&] { events.emplace_back("first"); });
    loop.at_turn_end([&] {
      events.emplace_back("second");
      if (!said || events.size() < 7) return;
      said = false;
      loop.defer([&] { events.emplace_back("deferred at the end"); });
    });
    loop.post([&] {
      events.clear();
      loop.defer([&] {
        events.emplace_back("deferred 1");
        loop.defer([&] { events.emplace_back("deferred by deferred"); });
      });
      loop.defer([&] { events.emplace_back("deferred 2"); });
      events.emplace_back("task 1");
    });
    loop.post([&] {
      events.emplace_back("task 2");
      said = true;
      // The next turn begins behind all of it.
      loop.post([&] {
        events.emplace_back("next turn");
        loop.stop();
      });
    });
    loop.run();
    REQUIRE(events.size() >= 9);
    events.resize(9);
    CHECK(events == std::vector<std::string>{"task 1", "task 2", "deferred 1", "deferred 2", "deferred by deferred", "first", "second",
                                             "deferred at the end", "first"});
  }

  TEST_CASE("loop: timers fire when their time has come, in order, and not before") {
    ManualClock clock;
    RunningLoop loop(clock);
    std::vector<std::string> fired;
    std::vector<std::unique_ptr<Timer>> timers;
    const auto advance = [&](std::chrono::milliseconds by) {
      loop.run([&] { clock.advance(by); });
      loop.get().clock_moved();
      return loop.run([&] { return fired; });
    };
    loop.run([&] {
      for (const int seconds : {30, 10, 20}) {
        timers.push_back(std::make_unique<Timer>(loop.get().timers(), [&fired, seconds] { fired.push_back(std::to_string(seconds)); }));
        timers.back()->start_at(loop.get().timers().now() + std::chrono::seconds{seconds});
      }
    });
    CHECK(advance(std::chrono::milliseconds{9'999}).empty());
    CHECK(advance(std::chrono::milliseconds{1}) == std::vector<std::string>{"10"});
    loop.run([&] { timers[2]->cancel(); });
    CHECK(advance(std::chrono::hours{1}) == std::vector<std::string>{"10", "30"});
    loop.run([&] {
      timers[2]->start_at(loop.get().timers().now() + std::chrono::seconds{1});
      timers[1]->start_at(loop.get().timers().now() + std::chrono::seconds{2});
    });
    CHECK(advance(std::chrono::seconds{5}) == std::vector<std::string>{"10", "30", "20", "10"});
    loop.run([&] { timers.clear(); });
  }

  TEST_CASE("loop: a timer fires by itself, an earlier one before it") {
    const SystemClock clock;
    RunningLoop loop(clock);
    std::promise<void> fired;
    auto future = fired.get_future();
    std::unique_ptr<Timer> late, early;
    loop.run([&] {
      late = std::make_unique<Timer>(loop.get().timers(), [] {});
      late->start_at(loop.get().timers().now() + std::chrono::hours{1});
    });
    loop.run([&] {
      early = std::make_unique<Timer>(loop.get().timers(), [&] { fired.set_value(); });
      early->start_at(loop.get().timers().now() + std::chrono::milliseconds{1});
    });
    CHECK(future.wait_for(kPatience) == std::future_status::ready);
    loop.run([&] {
      late.reset();
      early.reset();
    });
  }

  TEST_CASE("loop: a timer may destroy itself and start others when it fires") {
    ManualClock clock;
    RunningLoop loop(clock);
    std::unique_ptr<Timer> first, second;
    int fired = 0;
    loop.run([&] {
      second = std::make_unique<Timer>(loop.get().timers(), [&] { ++fired; });
      first = std::make_unique<Timer>(loop.get().timers(), [&] {
        ++fired;
        second->start_at(loop.get().timers().now());
        loop.get().defer([&] { first.reset(); });
      });
      first->start_at(loop.get().timers().now() + std::chrono::seconds{1});
      clock.advance(std::chrono::seconds{2});
    });
    loop.get().clock_moved();
    loop.settle();
    loop.get().clock_moved();
    CHECK(loop.run([&] { return fired; }) == 2);
    CHECK(loop.run([&] { return first == nullptr; }));
    loop.run([&] { second.reset(); });
  }

  TEST_CASE("loop: what is posted after the end is dropped, and released") {
    const SystemClock clock;
    Loop loop(clock);
    bool ran = false;
    loop.post([&] { loop.stop(); });
    loop.run();
    auto kept = std::make_shared<int>(1);
    loop.post([&ran, kept] { ran = true; });
    CHECK_FALSE(loop.try_post([&ran, kept] { ran = true; }));
    CHECK_FALSE(ran);
    CHECK(kept.use_count() == 1);
  }

  TEST_CASE("loop: one that never runs releases what was posted to it") {
    const SystemClock clock;
    auto kept = std::make_shared<int>(1);
    {
      Loop loop(clock);
      loop.post([kept] {});
      loop.defer([kept] {});
      loop.at_turn_end([kept] {});
      CHECK(kept.use_count() == 4);
    }
    CHECK(kept.use_count() == 1);
  }

  TEST_CASE("loop: what was posted before stop() still runs") {
    const SystemClock clock;
    int ran = 0;
    {
      RunningLoop loop(clock);
      for (int i = 0; i < 100; ++i) loop.get().post([&ran] { ++ran; });
      loop.stop();
    }
    CHECK(ran == 100);
  }

  TEST_CASE("loop: signals of the process are told on the loop") {
    const SystemClock clock;
    RunningLoop loop(clock);
    std::promise<int> first, second;
    loop.run([&] {
      loop.get().watch_signals({SIGUSR1, SIGUSR2}, [&](int number) { (number == SIGUSR1 ? first : second).set_value(number); });
    });
    REQUIRE(std::raise(SIGUSR1) == 0);
    auto came = first.get_future();
    REQUIRE(came.wait_for(kPatience) == std::future_status::ready);
    CHECK(came.get() == SIGUSR1);
    REQUIRE(std::raise(SIGUSR2) == 0);
    auto then = second.get_future();
    REQUIRE(then.wait_for(kPatience) == std::future_status::ready);
    CHECK(then.get() == SIGUSR2);
  }
}
