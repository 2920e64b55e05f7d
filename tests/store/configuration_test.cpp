// Configurations, their marks, and what they did to twins: what is written is read at the next start.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

hub::Configuration sample(const std::string& id, std::int64_t etag = 1) {
  return {id, "2.0", R"({"a":"b"})", R"({"deviceContent":{}})", "tags.a = 1", 7, R"({"m":"SELECT * FROM devices"})", WallTime{Ticks{1234567}}, WallTime{Ticks{2345678}}, etag};
}

hub::StoredConfigurations read_again(StoreRig& rig) {
  rig.reopen();
  auto stored = rig.store().configurations();
  REQUIRE(stored.ok());
  return std::move(*stored);
}

using Sweeps = std::vector<std::pair<std::string, std::int64_t>>;

ErrorCode refusal(const Status& status) {
  REQUIRE_FALSE(status.ok());
  return status.error().code;
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("configurations: come back after a restart with every field, and with the sweeps that are to be done") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    CHECK(read_again(rig).configurations.empty());
    hub::Configuration bare = sample("a");
    bare.schema_version.reset();
    bare.labels.clear();
    CHECK(rig.write(hub::PutConfiguration{sample("b"), std::nullopt, 1}).ok());
    CHECK(rig.write(hub::PutConfiguration{bare, std::nullopt, 2}).ok());
    const hub::StoredConfigurations first = read_again(rig);
    CHECK(first.configurations == std::vector{bare, sample("b")});
    CHECK(first.sweeps == Sweeps{{"b", 1}, {"a", 2}});

    CHECK(rig.write(hub::PutConfiguration{sample("b", 2), 1, 3}).ok());
    CHECK(rig.write(hub::DeleteConfiguration{"a", 1, 4}).ok());
    // One that is over must not take the mark of a later change.
    CHECK(rig.write(hub::EndConfigurationSweep{"b", 1}).ok());
    CHECK(rig.write(hub::EndConfigurationSweep{"a", 4}).ok());
    const hub::StoredConfigurations second = read_again(rig);
    CHECK(second.configurations == std::vector{sample("b", 2)});
    CHECK(second.sweeps == Sweeps{{"b", 3}});
  }

  TEST_CASE("configurations: a write whose etag is not the stored one writes nothing, no mark either") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    REQUIRE(rig.write(hub::PutConfiguration{sample("a"), std::nullopt, 1}).ok());
    CHECK(refusal(rig.write(hub::PutConfiguration{sample("a", 9), std::nullopt, 2})) == ErrorCode::kPreconditionFailed);
    CHECK(refusal(rig.write(hub::PutConfiguration{sample("a", 9), 5, 2})) == ErrorCode::kPreconditionFailed);
    CHECK(refusal(rig.write(hub::PutConfiguration{sample("b", 9), 5, 2})) == ErrorCode::kPreconditionFailed);
    CHECK(refusal(rig.write(hub::DeleteConfiguration{"a", 5, 2})) == ErrorCode::kPreconditionFailed);
    CHECK(refusal(rig.write(hub::DeleteConfiguration{"b", 1, 2})) == ErrorCode::kPreconditionFailed);
    const hub::StoredConfigurations stored = read_again(rig);
    CHECK(stored.configurations == std::vector{sample("a")});
    CHECK(stored.sweeps == Sweeps{{"a", 1}});
  }

  TEST_CASE("configurations: what they did to a twin is stored with it, and stays when it is not written") {
    StoreRig rig;
    const std::string states = R"({"c":{"status":"Applied"}})";
    rig.apply({create("d1"), hub::PutTwin{id_of("d1"), 1, 1, 1, 1, {}, {}, {}, states}});
    CHECK(rig.record("d1").twin.configurations == states);
    rig.apply({hub::PutTwin{id_of("d1"), 1, 1, 2, 1, R"({"t":1})", {}, {}}});
    CHECK(rig.record("d1").twin.configurations == states);
    rig.apply({hub::PutTwin{id_of("d1"), 2, 1, 2, 1, {}, {}, {}, ""}});
    CHECK(rig.record("d1").twin.configurations == "");
  }
}
