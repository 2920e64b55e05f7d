// Answers that call back into the hub. A front may carry the next request of its client to the same shard from inside an answer (HTTP
// pipelining), so the hub must have finished with an identity before it answers anybody.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// Calls a method that waits for its device; its answer deletes `victim`.
void invoke_then_delete(ShardRig& rig, std::string_view id, std::string_view victim, Reply<std::monostate>& deleted, int connect_timeout_s = 10) {
  rig.shard().invoke_method(id_of(id), {"m", "", 30, connect_timeout_s}, [&rig, victim = std::string(victim), &deleted](Result<MethodResult>) {
    rig.shard().delete_identity(id_of(victim), {}, deleted.answer());
  });
}

std::size_t deletions(const ShardRig& rig) {
  return static_cast<std::size_t>(std::count_if(rig.store.operations.begin(), rig.store.operations.end(),
                                                [](const std::string& operation) { return operation.starts_with("DeleteIdentity"); }));
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("re-entry: a device is deleted once, whoever deletes it again from a failed call's answer") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d1/m2"}) rig.create(id);
    Reply<std::monostate> outer, of_device, of_first, of_second;
    invoke_then_delete(rig, "d1", "d1", of_device);
    invoke_then_delete(rig, "d1/m1", "d1/m2", of_first);
    invoke_then_delete(rig, "d1/m2", "d1/m1", of_second);
    rig.shard().delete_identity(id_of("d1"), {}, outer.answer());
    rig.settle();
    CHECK(outer.succeeded());
    for (auto* inner : {&of_device, &of_first, &of_second}) CHECK(inner->error().code == ErrorCode::kDeviceNotFound);
    CHECK(deletions(rig) == 1);
    CHECK(rig.store.identities.empty());
  }

  TEST_CASE("re-entry: a module is deleted once, whoever deletes it again from a failed call's answer") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    Reply<std::monostate> outer, inner;
    invoke_then_delete(rig, "d1/m1", "d1/m1", inner);
    rig.shard().delete_identity(id_of("d1/m1"), {}, outer.answer());
    rig.settle();
    CHECK(outer.succeeded());
    CHECK(inner.error().code == ErrorCode::kModuleNotFound);
    CHECK(deletions(rig) == 1);
  }

  TEST_CASE("re-entry: a caller whose time is up may delete what it called") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    Reply<std::monostate> deleted;
    invoke_then_delete(rig, "d1/m1", "d1/m1", deleted, 5);
    rig.advance(5s);
    rig.settle();
    CHECK(deleted.succeeded());
    CHECK(rig.store.identities.count("d1/m1") == 0);
  }

  TEST_CASE("re-entry: a device that answers at once may be deleted by its caller, between two calls that go out") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    Reply<std::monostate> deleted;
    Reply<MethodResult> second;
    invoke_then_delete(rig, "d1/m1", "d1/m1", deleted, 20);
    rig.shard().invoke_method(id_of("d1/m1"), {"m", "", 30, 20}, second.answer());
    FakeLink link(rig.shard());
    link.on_method = [&](std::string_view id) { rig.shard().answer_method(*link.connection, id, 200, ""); };
    rig.connect("d1/m1", link);
    rig.subscribe(link, Topic::kMethods);
    rig.settle();
    CHECK(deleted.succeeded());
    CHECK(second.error().code == ErrorCode::kDeviceNotFound);
    CHECK(link.closed.has_value());
  }

  TEST_CASE("re-entry: a sender that deletes the device from its answer ends the delivery") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1/m1", link, {Topic::kCloudMessages});
    Reply<std::monostate> deleted;
    CloudMessage message;
    message.body = "last words";
    rig.shard().send(id_of("d1/m1"), message, [&](Result<std::uint64_t> sent) {
      CHECK(sent.ok());
      rig.shard().delete_identity(id_of("d1/m1"), {}, deleted.answer());
    });
    rig.settle();
    CHECK(deleted.succeeded());
    CHECK(link.take() == Seen{"message 1 last words", "closed ModuleNotFound"});
    CHECK(rig.store.identities.count("d1/m1") == 0);
  }

  TEST_CASE("re-entry: a lost device is out of memory before anybody hears of it") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    Reply<std::monostate> of_device, of_module;
    invoke_then_delete(rig, "d1", "d1/m1", of_module);
    invoke_then_delete(rig, "d1/m1", "d1", of_device);
    rig.store.fail_next("PutTwin d1", ErrorCode::kPreconditionFailed);
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.settle();
    CHECK(patched.error().code == ErrorCode::kPreconditionFailed);
    CHECK(of_module.succeeded());
    CHECK(of_device.succeeded());
    CHECK(rig.store.identities.empty());
  }

  // --- The end

  TEST_CASE("drain: calls that wait are refused as unavailable, and so are new ones") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> sent, waiting, late, again;
    rig.shard().invoke_method(id_of("d1"), {"m", "", 300, 0}, sent.answer());
    rig.shard().invoke_method(id_of("d1/m1"), {"m", "", 300, 300}, [&, answer = waiting.answer()](Result<MethodResult> result) mutable {
      answer(std::move(result));
      rig.shard().invoke_method(id_of("d1"), {"m", "", 300, 300}, again.answer());
    });
    bool drained = false;
    rig.shard().drain([&] { drained = true; });
    rig.shard().invoke_method(id_of("d1"), {"m", "", 300, 300}, late.answer());
    for (auto* reply : {&sent, &waiting, &late, &again}) CHECK(reply->error().code == ErrorCode::kServiceUnavailable);
    rig.settle();
    CHECK(drained);
  }

  TEST_CASE("drain: what a connection's end leaves to write is written by a flush behind it") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.shard().drain([] {});
    rig.settle();
    rig.clock.advance(10s);
    link.detach();
    rig.shard().flush_activity();
    rig.settle();
    CHECK(rig.store.identities.at("d1").identity.connection_state_updated == rig.clock.now());
  }
}
