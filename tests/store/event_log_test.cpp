// The event stream: sequence numbers, reading, seeking and retention.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

std::vector<std::string> numbered(int from, int to) {
  std::vector<std::string> bodies;
  for (int i = from; i < to; ++i) bodies.push_back(std::to_string(i));
  return bodies;
}

// The blocks of several batches in one commit: they wait together because the executor that is answered does not matter
// to the writer, which takes all that waits.
void append_together(StoreRig& rig, std::uint32_t partition, const std::vector<std::vector<std::string>>& blocks) {
  auto batch = rig.batch({});
  for (const auto& bodies : blocks) batch->events.push_back(block_of(partition, bodies, rig.clock.now()));
  bool done = false;
  rig.submit(std::move(batch), [&](const hub::WriteBatch&) { done = true; });
  REQUIRE(rig.executor.run_until([&] { return done; }));
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("events: each partition counts from 0, one number per event, across batches") {
    StoreRig rig;
    CHECK(rig.append(0, {"a", "b"}) == 0);
    CHECK(rig.append(1, {"x"}) == 0);
    CHECK(rig.append(0, {"c"}) == 2);
    CHECK(rig.append(1, {"y", "z"}) == 1);
    CHECK(rig.bodies(0) == std::vector<std::string>{"a", "b", "c"});
    CHECK(rig.bodies(1) == std::vector<std::string>{"x", "y", "z"});
    CHECK(rig.bodies(2).empty());
  }

  TEST_CASE("events: numbers go on when the file is opened again") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    rig.append(0, {"a", "b"});
    rig.append(3, {"x"});
    rig.reopen();
    CHECK(rig.append(0, {"c"}) == 2);
    CHECK(rig.append(3, {"y"}) == 1);
    CHECK(rig.append(1, {"first"}) == 0);
    CHECK(rig.bodies(0) == std::vector<std::string>{"a", "b", "c"});
  }

  TEST_CASE("events: blocks of one commit and partition become one row, up to its bound") {
    StoreRig rig;
    append_together(rig, 1, {{"a", "b"}, {"c"}, {"d"}});
    auto page = rig.page(1, 0);
    REQUIRE(page.blocks.size() == 1);
    CHECK(page.blocks[0].count == 4);
    CHECK(rig.bodies(1) == std::vector<std::string>{"a", "b", "c", "d"});

    const std::string large(100'000, 'x');
    append_together(rig, 1, {{large}, {large}, {large}, {large}, {large}});
    page = rig.page(1, 4, 10'000'000);
    REQUIRE(page.blocks.size() == 3);
    CHECK(page.blocks[0].count == 2);
    CHECK(page.blocks[0].first_sequence == 4);
    CHECK(page.blocks[1].first_sequence == 6);
    CHECK(page.blocks[2].first_sequence == 8);
    CHECK(rig.append(1, {"e"}) == 9);
  }

  TEST_CASE("events: a block larger than a row is one row all the same") {
    StoreRig rig;
    const std::string large(150'000, 'x');
    append_together(rig, 0, {{"a"}, {large, large, large}, {"b"}});
    CHECK(rig.bodies(0) == std::vector<std::string>{"a", large, large, large, "b"});
  }

  // --- Reading

  TEST_CASE("events: are read from any number, in the middle of a block too") {
    StoreRig rig;
    rig.append(0, numbered(0, 10));
    rig.append(0, numbered(10, 13));
    rig.append(0, numbered(13, 20));
    rig.append(1, {"other"});
    for (int from = 0; from <= 20; ++from) {
      CHECK(rig.bodies(0, static_cast<std::uint64_t>(from)) == numbered(from, 20));
    }
    CHECK(rig.page(0, 5).blocks[0].first_sequence == 0);
    CHECK(rig.page(0, 10).blocks[0].first_sequence == 10);
    CHECK(rig.page(0, 12).blocks[0].first_sequence == 10);
  }

  TEST_CASE("events: a page has at least one block, and says whether there is more and where") {
    StoreRig rig;
    for (int i = 0; i < 5; ++i) rig.append(0, numbered(3 * i, 3 * i + 3));
    const hub::EventPage first = rig.page(0, 4, 1);
    REQUIRE(first.blocks.size() == 1);
    CHECK(first.blocks[0].first_sequence == 3);
    CHECK(first.next_sequence == 6);
    CHECK(first.more);
    const hub::EventPage last = rig.page(0, 12, 1);
    CHECK(last.next_sequence == 15);
    CHECK_FALSE(last.more);
    CHECK(rig.page(0, 0).blocks.size() == 5);
    for (const std::size_t bytes : {1u, 100u, 200u, 1000u}) CHECK(rig.bodies(0, 2, bytes) == numbered(2, 15));
  }

  TEST_CASE("events: a page behind the end is empty and names the end, so that a reader goes on with what comes") {
    // A reader with a number of a stream that has begun anew waited until the stream reached that number again.
    StoreRig rig;
    CHECK(rig.page(0, 0).next_sequence == 0);
    CHECK(rig.page(0, 100).next_sequence == 0);
    rig.append(0, {"a", "b"});
    rig.append(1, {"other"});
    const hub::EventPage at_end = rig.page(0, 2);
    CHECK(at_end.blocks.empty());
    CHECK(at_end.next_sequence == 2);
    CHECK_FALSE(at_end.more);
    for (const std::uint64_t beyond : {std::uint64_t{3}, std::uint64_t{1} << 47, (std::uint64_t{1} << 48) - 1,
                                       std::uint64_t{1} << 48, (std::uint64_t{1} << 48) + 1, ~std::uint64_t{0}}) {
      const hub::EventPage page = rig.page(0, beyond);
      CHECK(page.blocks.empty());
      CHECK(page.next_sequence == 2);
    }
  }

  // --- Seeking

  TEST_CASE("seek: the first event at or after a time, in the middle of a block too") {
    StoreRig rig;
    const WallTime start = rig.clock.now();
    const auto at = [&](int seconds) { return start + std::chrono::seconds(seconds); };
    CHECK(rig.seek(0, start) == 0);
    // Blocks of 1 to 5 events, one event a second: event i is at second i.
    int next = 0;
    for (const int size : {3, 1, 5, 2, 4, 1, 1, 5}) {
      hub::EventBlock block;
      for (int i = 0; i < size; ++i, ++next) {
        const hub::EventBlock one = block_of(0, {std::to_string(next)}, at(next));
        if (block.count == 0) block.first_enqueued = one.first_enqueued;
        block.bytes += one.bytes;
        block.last_enqueued = one.last_enqueued;
        ++block.count;
      }
      auto batch = rig.batch({});
      batch->events.push_back(std::move(block));
      bool done = false;
      rig.submit(std::move(batch), [&](const hub::WriteBatch&) { done = true; });
      REQUIRE(rig.executor.run_until([&] { return done; }));
    }
    for (int second = 0; second < next; ++second) {
      CHECK(rig.seek(0, at(second)) == static_cast<std::uint64_t>(second));
      CHECK(rig.seek(0, at(second) - Ticks{1}) == static_cast<std::uint64_t>(second));
      CHECK(rig.seek(0, at(second) + Ticks{1}) == static_cast<std::uint64_t>(second + 1));
    }
    CHECK(rig.seek(0, kNever) == 0);
    CHECK(rig.seek(0, at(1000)) == static_cast<std::uint64_t>(next));
    CHECK(rig.seek(0, WallTime{Ticks{INT64_MAX}}) == static_cast<std::uint64_t>(next));
    CHECK(rig.seek(1, kNever) == 0);
  }

  TEST_CASE("seek: behind what retention has taken it gives the first event that is there") {
    StoreSettings settings;
    settings.event_retention = 100s;
    StoreRig rig(settings);
    for (int i = 0; i < 20; ++i) {
      rig.append(0, {std::to_string(i)});
      rig.clock.advance(10s);
    }
    const std::uint64_t first = rig.page(0, 0).blocks.at(0).first_sequence;
    REQUIRE(first > 0);
    CHECK(rig.seek(0, kNever) == first);
    CHECK(rig.bodies(0, 0) == numbered(static_cast<int>(first), 20));
  }

  // --- Retention

  TEST_CASE("retention: events older than the time go, the newest row of a partition stays") {
    StoreSettings settings;
    settings.event_retention = 60s;
    StoreRig rig(settings);
    rig.append(0, {"a0", "a1"});
    rig.append(1, {"b0"});
    rig.clock.advance(30s);
    rig.append(0, {"a2"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"a0", "a1", "a2"});
    rig.clock.advance(31s);
    rig.append(0, {"a3"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"a2", "a3"});
    // Partition 1 has nothing newer: its row stays, and with it the number.
    CHECK(rig.bodies(1) == std::vector<std::string>{"b0"});
    rig.clock.advance(1h);
    CHECK(rig.append(1, {"b1"}) == 1);
    CHECK(rig.bodies(1) == std::vector<std::string>{"b1"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"a3"});
    CHECK(rig.append(0, {"a4"}) == 4);
  }

  TEST_CASE("retention: numbers go on behind a restart though everything else went") {
    const TemporaryFolder folder;
    StoreSettings settings = on_disk(folder);
    settings.event_retention = 60s;
    StoreRig rig(settings);
    for (int i = 0; i < 10; ++i) rig.append(0, {std::to_string(i)});
    rig.clock.advance(1h);
    rig.append(0, {"10"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"10"});
    rig.reopen();
    CHECK(rig.append(0, {"11"}) == 11);
  }

  TEST_CASE("retention: beyond the size the oldest of a partition over its share go") {
    StoreSettings settings;
    settings.event_bytes = 40'000;
    settings.partitions = 2;
    StoreRig rig(settings);
    rig.append(1, {"quiet"});
    const std::string body(5'000, 'x');
    for (int i = 0; i < 30; ++i) rig.append(0, {body});
    // A loud partition does not push out a quiet one.
    CHECK(rig.bodies(1) == std::vector<std::string>{"quiet"});
    std::size_t kept = rig.bodies(0).size();
    CHECK(kept <= 8);
    CHECK(kept >= 3);
    CHECK(rig.append(0, {"next"}) == 30);
    // Two loud ones share.
    for (int i = 0; i < 30; ++i) rig.append(1, {body});
    for (int i = 0; i < 30; ++i) rig.append(0, {body});
    std::size_t bytes = 0;
    for (const std::uint32_t partition : {0u, 1u}) {
      for (const std::string& each : rig.bodies(partition)) bytes += each.size();
      CHECK(rig.bodies(partition).size() >= 3);
    }
    CHECK(bytes <= 40'000);
  }

  TEST_CASE("retention: sizes are known again when the file is opened again") {
    const TemporaryFolder folder;
    StoreSettings settings = on_disk(folder);
    settings.event_bytes = 40'000;
    settings.partitions = 1;
    StoreRig rig(settings);
    const std::string body(5'000, 'x');
    for (int i = 0; i < 20; ++i) rig.append(0, {body});
    const std::size_t kept = rig.bodies(0).size();
    rig.reopen();
    for (int i = 0; i < 20; ++i) rig.append(0, {body});
    CHECK(rig.bodies(0).size() == kept);
  }

  TEST_CASE("retention: a row larger than everything that may be kept is the newest and stays until the next") {
    StoreSettings settings;
    settings.event_bytes = 1000;
    settings.partitions = 1;
    StoreRig rig(settings);
    const std::string large(100'000, 'x');
    rig.append(0, {large});
    CHECK(rig.bodies(0) == std::vector<std::string>{large});
    rig.append(0, {"small"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"small"});
  }

  TEST_CASE("retention: one commit deletes a bounded number of rows") {
    StoreSettings settings;
    settings.event_retention = 60s;
    settings.partitions = 2;
    StoreRig rig(settings);
    for (int i = 0; i < 200; ++i) rig.append(0, {"x"});
    rig.append(1, {"y"});
    rig.append(1, {"y"});
    rig.clock.advance(1h);
    rig.append(1, {"z"});
    const std::size_t left = rig.bodies(0).size();
    CHECK(left < 200);
    CHECK(left >= 200 - 64);
    for (int i = 0; i < 4; ++i) rig.append(1, {"z"});
    CHECK(rig.bodies(0).size() == 1);
    CHECK(rig.bodies(1).front() == "z");
  }

  TEST_CASE("retention: a retention of no end keeps everything") {
    StoreSettings settings;
    settings.event_retention = std::chrono::seconds(std::int64_t{10} * 365 * 24 * 3600 * 1000);  // the longest that can be set
    settings.event_bytes = ~std::uint64_t{0};
    StoreRig rig(settings);
    rig.append(0, {"a"});
    rig.clock.advance(std::chrono::hours(24 * 365 * 20));
    rig.append(0, {"b"});
    CHECK(rig.bodies(0) == std::vector<std::string>{"a", "b"});
  }

  TEST_CASE("retention: of nothing keeps the newest row") {
    StoreSettings settings;
    settings.event_retention = 0s;
    settings.event_bytes = 0;
    StoreRig rig(settings);
    for (int i = 0; i < 5; ++i) {
      rig.append(0, {std::to_string(i)});
      rig.clock.advance(1ms);
    }
    CHECK(rig.bodies(0) == std::vector<std::string>{"4"});
  }
}
