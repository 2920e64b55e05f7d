// When the store holds another version than memory (somebody else wrote, or the hub has a fault) it is the store that is
// right: what was built on the wrong memory ends, and the device is loaded anew.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;
using auth::Check;

namespace {

std::size_t loads(const ShardRig& rig) {
  return static_cast<std::size_t>(std::count(rig.store.reads.begin(), rig.store.reads.end(), "load d1"));
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("lost: a twin write that fails ends the device's connections and calls, and the device is loaded anew") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d2"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard()), other(rig.shard());
    rig.connect("d1", device);
    rig.connect("d1/m1", module);
    rig.connect("d2", other);
    rig.settle();
    Reply<MethodResult> call, module_call;
    rig.shard().invoke_method(id_of("d1"), {"m", "", 30, 10}, call.answer());
    rig.shard().invoke_method(id_of("d1/m1"), {"m", "", 30, 10}, module_call.answer());
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.settle();

    CHECK(patched.error().code == ErrorCode::kPreconditionFailed);
    for (FakeLink* link : {&device, &module}) {
      REQUIRE(link->closed.has_value());
      CHECK(link->closed->check == Check::kState);
      CHECK(link->closed->code == ErrorCode::kServerError);
      CHECK(link->closed->advice == "connect again");
    }
    CHECK(other.connection != nullptr);
    CHECK(call.error().code == ErrorCode::kPreconditionFailed);
    CHECK(module_call.error().code == ErrorCode::kPreconditionFailed);
    CHECK(rig.shard().figures().devices_in_memory == 1);

    // What the store holds.
    CHECK(rig.twin_json("d1").find(R"("desired":{"$metadata")") != std::string::npos);
    FakeLink again(rig.shard());
    CHECK_FALSE(rig.connect("d1", again).has_value());
    // And it can be written.
    Reply<TwinView> retried;
    rig.patch_desired("d1", R"({"a":2})", retried);
    rig.settle();
    CHECK(retried.value().json.find(R"("a":2)") != std::string::npos);
  }

  TEST_CASE("lost: every write that is a compare-and-set is answered with its failure") {
    ShardRig rig;
    rig.create("d1");
    rig.store.fail_next("ReplaceIdentity d1", ErrorCode::kPreconditionFailed);
    Reply<IdentityView> replaced;
    rig.shard().put_identity(id_of("d1"), with_keys(kOtherKey, kOtherKey), {Condition::kAny, {}}, replaced.answer());
    rig.settle();
    CHECK(replaced.error().code == ErrorCode::kPreconditionFailed);
    CHECK(std::holds_alternative<auth::Admission>(rig.judge("d1", rig.token("d1"))));

    rig.store.fail_next("DeleteIdentity d1", ErrorCode::kPreconditionFailed);
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.settle();
    CHECK(deleted.error().code == ErrorCode::kPreconditionFailed);
    CHECK(std::holds_alternative<auth::Admission>(rig.judge("d1", rig.token("d1"))));

    rig.store.fail_next("CreateIdentity d2", ErrorCode::kDeviceAlreadyExists);
    Reply<IdentityView> created;
    rig.shard().put_identity(id_of("d2"), with_keys(), {}, created.answer());
    rig.settle();
    CHECK(created.error().code == ErrorCode::kDeviceAlreadyExists);

    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<std::int64_t> reported;
    rig.shard().report(*link.connection, "{}", std::nullopt, reported.answer());
    rig.settle();
    CHECK(reported.error().code == ErrorCode::kPreconditionFailed);
    CHECK(link.closed.has_value());
  }

  TEST_CASE("lost: a message that the store does not take is not in the queue") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    rig.store.fail_next("EnqueueCloudMessage d1", ErrorCode::kDeviceNotFound);
    Reply<std::uint64_t> refused, taken;
    rig.send("d1", "refused", refused);
    rig.send("d1", "taken", taken);
    rig.settle();
    CHECK(refused.error().code == ErrorCode::kDeviceNotFound);
    CHECK(taken.value() == 2);
    CHECK(link.take() == Seen{"message 2 taken"});
    CHECK(rig.shard().live_states({{DeviceId("d1"), {}}})[0]->state.queued_messages == 1);
  }

  TEST_CASE("lost: a read that waited for the write does not show what was not stored") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<TwinView> patched, read;
    Reply<IdentityView> identity;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.shard().get_twin(id_of("d1"), read.answer());
    rig.shard().get_identity(id_of("d1"), identity.answer());
    rig.turn();
    // A later batch, so that the read waits beyond the failure.
    Reply<TwinView> second, later;
    rig.patch_desired("d1", R"({"b":1})", second);
    rig.shard().get_twin(id_of("d1"), later.answer());
    rig.settle();
    CHECK(patched.error().code == ErrorCode::kPreconditionFailed);
    CHECK(second.error().code == ErrorCode::kPreconditionFailed);
    CHECK_FALSE(read.succeeded());
    CHECK_FALSE(identity.succeeded());
    CHECK_FALSE(later.succeeded());
    CHECK(read.came());
    CHECK(later.came());
  }

  TEST_CASE("lost: the device is loaded when its writes under way are done, so that they are part of what is loaded") {
    // Loaded before, its queue gave the number of a message that was on its way to the store to another one.
    ShardRig rig;
    rig.create("d1");
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.turn();
    Reply<std::uint64_t> under_way, behind;
    rig.send("d1", "first", under_way);
    rig.turn();
    REQUIRE(rig.store.waiting() == 2);
    rig.store.commit();
    rig.turn();
    CHECK(patched.error().code == ErrorCode::kPreconditionFailed);
    rig.store.reads.clear();
    rig.send("d1", "second", behind);
    rig.turn();
    CHECK(loads(rig) == 0);
    rig.store.commit();
    rig.turn();
    CHECK(under_way.value() == 1);
    CHECK(loads(rig) == 1);
    rig.settle();
    CHECK(behind.value() == 2);
    CHECK(rig.store.identities.at("d1").queue.size() == 2);
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK(link.take() == Seen{"message 1 first", "message 2 second"});
  }

  TEST_CASE("lost: later writes of the lost memory fail one by one and hurt nobody") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<std::int64_t> reports[3];
    for (auto& reply : reports) {
      rig.shard().report(*link.connection, "{}", std::nullopt, reply.answer());
      rig.turn();
    }
    REQUIRE(rig.store.waiting() == 3);
    rig.store.commit();
    rig.turn();
    CHECK(link.closed.has_value());
    FakeLink again(rig.shard());
    std::optional<Shard::Verdict> verdict;
    rig.shard().judge(id_of("d1"), rig.token("d1"), {}, [&](Shard::Verdict given) {
      verdict = given;
      again.connection = &rig.shard().attach(id_of("d1"), again, std::get<auth::Admission>(given), {}, again.session_present);
    });
    rig.turn();
    CHECK_FALSE(verdict.has_value());
    rig.settle();
    for (auto& reply : reports) CHECK(reply.error().code == ErrorCode::kPreconditionFailed);
    REQUIRE(verdict.has_value());
    CHECK(again.connection != nullptr);
    Reply<std::int64_t> report;
    rig.shard().report(*again.connection, R"({"a":1})", std::nullopt, report.answer());
    rig.settle();
    CHECK(report.value() == 2);
  }

  TEST_CASE("lost: while it waits to be loaded a drain waits too") {
    ShardRig rig;
    rig.create("d1");
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<TwinView> patched;
    Reply<std::uint64_t> sent;
    Reply<IdentityView> read;
    rig.patch_desired("d1", "{}", patched);
    rig.turn();
    rig.send("d1", "x", sent);
    rig.turn();
    rig.store.commit();
    rig.turn();
    rig.shard().get_identity(id_of("d1"), read.answer());
    bool drained = false;
    rig.shard().drain([&] { drained = true; });
    rig.turn();
    CHECK_FALSE(drained);
    rig.settle();
    CHECK(drained);
    CHECK(read.value().live.queued_messages == 1);
  }
}
