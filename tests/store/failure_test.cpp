// A disk that is full: the store fails loudly, acknowledges nothing any more, and the file holds what it acknowledged.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

// Every batch does two things at opposite ends of the store: a device and an event of the same number.
std::unique_ptr<hub::WriteBatch> numbered(StoreRig& rig, int number) {
  const std::string name = "d" + std::to_string(number);
  auto batch = rig.batch({create(name)});
  batch->events.push_back(block_of(0, {name}, rig.clock.now()));
  return batch;
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("disk full: nothing is answered from the failure on, and it is told once") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    rig.reopen([](StoreSettings& settings) { settings.max_pages_for_test = 60; });
    std::set<std::string> acknowledged;
    int submitted = 0;
    ManualExecutor& executor = rig.executor;
    // Groups of several batches, until one cannot be written. Reads are answered to the end, so they show when it happened.
    bool failed = false;
    while (!failed) {
      REQUIRE(submitted < 10'000);
      for (int i = 0; i < 7; ++i) {
        rig.submit(numbered(rig, submitted++), [&](const hub::WriteBatch& batch) {
          CHECK(batch.results[0].ok());
          acknowledged.insert(std::get<hub::CreateIdentity>(batch.operations[0]).identity.id.text());
        });
      }
      bool read = false;
      rig.store().load_device(DeviceId("d0"), executor, [&](Result<std::optional<hub::DeviceRecord>> record) {
        read = true;
        failed = !record.ok();
        if (failed) CHECK(record.error() == Error{ErrorCode::kServiceUnavailable, "the store is stopping"});
      });
      REQUIRE(executor.run_until([&] { return read; }));
    }
    executor.run();
    const std::size_t at_failure = acknowledged.size();
    CHECK(at_failure >= 10);
    CHECK(at_failure < static_cast<std::size_t>(submitted));
    bool late = false;
    rig.submit(rig.batch({create("late")}), [&](const hub::WriteBatch&) { late = true; });
    rig.close();
    executor.run();
    CHECK_FALSE(late);
    CHECK(acknowledged.size() == at_failure);
    REQUIRE(rig.failures.size() == 1);
    CHECK(rig.failures[0].code == ErrorCode::kIo);
    CHECK(rig.failures[0].detail.find("full") != std::string::npos);

    // With room again, the file holds exactly what was acknowledged, and nothing half done.
    rig.reopen([](StoreSettings& settings) { settings.max_pages_for_test = 0; });
    const auto devices = rig.devices(20'000);
    CHECK(std::set<std::string>(devices.begin(), devices.end()) == acknowledged);
    const auto events = rig.bodies(0);
    CHECK(std::set<std::string>(events.begin(), events.end()) == acknowledged);
    CHECK(events.size() == acknowledged.size());
    CHECK(rig.write(create("late")).ok());
    CHECK(rig.append(0, {"x"}) == acknowledged.size());
  }

  TEST_CASE("disk full: in memory too") {
    StoreSettings settings;
    settings.max_pages_for_test = 60;
    StoreRig rig(settings);
    int answered = 0, submitted = 0;
    bool refused = false;
    while (!refused) {
      REQUIRE(submitted < 10'000);
      rig.submit(numbered(rig, submitted++), [&](const hub::WriteBatch&) { ++answered; });
      std::optional<bool> read;
      rig.store().load_device(DeviceId("d0"), rig.executor,
                              [&](Result<std::optional<hub::DeviceRecord>> record) { read = record.ok(); });
      REQUIRE_MESSAGE(rig.executor.run_until([&] { return read.has_value(); }), "a read was not answered");
      refused = !*read;
    }
    rig.close();
    rig.executor.run();
    CHECK(answered < submitted);
    CHECK(rig.failures.size() == 1);
  }
}
