// Cloud-to-device messages: queued durably, in order, within bounds.
#include <doctest/doctest.h>

#include "tests/hub/cloud_message_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

TEST_SUITE("hub") {
  TEST_CASE("cloud messages: one that is sent while the device is connected is delivered behind its commit") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    rig.turn();
    CHECK(link.take() == Seen{});
    rig.store.commit();
    rig.turn();
    CHECK(sent.value() == 1);
    CHECK(link.take() == Seen{"message 1 hello"});
    CHECK(rig.store.identities.at("d1").queue.size() == 1);  // until it is settled
    rig.shard().complete(*link.connection, 1);
    rig.settle();
    CHECK(rig.store.identities.at("d1").queue.empty());
    CHECK(queued(rig, "d1") == 0);
  }

  TEST_CASE("cloud messages: a message arrives as it was sent, with the hub's times") {
    ShardRig rig;
    rig.create("d1");
    CloudMessage sent = message("body", Ack::kPositive);
    sent.correlation_id = "c";
    sent.user_id = "u";
    sent.content_type = "application/json";
    sent.content_encoding = "utf-8";
    sent.properties = {{"a", "1"}, {"b", "&=/?"}};
    REQUIRE(send(rig, "d1", sent).ok());
    rig.restart();  // read from the store again
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    REQUIRE(link.take() == Seen{"message 1 body"});
    const CloudMessage& got = link.last_message();
    CHECK(got.message_id == "id-body");
    CHECK(got.correlation_id == "c");
    CHECK(got.user_id == "u");
    CHECK(got.content_type == "application/json");
    CHECK(got.content_encoding == "utf-8");
    CHECK(got.properties == sent.properties);
    CHECK(got.ack == Ack::kPositive);
    CHECK(got.enqueued == rig.clock.now());
    CHECK(got.expiry == rig.clock.now() + 1h);
    CHECK_FALSE(got.expiry_from_sender);
  }

  TEST_CASE("cloud messages: come in the order in which they were sent, those of before and those of now") {
    ShardRig rig;
    rig.create("d1");
    Reply<std::uint64_t> replies[5];
    rig.send("d1", "a", replies[0]);
    rig.send("d1", "b", replies[1]);
    rig.settle();
    rig.send("d1", "c", replies[2]);
    rig.turn();
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.subscribe(link, Topic::kCloudMessages);
    rig.send("d1", "d", replies[3]);
    rig.turn();
    rig.send("d1", "e", replies[4]);
    rig.settle();
    CHECK(link.take() == Seen{"message 1 a", "message 2 b", "message 3 c", "message 4 d", "message 5 e"});
  }

  TEST_CASE("cloud messages: nothing is sent without a subscription, nor behind its end") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kDesired, Topic::kTwinResponses});
    REQUIRE(send(rig, "d1", message("a")).ok());
    CHECK(link.take() == Seen{});
    rig.subscribe(link, Topic::kCloudMessagesWildcard);
    rig.settle();
    CHECK(link.take() == Seen{"message 1 a"});
    rig.shard().unsubscribe(*link.connection, Topic::kCloudMessagesWildcard);
    rig.shard().settle_subscriptions(*link.connection, [] {});
    REQUIRE(send(rig, "d1", message("b")).ok());
    CHECK(link.take() == Seen{});
    CHECK(queued(rig, "d1") == 2);
  }

  TEST_CASE("cloud messages: a device and its modules have queues of their own") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard());
    rig.connect_subscribed("d1", device, {Topic::kCloudMessages});
    rig.connect_subscribed("d1/m1", module, {Topic::kCloudMessages});
    CHECK(send(rig, "d1/m1", message("m")).value() == 1);
    CHECK(send(rig, "d1", message("d")).value() == 1);
    CHECK(device.take() == Seen{"message 1 d"});
    CHECK(module.take() == Seen{"message 1 m"});
  }

  TEST_CASE("cloud messages: to nobody are refused") {
    ShardRig rig;
    rig.create("d1");
    CHECK(send(rig, "d2", message("x")).error() == Error{ErrorCode::kDeviceNotFound, "d2"});
    CHECK(send(rig, "d1/m1", message("x")).error() == Error{ErrorCode::kModuleNotFound, "m1"});
    Reply<std::int64_t> device, module;
    rig.shard().purge(id_of("d2"), device.answer());
    rig.shard().purge(id_of("d1/m1"), module.answer());
    rig.settle();
    CHECK(device.error().code == ErrorCode::kDeviceNotFound);
    CHECK(module.error().code == ErrorCode::kModuleNotFound);
  }

  TEST_CASE("cloud messages: counted in the registry without those that are leaving") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (int i = 0; i < 3; ++i) REQUIRE(send(rig, "d1", message("x")).ok());
    rig.shard().complete(*link.connection, 1);
    CHECK(rig.shard().live_states({{DeviceId("d1"), {}}})[0]->state.queued_messages == 2);
  }

  // --- Bounds

  TEST_CASE("cloud messages: fifty wait at the most") {
    ShardRig rig;
    rig.create("d1");
    for (int i = 0; i < 50; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    const auto refused = send(rig, "d1", message("one more"));
    CHECK(refused.error() ==
          Error{ErrorCode::kDeviceMaximumQueueDepthExceeded, "50 messages wait for d1; at most 50 are allowed"});
    // Those that were sent and not settled wait too.
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK_FALSE(send(rig, "d1", message("one more")).ok());
    rig.shard().complete(*link.connection, 1);
    CHECK(send(rig, "d1", message("one more")).value() == 51);
  }

  TEST_CASE("cloud messages: fifty that are not durable yet are fifty") {
    ShardRig rig;
    rig.create("d1");
    Reply<std::uint64_t> replies[51];
    for (auto& reply : replies) rig.send("d1", "x", reply);
    CHECK(replies[50].error().code == ErrorCode::kDeviceMaximumQueueDepthExceeded);
    rig.settle();
    CHECK(replies[49].value() == 50);
  }

  TEST_CASE("cloud messages: 64 KB are body, system and application properties together") {
    ShardRig rig;
    rig.create("d1");
    CloudMessage exact;
    exact.message_id = "mid";            // 3
    exact.properties = {{"ab", "cde"}};  // 5
    exact.body = std::string(65'536 - 8, 'x');
    CHECK(send(rig, "d1", exact).ok());
    exact.body += 'x';
    CHECK(send(rig, "d1", exact).error() ==
          Error{ErrorCode::kMessageTooLarge, "the message has 65537 bytes, body and properties; at most 65536 are allowed"});
  }

  TEST_CASE("cloud messages: at most a hundred properties, and no topic beyond MQTT's limit") {
    ShardRig rig;
    rig.create("d1");
    CloudMessage many;
    for (int i = 0; i < 100; ++i) many.properties.emplace_back("p" + std::to_string(i), "v");
    CHECK(send(rig, "d1", many).ok());
    many.properties.emplace_back("one", "more");
    CHECK(send(rig, "d1", many).error().code == ErrorCode::kArgumentInvalid);

    // Percent-encoding makes three bytes of each of these.
    CloudMessage wide;
    wide.properties = {{"p", std::string(21'500, '/')}};
    CHECK(send(rig, "d1", wide).ok());
    wide.properties = {{"p", std::string(22'000, '/')}};
    CHECK(send(rig, "d1", wide).error().code == ErrorCode::kMessageTooLarge);
  }

  TEST_CASE("cloud messages: an expiry in the past is refused, one far in the future is not") {
    ShardRig rig;
    rig.create("d1");
    CHECK(send(rig, "d1", expiring(rig, 0s)).error().code == ErrorCode::kInvalidMessageExpiryTime);
    CHECK(send(rig, "d1", expiring(rig, -1s)).error().code == ErrorCode::kInvalidMessageExpiryTime);
    CHECK(send(rig, "d1", expiring(rig, 1s)).ok());
    CloudMessage never = message("far");
    never.expiry = WallTime{Ticks{INT64_MAX}};
    never.expiry_from_sender = true;
    CHECK(send(rig, "d1", never).ok());
    rig.advance(2s);
    CHECK(queued(rig, "d1") == 2);
    rig.advance(15s);
    CHECK(queued(rig, "d1") == 1);
  }
}
