// What leaves the hub, and when: nothing is acknowledged before the commit that it promises, and nothing overtakes.
#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

#include "hub/event.h"
#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// The bodies of all committed events, in order of their commits.
std::vector<std::string> stored_bodies(const FakeStore& store) {
  std::vector<std::string> bodies;
  for (const EventBlock& block : store.blocks) {
    EventReader reader(block.bytes);
    Event event;
    while (reader.next(event)) bodies.emplace_back(event.body);
  }
  return bodies;
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("commit: telemetry is acknowledged behind its commit and not before") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();

    rig.publish(link, "21.5", 7);
    CHECK(link.take() == Seen{});
    rig.turn();
    CHECK(rig.store.waiting() == 1);
    CHECK(link.take() == Seen{});
    rig.store.commit();
    CHECK(link.take() == Seen{});
    rig.turn();
    CHECK(link.take() == Seen{"ack 7"});
    CHECK(stored_bodies(rig.store) == std::vector<std::string>{"21.5"});
  }

  TEST_CASE("commit: telemetry at QoS 0 is stored and not acknowledged") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.publish(link, "21.5");
    rig.settle();
    CHECK(link.take() == Seen{});
    CHECK(stored_bodies(rig.store) == std::vector<std::string>{"21.5"});
    CHECK(rig.shard().figures().events == 1);
  }

  TEST_CASE("commit: acknowledgements come in the order of the messages, batch by batch") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.publish(link, "a", 3);
    rig.publish(link, "b", 1);
    rig.turn();
    rig.publish(link, "c", 2);
    rig.turn();
    REQUIRE(rig.store.waiting() == 2);
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{"ack 3", "ack 1"});
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{"ack 2"});
    CHECK(stored_bodies(rig.store) == std::vector<std::string>{"a", "b", "c"});
  }

  TEST_CASE("commit: an acknowledgement that stores nothing is given at once when nothing is before it") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.shard().acknowledge_in_order(*link.connection, 5);
    CHECK(link.take() == Seen{"ack 5"});
    rig.turn();
    CHECK(rig.store.waiting() == 0);
  }

  TEST_CASE("commit: an acknowledgement that stores nothing waits for the telemetry before it") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d2");
    FakeLink link(rig.shard()), other(rig.shard());
    rig.connect("d1", link);
    rig.connect("d2", other);
    rig.settle();
    rig.publish(link, "a", 1);
    rig.shard().acknowledge_in_order(*link.connection, 2);
    rig.publish(link, "b", 3);
    rig.turn();
    rig.shard().acknowledge_in_order(*link.connection, 4);
    // Not for that of others.
    rig.shard().acknowledge_in_order(*other.connection, 1);
    CHECK(other.take() == Seen{"ack 1"});
    rig.turn();
    CHECK(link.take() == Seen{});
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{"ack 1", "ack 2", "ack 3"});
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{"ack 4"});
  }

  TEST_CASE("commit: a request that is read while a batch is being acknowledged does not overtake the rest of it") {
    // A publisher that was paused at its limit of unacknowledged messages reads on inside an acknowledgement; a twin
    // request behind it was acknowledged before the telemetry that came first.
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.publish(link, "a", 1);
    rig.publish(link, "b", 2);
    rig.turn();
    link.on_ack = [&](std::uint32_t token) {
      if (token == 1) rig.shard().acknowledge_in_order(*link.connection, 9);
    };
    rig.settle();
    CHECK(link.take() == Seen{"ack 1", "ack 2", "ack 9"});
  }

  TEST_CASE("commit: late acknowledgements of a connection that is gone fall nowhere") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d2");
    FakeLink gone(rig.shard()), next(rig.shard());
    rig.connect("d1", gone);
    rig.settle();
    const std::uint32_t slot = gone.connection->slot;
    rig.publish(gone, "a", 1);
    rig.turn();
    gone.detach();
    rig.connect("d2", next);
    REQUIRE(next.connection->slot == slot);  // its place is taken by another device
    rig.settle();
    CHECK(gone.take() == Seen{});
    CHECK(next.take() == Seen{});
    CHECK(stored_bodies(rig.store) == std::vector<std::string>{"a"});
  }

  TEST_CASE("commit: a turn makes one batch, and a turn without writes none") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.turn();
    CHECK(rig.store.waiting() == 0);
    Reply<std::uint64_t> sent;
    rig.publish(link, "a", 1);
    rig.send("d1", "hello", sent);
    rig.publish(link, "b", 2);
    rig.turn();
    REQUIRE(rig.store.waiting() == 1);
    CHECK(rig.store.oldest().operations.size() == 1);
    CHECK(rig.store.oldest().acks.size() == 2);
    rig.turn();
    CHECK(rig.store.waiting() == 1);
  }

  TEST_CASE("commit: every answer to a service waits for the commit") {
    ShardRig rig;
    const auto created = [&](const char* id) {
      Reply<IdentityView> reply;
      rig.shard().put_identity(id_of(id), with_keys(), {}, reply.answer());
      rig.turn();
      rig.turn();
      CHECK_FALSE(reply.came());
      rig.settle();
      CHECK(reply.value().identity.id.text() == id);
    };
    created("d1");
    created("d1/m1");

    Reply<IdentityView> replaced;
    rig.shard().put_identity(id_of("d1"), with_keys(), {Condition::kAny, {}}, replaced.answer());
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    rig.turn();
    CHECK_FALSE(replaced.came());
    CHECK_FALSE(patched.came());
    CHECK_FALSE(sent.came());
    rig.settle();
    CHECK(replaced.succeeded());
    CHECK(patched.succeeded());
    CHECK(sent.value() == 1);

    Reply<std::int64_t> purged;
    rig.shard().purge(id_of("d1"), purged.answer());
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1/m1"), {}, deleted.answer());
    rig.turn();
    CHECK_FALSE(purged.came());
    CHECK_FALSE(deleted.came());
    rig.settle();
    CHECK(purged.value() == 1);
    CHECK(deleted.succeeded());
  }

  TEST_CASE("commit: a report is answered with its $version behind its commit") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    Reply<std::int64_t> first, second;
    rig.shard().report(*link.connection, R"({"a":1})", std::nullopt, first.answer());
    rig.turn();
    rig.shard().report(*link.connection, R"({"a":2})", std::nullopt, second.answer());
    rig.turn();
    CHECK_FALSE(first.came());
    rig.store.commit();
    rig.turn();
    CHECK(first.value() == 2);
    CHECK_FALSE(second.came());
    rig.store.commit();
    rig.turn();
    CHECK(second.value() == 3);
  }

  TEST_CASE("commit: a read waits for writes of the same identity that are under way, and for no others") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    rig.create("d2");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    Reply<std::int64_t> reported;
    rig.shard().report(*link.connection, R"({"a":1})", std::nullopt, reported.answer());

    Reply<TwinView> twin, module_twin, other_twin;
    Reply<IdentityView> identity, other_identity;
    Reply<std::string> own;
    Reply<std::vector<IdentityView>> modules;
    rig.shard().get_twin(id_of("d1"), twin.answer());
    rig.shard().get_identity(id_of("d1"), identity.answer());
    rig.shard().get_device_twin(*link.connection, own.answer());
    rig.shard().list_modules(DeviceId("d1"), modules.answer());
    rig.shard().get_twin(id_of("d1/m1"), module_twin.answer());
    rig.shard().get_twin(id_of("d2"), other_twin.answer());
    rig.shard().get_identity(id_of("d2"), other_identity.answer());
    CHECK(module_twin.succeeded());
    CHECK(other_twin.succeeded());
    CHECK(other_identity.succeeded());
    rig.turn();
    CHECK_FALSE(twin.came());
    CHECK_FALSE(identity.came());
    CHECK_FALSE(own.came());
    CHECK_FALSE(modules.came());
    rig.store.commit();
    rig.turn();
    CHECK(own.value() == R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})");
    CHECK(twin.succeeded());
    CHECK(identity.succeeded());
    CHECK(modules.succeeded());
  }

  TEST_CASE("commit: \"not found\" waits for the deletion that it tells of") {
    // Answered at once, a crash before the commit would have brought the identity back behind somebody's 404.
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    Reply<std::monostate> deleted_module, deleted;
    Reply<IdentityView> module, device;
    Reply<TwinView> twin;
    rig.shard().delete_identity(id_of("d1/m1"), {}, deleted_module.answer());
    rig.shard().get_identity(id_of("d1/m1"), module.answer());
    rig.turn();
    CHECK_FALSE(module.came());
    rig.store.commit();
    rig.turn();
    CHECK(module.error().code == ErrorCode::kModuleNotFound);

    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.shard().get_identity(id_of("d1"), device.answer());
    rig.shard().get_twin(id_of("d1"), twin.answer());
    rig.turn();
    CHECK_FALSE(device.came());
    CHECK_FALSE(twin.came());
    rig.store.commit();
    rig.turn();
    CHECK(device.error().code == ErrorCode::kDeviceNotFound);
    CHECK(twin.error().code == ErrorCode::kDeviceNotFound);
  }

  TEST_CASE("commit: a refusal that tells of a state waits until that state is durable") {
    ShardRig rig;
    rig.create("d1");
    Reply<IdentityView> created, again, stale;
    Reply<std::monostate> stale_delete;
    Reply<TwinView> patched, stale_twin;
    rig.shard().put_identity(id_of("d2"), with_keys(), {}, created.answer());
    rig.turn();  // loaded
    rig.shard().put_identity(id_of("d2"), with_keys(), {}, again.answer());
    rig.shard().put_identity(id_of("d2"), with_keys(), {Condition::kEtag, "old"}, stale.answer());
    rig.shard().delete_identity(id_of("d2"), {Condition::kEtag, "old"}, stale_delete.answer());
    rig.patch_desired("d1", "{}", patched);
    rig.shard().update_twin(id_of("d1"), {}, false, {Condition::kEtag, "old"}, stale_twin.answer());
    rig.turn();
    for (const auto* waiting : {&again, &stale}) CHECK_FALSE(waiting->came());
    CHECK_FALSE(stale_delete.came());
    CHECK_FALSE(stale_twin.came());
    rig.settle();
    CHECK(again.error().code == ErrorCode::kDeviceAlreadyExists);
    CHECK(stale.error().code == ErrorCode::kPreconditionFailed);
    CHECK(stale_delete.error().code == ErrorCode::kPreconditionFailed);
    CHECK(stale_twin.error().code == ErrorCode::kPreconditionFailed);
  }

  // --- Back-pressure

  TEST_CASE("congestion: a publisher is told to wait beyond the bound, and to go on when half of it is free") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.uncommitted_bytes = 1000; });
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    const std::string body(400, 'x');
    rig.publish(link, body);
    CHECK_FALSE(rig.shard().congested(*link.connection));
    rig.turn();
    rig.publish(link, body);
    CHECK_FALSE(rig.shard().congested(*link.connection));
    rig.turn();
    rig.publish(link, body);
    CHECK(rig.shard().congested(*link.connection));
    rig.turn();
    REQUIRE(rig.store.waiting() == 3);
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{});  // two thirds still wait
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{"ready"});
    CHECK_FALSE(rig.shard().congested(*link.connection));
    rig.store.commit();
    rig.turn();
    CHECK(link.take() == Seen{});
    CHECK(rig.shard().figures().uncommitted_bytes == 0);
  }

  TEST_CASE("congestion: a publisher that asks twice is told once, and one that is gone not at all") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.uncommitted_bytes = 100; });
    for (const char* id : {"d1", "d2", "d3"}) rig.create(id);
    FakeLink stays(rig.shard()), gone(rig.shard()), next(rig.shard());
    rig.connect("d1", stays);
    rig.connect("d2", gone);
    rig.settle();
    rig.publish(stays, std::string(200, 'x'));
    CHECK(rig.shard().congested(*stays.connection));
    CHECK(rig.shard().congested(*stays.connection));
    CHECK(rig.shard().congested(*gone.connection));
    const std::uint32_t slot = gone.connection->slot;
    gone.detach();
    rig.connect("d3", next);
    REQUIRE(next.connection->slot == slot);
    rig.settle();
    CHECK(stays.take() == Seen{"ready"});
    CHECK(next.take() == Seen{});
  }

  TEST_CASE("congestion: a publisher that fills the bound again from inside \"go on\" is told again") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.uncommitted_bytes = 100; });
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    int rounds = 0;
    const auto fill = [&] {
      rig.publish(link, std::string(200, 'x'));
      CHECK(rig.shard().congested(*link.connection));
    };
    link.on_ready = [&] {
      if (++rounds < 3) fill();
    };
    fill();
    rig.settle();
    CHECK(link.take() == Seen{"ready", "ready", "ready"});
  }

  TEST_CASE("congestion: what operations hold counts like what events hold") {
    // A device that reports small changes of a large section makes far more bytes than it sends.
    ShardRig rig([](Hub::Shared& shared) { shared.limits.uncommitted_bytes = 20'000; });
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    std::string patch = "{";
    for (int i = 0; i < 3; ++i) patch += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":\"" + std::string(4000, 'v') + '"';
    patch += "}";
    Reply<std::int64_t> first;
    rig.shard().report(*link.connection, patch, std::nullopt, first.answer());
    rig.settle();
    REQUIRE(first.succeeded());
    Reply<std::int64_t> replies[3];
    for (auto& reply : replies) rig.shard().report(*link.connection, R"({"a":1})", std::nullopt, reply.answer());
    CHECK(rig.shard().congested(*link.connection));
    rig.turn();
    CHECK(rig.shard().figures().uncommitted_bytes > 30'000);
    rig.settle();
    CHECK(rig.shard().figures().uncommitted_bytes == 0);
    CHECK(link.take() == Seen{"ready"});
  }

  TEST_CASE("events: a turn's events of a partition are split into blocks of a bounded size, in their order") {
    // One flood of small events in one turn was one row of 16 MB, and a reader made all of it into JSON at once.
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    for (int turn = 0; turn < 2; ++turn) {
      rig.store.blocks.clear();
      for (int i = 0; i < 3000; ++i) rig.publish(link, std::to_string(i) + std::string(300, ' '));
      rig.settle();
      CHECK(rig.store.blocks.size() >= 4);
      int next = 0;
      for (const EventBlock& block : rig.store.blocks) {
        CHECK(block.bytes.size() <= kMaxBlockBytes + 1024);
        CHECK(block.partition == rig.store.blocks[0].partition);
        EventReader reader(block.bytes);
        Event event;
        while (reader.next(event)) CHECK(std::atoi(std::string(event.body).c_str()) == next++);
        CHECK_FALSE(reader.damaged());
      }
      CHECK(next == 3000);
    }
    // One that is larger than that has a block of its own.
    rig.store.blocks.clear();
    for (int i = 0; i < 3; ++i) rig.publish(link, std::string(kMaxTelemetryBytes, 'x'));
    rig.settle();
    CHECK(rig.store.blocks.size() == 3);
  }

  TEST_CASE("congestion: batches that are reused do not keep the memory of a flood") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    for (int i = 0; i < 16; ++i) rig.publish(link, std::string(200'000, 'x'));
    rig.settle();
    rig.publish(link, "x");
    rig.turn();
    REQUIRE(rig.store.waiting() == 1);
    for (const EventBlock& block : rig.store.oldest().events) CHECK(block.bytes.capacity() <= 256 * 1024);
  }

  // --- Stopping

  TEST_CASE("drain: finishes when everything is committed") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.publish(link, "a", 1);
    rig.turn();
    rig.publish(link, "b", 2);
    bool drained = false;
    rig.shard().drain([&] {
      drained = true;
      CHECK(link.take() == Seen{"ack 2"});
    });
    rig.turn();
    CHECK_FALSE(drained);
    rig.store.commit();
    rig.turn();
    CHECK_FALSE(drained);
    CHECK(link.take() == Seen{"ack 1"});
    rig.store.commit();
    rig.turn();
    CHECK(drained);
  }

  TEST_CASE("drain: with nothing under way finishes at the end of the turn") {
    ShardRig rig;
    int drained = 0;
    rig.shard().drain([&] { ++drained; });
    CHECK(drained == 0);
    rig.turn();
    CHECK(drained == 1);
    rig.turn();
    CHECK(drained == 1);
  }

  TEST_CASE("drain: writes activity that nobody has written yet") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    const WallTime connected = rig.clock.now();
    REQUIRE(rig.store.identities.at("d1").identity.last_activity == kNever);
    bool drained = false;
    rig.shard().drain([&] { drained = true; });
    rig.settle();
    CHECK(drained);
    CHECK(rig.store.identities.at("d1").identity.last_activity == connected);
    CHECK(rig.store.identities.at("d1").identity.connection_state_updated == connected);
  }

  TEST_CASE("drain: waits for devices that are being loaded, and for what their callers write") {
    ShardRig rig;
    rig.store.hold_reads();
    Reply<IdentityView> created;
    rig.shard().put_identity(id_of("d1"), with_keys(), {}, created.answer());
    bool drained = false;
    rig.shard().drain([&] { drained = true; });
    rig.turn();
    CHECK_FALSE(drained);
    rig.store.release_reads();
    rig.turn();
    CHECK_FALSE(drained);
    rig.settle();
    CHECK(drained);
    CHECK(created.succeeded());
  }
}
