// Cloud-to-device messages on their way: in flight, settled once, again on the next connection, held back for a subscription.
#include <doctest/doctest.h>

#include "tests/hub/cloud_message_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

TEST_SUITE("hub") {
  TEST_CASE("delivery: at most ten are in flight, the next goes out when one is settled") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (int i = 0; i < 13; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    CHECK(link.take().size() == 10);
    CHECK(link.connection->in_flight == 10);
    rig.shard().complete(*link.connection, 4);  // out of order is fine
    rig.settle();
    CHECK(link.take() == Seen{"message 11 10"});
    rig.shard().complete(*link.connection, 1);
    rig.shard().complete(*link.connection, 2);
    rig.settle();
    CHECK(link.take() == Seen{"message 12 11", "message 13 12"});
    CHECK(link.connection->in_flight == 10);
  }

  TEST_CASE("delivery: settled twice, never sent or unknown is of no consequence") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    rig.shard().complete(*link.connection, 1);  // no queue at all
    for (int i = 0; i < 12; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    rig.shard().complete(*link.connection, 12);  // waits
    rig.shard().complete(*link.connection, 99);
    rig.shard().complete(*link.connection, 3);
    rig.shard().complete(*link.connection, 3);
    CHECK(link.connection->in_flight <= 10);
    rig.settle();
    CHECK(queued(rig, "d1") == 11);
    CHECK(link.connection->in_flight == 10);
  }

  TEST_CASE("delivery: at QoS 0 sent is settled, and all go out") {
    ShardRig rig;
    rig.create("d1");
    for (int i = 0; i < 25; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i), Ack::kFull)).ok());
    FakeLink link(rig.shard());
    link.settles_at_once = true;
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    const Seen seen = link.take();
    REQUIRE(seen.size() == 25);
    CHECK(seen.front() == "message 1 0");
    CHECK(seen.back() == "message 25 24");
    CHECK(link.connection->in_flight == 0);
    CHECK(rig.store.identities.at("d1").queue.empty());
    CHECK(rig.store.feedback.size() == 25);
    CHECK(outcomes(rig.store)[0] == "id-0 Success");
  }

  TEST_CASE("delivery: what was not settled comes again on the next connection, and says so") {
    ShardRig rig;
    rig.create("d1");
    for (const char* body : {"a", "b", "c"}) REQUIRE(send(rig, "d1", message(body)).ok());
    {
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
      CHECK(link.take() == Seen{"message 1 a", "message 2 b", "message 3 c"});
      rig.shard().complete(*link.connection, 2);
      rig.settle();
    }
    REQUIRE(send(rig, "d1", message("d")).ok());
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK(link.take() == Seen{"again 1 a", "again 3 c", "message 4 d"});
    CHECK(link.connection->in_flight == 3);
    CHECK(link.last_message().delivery_count == 0);  // only abandon counts
  }

  TEST_CASE("delivery: a settlement whose commit is under way is not undone by the end of the connection") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink first(rig.shard()), second(rig.shard());
    rig.connect_subscribed("d1", first, {Topic::kCloudMessages});
    rig.shard().complete(*first.connection, 1);
    rig.turn();
    first.detach();
    rig.connect("d1", second);
    rig.subscribe(second, Topic::kCloudMessages);
    rig.settle();
    CHECK(second.take() == Seen{});
    CHECK(second.connection->in_flight == 0);
  }

  TEST_CASE("delivery: a take-over moves the unsettled messages to the new connection") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink older(rig.shard()), newer(rig.shard());
    rig.connect_subscribed("d1", older, {Topic::kCloudMessages});
    CHECK(older.take() == Seen{"message 1 a"});
    rig.connect_subscribed("d1", newer, {Topic::kCloudMessages});
    CHECK(newer.take() == Seen{"again 1 a"});
    CHECK(newer.connection->in_flight == 1);
  }

  TEST_CASE("delivery: a connection that ends while it is delivered to takes nothing more") {
    ShardRig rig;
    rig.create("d1");
    for (const char* body : {"a", "b"}) REQUIRE(send(rig, "d1", message(body)).ok());
    FakeLink link(rig.shard()), next(rig.shard());
    link.disconnects_on_delivery = true;
    rig.connect("d1", link);
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    CHECK(link.take() == Seen{"message 1 a"});
    rig.connect_subscribed("d1", next, {Topic::kCloudMessages});
    CHECK(next.take() == Seen{"again 1 a", "message 2 b"});
  }

  TEST_CASE("delivery: a message whose content was sent and whose device left is delivered from the store again") {
    ShardRig rig;
    rig.create("d1");
    FakeLink first(rig.shard()), second(rig.shard());
    rig.connect("d1", first);
    rig.subscribe(first, Topic::kCloudMessages);
    Reply<std::uint64_t> sent;
    rig.send("d1", "a", sent);
    rig.turn();
    first.detach();  // before the commit
    rig.connect("d1", second);
    rig.subscribe(second, Topic::kCloudMessages);
    rig.settle();
    CHECK(second.take() == Seen{"message 1 a"});
  }

  // --- Hold

  TEST_CASE("hold: queued messages wait for the subscription of a resumed session, at most a second") {
    for (const bool subscribes : {true, false}) {
      ShardRig rig;
      rig.create("d1");
      {
        FakeLink link(rig.shard());
        rig.connect("d1", link, {.clean_session = false});
        rig.subscribe(link, Topic::kCloudMessages);
        rig.settle();
      }
      REQUIRE(send(rig, "d1", message("a")).ok());
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false, .hold = true});
      rig.settle();
      REQUIRE(send(rig, "d1", message("b")).ok());
      rig.subscribe(link, Topic::kDesired);  // another subscription does not end the hold
      rig.settle();
      rig.advance(999ms);
      rig.settle();
      CHECK(link.take() == Seen{});
      if (subscribes) {
        rig.shard().release_cloud_messages(*link.connection);
        rig.shard().release_cloud_messages(*link.connection);
      } else {
        rig.advance(1ms);
      }
      rig.settle();
      CHECK(link.take() == Seen{"message 1 a", "message 2 b"});
    }
  }

  TEST_CASE("hold: there is none when the setting is 0, and none for a session without that subscription") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cloud_hold = 0ms; });
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false, .hold = true});
      rig.subscribe(link, Topic::kCloudMessages);
      rig.settle();
    }
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false, .hold = true});
    rig.settle();
    CHECK(link.take() == Seen{"message 1 a"});

    ShardRig held;
    held.create("d1");
    REQUIRE(send(held, "d1", message("a")).ok());
    FakeLink fresh(held.shard());
    held.connect("d1", fresh, {.clean_session = false, .hold = true});
    CHECK_FALSE(fresh.connection->holding);
    held.subscribe(fresh, Topic::kCloudMessages);
    held.settle();
    CHECK(fresh.take() == Seen{"message 1 a"});
  }

  TEST_CASE("hold: its timer does not touch a connection that is gone") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
      rig.subscribe(link, Topic::kCloudMessages);
      rig.settle();
    }
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false, .hold = true});
    link.detach();
    rig.settle();
    rig.advance(5s);
    rig.settle();
    CHECK(link.take() == Seen{});
  }
}
