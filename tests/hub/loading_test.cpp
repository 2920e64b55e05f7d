// Devices come into memory when they are asked for, and leave it when room is needed.
#include <doctest/doctest.h>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// A bound that a few devices fill.
void small_cache(Hub::Shared& shared) { shared.limits.cache_bytes = 6000; }

std::size_t in_memory(ShardRig& rig) { return rig.shard().figures().devices_in_memory; }

// Whether a read of the device had to go to the store.
bool was_loaded(ShardRig& rig, std::string_view id) {
  rig.store.reads.clear();
  Reply<IdentityView> reply;
  rig.shard().get_identity(id_of(id), reply.answer());
  rig.turn();
  REQUIRE(reply.succeeded());
  return !rig.store.reads.empty();
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("loading: a device is loaded once for all who wait for it, and they are answered in their order") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    rig.restart();
    rig.store.hold_reads();
    rig.store.reads.clear();
    std::vector<int> order;
    Reply<std::vector<IdentityView>> modules;
    rig.shard().get_identity(id_of("d1"), [&](Result<IdentityView> view) {
      CHECK(view.ok());
      order.push_back(1);
    });
    rig.shard().get_identity(id_of("d1/m1"), [&](Result<IdentityView> view) {
      CHECK(view.ok());
      order.push_back(2);
    });
    rig.shard().list_modules(DeviceId("d1"), modules.answer());
    rig.turn();
    CHECK(order.empty());
    CHECK(rig.store.reads == std::vector<std::string>{"load d1"});
    rig.store.release_reads();
    rig.turn();
    CHECK(order == std::vector{1, 2});
    CHECK(modules.value().size() == 1);
    // And stays.
    CHECK_FALSE(was_loaded(rig, "d1"));
  }

  TEST_CASE("loading: when the store fails all who wait hear it, and the next one tries again") {
    ShardRig rig;
    rig.create("d1");
    rig.restart();
    rig.store.break_reads();
    Reply<IdentityView> first, second, third;
    rig.shard().get_identity(id_of("d1"), first.answer());
    rig.shard().get_identity(id_of("d1"), second.answer());
    rig.turn();
    CHECK(first.error().code == ErrorCode::kIo);
    CHECK(second.error().code == ErrorCode::kIo);
    rig.store.mend_reads();
    rig.shard().get_identity(id_of("d1"), third.answer());
    rig.turn();
    CHECK(third.succeeded());
  }

  TEST_CASE("loading: an answer may ask for the same device again") {
    ShardRig rig;
    rig.create("d1");
    rig.restart();
    Reply<IdentityView> inner;
    rig.shard().get_identity(id_of("d1"), [&](Result<IdentityView>) {
      rig.shard().get_identity(id_of("d1"), inner.answer());
    });
    rig.turn();
    CHECK(inner.succeeded());
  }

  TEST_CASE("loading: an id that does not exist does not stay in memory") {
    ShardRig rig;
    rig.create("d1");
    for (int i = 0; i < 100; ++i) {
      Reply<IdentityView> reply;
      rig.shard().get_identity(id_of("unknown-" + std::to_string(i)), reply.answer());
      rig.turn();
      CHECK(reply.error().code == ErrorCode::kDeviceNotFound);
      rig.turn();
    }
    CHECK(in_memory(rig) == 1);
  }

  TEST_CASE("loading: an id that does not exist does not stay when others are asked for in the same turn") {
    // Only the two ends of the list of idle devices were looked at: an unknown id between known ones stayed.
    ShardRig rig;
    rig.create("d1");
    rig.create("d2");
    for (int i = 0; i < 100; ++i) {
      Reply<IdentityView> unknown, before, behind;
      rig.shard().get_identity(id_of("d1"), before.answer());
      rig.shard().get_identity(id_of("unknown-" + std::to_string(i)), unknown.answer());
      rig.executor.run();
      rig.shard().get_identity(id_of("d2"), behind.answer());
      rig.turn();
      CHECK(unknown.error().code == ErrorCode::kDeviceNotFound);
      CHECK(behind.succeeded());
    }
    CHECK(in_memory(rig) == 2);
  }

  TEST_CASE("loading: a deleted device leaves the memory when its deletion is durable") {
    ShardRig rig;
    rig.create("d1");
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.turn();
    CHECK(in_memory(rig) == 1);
    rig.settle();
    CHECK(deleted.succeeded());
    CHECK(in_memory(rig) == 0);
  }

  TEST_CASE("eviction: memory for devices that are not connected is bounded, the longest unused go first") {
    ShardRig rig(small_cache);
    for (int i = 0; i < 100; ++i) rig.create("d" + std::to_string(i));
    const std::size_t kept = in_memory(rig);
    CHECK(kept >= 2);
    CHECK(kept <= 10);
    CHECK_FALSE(was_loaded(rig, "d99"));
    CHECK(was_loaded(rig, "d0"));
    // Used again, it is not the longest unused any more.
    CHECK(was_loaded(rig, "d1"));
    for (int i = 0; i < 100; ++i) {
      CHECK_FALSE(was_loaded(rig, "d0"));
      rig.create("e" + std::to_string(i));
    }
    CHECK(was_loaded(rig, "d1"));
  }

  TEST_CASE("eviction: a parsed twin and the modules count") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cache_bytes = 200'000; });
    const std::string large = "\"" + std::string(4000, 'x') + "\"";
    for (int i = 0; i < 50; ++i) {
      const std::string id = "d" + std::to_string(i);
      rig.create(id);
      Reply<TwinView> patched;
      rig.patch_desired(id, R"({"a":)" + large + R"(,"b":)" + large + "}", patched);
      rig.settle();
      REQUIRE(patched.succeeded());
    }
    CHECK(in_memory(rig) < 25);
    for (int i = 0; i < 50; ++i) {
      const std::string id = "e" + std::to_string(i);
      rig.create(id);
      for (int m = 0; m < 20; ++m) rig.create(id + "/m" + std::to_string(m));
    }
    CHECK(in_memory(rig) < 25);
  }

  TEST_CASE("eviction: what is connected or has something under way is never evicted") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cache_bytes = 0; });
    rig.create("d1");
    rig.create("d2");
    rig.create("d2/m1");
    CHECK(in_memory(rig) == 0);

    {
      FakeLink device(rig.shard()), module(rig.shard());
      rig.connect("d1", device);
      rig.connect("d2/m1", module);
      rig.settle();
      rig.advance(1min);  // activity is written
      rig.settle();
      CHECK(in_memory(rig) == 2);
    }
    rig.settle();
    CHECK(in_memory(rig) == 2);  // that they disconnected is still to be written
    rig.advance(1min);
    CHECK(rig.store.waiting() == 1);
    CHECK(in_memory(rig) == 2);
    rig.settle();
    CHECK(in_memory(rig) == 0);

    // A write under way.
    Reply<TwinView> patched;
    rig.patch_desired("d1", "{}", patched);
    rig.turn();
    CHECK(in_memory(rig) == 1);
    rig.settle();
    CHECK(in_memory(rig) == 0);

    // A method call that waits for its device.
    Reply<MethodResult> called;
    rig.shard().invoke_method(id_of("d1"), {"m", "", 30, 10}, called.answer());
    rig.settle();
    CHECK(in_memory(rig) == 1);
    rig.advance(11s);
    CHECK(called.came());
    rig.settle();
    CHECK(in_memory(rig) == 0);
  }

  TEST_CASE("eviction: a device comes back with everything that it had") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cache_bytes = 0; });
    const registry::Identity created = rig.create("d1");
    rig.create("d1/m1");
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.settle();
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false, .model_id = "dtmi:com:example:thermostat;1"});
      rig.subscribe(link, Topic::kCloudMessages);
      rig.settle();
    }
    Reply<std::uint64_t> sent[2];
    for (auto& reply : sent) rig.send("d1", "hello", reply);
    rig.settle();
    rig.advance(1min);
    rig.settle();
    REQUIRE(in_memory(rig) == 0);

    Reply<IdentityView> view;
    rig.shard().get_identity(id_of("d1"), view.answer());
    rig.turn();
    CHECK(view.value().identity.generation_id == created.generation_id);
    CHECK(view.value().identity.credentials == created.credentials);
    CHECK(view.value().live.queued_messages == 2);
    CHECK_FALSE(view.value().live.connected);
    CHECK(view.value().identity.last_activity > kNever);
    const std::string twin = rig.twin_json("d1");
    CHECK(twin.find(R"("modelId":"dtmi:com:example:thermostat;1","version":3)") != std::string::npos);
    CHECK(twin.find(R"("desired":{"a":1,)") != std::string::npos);
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK(link.session_present);
    rig.settle();
    CHECK(link.take() == Seen{"message 1 hello", "message 2 hello"});
  }
}
