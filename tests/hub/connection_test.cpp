// Who is connected, until when, and what a connection is subscribed to.
#include <doctest/doctest.h>

#include <algorithm>

#include "auth/sas_token.h"
#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;
using auth::Check;

namespace {

// Operations of the batch that would go to the store now.
std::vector<std::string> written(ShardRig& rig) {
  rig.turn();
  std::vector<std::string> texts;
  if (rig.store.waiting() > 0) {
    for (const WriteOperation& operation : rig.store.oldest().operations) texts.push_back(text_of(operation));
  }
  rig.settle();
  return texts;
}

bool is_connected(ShardRig& rig, std::string_view id) {
  Reply<IdentityView> view;
  rig.shard().get_identity(id_of(id), view.answer());
  rig.settle();
  return view.value().live.connected;
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("connections: an identity is connected from attach to detach, with the times of both") {
    ShardRig rig;
    rig.create("d1");
    CHECK_FALSE(is_connected(rig, "d1"));
    FakeLink link(rig.shard());
    const WallTime start = rig.clock.now();
    rig.connect("d1", link);
    CHECK(is_connected(rig, "d1"));
    CHECK(rig.shard().figures().connections == 1);
    rig.advance(10s);
    link.detach();
    CHECK_FALSE(is_connected(rig, "d1"));
    CHECK(rig.shard().figures().connections == 0);
    Reply<IdentityView> view;
    rig.shard().get_identity(id_of("d1"), view.answer());
    CHECK(view.value().identity.connection_state_updated == start + 10s);
    CHECK(view.value().identity.last_activity == start + 10s);
  }

  TEST_CASE("take-over: the older connection is ended first, and told why") {
    ShardRig rig;
    rig.create("d1");
    FakeLink older(rig.shard()), newer(rig.shard());
    rig.connect("d1", older);
    rig.settle();
    rig.publish(older, "a", 1);
    rig.turn();
    rig.connect("d1", newer);
    CHECK(older.connection == nullptr);
    REQUIRE(older.closed.has_value());
    CHECK(older.closed->check == Check::kState);
    CHECK(older.closed->code == ErrorCode::kConnectionForcefullyClosedOnNewConnection);
    CHECK(older.closed->received == "a new connection of d1 from 192.0.2.7:50412");
    CHECK(newer.connection != nullptr);
    CHECK(is_connected(rig, "d1"));
    CHECK(rig.shard().figures().connections == 1);
    // The acknowledgement of the older one's message reached nobody.
    CHECK(older.take() == Seen{"closed ConnectionForcefullyClosedOnNewConnection"});
    CHECK(newer.take() == Seen{});
  }

  TEST_CASE("take-over: a device and its modules are identities of their own") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    FakeLink device(rig.shard()), module(rig.shard());
    rig.connect("d1", device);
    rig.connect("d1/m1", module);
    rig.settle();
    CHECK(device.connection != nullptr);
    CHECK(module.connection != nullptr);
    CHECK(is_connected(rig, "d1/m1"));
  }

  TEST_CASE("take-over: who is not let in ends nobody's connection") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard()), intruder(rig.shard());
    rig.connect("d1", link);
    CHECK(rig.connect("d1", intruder, {.token = rig.token("d1", kOtherKey)}).has_value());
    rig.settle();
    CHECK(link.connection != nullptr);
    CHECK(intruder.connection == nullptr);
  }

  // --- Sessions

  TEST_CASE("session: clean session 1 stores nothing") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    CHECK_FALSE(link.session_present);
    rig.subscribe(link, Topic::kDesired);
    CHECK(written(rig) == std::vector<std::string>{});
    CHECK(link.connection->identity->session.has(Topic::kDesired));
  }

  TEST_CASE("session: clean session 0 makes one, and finds it again with its subscriptions") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
      CHECK_FALSE(link.session_present);
      CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
      rig.shard().subscribe(*link.connection, Topic::kDesired, 0);
      rig.shard().subscribe(*link.connection, Topic::kCloudMessages, 1);
      rig.shard().subscribe_method(*link.connection, "reboot");
      rig.shard().settle_subscriptions(*link.connection, [] {});
      CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
    }
    rig.advance(1min);
    rig.restart();
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK(link.session_present);
    CHECK(written(rig) == std::vector<std::string>{});
    const Session& session = link.connection->identity->session;
    CHECK(session.has(Topic::kDesired));
    CHECK(session.cloud_messages());
    CHECK(session.cloud_message_qos() == 1);
    CHECK(session.methods("reboot"));
    CHECK_FALSE(session.methods("other"));
    CHECK(link.connection->wanted == session);
  }

  TEST_CASE("session: is written only when a subscription changes it") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    rig.settle();
    rig.subscribe(link, Topic::kDesired, 0);
    CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
    rig.subscribe(link, Topic::kDesired, 0);
    CHECK(written(rig) == std::vector<std::string>{});
    rig.subscribe(link, Topic::kDesired, 1);  // another QoS is another session
    CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
    rig.shard().subscribe_method(*link.connection, "a");
    rig.shard().subscribe_method(*link.connection, "a");
    rig.shard().settle_subscriptions(*link.connection, [] {});
    CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
    CHECK(link.connection->wanted.method_names.size() == 1);
    rig.shard().unsubscribe(*link.connection, Topic::kInputs);
    rig.shard().unsubscribe_method(*link.connection, "b");
    rig.shard().settle_subscriptions(*link.connection, [] {});
    CHECK(written(rig) == std::vector<std::string>{});
    rig.shard().unsubscribe(*link.connection, Topic::kDesired);
    rig.shard().unsubscribe_method(*link.connection, "a");
    rig.shard().settle_subscriptions(*link.connection, [] {});
    CHECK(written(rig) == std::vector<std::string>{"PutSession d1"});
    CHECK(rig.store.identities.at("d1").session == Session());
  }

  TEST_CASE("session: clean session 1 drops a stored one") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
      rig.subscribe(link, Topic::kDesired);
      rig.settle();
    }
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link);
      CHECK_FALSE(link.session_present);
      CHECK(link.connection->identity->session.empty());
      CHECK(written(rig) == std::vector<std::string>{"DropSession d1"});
    }
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK_FALSE(link.session_present);
  }

  TEST_CASE("session: one that was made without a subscription is a session too") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
    }
    rig.restart();
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK(link.session_present);
  }

  TEST_CASE("session: a subscription counts when it is settled: stored, for clean session 0") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    rig.settle();
    rig.shard().subscribe(*link.connection, Topic::kDesired, 0);
    Reply<TwinView> before, behind;
    rig.patch_desired("d1", R"({"a":1})", before);
    rig.settle();
    CHECK(link.take() == Seen{});
    int settled = 0;
    rig.shard().settle_subscriptions(*link.connection, [&] { ++settled; });
    rig.turn();
    CHECK(settled == 0);
    CHECK_FALSE(link.connection->identity->session.has(Topic::kDesired));
    rig.settle();
    CHECK(settled == 1);
    rig.patch_desired("d1", R"({"a":2})", behind);
    rig.settle();
    CHECK(link.take() == Seen{R"(desired 3 {"a":2,"$version":3})"});
  }

  TEST_CASE("session: subscriptions are settled in their order") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    rig.settle();
    std::vector<int> settled;
    rig.shard().subscribe(*link.connection, Topic::kDesired, 0);
    rig.shard().settle_subscriptions(*link.connection, [&] { settled.push_back(1); });
    rig.shard().unsubscribe(*link.connection, Topic::kDesired);
    rig.shard().settle_subscriptions(*link.connection, [&] { settled.push_back(2); });
    rig.turn();
    rig.shard().settle_subscriptions(*link.connection, [&] { settled.push_back(3); });
    rig.settle();
    CHECK(settled == std::vector{1, 2, 3});
    CHECK(link.connection->identity->session.empty());
  }

  TEST_CASE("session: the acknowledgement of a subscription comes before the first delivery") {
    for (const bool clean : {true, false}) {
      ShardRig rig;
      rig.create("d1");
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = clean});
      Reply<std::uint64_t> sent;
      rig.send("d1", "hello", sent);
      rig.settle();
      Seen before;
      rig.shard().subscribe(*link.connection, Topic::kCloudMessages, 1);
      rig.shard().settle_subscriptions(*link.connection, [&] {
        before = link.take();
        before.emplace_back("suback");
      });
      rig.settle();
      CHECK(before == Seen{"suback"});
      CHECK(link.take() == Seen{"message 1 hello"});
    }
  }

  TEST_CASE("session: nothing is settled on a connection that is gone") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    rig.settle();
    rig.shard().subscribe(*link.connection, Topic::kDesired, 0);
    bool settled = false;
    rig.shard().settle_subscriptions(*link.connection, [&] { settled = true; });
    rig.turn();
    link.detach();
    FakeLink next(rig.shard());
    rig.connect("d1", next, {.clean_session = true});
    rig.settle();
    CHECK_FALSE(settled);
    CHECK(next.connection->identity->session.empty());
  }

  TEST_CASE("session: a front that ends its connection while it is told of the settlement is left alone") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    rig.connect("d1", link);
    rig.settle();
    rig.shard().subscribe(*link.connection, Topic::kCloudMessages, 1);
    rig.shard().settle_subscriptions(*link.connection, [&] { link.detach(); });
    rig.settle();
    CHECK(link.take() == Seen{});
  }

  // --- Tokens

  TEST_CASE("token: its connection ends when the grace behind its expiry is over, and not before") {
    ShardRig rig;  // expiry + 600 s
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.token = rig.token("d1", kPrimaryKey, 60s)});
    rig.advance(660s - 1ms);
    rig.turn();
    CHECK(link.connection != nullptr);
    rig.advance(1ms);
    rig.turn();
    CHECK(link.connection == nullptr);
    REQUIRE(link.closed.has_value());
    CHECK(link.closed->check == Check::kSasExpiry);
    CHECK(link.closed->code == ErrorCode::kIotHubUnauthorized);
    CHECK(link.closed->expected == "a new token within 600 s of the old one's expiry");
  }

  TEST_CASE("token: the end of one that was accepted within its skew comes sooner") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    REQUIRE_FALSE(rig.connect("d1", link, {.token = rig.token("d1", kPrimaryKey, -300s)}).has_value());
    rig.advance(300s);
    rig.turn();
    CHECK(link.closed.has_value());
  }

  TEST_CASE("token: one until the year 9999 is no trouble") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    const auto token = auth::make_sas_token("hub.test/devices/d1", kPrimaryKey, auth::kMaxExpirySeconds);
    REQUIRE_FALSE(rig.connect("d1", link, {.token = token.value()}).has_value());
    rig.settle();
    rig.advance(std::chrono::hours(24 * 365));
    rig.settle();
    CHECK(link.connection != nullptr);
  }

  TEST_CASE("token: the end of an old one does not touch the connection with a new one") {
    ShardRig rig;
    rig.create("d1");
    FakeLink older(rig.shard()), newer(rig.shard());
    rig.connect("d1", older, {.token = rig.token("d1", kPrimaryKey, 60s)});
    rig.settle();
    rig.advance(659s);
    rig.connect("d1", newer);
    rig.advance(10s);
    rig.settle();
    CHECK(newer.connection != nullptr);
    CHECK(newer.take() == Seen{});
  }

  TEST_CASE("token: a connection that ends in the turn of its token's end is ended once") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.token = rig.token("d1", kPrimaryKey, 60s)});
    rig.settle();
    rig.clock.advance(700s);
    rig.timers.run_due();  // the end is posted, not yet run
    link.detach();
    rig.settle();
    CHECK(link.take() == Seen{});
  }

  TEST_CASE("token: a policy's token opens a device and its modules") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    const auto token = auth::make_sas_token("hub.test", kPolicyKey, unix_seconds(rig.clock.now()) + 60, "device").value();
    FakeLink device(rig.shard()), module(rig.shard());
    CHECK_FALSE(rig.connect("d1", device, {.token = token}).has_value());
    CHECK_FALSE(rig.connect("d1/m1", module, {.token = token}).has_value());
    CHECK(device.connection->admission.scope == auth::Admission::Scope::kHub);
    CHECK(device.connection->admission.policy == "device");
    rig.advance(660s);
    rig.turn();
    CHECK(device.closed.has_value());
    CHECK(module.closed.has_value());
  }

  // --- Model ids

  TEST_CASE("model id: of the connection stands on the twin, and is written when it changes") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.model_id = "dtmi:a;1"});
      CHECK(written(rig) == std::vector<std::string>{"PutModelId d1"});
    }
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.model_id = "dtmi:a;1"});
      CHECK(written(rig) == std::vector<std::string>{});
    }
    FakeLink link(rig.shard());
    rig.connect("d1", link);  // says nothing: the last word stays
    CHECK(written(rig) == std::vector<std::string>{});
    CHECK(rig.twin_json("d1").find(R"("modelId":"dtmi:a;1")") != std::string::npos);
    CHECK(rig.store.identities.at("d1").twin.model_id == "dtmi:a;1");
  }

  // --- Activity

  TEST_CASE("activity: is written every thirty seconds, and not per message") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.store.operations.clear();
    for (int i = 0; i < 100; ++i) {
      rig.publish(link, "x");
      rig.shard().report(*link.connection, "{}", std::nullopt, [](Result<std::int64_t>) {});
      rig.advance(100ms);
      rig.settle();
    }
    CHECK(std::count(rig.store.operations.begin(), rig.store.operations.end(), "PutActivity d1") == 0);
    const WallTime last = rig.clock.now() - 100ms;
    rig.advance(20s);
    rig.settle();
    CHECK(std::count(rig.store.operations.begin(), rig.store.operations.end(), "PutActivity d1") == 1);
    CHECK(rig.store.identities.at("d1").identity.last_activity == last);
    rig.advance(5min);
    rig.settle();
    CHECK(std::count(rig.store.operations.begin(), rig.store.operations.end(), "PutActivity d1") == 1);
    rig.publish(link, "x");
    rig.advance(30s);
    rig.settle();
    CHECK(std::count(rig.store.operations.begin(), rig.store.operations.end(), "PutActivity d1") == 2);
  }

  TEST_CASE("activity: of an identity that was deleted meanwhile is not written") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    FakeLink link(rig.shard());
    rig.connect("d1/m1", link);
    rig.settle();
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1/m1"), {}, deleted.answer());
    rig.settle();
    rig.store.operations.clear();
    rig.advance(1min);
    rig.settle();
    CHECK(rig.store.operations == std::vector<std::string>{});
  }
}
