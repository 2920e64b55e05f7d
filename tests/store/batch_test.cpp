// Group commit: who is answered, in what order, and what a read sees then.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

TEST_SUITE("store") {
  TEST_CASE("batches: of each shard are answered in the order submitted, on its own executor") {
    ManualExecutor shards[3];
    StoreRig rig;
    std::vector<std::uint64_t> answered[3];
    for (std::uint64_t ticket = 1; ticket <= 50; ++ticket) {
      for (std::size_t shard = 0; shard < 3; ++shard) {
        auto batch = rig.batch({create("s" + std::to_string(shard) + "-" + std::to_string(ticket))});
        batch->ticket = ticket;
        rig.store().submit(std::move(batch), shards[shard], [&, shard](std::unique_ptr<hub::WriteBatch> done) {
          CHECK(done->results.size() == 1);
          CHECK(done->results[0].ok());
          answered[shard].push_back(done->ticket);
        });
      }
    }
    for (std::size_t shard = 0; shard < 3; ++shard) {
      REQUIRE(shards[shard].run_until([&] { return answered[shard].size() == 50; }));
      CHECK(std::is_sorted(answered[shard].begin(), answered[shard].end()));
    }
    CHECK(rig.devices().size() == 150);
  }

  TEST_CASE("batches: one that only acknowledges is answered in its turn") {
    StoreRig rig;
    std::vector<int> order;
    rig.submit(rig.batch({create("d1")}), [&](const hub::WriteBatch&) { order.push_back(1); });
    auto acks = rig.batch({});
    acks->acks.push_back({1, 2, 3});
    rig.submit(std::move(acks), [&](const hub::WriteBatch& batch) {
      CHECK(batch.acks.size() == 1);
      CHECK(batch.acks[0].token == 3);
      order.push_back(2);
    });
    rig.submit(rig.batch({create("d2")}), [&](const hub::WriteBatch&) { order.push_back(3); });
    REQUIRE(rig.executor.run_until([&] { return order.size() == 3; }));
    CHECK(order == std::vector{1, 2, 3});
  }

  TEST_CASE("batches: conflicts between shards are decided by the order of submission") {
    StoreRig rig;
    std::vector<bool> applied;
    for (int i = 0; i < 20; ++i) {
      rig.submit(rig.batch({create("d1", i + 1)}), [&](const hub::WriteBatch& batch) { applied.push_back(batch.results[0].ok()); });
    }
    REQUIRE(rig.executor.run_until([&] { return applied.size() == 20; }));
    CHECK(applied.front());
    CHECK(std::count(applied.begin(), applied.end(), true) == 1);
    CHECK(rig.record("d1").identity.etag_counter == 1);
  }

  TEST_CASE("batches: a read that is asked for behind an answer sees what was answered") {
    const TemporaryFolder folder;
    for (const bool memory : {true, false}) {
      StoreRig rig(memory ? StoreSettings() : on_disk(folder));
      rig.apply({create("d1")});
      for (std::int64_t i = 1; i <= 200; ++i) {
        REQUIRE(rig.write(put_twin("d1", i, 1, i + 1, 1)).ok());
        REQUIRE(rig.record("d1").twin.twin.etag_counter == i + 1);
      }
    }
  }

  TEST_CASE("batches: what waits when the store is closed is committed and answered") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    int answered = 0;
    for (int i = 0; i < 300; ++i) {
      rig.submit(rig.batch({create("d" + std::to_string(i))}), [&](const hub::WriteBatch&) { ++answered; });
    }
    rig.close();
    rig.executor.run();
    CHECK(answered == 300);
    rig.reopen();
    CHECK(rig.devices().size() == 300);
  }

  TEST_CASE("batches: reads that wait when the store is closed are answered") {
    const TemporaryFolder folder;
    for (const bool memory : {true, false}) {
      StoreRig rig(memory ? StoreSettings() : on_disk(folder));
      int answered = 0;
      for (int i = 0; i < 300; ++i) {
        rig.store().load_device(DeviceId("d1"), rig.executor, [&](Result<std::optional<hub::DeviceRecord>> record) {
          CHECK(record.ok());
          ++answered;
        });
      }
      rig.close();
      rig.executor.run();
      CHECK(answered == 300);
    }
  }

  TEST_CASE("batches: everything is there when the file is opened again") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    hub::Session session;
    session.add(hub::Topic::kDesired, 1);
    rig.apply({create("d1"), create("d1/m1"), enqueue("d1", 1), enqueue("d1/m1", 4),
               hub::PutSession{id_of("d1"), session}, hub::PutModelId{id_of("d1"), "dtmi:a;1"},
               hub::PutTwin{id_of("d1"), 1, 1, 2, 3, R"({"t":1})", R"({"d":1})", R"({"r":1})"},
               hub::PutActivity{id_of("d1"), WallTime{Ticks{1}}, WallTime{Ticks{2}}},
               hub::RemoveCloudMessage{id_of("d1/m1"), 4, hub::Feedback{0, "mid-4", id_of("d1/m1"), {}, {}, {}}}});
    rig.append(2, {"a", "b"});
    const auto before = rig.load("d1");
    rig.reopen();
    const auto after = rig.load("d1");
    REQUIRE(after.has_value());
    CHECK(after->device.identity == before->device.identity);
    CHECK(after->device.identity.last_activity == WallTime{Ticks{2}});
    CHECK(after->device.twin.twin == before->device.twin.twin);
    CHECK(after->device.twin.twin.reported == R"({"r":1})");
    CHECK(after->device.twin.model_id == "dtmi:a;1");
    CHECK(after->device.session == session);
    REQUIRE(after->device.queue.size() == 1);
    CHECK(rig.messages("d1", {1})[0].body == "body 1");
    CHECK(after->modules.at(0).queue.empty());
    CHECK(rig.feedback().at(0).original_message_id == "mid-4");
    CHECK(rig.bodies(2) == std::vector<std::string>{"a", "b"});
    // The compare-and-sets go on from where they were.
    CHECK(rig.write(put_twin("d1", 2, 3, 3, 3)).ok());
  }

  TEST_CASE("batches: a store in memory is gone when it is closed") {
    StoreRig rig;
    rig.apply({create("d1")});
    rig.append(0, {"a"});
    rig.reopen();
    CHECK(rig.devices().empty());
    CHECK(rig.bodies(0).empty());
  }

  // --- News

  TEST_CASE("watch: tells of commits with events, and of no others") {
    StoreRig rig;
    int told = 0;
    const std::uint64_t watch = rig.store().watch_events(rig.executor, [&] { ++told; });
    rig.apply({create("d1")});
    rig.executor.run();
    CHECK(told == 0);
    rig.append(0, {"a"});
    REQUIRE(rig.executor.run_until([&] { return told == 1; }));
    rig.append(3, {"b", "c"});
    REQUIRE(rig.executor.run_until([&] { return told == 2; }));
    rig.store().unwatch_events(watch);
    rig.append(0, {"d"});
    rig.apply({create("d2")});
    rig.executor.run();
    CHECK(told == 2);
  }

  TEST_CASE("watch: news that nobody has looked at yet are told once") {
    ManualExecutor sleepy;  // outlives the store
    StoreRig rig;
    int told = 0;
    rig.store().watch_events(sleepy, [&] { ++told; });
    for (int i = 0; i < 20; ++i) rig.append(0, {"a"});
    CHECK(sleepy.run() == 1);
    CHECK(told == 1);
    rig.append(0, {"b"});
    REQUIRE(sleepy.run_until([&] { return told == 2; }));
  }

  TEST_CASE("watch: after unwatch comes no call, though one was on its way") {
    ManualExecutor sleepy;  // outlives the store
    StoreRig rig;
    int told = 0, other = 0;
    const std::uint64_t watch = rig.store().watch_events(sleepy, [&] { ++told; });
    rig.store().watch_events(sleepy, [&] { ++other; });
    rig.append(0, {"a"});
    rig.append(0, {"b"});  // its answer comes behind the news of the first
    rig.store().unwatch_events(watch);
    rig.store().unwatch_events(watch);
    rig.store().unwatch_events(12345);
    sleepy.run();
    CHECK(told == 0);
    CHECK(other == 1);
  }

  TEST_CASE("watch: may be ended from inside its call") {
    // Ending it destroyed the function that was running.
    StoreRig rig;
    std::uint64_t watch = 0;
    std::string seen;
    watch = rig.store().watch_events(rig.executor, [&rig, &watch, &seen, text = std::string(100, 'x')] {
      rig.store().unwatch_events(watch);
      seen = text;
    });
    rig.append(0, {"a"});
    REQUIRE(rig.executor.run_until([&] { return !seen.empty(); }));
    CHECK(seen == std::string(100, 'x'));
    rig.append(0, {"b"});
    rig.append(0, {"c"});
    rig.executor.run();
  }

  // --- Settings and policies

  TEST_CASE("settings: are kept by name") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    CHECK(rig.store().setting("hub_id") == std::nullopt);
    CHECK(rig.store().set_setting("hub_id", "abc").ok());
    CHECK(rig.store().set_setting("empty", "").ok());
    CHECK(rig.store().set_setting("hub_id", "a'b\"c\xc3\xa4").ok());
    rig.reopen();
    CHECK(rig.store().setting("hub_id") == "a'b\"c\xc3\xa4");
    CHECK(rig.store().setting("empty") == "");
    CHECK(rig.store().setting("HUB_ID") == std::nullopt);
  }

  TEST_CASE("policies: are replaced as a whole and keep their order") {
    const TemporaryFolder folder;
    StoreRig rig(on_disk(folder));
    CHECK(rig.store().policies().value().empty());
    SeededRandom random(1);
    const auto policies = auth::make_default_policies(random);
    CHECK(rig.store().set_policies(policies).ok());
    const auto same = [](const std::vector<auth::AccessPolicy>& a, const std::vector<auth::AccessPolicy>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
        return one.name == other.name && one.primary_key == other.primary_key && one.secondary_key == other.secondary_key &&
               one.rights == other.rights;
      });
    };
    rig.reopen();
    CHECK(same(rig.store().policies().value(), policies));
    const std::vector<auth::AccessPolicy> two = {policies[3], policies[0]};
    CHECK(rig.store().set_policies(two).ok());
    CHECK(same(rig.store().policies().value(), two));
  }

  TEST_CASE("policies: a set that cannot be stored leaves the old one, and the store as it was") {
    StoreRig rig;
    SeededRandom random(1);
    const auto policies = auth::make_default_policies(random);
    CHECK(rig.store().set_policies(policies).ok());
    CHECK_FALSE(rig.store().set_policies({policies[0], policies[0]}).ok());  // one name twice
    CHECK(rig.store().policies().value().size() == 5);
    CHECK(rig.store().set_policies({policies[1]}).ok());
    CHECK(rig.store().policies().value().size() == 1);
    CHECK(rig.write(create("d1")).ok());
  }

  TEST_CASE("partitions: are those that the file was made with") {
    const TemporaryFolder folder;
    StoreSettings settings = on_disk(folder);
    settings.partitions = 7;
    StoreRig rig(settings);
    CHECK(rig.store().partitions() == 7);
    rig.append(6, {"a"});
    rig.reopen([](StoreSettings& other) { other.partitions = 2; });
    CHECK(rig.store().partitions() == 7);
    CHECK(rig.append(6, {"b"}) == 1);
    CHECK(rig.bodies(6) == std::vector<std::string>{"a", "b"});
  }
}
