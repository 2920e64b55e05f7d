// How cloud-to-device messages leave the queue otherwise, and what their senders are told: feedback, expiry, purge.
#include <doctest/doctest.h>

#include <memory>

#include "tests/hub/cloud_message_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

TEST_SUITE("hub") {
  TEST_CASE("feedback: is written with the removal for those who asked") {
    ShardRig rig;
    const registry::Identity identity = rig.create("d1");
    FakeLink link(rig.shard());
    link.settles_at_once = true;
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (const Ack ack : {Ack::kNone, Ack::kPositive, Ack::kNegative, Ack::kFull}) {
      REQUIRE(send(rig, "d1", message(std::string(ack_text(ack)), ack)).ok());
    }
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-positive Success", "id-full Success"});
    const Feedback& feedback = rig.store.feedback[0];
    CHECK(feedback.identity == id_of("d1"));
    CHECK(feedback.generation_id == identity.generation_id);
    CHECK(feedback.enqueued == rig.clock.now());
  }

  TEST_CASE("expiry: a message that is too old leaves the queue with feedback, and is never sent") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", expiring(rig, 60s, "a", Ack::kNegative)).ok());
    REQUIRE(send(rig, "d1", expiring(rig, 60s, "b", Ack::kPositive)).ok());
    REQUIRE(send(rig, "d1", message("c", Ack::kFull)).ok());
    rig.advance(59s);
    rig.settle();
    CHECK(queued(rig, "d1") == 3);
    rig.advance(1s);
    // Nothing has looked yet; the device that connects now gets what is left.
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK(link.take() == Seen{"message 3 c"});
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Expired"});
    CHECK(queued(rig, "d1") == 1);
  }

  TEST_CASE("expiry: the hub looks every fifteen seconds, for devices in memory and for others") {
    ShardRig rig;
    for (const char* id : {"d1", "d2", "d2/m1"}) rig.create(id);
    REQUIRE(send(rig, "d1", message("a", Ack::kFull)).ok());
    REQUIRE(send(rig, "d2/m1", message("b", Ack::kFull)).ok());
    rig.restart();
    CHECK(rig.shard().figures().devices_in_memory == 0);
    rig.clock.advance(1h - 10s);
    rig.advance(15s);
    rig.settle();
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Expired", "id-b Expired"});
    CHECK(rig.store.identities.at("d2/m1").queue.empty());
  }

  TEST_CASE("expiry: messages in the hands of a thousand devices do not hide those of others") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cloud_message_ttl = 60s; });
    std::vector<std::unique_ptr<FakeLink>> links;
    for (int i = 0; i < 1000; ++i) {
      const std::string id = "busy-" + std::to_string(i);
      rig.create(id);
      links.push_back(std::make_unique<FakeLink>(rig.shard()));
      rig.connect_subscribed(id, *links.back(), {Topic::kCloudMessages});
      Reply<std::uint64_t> sent;
      rig.send(id, "x", sent);
      rig.settle();
    }
    rig.create("other");
    REQUIRE(send(rig, "other", message("a", Ack::kFull)).ok());
    rig.clock.advance(60s);
    for (int sweep = 0; sweep < 2; ++sweep) {
      rig.advance(15s);
      rig.settle();
    }
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Expired"});
  }

  TEST_CASE("retention: the store is told to trim at every sweep") {
    ShardRig rig;
    rig.advance(14s);
    CHECK(rig.store.trims == 0);
    rig.advance(1s);
    CHECK(rig.store.trims == 1);
  }

  TEST_CASE("expiry: makes room in a full queue") {
    ShardRig rig;
    rig.create("d1");
    for (int i = 0; i < 50; ++i) REQUIRE(send(rig, "d1", expiring(rig, 60s)).ok());
    rig.clock.advance(60s);
    CHECK(send(rig, "d1", message("new")).value() == 51);
  }

  TEST_CASE("expiry: what the device has in hand is settled by the device") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", expiring(rig, 60s, "a")).ok());
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    rig.advance(5min);
    rig.settle();
    CHECK(rig.store.feedback.empty());
    CHECK(queued(rig, "d1") == 1);
    rig.shard().complete(*link.connection, 1);
    rig.settle();
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Success"});
  }

  TEST_CASE("expiry: what the device had in hand and did not settle expires when it is gone") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", expiring(rig, 60s, "a")).ok());
    {
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
      rig.advance(5min);
      rig.settle();
    }
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK(link.take() == Seen{});
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Expired"});
  }

  TEST_CASE("expiry: a message that expires while its content is read is not sent") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", expiring(rig, 60s, "a")).ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.store.hold_reads();
    rig.subscribe(link, Topic::kCloudMessages);
    rig.clock.advance(61s);
    rig.store.release_reads();
    rig.settle();
    CHECK(link.take() == Seen{});
    CHECK(outcomes(rig.store) == std::vector<std::string>{"id-a Expired"});
  }

  TEST_CASE("purge: empties the queue with feedback, what is in flight included") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (int i = 0; i < 12; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i), Ack::kFull)).ok());
    link.take();
    CHECK(purge(rig, "d1") == 12);
    CHECK(queued(rig, "d1") == 0);
    CHECK(rig.store.feedback.size() == 12);
    CHECK(outcomes(rig.store)[11] == "id-11 Purged");
    CHECK(rig.store.identities.at("d1").queue.empty());
    CHECK(purge(rig, "d1") == 0);
  }

  TEST_CASE("purge: what the client has in hand counts as in flight until it has answered") {
    // It was not counted: the packet ids of a client that did not answer ran out, and the hub looked for a free one for ever.
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (int i = 0; i < 10; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i), Ack::kFull)).ok());
    CHECK(link.take().size() == 10);
    CHECK(purge(rig, "d1") == 10);
    CHECK(send(rig, "d1", message("next")).value() == 11);
    CHECK(link.take() == Seen{});
    CHECK(link.connection->in_flight == 10);
    // A late answer makes room, once, and brings no second feedback.
    for (int twice = 0; twice < 2; ++twice) rig.shard().complete(*link.connection, 3);
    rig.settle();
    CHECK(link.take() == Seen{"message 11 next"});
    CHECK(link.connection->in_flight == 10);
    CHECK(rig.store.feedback.size() == 10);
    // The next connection begins anew.
    link.detach();
    FakeLink again(rig.shard());
    rig.connect_subscribed("d1", again, {Topic::kCloudMessages});
    CHECK(again.take() == Seen{"again 11 next"});
    CHECK(again.connection->in_flight == 1);
  }

  TEST_CASE("purge: takes messages that are not durable yet, and does not count what is leaving already") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    REQUIRE(send(rig, "d1", message("a")).ok());
    rig.shard().complete(*link.connection, 1);
    Reply<std::uint64_t> sent;
    rig.send("d1", "b", sent);
    Reply<std::int64_t> purged;
    rig.shard().purge(id_of("d1"), purged.answer());
    rig.settle();
    CHECK(sent.value() == 2);
    CHECK(purged.value() == 1);
    CHECK(rig.store.identities.at("d1").queue.empty());
    CHECK(link.take() == Seen{"message 1 a"});
  }

  TEST_CASE("purge: of a device that was never sent anything is 0 and writes nothing") {
    ShardRig rig;
    rig.create("d1");
    rig.store.operations.clear();
    CHECK(purge(rig, "d1") == 0);
    CHECK(rig.store.operations.empty());
  }

  TEST_CASE("purge: a message that is purged while its content is read is not sent") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.store.hold_reads();
    rig.subscribe(link, Topic::kCloudMessages);
    CHECK(purge(rig, "d1") == 1);
    rig.store.release_reads();
    rig.settle();
    CHECK(link.take() == Seen{});
    CHECK(send(rig, "d1", message("b")).ok());
    CHECK(link.take() == Seen{"message 2 b"});
  }
}
