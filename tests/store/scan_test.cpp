// Scans: the rows and their order, steps and where they go on, and what else is read meanwhile.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

// Writes down what it is shown.
class Witness final : public hub::TwinVisitor {
 public:
  explicit Witness(std::vector<std::string>& seen, std::size_t enough = SIZE_MAX) : seen_(seen), enough_(enough) {}
  bool visit(const hub::TwinRow& row) override {
    seen_.push_back(row.identity.id.text());
    CHECK(row.device.id == IdentityId{row.identity.id.device, {}});
    CHECK(row.sections.desired == R"({"$version":1})");
    return seen_.size() < enough_;
  }

 private:
  std::vector<std::string>& seen_;
  const std::size_t enough_;
};

hub::TwinScanStep step(StoreRig& rig, hub::TwinScan scan, std::unique_ptr<hub::TwinVisitor> visitor) {
  auto answer = rig.wait_for<hub::TwinScanStep>([&](hub::Answer<hub::TwinScanStep> done) {
    rig.store().scan_twins(std::move(scan), std::move(visitor), rig.executor, std::move(done));
  });
  REQUIRE(answer.ok());
  return std::move(*answer);
}

using Ids = std::vector<std::string>;

// All of a scan, in steps of so many rows.
Ids all(StoreRig& rig, hub::TwinScan scan, std::size_t rows) {
  Ids seen;
  scan.max_rows = rows;
  for (int steps = 0; steps < 1000; ++steps) {
    hub::TwinScanStep taken = step(rig, scan, std::make_unique<Witness>(seen));
    if (taken.at_end) return seen;
    scan.after = taken.last;
  }
  FAIL("the scan does not end");
  return seen;
}

hub::TwinScan scan_of(bool modules, std::optional<std::vector<std::string>> among = {}, std::string prefix = {}) {
  hub::TwinScan scan;
  scan.modules = modules;
  scan.among = std::move(among);
  scan.prefix = std::move(prefix);
  return scan;
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("scans: devices or modules, each once, in the order of their ids, whatever the steps are") {
    StoreRig rig;
    rig.apply({create("d2"), create("d1"), create("d10"), create("d1!"), create("e"), create("d1/m2"), create("d1/m1"), create("d10/m1"), create("e/m")});
    for (const std::size_t rows : {1, 2, 3, 100}) {
      CAPTURE(rows);
      CHECK(all(rig, scan_of(false), rows) == Ids{"d1", "d1!", "d10", "d2", "e"});
      CHECK(all(rig, scan_of(true), rows) == Ids{"d1/m1", "d1/m2", "d10/m1", "e/m"});
      CHECK(all(rig, scan_of(false, {}, "d1"), rows) == Ids{"d1", "d1!", "d10"});
      CHECK(all(rig, scan_of(true, {}, "d1"), rows) == Ids{"d1/m1", "d1/m2", "d10/m1"});
      CHECK(all(rig, scan_of(false, {}, "x"), rows) == Ids{});
      CHECK(all(rig, scan_of(false, Ids{"d1", "d2", "gone"}), rows) == Ids{"d1", "d2"});
      CHECK(all(rig, scan_of(true, Ids{"d1", "d2", "e"}), rows) == Ids{"d1/m1", "d1/m2", "e/m"});
      CHECK(all(rig, scan_of(false, Ids{"d1", "e"}, "d"), rows) == Ids{"d1"});
      CHECK(all(rig, scan_of(false, Ids{}), rows) == Ids{});
    }
  }

  TEST_CASE("scans: a visitor that has enough ends the step, and the row counts as come to") {
    StoreRig rig;
    rig.apply({create("a"), create("b"), create("c")});
    Ids seen;
    hub::TwinScanStep taken = step(rig, scan_of(false), std::make_unique<Witness>(seen, 2));
    CHECK(seen == Ids{"a", "b"});
    CHECK(taken.last.device.str() == "b");
    CHECK(!taken.at_end);
    hub::TwinScan rest = scan_of(false);
    rest.after = taken.last;
    seen.clear();
    CHECK(step(rig, rest, std::make_unique<Witness>(seen)).at_end);
    CHECK(seen == Ids{"c"});
    // No rows: the visitor comes back all the same.
    rest.max_rows = 0;
    CHECK(step(rig, rest, std::make_unique<Witness>(seen)).visitor != nullptr);
    CHECK(seen == Ids{"c"});
  }

  TEST_CASE("scans: what is written between steps is seen behind the place that was reached, and nothing twice") {
    StoreRig rig;
    rig.apply({create("b"), create("d"), create("f")});
    Ids seen;
    hub::TwinScan scan = scan_of(false);
    scan.max_rows = 1;
    scan.after = step(rig, scan, std::make_unique<Witness>(seen)).last;
    rig.apply({create("a"), create("c"), hub::DeleteIdentity{id_of("b"), 100}, hub::DeleteIdentity{id_of("d"), 100}});
    scan.max_rows = 100;
    CHECK(step(rig, scan, std::make_unique<Witness>(seen)).at_end);
    CHECK(seen == Ids{"b", "c", "f"});
  }

  TEST_CASE("scans: queued messages and tags that were never set are part of a row") {
    StoreRig rig;
    rig.apply({create("d1"), create("d2"), enqueue("d1", 1), enqueue("d1", 2)});
    struct Check final : hub::TwinVisitor {
      bool visit(const hub::TwinRow& row) override {
        CHECK(row.queued_messages == (row.identity.id.device.str() == "d1" ? 2 : 0));
        CHECK(!row.sections.has_tags);
        return true;
      }
    };
    CHECK(step(rig, scan_of(false), std::make_unique<Check>()).at_end);
  }

  TEST_CASE("scans: other reads do not wait for them, and steps that wait at the end are answered") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    rig.apply({create("d1")});
    // A step that does not end before a device was loaded: it would never end if loads waited for it.
    struct Blocker final : hub::TwinVisitor {
      explicit Blocker(std::atomic<bool>& free) : free_(free) {}
      bool visit(const hub::TwinRow&) override {
        while (!free_) std::this_thread::yield();
        return true;
      }
      std::atomic<bool>& free_;
    };
    std::atomic<bool> free{false};
    int answered = 0;
    for (int i = 0; i < 5; ++i) {
      rig.store().scan_twins(scan_of(false), std::make_unique<Blocker>(free), rig.executor, [&](Result<hub::TwinScanStep> taken) { answered += taken.ok() ? 1 : 0; });
    }
    for (int i = 0; i < 20; ++i) CHECK(rig.exists("d1"));
    CHECK(answered == 0);
    free = true;
    rig.close();
    rig.executor.run();
    CHECK(answered == 5);
  }
}
