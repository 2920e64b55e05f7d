// The registry's operations, and what they do to connections, twins, queues and calls.
#include <doctest/doctest.h>

#include <algorithm>

#include "auth/sas_token.h"
#include "base/time_format.h"
#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;
using auth::Check;

namespace {

Result<IdentityView> put(ShardRig& rig, std::string_view id, registry::IdentityRequest request,
                         const Condition& condition = {}) {
  std::optional<Result<IdentityView>> answer;
  rig.shard().put_identity(id_of(id), std::move(request), condition, [&](Result<IdentityView> got) { answer.emplace(got); });
  rig.settle();
  REQUIRE(answer.has_value());
  return std::move(*answer);
}

Status remove(ShardRig& rig, std::string_view id, const Condition& condition = {}) {
  std::optional<Status> answer;
  rig.shard().delete_identity(id_of(id), condition, [&](Result<std::monostate> got) {
    answer.emplace(got.ok() ? Status() : Status(got.error()));
  });
  rig.settle();
  REQUIRE(answer.has_value());
  return *answer;
}

registry::IdentityRequest disabled() {
  auto request = with_keys();
  request.enabled = false;
  return request;
}

const Condition kAny{Condition::kAny, {}};

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("create: a device gets a generation, an etag, a twin, and the keys of the request") {
    ShardRig rig;
    const auto created = put(rig, "d1", with_keys());
    REQUIRE(created.ok());
    const registry::Identity& identity = created->identity;
    CHECK(identity.id == id_of("d1"));
    CHECK(identity.generation_id.str() == std::to_string(dotnet_ticks(rig.clock.now())));
    CHECK(identity.enabled);
    CHECK(identity.credentials.primary_key == kPrimaryKey);
    CHECK(identity.credentials.secondary_key == kSecondaryKey);
    CHECK(identity.connection_state_updated == kNever);
    CHECK_FALSE(created->live.connected);
    CHECK(created->live.queued_messages == 0);
    CHECK(rig.store.operations == std::vector<std::string>{"CreateIdentity d1"});
    const FakeStore::StoredIdentity& stored = rig.store.identities.at("d1");
    CHECK(stored.identity == identity);
    CHECK(stored.twin.twin.etag_counter == 1);
    CHECK_FALSE(stored.session.has_value());
  }

  TEST_CASE("create: without keys the hub makes two, and with fixed keys it takes those") {
    registry::IdentityRequest nothing;
    ShardRig random_keys;
    const auto made = put(random_keys, "d1", nothing);
    CHECK(made->identity.credentials.primary_key.size() == 44);
    CHECK(made->identity.credentials.primary_key != made->identity.credentials.secondary_key);
    ShardRig fixed([](Hub::Shared& shared) { shared.fixed_keys = FixedKeys{std::string(kOtherKey), std::string(kPolicyKey)}; });
    const auto given = put(fixed, "d1", nothing);
    CHECK(given->identity.credentials.primary_key == kOtherKey);
    CHECK(given->identity.credentials.secondary_key == kPolicyKey);
    CHECK(put(fixed, "d2", with_keys())->identity.credentials.primary_key == kPrimaryKey);
  }

  TEST_CASE("create: what exists is a conflict, a module of no device is not found") {
    ShardRig rig;
    CHECK(put(rig, "d1/m1", with_keys()).error() == Error{ErrorCode::kDeviceNotFound, "d1"});
    rig.create("d1");
    rig.create("d1/m1");
    rig.store.operations.clear();
    CHECK(put(rig, "d1", with_keys()).error() ==
          Error{ErrorCode::kDeviceAlreadyExists, "A device with ID 'd1' is already registered."});
    CHECK(put(rig, "d1/m1", with_keys()).error() ==
          Error{ErrorCode::kModuleAlreadyExistsOnDevice, "Device d1 in IotHub hub.test already contains Module m1."});
    CHECK(rig.store.operations.empty());
  }

  TEST_CASE("create: of two in one turn the second is a conflict") {
    ShardRig rig;
    Reply<IdentityView> first, second;
    rig.shard().put_identity(id_of("d1"), with_keys(), {}, first.answer());
    rig.shard().put_identity(id_of("d1"), with_keys(kOtherKey, kOtherKey), {}, second.answer());
    rig.settle();
    CHECK(first.value().identity.credentials.primary_key == kPrimaryKey);
    CHECK(second.error().code == ErrorCode::kDeviceAlreadyExists);
    CHECK(rig.store.operations == std::vector<std::string>{"CreateIdentity d1"});
  }

  TEST_CASE("create: a device has at most fifty modules") {
    ShardRig rig;
    rig.create("d1");
    for (int i = 0; i < 50; ++i) rig.create("d1/m" + std::to_string(i));
    CHECK(put(rig, "d1/one-more", with_keys()).error().code == ErrorCode::kTooManyModulesOnDevice);
    CHECK(remove(rig, "d1/m7").ok());
    CHECK(put(rig, "d1/one-more", with_keys()).ok());
  }

  TEST_CASE("replace: moves the etag by one, keeps the generation, and honours If-Match") {
    ShardRig rig;
    const registry::Identity before = rig.create("d1");
    rig.advance(1s);
    const auto after = put(rig, "d1", with_keys(kOtherKey, kOtherKey), {Condition::kEtag, before.etag().str()});
    REQUIRE(after.ok());
    CHECK(after->identity.etag_counter == before.etag_counter + 1);
    CHECK(after->identity.generation_id == before.generation_id);
    CHECK(after->identity.credentials.primary_key == kOtherKey);
    const auto stale = put(rig, "d1", with_keys(), {Condition::kEtag, before.etag().str()});
    CHECK(stale.error().code == ErrorCode::kPreconditionFailed);
    CHECK(stale.error().detail == "PreconditionFailed, ETag may be invalid. The etag of d1 is " +
                                      after->identity.etag().str() + ", If-Match says " + before.etag().str());
    CHECK(put(rig, "d1", with_keys(), kAny).ok());
    CHECK(rig.store.identities.at("d1").identity.etag_counter == before.etag_counter + 2);
  }

  TEST_CASE("replace: what does not exist is not found") {
    ShardRig rig;
    CHECK(put(rig, "d1", with_keys(), kAny).error() == Error{ErrorCode::kDeviceNotFound, "d1"});
    rig.create("d1");
    CHECK(put(rig, "d1/m1", with_keys(), kAny).error() == Error{ErrorCode::kModuleNotFound, "m1"});
  }

  // --- Who is thrown out

  TEST_CASE("replace: a changed or removed key ends at once the connection that it admitted") {
    const registry::IdentityRequest changes[] = {
        with_keys(kOtherKey, kSecondaryKey),  // changed
        [] {
          registry::IdentityRequest x509;  // removed
          x509.credentials.type = auth::AuthenticationType::kSelfSigned;
          x509.credentials.primary_thumbprint = std::string(40, 'A');
          return x509;
        }(),
        registry::IdentityRequest{},  // left out: made anew
    };
    for (const auto& change : changes) {
      ShardRig rig;
      rig.create("d1");
      FakeLink link(rig.shard());
      rig.connect("d1", link);
      rig.settle();
      Reply<IdentityView> replaced;
      rig.shard().put_identity(id_of("d1"), change, kAny, replaced.answer());
      // Not one more message gets through while the change waits for its commit.
      CHECK(link.connection == nullptr);
      REQUIRE(link.closed.has_value());
      CHECK(link.closed->check == Check::kCredential);
      CHECK(link.closed->code == ErrorCode::kIotHubUnauthorized);
      CHECK_FALSE(replaced.came());
      rig.settle();
      CHECK(replaced.succeeded());
    }
  }

  TEST_CASE("replace: swapping the keys, or changing the other one, ends no connection") {
    for (const auto& change : {with_keys(kSecondaryKey, kPrimaryKey), with_keys(kPrimaryKey, kOtherKey),
                               with_keys(kOtherKey, kPrimaryKey)}) {
      ShardRig rig;
      rig.create("d1");
      FakeLink link(rig.shard());
      rig.connect("d1", link);
      REQUIRE(put(rig, "d1", change, kAny).ok());
      CHECK(link.connection != nullptr);
    }
  }

  TEST_CASE("replace: an identity's new key does not end connections of its modules, or of its device") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    FakeLink device(rig.shard()), module(rig.shard());
    rig.connect("d1", device);
    rig.connect("d1/m1", module);
    REQUIRE(put(rig, "d1", with_keys(kOtherKey, kOtherKey), kAny).ok());
    CHECK(device.connection == nullptr);
    CHECK(module.connection != nullptr);
    FakeLink again(rig.shard());
    REQUIRE_FALSE(rig.connect("d1", again, {.token = rig.token("d1", kOtherKey)}).has_value());
    REQUIRE(put(rig, "d1/m1", with_keys(kOtherKey, kOtherKey), kAny).ok());
    CHECK(module.connection == nullptr);
    CHECK(again.connection != nullptr);
  }

  TEST_CASE("replace: who came by a policy's token stays when the identity's keys change") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    const auto token = auth::make_sas_token("hub.test", kPolicyKey, unix_seconds(rig.clock.now()) + 60, "device").value();
    REQUIRE_FALSE(rig.connect("d1", link, {.token = token}).has_value());
    REQUIRE(put(rig, "d1", with_keys(kOtherKey, kOtherKey), kAny).ok());
    CHECK(link.connection != nullptr);
  }

  TEST_CASE("replace: another thumbprint ends the connection that the old one admitted") {
    ShardRig rig;
    registry::IdentityRequest request;
    request.credentials.type = auth::AuthenticationType::kSelfSigned;
    request.credentials.primary_thumbprint = std::string(40, 'A');
    rig.create("d1", request);
    FakeLink link(rig.shard());
    auth::Admission admission;
    admission.type = auth::AuthenticationType::kSelfSigned;
    admission.credential = std::string(40, 'A');
    link.connection = &rig.shard().attach(id_of("d1"), link, admission, {}, link.session_present);
    request.credentials.primary_thumbprint = std::string(40, 'B');
    REQUIRE(put(rig, "d1", request, kAny).ok());
    REQUIRE(link.closed.has_value());
    CHECK(link.closed->check == Check::kCredential);
  }

  TEST_CASE("disable: ends the connections of the device and of its modules, and of nobody else") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d2"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard()), other(rig.shard());
    rig.connect("d1", device);
    rig.connect("d1/m1", module);
    rig.connect("d2", other);
    rig.settle();
    Reply<IdentityView> replaced;
    rig.shard().put_identity(id_of("d1"), disabled(), kAny, replaced.answer());
    for (FakeLink* link : {&device, &module}) {
      REQUIRE(link->closed.has_value());
      CHECK(link->closed->check == Check::kStatus);
      CHECK(link->closed->code == ErrorCode::kDeviceDisabled);
      CHECK(link->closed->received == "device d1, disabled just now");
    }
    CHECK(other.connection != nullptr);
    rig.settle();
    CHECK_FALSE(replaced.value().identity.enabled);
    CHECK(replaced.value().identity.status_updated == rig.clock.now());
    CHECK(rig.connect("d1", device)->check == Check::kStatus);

    CHECK(put(rig, "d1", with_keys(), kAny).ok());
    CHECK_FALSE(rig.connect("d1", device).has_value());
  }

  // --- Deleting

  TEST_CASE("delete: a device goes with its modules, their connections, calls, queues and twins") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d2"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard()), other(rig.shard());
    rig.connect("d1", device, {.clean_session = false});
    rig.connect("d1/m1", module);
    rig.connect("d2", other);
    rig.settle();
    Reply<MethodResult> device_call, module_call, other_call;
    rig.shard().invoke_method(id_of("d1"), {"m", "", 30, 10}, device_call.answer());
    rig.shard().invoke_method(id_of("d1/m1"), {"m", "", 30, 10}, module_call.answer());
    rig.shard().invoke_method(id_of("d2"), {"m", "", 30, 10}, other_call.answer());
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.settle();

    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    for (FakeLink* link : {&device, &module}) {
      REQUIRE(link->closed.has_value());
      CHECK(link->closed->check == Check::kIdentity);
      CHECK(link->closed->code == ErrorCode::kDeviceNotFound);
      CHECK(link->closed->received == "d1, deleted just now");
    }
    CHECK(device_call.error().code == ErrorCode::kDeviceNotFound);
    CHECK(module_call.error().code == ErrorCode::kDeviceNotFound);
    CHECK_FALSE(other_call.came());
    CHECK(other.connection != nullptr);
    CHECK_FALSE(deleted.came());
    rig.settle();
    CHECK(deleted.succeeded());
    CHECK(rig.store.identities.size() == 1);
    CHECK(remove(rig, "d1").error() == Error{ErrorCode::kDeviceNotFound, "d1"});
    // No call and no timer of it is left.
    rig.advance(1min);
    rig.settle();
    CHECK(other_call.error().code == ErrorCode::kDeviceNotOnline);
  }

  TEST_CASE("delete: a module goes alone") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d1/m2"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard());
    rig.connect("d1", device);
    rig.connect("d1/m1", module);
    Reply<MethodResult> call;
    rig.shard().invoke_method(id_of("d1/m1"), {"m", "", 30, 10}, call.answer());
    CHECK(remove(rig, "d1/m1").ok());
    REQUIRE(module.closed.has_value());
    CHECK(module.closed->code == ErrorCode::kModuleNotFound);
    CHECK(call.error().code == ErrorCode::kDeviceNotFound);
    CHECK(device.connection != nullptr);
    CHECK(remove(rig, "d1/m1").error() == Error{ErrorCode::kModuleNotFound, "m1"});
    Reply<std::vector<IdentityView>> modules;
    rig.shard().list_modules(DeviceId("d1"), modules.answer());
    rig.settle();
    REQUIRE(modules.value().size() == 1);
    CHECK(modules.value()[0].identity.id.module == ModuleId("m2"));
  }

  TEST_CASE("delete: honours If-Match") {
    ShardRig rig;
    const registry::Identity identity = rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    CHECK(remove(rig, "d1", {Condition::kEtag, "c3RhbGU="}).error().code == ErrorCode::kPreconditionFailed);
    CHECK(link.connection != nullptr);
    CHECK(remove(rig, "d1", {Condition::kEtag, identity.etag().str()}).ok());
  }

  TEST_CASE("delete: the same id made again is another identity") {
    ShardRig rig;
    const registry::Identity before = rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false, .model_id = "dtmi:a;1"});
      rig.subscribe(link, Topic::kDesired);
      rig.settle();
    }
    rig.create("d1/m1");
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    Reply<TwinView> patched;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.settle();
    rig.advance(1s);
    REQUIRE(remove(rig, "d1").ok());
    const registry::Identity after = rig.create("d1");
    CHECK(after.generation_id != before.generation_id);
    CHECK(after.last_activity == kNever);
    CHECK(rig.twin_json("d1").find(R"("cloudToDeviceMessageCount":0,)") != std::string::npos);
    CHECK(rig.twin_json("d1").find(R"("modelId":"","version":2,)") != std::string::npos);
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK_FALSE(link.session_present);
    Reply<std::vector<IdentityView>> modules;
    rig.shard().list_modules(DeviceId("d1"), modules.answer());
    rig.settle();
    CHECK(modules.value().empty());
  }

  TEST_CASE("delete: with a create behind it in one turn, the store sees them in that order") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    rig.store.operations.clear();
    Reply<std::monostate> deleted, deleted_module;
    Reply<IdentityView> created, created_module;
    rig.shard().delete_identity(id_of("d1/m1"), {}, deleted_module.answer());
    rig.shard().put_identity(id_of("d1/m1"), with_keys(), {}, created_module.answer());
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.shard().put_identity(id_of("d1"), with_keys(kOtherKey, kOtherKey), {}, created.answer());
    rig.turn();
    CHECK(rig.store.waiting() == 1);
    rig.settle();
    CHECK(rig.store.operations ==
          std::vector<std::string>{"DeleteIdentity d1/m1", "CreateIdentity d1/m1", "DeleteIdentity d1", "CreateIdentity d1"});
    CHECK(deleted.succeeded());
    CHECK(created.value().identity.credentials.primary_key == kOtherKey);
    CHECK(rig.store.identities.size() == 1);
  }

  TEST_CASE("delete: answers of the store to the old identity's writes do not touch a new one of the same name") {
    // Queue numbers begin again at 1: the commit of the old message 1 made the new, unstored message 1 deliverable, the
    // old one's removal removed it, and an old desired patch was told to the new device.
    ShardRig rig;
    rig.create("d1");
    Reply<std::uint64_t> old_sent;
    Reply<std::int64_t> purged;
    Reply<TwinView> old_patch;
    rig.patch_desired("d1", R"({"old":1})", old_patch);
    rig.send("d1", "old", old_sent);
    rig.turn();
    rig.shard().purge(id_of("d1"), purged.answer());
    rig.turn();

    Reply<std::monostate> deleted;
    Reply<IdentityView> created;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.shard().put_identity(id_of("d1"), with_keys(), {}, created.answer());
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.subscribe(link, Topic::kDesired);
    rig.subscribe(link, Topic::kCloudMessages);
    Reply<std::uint64_t> sent;
    rig.send("d1", "new", sent);
    rig.turn();
    REQUIRE(rig.store.waiting() == 3);

    rig.store.commit();  // the old patch and message
    rig.turn();
    CHECK(old_patch.succeeded());
    CHECK(old_sent.succeeded());
    CHECK(link.take() == Seen{});
    rig.store.commit();  // the old removal
    rig.turn();
    CHECK(purged.value() == 1);
    CHECK(link.take() == Seen{});
    rig.settle();
    CHECK(sent.value() == 1);
    CHECK(link.take() == Seen{"message 1 new"});
  }

  TEST_CASE("delete: content that was being read for the old identity does not reach a new one of the same name") {
    ShardRig rig;
    rig.create("d1");
    Reply<std::uint64_t> old_sent;
    rig.send("d1", "old", old_sent);
    rig.settle();
    FakeLink before(rig.shard());
    rig.connect("d1", before);
    rig.store.hold_reads();
    rig.subscribe(before, Topic::kCloudMessages);  // asks for the content of message 1
    REQUIRE(rig.store.reads.back() == "messages d1 1");
    Reply<std::monostate> deleted;
    Reply<IdentityView> created;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    rig.shard().put_identity(id_of("d1"), with_keys(), {}, created.answer());
    rig.settle();
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    Reply<std::uint64_t> sent;
    rig.send("d1", "new", sent);
    rig.settle();
    rig.store.release_reads();
    rig.settle();
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    CHECK(link.take() == Seen{"message 1 new"});
  }

  // --- Looking

  TEST_CASE("identities: modules are listed in the order of their ids, with their live state") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/b", "d1/a"}) rig.create(id);
    FakeLink link(rig.shard());
    rig.connect("d1/b", link);
    Reply<std::uint64_t> sent;
    rig.send("d1/a", "hello", sent);
    rig.settle();
    Reply<std::vector<IdentityView>> modules, none;
    rig.shard().list_modules(DeviceId("d1"), modules.answer());
    rig.shard().list_modules(DeviceId("d2"), none.answer());
    rig.settle();
    REQUIRE(modules.value().size() == 2);
    CHECK(modules.value()[0].identity.id == id_of("d1/a"));
    CHECK_FALSE(modules.value()[0].live.connected);
    CHECK(modules.value()[0].live.queued_messages == 1);
    CHECK(modules.value()[1].live.connected);
    CHECK(none.error() == Error{ErrorCode::kDeviceNotFound, "d2"});
  }

  TEST_CASE("identities: live states are told of devices in memory only") {
    ShardRig rig;
    for (const char* id : {"d1", "d2", "d3"}) rig.create(id);
    rig.restart();
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    Reply<std::uint64_t> sent;
    rig.send("d2", "hello", sent);
    rig.settle();
    std::vector<IdentityId> ids;
    for (const char* id : {"d1", "d2", "d3", "unknown"}) ids.push_back({DeviceId(id), ModuleId()});
    const auto states = rig.shard().live_states(ids);
    REQUIRE(states.size() == 4);
    REQUIRE(states[0]);
    CHECK(states[0]->state.connected);
    CHECK(states[0]->connection_state_updated == rig.clock.now());
    CHECK(states[0]->last_activity == rig.clock.now());
    REQUIRE(states[1]);
    CHECK(!states[1]->state.connected);
    CHECK(states[1]->state.queued_messages == 1);
    CHECK(states[1]->connection_state_updated == kNever);
    CHECK(!states[2]);
    CHECK(!states[3]);
  }
}
