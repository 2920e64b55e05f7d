// Several loops at once: what ThreadSanitizer should look at.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

// One loop: writes to a device of its own, reads it and others, watches the stream for a while, and checks that it sees
// its own writes.
void run_shard(SqliteStore& store, std::uint32_t index, WallTime now, std::atomic<int>& mistakes) {
  ManualExecutor executor;
  const auto expect = [&](bool condition) { mistakes += condition ? 0 : 1; };
  const std::string name = "d" + std::to_string(index);
  std::uint64_t ticket = 0, answered = 0, reads = 0, asked = 0;
  int news = 0;
  std::uint64_t watch = 0;
  bool watching = false;
  const auto submit = [&](std::vector<hub::WriteOperation> operations, hub::EventBlock block) {
    auto batch = std::make_unique<hub::WriteBatch>();
    batch->ticket = ++ticket;
    batch->done.resize(operations.size());
    batch->operations = std::move(operations);
    batch->events.push_back(std::move(block));
    store.submit(std::move(batch), executor, [&](std::unique_ptr<hub::WriteBatch> done) {
      expect(done->ticket == ++answered);
      for (const Status& status : done->results) expect(status.ok());
    });
  };
  submit({create(name)}, {});
  constexpr std::int64_t kRounds = 200;
  for (std::int64_t round = 1; round <= kRounds; ++round) {
    if (round % 16 == 1) {
      if (watching) store.unwatch_events(watch);
      watch = store.watch_events(executor, [&news] { ++news; });
      watching = true;
    }
    submit({put_twin(name, round, 1, round + 1, 1)}, block_of(index % 4, {name}, now));
    ++asked;
    store.load_device(DeviceId("d" + std::to_string((index + 1) % 4)), executor,
                      [&](Result<std::optional<hub::DeviceRecord>> record) {
      expect(record.ok());
      ++reads;
    });
    ++asked;
    store.read_events({index % 4, 0, 1000}, executor, [&](Result<hub::EventPage> page) {
      expect(page.ok());
      ++reads;
    });
    if (round % 20 != 0) continue;
    expect(executor.run_until([&] { return answered == ticket && reads == asked; }));
    ++asked;
    store.load_device(DeviceId(name), executor, [&, round](Result<std::optional<hub::DeviceRecord>> record) {
      // At least what was answered; writes of later rounds may be there too.
      expect(record.ok() && *record && (**record).device.twin.twin.etag_counter >= round + 1);
      ++reads;
    });
  }
  expect(executor.run_until([&] { return answered == ticket && reads == asked; }));
  store.unwatch_events(watch);
  executor.run();
  expect(news > 0);
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("threads: several loops write, read and watch one store") {
    const TemporaryFolder folder;
    for (const bool memory : {true, false}) {
      StoreSettings settings;
      settings.path = memory ? "" : folder.file("nearhub.db");
      settings.durability = Durability::kNormal;
      StoreRig rig(settings);
      std::atomic<int> mistakes{0};
      std::vector<std::thread> threads;
      for (std::uint32_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] { run_shard(rig.store(), i, rig.clock.now(), mistakes); });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK(mistakes == 0);
      for (std::uint32_t i = 0; i < 4; ++i) {
        CHECK(rig.bodies(i) == std::vector<std::string>(200, "d" + std::to_string(i)));
        CHECK(rig.record("d" + std::to_string(i)).twin.twin.etag_counter == 201);
      }
    }
  }
}
