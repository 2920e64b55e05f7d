// The content of cloud-to-device messages: in memory only while it is about to be sent.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/hub/cloud_message_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// How many messages of the identity have their content in memory.
std::size_t contents(FakeLink& link) {
  const auto& messages = link.connection->identity->queue->messages;
  return static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [](const QueuedMessage& queued) { return queued.content != nullptr; }));
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("cloud messages: content is not kept in memory for a device that is away") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("hello")).ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    CHECK(contents(link) == 0);
    rig.store.reads.clear();
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    CHECK(rig.store.reads == std::vector<std::string>{"messages d1 1"});
    CHECK(link.take() == Seen{"message 1 hello"});
    CHECK(contents(link) == 0);
  }

  TEST_CASE("cloud messages: content is not kept in memory for a device that is there and cannot take it yet") {
    // A connected device that never subscribed, or never acknowledged, held fifty messages of 64 KB in memory.
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    for (int i = 0; i < 30; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    CHECK(contents(link) == 0);
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    CHECK(link.take().size() == 10);
    CHECK(contents(link) <= 10);
    for (int i = 30; i < 40; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    CHECK(contents(link) <= 10);
    for (std::uint64_t sequence = 1; sequence <= 40; ++sequence) {
      rig.shard().complete(*link.connection, sequence);
      rig.settle();
      CHECK(contents(link) <= 10);
    }
    CHECK(link.take().size() == 30);
    CHECK(queued(rig, "d1") == 0);
  }

  TEST_CASE("cloud messages: contents are read in groups, and each once") {
    ShardRig rig([](Hub::Shared& shared) { shared.limits.cloud_in_flight = 3; });
    rig.create("d1");
    for (int i = 0; i < 7; ++i) REQUIRE(send(rig, "d1", message(std::to_string(i))).ok());
    FakeLink link(rig.shard());
    rig.store.reads.clear();
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
      rig.shard().complete(*link.connection, sequence);
      rig.settle();
    }
    CHECK(rig.store.reads == std::vector<std::string>{"messages d1 1,2,3", "messages d1 4,5,6", "messages d1 7"});
    CHECK(link.take().size() == 7);
  }

  TEST_CASE("cloud messages: a read that fails is tried again with the next occasion") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.store.break_reads();
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    CHECK(link.take() == Seen{});
    rig.store.mend_reads();
    REQUIRE(send(rig, "d1", message("b")).ok());
    CHECK(link.take() == Seen{"message 1 a", "message 2 b"});
  }

  TEST_CASE("cloud messages: content that comes when the connection is gone is dropped") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink gone(rig.shard()), link(rig.shard());
    rig.connect("d1", gone);
    rig.store.hold_reads();
    rig.subscribe(gone, Topic::kCloudMessages);
    gone.detach();
    rig.settle();
    rig.store.release_reads();
    rig.settle();
    CHECK(gone.take() == Seen{});
    rig.connect_subscribed("d1", link, {Topic::kCloudMessages});
    CHECK(link.take() == Seen{"message 1 a"});
  }

  TEST_CASE("cloud messages: content that was asked for by an older connection serves the newer one") {
    ShardRig rig;
    rig.create("d1");
    REQUIRE(send(rig, "d1", message("a")).ok());
    FakeLink gone(rig.shard()), link(rig.shard());
    rig.connect("d1", gone);
    rig.store.hold_reads();
    rig.subscribe(gone, Topic::kCloudMessages);
    rig.connect("d1", link);
    rig.subscribe(link, Topic::kCloudMessages);
    rig.settle();
    rig.store.release_reads();
    rig.settle();
    CHECK(link.take() == Seen{"message 1 a"});
  }
}
