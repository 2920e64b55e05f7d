// Every write operation: what it leaves in the store, and that one which does not apply leaves nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;
using hub::Feedback;
using hub::Outcome;

namespace {

hub::WriteOperation remove(std::string_view id, std::uint64_t sequence, std::optional<Feedback> feedback = std::nullopt) {
  return hub::RemoveCloudMessage{id_of(id), sequence, std::move(feedback)};
}

Feedback feedback_of(std::string_view id, std::string message_id, Outcome outcome = Outcome::kSuccess) {
  return {0, std::move(message_id), id_of(id), GenerationId("7"), WallTime{Ticks{99}}, outcome};
}

std::vector<std::uint64_t> queue_of(StoreRig& rig, std::string_view id) {
  std::vector<std::uint64_t> sequences;
  for (const auto& head : rig.record(id).queue) sequences.push_back(head.sequence);
  return sequences;
}

ErrorCode code_of(const Status& status) {
  REQUIRE_FALSE(status.ok());
  return status.error().code;
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("create: an identity comes back with every field, and a fresh twin") {
    StoreRig rig;
    CHECK(rig.write(create("d1")).ok());
    registry::Identity plain;
    plain.id = id_of("d1/m1");
    twin::StoredTwin twin;
    twin.etag_counter = 7;
    twin.has_tags = true;
    twin.tags = R"({"a":1})";
    twin.desired = R"({"d":"\u0000","$version":1})";
    twin.reported = R"({"$version":1})";
    CHECK(rig.write(hub::CreateIdentity{plain, {twin, "dtmi:a;1"}}).ok());

    const auto device = rig.load("d1");
    REQUIRE(device.has_value());
    CHECK(device->device.identity == identity_of("d1"));
    CHECK(device->device.twin.twin.etag_counter == 1);
    CHECK_FALSE(device->device.twin.twin.has_tags);
    CHECK(device->device.twin.twin.desired == R"({"$version":1})");
    CHECK(device->device.twin.model_id.empty());
    CHECK_FALSE(device->device.session.has_value());
    CHECK(device->device.queue.empty());
    REQUIRE(device->modules.size() == 1);
    CHECK(device->modules[0].identity == plain);
    CHECK(device->modules[0].twin.twin == twin);
    CHECK(device->modules[0].twin.model_id == "dtmi:a;1");
  }

  TEST_CASE("create: the twin comes back as it was given, tags that were never set included") {
    // Tags that were never set came back as no text at all, which no twin can be read from: after a restart, or when the
    // device had left the memory, every such twin was an error.
    StoreRig rig;
    const twin::StoredTwin fresh = twin::Twin::create(rig.clock.now()).stored();
    CHECK(rig.write(hub::CreateIdentity{identity_of("d1"), {fresh, ""}}).ok());
    const twin::StoredTwin loaded = rig.record("d1").twin.twin;
    CHECK(loaded == fresh);
    CHECK(twin::Twin::restore(loaded).ok());
  }

  TEST_CASE("create: what exists stays as it is") {
    StoreRig rig;
    rig.apply({create("d1"), create("d1/m1")});
    CHECK(code_of(rig.write(create("d1", 5))) == ErrorCode::kDeviceAlreadyExists);
    CHECK(code_of(rig.write(create("d1/m1", 5))) == ErrorCode::kModuleAlreadyExistsOnDevice);
    CHECK(rig.record("d1").identity.etag_counter == 100);
    CHECK(rig.record("d1/m1").identity.etag_counter == 100);
  }

  TEST_CASE("create: a module needs its device") {
    // Without it the module stood in the store unseen, and belonged to whoever made the device later.
    StoreRig rig;
    CHECK(code_of(rig.write(create("d1/m1"))) == ErrorCode::kDeviceNotFound);
    CHECK(rig.write(create("d1")).ok());
    CHECK(rig.load("d1")->modules.empty());
  }

  TEST_CASE("create: ids are compared byte for byte") {
    StoreRig rig;
    for (const auto& result : rig.write({create("d1"), create("D1"), create("d1%"), create("d_"), create("d10")})) {
      CHECK(result.ok());
    }
    CHECK(rig.devices() == std::vector<std::string>{"D1", "d1", "d1%", "d10", "d_"});
  }

  TEST_CASE("replace: only the etag that is expected") {
    StoreRig rig;
    rig.apply({create("d1")});
    registry::Identity next = identity_of("d1", 101);
    next.enabled = true;
    next.status_reason.reset();
    next.managed_by.reset();
    next.credentials = {};
    next.credentials.primary_key = "p2";
    next.connection_state_updated = WallTime{Ticks{1}};  // not part of a replacement
    next.last_activity = WallTime{Ticks{2}};
    CHECK(code_of(rig.write(hub::ReplaceIdentity{next, 99})) == ErrorCode::kPreconditionFailed);
    CHECK(rig.record("d1").identity == identity_of("d1"));
    CHECK(rig.write(hub::ReplaceIdentity{next, 100}).ok());
    next.connection_state_updated = kNever;
    next.last_activity = WallTime{Ticks{-5}};
    CHECK(rig.record("d1").identity == next);
    CHECK(code_of(rig.write(hub::ReplaceIdentity{identity_of("d2"), 100})) == ErrorCode::kDeviceNotFound);
    CHECK(code_of(rig.write(hub::ReplaceIdentity{identity_of("d1/m1"), 100})) == ErrorCode::kModuleNotFound);
    CHECK_FALSE(rig.exists("d2"));
  }

  TEST_CASE("delete: a device goes with its modules, twins, sessions, queues and feedback, and nobody else's") {
    StoreRig rig;
    for (const char* id : {"d1", "d1/m1", "d1/m2", "d10", "d10/m1"}) {
      rig.apply({create(id), enqueue(id, 1), enqueue(id, 2), hub::PutSession{id_of(id), {}}});
      rig.apply({remove(id, 1, feedback_of(id, id))});
    }
    CHECK(code_of(rig.write(hub::DeleteIdentity{id_of("d1"), 99})) == ErrorCode::kPreconditionFailed);
    CHECK(rig.load("d1")->modules.size() == 2);
    CHECK(rig.feedback().size() == 5);

    CHECK(rig.write(hub::DeleteIdentity{id_of("d1"), 100}).ok());
    CHECK_FALSE(rig.exists("d1"));
    std::vector<std::string> left;
    for (const Feedback& feedback : rig.feedback()) left.push_back(feedback.original_message_id);
    CHECK(left == std::vector<std::string>{"d10", "d10/m1"});
    CHECK(queue_of(rig, "d10") == std::vector<std::uint64_t>{2});
    CHECK(queue_of(rig, "d10/m1") == std::vector<std::uint64_t>{2});
    CHECK(code_of(rig.write(hub::DeleteIdentity{id_of("d1"), 100})) == ErrorCode::kDeviceNotFound);

    // Made again, it has nothing of before.
    rig.apply({create("d1"), create("d1/m1")});
    const auto again = rig.load("d1");
    CHECK(again->device.queue.empty());
    CHECK_FALSE(again->device.session.has_value());
    REQUIRE(again->modules.size() == 1);
    CHECK(again->modules[0].queue.empty());
  }

  TEST_CASE("delete: a module goes alone") {
    StoreRig rig;
    rig.apply({create("d1"), create("d1/m1"), create("d1/m2"), enqueue("d1/m1", 1), enqueue("d1/m2", 1)});
    CHECK(code_of(rig.write(hub::DeleteIdentity{id_of("d1/m1"), 1})) == ErrorCode::kPreconditionFailed);
    CHECK(rig.write(hub::DeleteIdentity{id_of("d1/m1"), 100}).ok());
    CHECK(code_of(rig.write(hub::DeleteIdentity{id_of("d1/m1"), 100})) == ErrorCode::kModuleNotFound);
    const auto device = rig.load("d1");
    REQUIRE(device->modules.size() == 1);
    CHECK(device->modules[0].identity.id == id_of("d1/m2"));
    CHECK(queue_of(rig, "d1/m2").size() == 1);
  }

  TEST_CASE("activity: moves its two times and nothing else, and of an unknown identity it is nothing") {
    StoreRig rig;
    rig.apply({create("d1"), create("d1/m1")});
    const WallTime connected{Ticks{10}}, active{Ticks{20}};
    CHECK(rig.write(hub::PutActivity{id_of("d1"), connected, active}).ok());
    registry::Identity expected = identity_of("d1");
    expected.connection_state_updated = connected;
    expected.last_activity = active;
    CHECK(rig.record("d1").identity == expected);
    CHECK(rig.record("d1/m1").identity == identity_of("d1/m1"));
    CHECK(rig.write(hub::PutActivity{id_of("d2"), connected, active}).ok());
    CHECK_FALSE(rig.exists("d2"));
  }

  TEST_CASE("twin: only the versions that are expected, and only the sections that are given") {
    StoreRig rig;
    rig.apply({create("d1")});
    CHECK(rig.write(hub::PutTwin{id_of("d1"), 1, 1, 2, 1, R"({"t":1})", R"({"d":1})", {}}).ok());
    hub::TwinRecord twin = rig.record("d1").twin;
    CHECK(twin.twin.etag_counter == 2);
    CHECK(twin.twin.has_tags);
    CHECK(twin.twin.tags == R"({"t":1})");
    CHECK(twin.twin.desired == R"({"d":1})");
    CHECK(twin.twin.reported == R"({"$version":1})");
    CHECK(rig.write(hub::PutTwin{id_of("d1"), 2, 1, 2, 2, {}, {}, R"({"r":1})"}).ok());

    // Either version may be the wrong one.
    CHECK(code_of(rig.write(put_twin("d1", 1, 2, 3, 2))) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(rig.write(put_twin("d1", 2, 1, 3, 2))) == ErrorCode::kPreconditionFailed);
    twin = rig.record("d1").twin;
    CHECK(twin.twin.etag_counter == 2);
    CHECK(twin.twin.tags == R"({"t":1})");
    CHECK(twin.twin.desired == R"({"d":1})");
    CHECK(twin.twin.reported == R"({"r":1})");
    CHECK(code_of(rig.write(put_twin("d2", 1, 1, 2, 1))) == ErrorCode::kDeviceNotFound);
    CHECK(code_of(rig.write(put_twin("d1/m1", 1, 1, 2, 1))) == ErrorCode::kModuleNotFound);
  }

  TEST_CASE("twin: tags that were emptied are still tags") {
    StoreRig rig;
    rig.apply({create("d1")});
    rig.apply({hub::PutTwin{id_of("d1"), 1, 1, 2, 1, "{}", {}, {}}});
    CHECK(rig.record("d1").twin.twin.has_tags);
    CHECK(rig.record("d1").twin.twin.tags == "{}");
  }

  TEST_CASE("model id: stands beside the twin and moves no version") {
    StoreRig rig;
    rig.apply({create("d1")});
    CHECK(rig.write(hub::PutModelId{id_of("d1"), "dtmi:a;1"}).ok());
    CHECK(rig.record("d1").twin.model_id == "dtmi:a;1");
    CHECK(rig.write(put_twin("d1", 1, 1, 2, 1)).ok());
    CHECK(rig.record("d1").twin.model_id == "dtmi:a;1");
    CHECK(code_of(rig.write(hub::PutModelId{id_of("d2"), "x"})) == ErrorCode::kDeviceNotFound);
  }

  TEST_CASE("session: is replaced and dropped as a whole") {
    StoreRig rig;
    rig.apply({create("d1"), create("d1/m1")});
    hub::Session session;
    session.add(hub::Topic::kDesired, 0);
    session.add(hub::Topic::kInputs, 1);
    session.method_names = {"reboot", "component*command", "a&b=c/d?e", "\xc3\xa4", "100%"};
    CHECK(rig.write(hub::PutSession{id_of("d1"), session}).ok());
    CHECK(rig.record("d1").session == session);
    CHECK_FALSE(rig.record("d1/m1").session.has_value());
    CHECK(rig.write(hub::PutSession{id_of("d1"), {}}).ok());
    CHECK(rig.record("d1").session == hub::Session());
    CHECK(rig.write(hub::DropSession{id_of("d1")}).ok());
    CHECK_FALSE(rig.record("d1").session.has_value());
    CHECK(rig.write(hub::DropSession{id_of("d1")}).ok());
    CHECK(rig.write(hub::DropSession{id_of("d2")}).ok());
    CHECK(code_of(rig.write(hub::PutSession{id_of("d2"), session})) == ErrorCode::kDeviceNotFound);
  }

  TEST_CASE("cloud messages: come back with every field, as a head and as a whole") {
    StoreRig rig;
    rig.apply({create("d1"), create("d1/m1")});
    hub::CloudMessage message = message_of(3, std::string("\0\xff\n body", 8));
    message.expiry_from_sender = true;
    message.ack = hub::Ack::kNegative;
    message.delivery_count = 2;
    message.message_id = "mid \"1\"";
    message.correlation_id = "cid";
    message.user_id = "uid";
    message.content_type = "application/json";
    message.content_encoding = "utf-8";
    message.properties = {{"a", "1"}, {"", "no name"}, {"no value", ""}, {"&=?/%", "\xe2\x82\xac&=?/%"}, {"a", "2"}};
    CHECK(rig.write(hub::EnqueueCloudMessage{id_of("d1/m1"), message}).ok());
    const auto queue = rig.record("d1/m1").queue;
    REQUIRE(queue.size() == 1);
    CHECK(queue[0].sequence == 3);
    CHECK(queue[0].enqueued == message.enqueued);
    CHECK(queue[0].expiry == message.expiry);
    CHECK(queue[0].ack == hub::Ack::kNegative);
    CHECK(queue[0].delivery_count == 2);
    CHECK(queue[0].message_id == "mid \"1\"");
    CHECK(rig.record("d1").queue.empty());

    const auto loaded = rig.messages("d1/m1", {3});
    REQUIRE(loaded.size() == 1);
    CHECK(loaded[0].sequence == 3);
    CHECK(loaded[0].enqueued == message.enqueued);
    CHECK(loaded[0].expiry == message.expiry);
    CHECK(loaded[0].expiry_from_sender);
    CHECK(loaded[0].ack == hub::Ack::kNegative);
    CHECK(loaded[0].delivery_count == 2);
    CHECK(loaded[0].message_id == message.message_id);
    CHECK(loaded[0].correlation_id == "cid");
    CHECK(loaded[0].user_id == "uid");
    CHECK(loaded[0].content_type == "application/json");
    CHECK(loaded[0].content_encoding == "utf-8");
    CHECK(loaded[0].properties == message.properties);
    CHECK(loaded[0].body == message.body);
  }

  TEST_CASE("cloud messages: are read in the order asked for, what is gone is left out") {
    StoreRig rig;
    rig.apply({create("d1"), create("d2"), enqueue("d1", 5), enqueue("d1", 2), enqueue("d1", 9), enqueue("d2", 7)});
    CHECK(queue_of(rig, "d1") == std::vector<std::uint64_t>{2, 5, 9});
    std::vector<std::uint64_t> got;
    for (const auto& message : rig.messages("d1", {9, 7, 2, 4})) got.push_back(message.sequence);
    CHECK(got == std::vector<std::uint64_t>{9, 2});
    CHECK(rig.messages("d3", {1}).empty());
    CHECK(rig.messages("d1", {}).empty());
  }

  TEST_CASE("cloud messages: a number is given once, and the second message fails alone") {
    // As a constraint of the table it failed the whole store.
    StoreRig rig;
    rig.apply({create("d1"), enqueue("d1", 1)});
    const auto results = rig.write({enqueue("d1", 1), enqueue("d1", 2), enqueue("d2", 1), enqueue("d1/m1", 1)});
    CHECK(code_of(results[0]) == ErrorCode::kPreconditionFailed);
    CHECK(results[1].ok());
    CHECK(code_of(results[2]) == ErrorCode::kDeviceNotFound);
    CHECK(code_of(results[3]) == ErrorCode::kModuleNotFound);
    CHECK(rig.failures.empty());
    CHECK(queue_of(rig, "d1") == std::vector<std::uint64_t>{1, 2});
  }

  TEST_CASE("cloud messages: removed once, with the feedback of the removal once") {
    StoreRig rig;
    rig.apply({create("d1"), enqueue("d1", 1), enqueue("d1", 2)});
    CHECK(rig.write(remove("d1", 1, feedback_of("d1", "mid-1", Outcome::kExpired))).ok());
    CHECK(rig.write(remove("d1", 1, feedback_of("d1", "mid-1", Outcome::kPurged))).ok());
    CHECK(rig.write(remove("d1", 2)).ok());
    CHECK(rig.write(remove("d2", 1, feedback_of("d2", "mid-1"))).ok());
    CHECK(queue_of(rig, "d1").empty());
    const auto feedback = rig.feedback();
    REQUIRE(feedback.size() == 1);
    CHECK(feedback[0].original_message_id == "mid-1");
    CHECK(feedback[0].identity == id_of("d1"));
    CHECK(feedback[0].generation_id == GenerationId("7"));
    CHECK(feedback[0].enqueued == WallTime{Ticks{99}});
    CHECK(feedback[0].outcome == Outcome::kExpired);
  }

  TEST_CASE("cloud messages: deliveries are counted on the message") {
    StoreRig rig;
    rig.apply({create("d1"), enqueue("d1", 1), enqueue("d1", 2)});
    CHECK(rig.write(hub::CountDelivery{id_of("d1"), 2, 3}).ok());
    CHECK(rig.write(hub::CountDelivery{id_of("d1"), 9, 3}).ok());
    CHECK(rig.record("d1").queue[0].delivery_count == 0);
    CHECK(rig.record("d1").queue[1].delivery_count == 3);
    CHECK(rig.messages("d1", {2})[0].delivery_count == 3);
  }

  TEST_CASE("feedback: is read in its order and removed by number, and numbers are not given twice") {
    StoreRig rig;
    rig.apply({create("d1")});
    for (std::uint64_t i = 1; i <= 5; ++i) {
      rig.apply({enqueue("d1", i), remove("d1", i, feedback_of("d1", std::to_string(i)))});
    }
    const auto first = rig.feedback(3);
    REQUIRE(first.size() == 3);
    CHECK(first[0].original_message_id == "1");
    CHECK(first[2].original_message_id == "3");
    CHECK(rig.write(hub::RemoveFeedback{{first[0].sequence, first[2].sequence, 999}}).ok());
    const auto left = rig.feedback();
    REQUIRE(left.size() == 3);
    CHECK(left[0].original_message_id == "2");
    const std::uint64_t last = left[2].sequence;
    CHECK(rig.write(hub::RemoveFeedback{{left[0].sequence, left[1].sequence, last}}).ok());
    rig.apply({enqueue("d1", 6), remove("d1", 6, feedback_of("d1", "6"))});
    CHECK(rig.feedback()[0].sequence > last);
  }

  TEST_CASE("operations: one that fails in a batch leaves the others alone, and results stand in their order") {
    StoreRig rig;
    const auto results = rig.write({create("d1"), create("d1"), hub::ReplaceIdentity{identity_of("d1", 101), 1},
                                    put_twin("d1", 1, 1, 2, 1, R"({"x":1})"), put_twin("d1", 1, 1, 2, 1, R"({"y":1})"),
                                    hub::DeleteIdentity{id_of("d2"), 1}, create("d2")});
    REQUIRE(results.size() == 7);
    CHECK(results[0].ok());
    CHECK(code_of(results[1]) == ErrorCode::kDeviceAlreadyExists);
    CHECK(code_of(results[2]) == ErrorCode::kPreconditionFailed);
    CHECK(results[3].ok());
    CHECK(code_of(results[4]) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(results[5]) == ErrorCode::kDeviceNotFound);
    CHECK(results[6].ok());
    CHECK(rig.record("d1").twin.twin.desired == R"({"x":1})");
    CHECK(rig.exists("d2"));
  }

  TEST_CASE("operations: in one batch each sees those before it") {
    StoreRig rig;
    rig.apply({create("d1", 1), enqueue("d1", 1), hub::DeleteIdentity{id_of("d1"), 1}, create("d1", 2), create("d1/m1"),
               hub::DeleteIdentity{id_of("d1/m1"), 100}});
    const auto device = rig.load("d1");
    CHECK(device->device.identity.etag_counter == 2);
    CHECK(device->device.queue.empty());
    CHECK(device->modules.empty());
  }

  // --- Reads across devices

  TEST_CASE("list: devices without their modules, by id, up to the limit") {
    StoreRig rig;
    rig.apply({create("c"), create("a"), create("a/m1"), create("b")});
    CHECK(rig.devices() == std::vector<std::string>{"a", "b", "c"});
    CHECK(rig.devices(2) == std::vector<std::string>{"a", "b"});
    CHECK(rig.devices(0).empty());
  }

  TEST_CASE("expired: identities with a message that is due, each once") {
    StoreRig rig;
    const auto at = [](int ticks) { return WallTime{Ticks{ticks}}; };
    rig.apply({create("d1"), create("d1/m1"), create("d2"), create("d3"), enqueue("d1", 1, at(10)), enqueue("d1", 2, at(11)),
               enqueue("d1/m1", 1, at(20)), enqueue("d2", 1, at(21)), enqueue("d3", 1, WallTime{Ticks{INT64_MAX}})});
    const auto due = [&](int now, std::size_t limit, std::string_view after = {}) {
      auto found = rig.wait_for<std::vector<IdentityId>>(
          [&](auto done) { rig.store().find_expired(at(now), id_of(after), limit, rig.executor, std::move(done)); });
      REQUIRE(found.ok());
      std::vector<std::string> texts;
      for (const IdentityId& id : *found) texts.push_back(id.text());
      return texts;
    };
    CHECK(due(9, 10).empty());
    CHECK(due(10, 10) == std::vector<std::string>{"d1"});
    CHECK(due(20, 10) == std::vector<std::string>{"d1", "d1/m1"});
    CHECK(due(1000, 10) == std::vector<std::string>{"d1", "d1/m1", "d2"});
    CHECK(due(1000, 2) == std::vector<std::string>{"d1", "d1/m1"});
    // The next ones.
    CHECK(due(1000, 1, "d1") == std::vector<std::string>{"d1/m1"});
    CHECK(due(1000, 2, "d1/m1") == std::vector<std::string>{"d2"});
    CHECK(due(1000, 2, "d2").empty());
  }

  TEST_CASE("trim: feedback is kept for an hour, whether or not anybody writes") {
    StoreRig rig;
    rig.apply({create("d1"), enqueue("d1", 1), enqueue("d1", 2), enqueue("d1", 3)});
    const auto settle = [&](std::uint64_t sequence) {
      Feedback feedback = feedback_of("d1", "mid-" + std::to_string(sequence));
      feedback.enqueued = rig.clock.now();
      rig.apply({remove("d1", sequence, feedback)});
    };
    const auto kept = [&rig] {
      rig.store().trim();
      rig.apply({enqueue("d1", 9), remove("d1", 9)});  // behind it
      std::vector<std::string> ids;
      for (const Feedback& feedback : rig.feedback()) ids.push_back(feedback.original_message_id);
      return ids;
    };
    settle(1);
    rig.clock.advance(std::chrono::minutes(30));
    settle(2);
    rig.clock.advance(std::chrono::minutes(30));
    settle(3);
    CHECK(kept() == std::vector<std::string>{"mid-1", "mid-2", "mid-3"});
    rig.clock.advance(std::chrono::seconds(1));
    CHECK(kept() == std::vector<std::string>{"mid-2", "mid-3"});
    rig.clock.advance(std::chrono::hours(2));
    CHECK(kept().empty());
    CHECK(kept().empty());
  }

  TEST_CASE("trim: events that are too old go without new ones") {
    StoreRig rig;
    rig.apply({create("d1")});
    for (const char* body : {"old", "newer", "newest"}) rig.append(0, {body});
    rig.clock.advance(std::chrono::hours(25));
    rig.store().trim();
    rig.apply({enqueue("d1", 1)});
    // The sequence goes on from the newest.
    CHECK(rig.bodies(0) == std::vector<std::string>{"newest"});
  }

  TEST_CASE("similar: devices near the id, nearest first, wherever they stand in the order") {
    StoreRig rig;
    rig.apply({create("sensor-01"), create("sensor-02"), create("Sensor-1"), create("xensor-1"), create("gateway"),
               create("gateway/sensor-1"), create("zensor-123")});
    const auto similar = [&](std::string_view id) {
      auto found = rig.wait_for<std::vector<DeviceId>>(
          [&](auto done) { rig.store().find_similar(DeviceId(id), rig.executor, std::move(done)); });
      REQUIRE(found.ok());
      std::vector<std::string> texts;
      for (const DeviceId& device : *found) texts.push_back(device.str());
      return texts;
    };
    CHECK(similar("sensor-1") == std::vector<std::string>{"Sensor-1", "sensor-01", "xensor-1"});
    CHECK(similar("GATEWAY") == std::vector<std::string>{"gateway"});
    CHECK(similar("nothing-like-it").empty());
  }
}
