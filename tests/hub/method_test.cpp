// Direct methods: one attempt, one answer.
#include <doctest/doctest.h>

#include <memory>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

void invoke(ShardRig& rig, std::string_view id, Reply<MethodResult>& reply, MethodRequest request) {
  rig.shard().invoke_method(id_of(id), std::move(request), reply.answer());
}

MethodRequest call(std::string payload = "{}", int response_timeout_s = 30, int connect_timeout_s = 0) {
  return {"reboot", std::move(payload), response_timeout_s, connect_timeout_s};
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("methods: a call goes to the device and its answer to the caller") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> reply;
    invoke(rig, "d1", reply, call(R"({"in":5})"));
    CHECK(link.take() == Seen{R"(method 1 reboot {"in":5})"});
    CHECK_FALSE(reply.came());
    rig.shard().answer_method(*link.connection, "1", 200, R"({"ok":true})");
    CHECK(reply.value().status == 200);
    CHECK(reply.value().payload == R"({"ok":true})");
    // Nothing is stored, and no timer is left.
    rig.turn();
    CHECK(rig.store.waiting() == 0);
    rig.advance(31s);
    CHECK(reply.came());
  }

  TEST_CASE("methods: reach modules, and a device that subscribed to one name for that name") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard());
    rig.connect("d1", device);
    rig.shard().subscribe_method(*device.connection, "reboot");
    rig.shard().settle_subscriptions(*device.connection, [] {});
    rig.connect_subscribed("d1/m1", module, {Topic::kMethods});
    Reply<MethodResult> reboot, other, of_module;
    invoke(rig, "d1", reboot, call());
    invoke(rig, "d1", other, {"other", "{}", 30, 0});
    invoke(rig, "d1/m1", of_module, call());
    CHECK(device.take() == Seen{"method 1 reboot {}"});
    CHECK(module.take() == Seen{"method 1 reboot {}"});
    CHECK(other.error().code == ErrorCode::kDeviceNotOnline);
  }

  TEST_CASE("methods: to an unknown device or module are DeviceNotFound") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> device, module;
    invoke(rig, "d2", device, call());
    invoke(rig, "d1/m1", module, call());
    rig.settle();
    CHECK(device.error().code == ErrorCode::kDeviceNotFound);
    CHECK(module.error().code == ErrorCode::kDeviceNotFound);
  }

  TEST_CASE("methods: no payload becomes null, and an empty body with the cloud's behaviour") {
    for (const bool empty : {false, true}) {
      ShardRig rig([empty](Hub::Shared& shared) { shared.behaviour.empty_method_payload = empty; });
      rig.create("d1");
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kMethods});
      Reply<MethodResult> replies[3];
      invoke(rig, "d1", replies[0], call(""));
      invoke(rig, "d1", replies[1], call("null"));
      invoke(rig, "d1", replies[2], call(R"("")"));
      CHECK(link.take() == Seen{empty ? "method 1 reboot " : "method 1 reboot null", "method 2 reboot null",
                                R"(method 3 reboot "")"});
    }
  }

  // --- Request ids

  TEST_CASE("methods: the request id is lower-case hex from 1 on each connection") {
    ShardRig rig;
    rig.create("d1");
    for (int connection = 0; connection < 2; ++connection) {
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kMethods});
      Seen expected;
      for (const char* id : {"1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b"}) {
        Reply<MethodResult> reply;
        invoke(rig, "d1", reply, call());
        rig.shard().answer_method(*link.connection, id, 200, "");
        CHECK(reply.succeeded());
        expected.push_back("method " + std::string(id) + " reboot {}");
      }
      CHECK(link.take() == expected);
    }
  }

  TEST_CASE("methods: ids of calls that still wait are skipped on the next connection") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> first, second, third, fourth;
    {
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kMethods});
      invoke(rig, "d1", first, call());
      invoke(rig, "d1", second, call());
      rig.shard().answer_method(*link.connection, "1", 200, "");
      invoke(rig, "d1", third, call());
      CHECK(link.take() == Seen{"method 1 reboot {}", "method 2 reboot {}", "method 3 reboot {}"});
    }
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    CHECK(link.take() == Seen{});  // one attempt: not sent again
    invoke(rig, "d1", fourth, call());
    Reply<MethodResult> fifth;
    invoke(rig, "d1", fifth, call());
    CHECK(link.take() == Seen{"method 1 reboot {}", "method 4 reboot {}"});
    // An answer on the next connection completes a call of the one before.
    rig.shard().answer_method(*link.connection, "3", 201, "3");
    CHECK(third.value().status == 201);
    CHECK_FALSE(second.came());
  }

  TEST_CASE("methods: ids have seven digits at the most, then begin again") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> replies[4];
    invoke(rig, "d1", replies[0], call());
    link.connection->next_request = 0xffffffe;
    for (int i = 1; i < 4; ++i) invoke(rig, "d1", replies[i], call());
    CHECK(link.take() ==
          Seen{"method 1 reboot {}", "method ffffffe reboot {}", "method fffffff reboot {}", "method 2 reboot {}"});
    rig.shard().answer_method(*link.connection, "fffffff", 200, "");
    CHECK(replies[2].succeeded());
  }

  // --- Answers

  TEST_CASE("methods: late, second and invented answers are ignored") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> reply, late;
    rig.shard().answer_method(*link.connection, "1", 200, "");
    invoke(rig, "d1", reply, call());
    for (const char* id : {"2", "01", "0x1", "", "1 ", "f", "ffffffffffffffffff"}) {
      rig.shard().answer_method(*link.connection, id, 200, "");
    }
    CHECK_FALSE(reply.came());
    rig.shard().answer_method(*link.connection, "1", 200, "1");
    rig.shard().answer_method(*link.connection, "1", 500, "2");
    CHECK(reply.value().status == 200);
    invoke(rig, "d1", late, call("{}", 5));
    rig.advance(5s);
    CHECK(late.error().code == ErrorCode::kGatewayTimeout);
    rig.shard().answer_method(*link.connection, "2", 200, "");
    CHECK(late.came());
    CHECK(link.connection != nullptr);
  }

  TEST_CASE("methods: upper-case hex is not the id that was sent") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    link.connection->next_request = 10;
    Reply<MethodResult> reply;
    invoke(rig, "d1", reply, call());
    rig.shard().answer_method(*link.connection, "A", 200, "");
    CHECK_FALSE(reply.came());
    rig.shard().answer_method(*link.connection, "a", 200, "");
    CHECK(reply.succeeded());
  }

  TEST_CASE("methods: an empty answer is null, a negative status is passed on, no JSON is 502, too much is 413") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> empty, negative, no_json, large, exact;
    for (auto* reply : {&empty, &negative, &no_json, &large, &exact}) invoke(rig, "d1", *reply, call());
    rig.shard().answer_method(*link.connection, "1", 200, "");
    CHECK(empty.value().payload == "null");
    rig.shard().answer_method(*link.connection, "2", -7, " [1, 2] ");
    CHECK(negative.value().status == -7);
    CHECK(negative.value().payload == " [1, 2] ");
    rig.shard().answer_method(*link.connection, "3", 200, "rebooting");
    CHECK(no_json.error().code == ErrorCode::kGenericBadGateway);
    rig.shard().answer_method(*link.connection, "4", 200, "\"" + std::string(131'071, 'x') + "\"");
    CHECK(large.error() == Error{ErrorCode::kMessageTooLarge, "the device's answer has 131073 bytes; at most 131072 are allowed"});
    rig.shard().answer_method(*link.connection, "5", 200, "\"" + std::string(131'070, 'x') + "\"");
    CHECK(exact.value().payload.size() == 131'072);
  }

  TEST_CASE("methods: the first answer that fits no call is in the refusal book, with the calls that wait") {
    struct Row {
      std::string_view answered;
      std::string_view reason;
    };
    for (const Row& row : {Row{"10", "expected $rid of a call that waits: a, b; received $rid=10; the request id is text, not a decimal number: send back what came"},
                           Row{"A", "expected $rid of a call that waits: a, b; received $rid=A; send the request id back as it came, byte for byte"},
                           Row{"7", "expected $rid of a call that waits: a, b; received $rid=7; send the request id back as it came, byte for byte"}}) {
      ShardRig rig;
      rig.create("d1");
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kMethods});
      link.connection->next_request = 10;
      Reply<MethodResult> first, second;
      invoke(rig, "d1", first, call());
      invoke(rig, "d1", second, call());
      for (int twice = 0; twice < 2; ++twice) rig.shard().answer_method(*link.connection, row.answered, 200, "");
      const auto refusals = rig.refusals.recent("d1", 10);
      REQUIRE(refusals.size() == 1);
      CHECK(refusals[0].operation == "method response");
      CHECK(refusals[0].answer == "dropped");
      CHECK(refusals[0].peer == "192.0.2.7:50412");
      CHECK(refusals[0].denial.sentence() == row.reason);
      CHECK(refusals[0].count == 1);
    }
  }

  TEST_CASE("methods: an answer when no call waits is late or second, and is in the refusal book once") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    for (const char* id : {"1", "2"}) rig.shard().answer_method(*link.connection, id, 200, "");
    const auto refusals = rig.refusals.recent("d1", 10);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].denial.sentence() ==
          "expected $rid of a call that waits: none; received $rid=1; the answer came too late, or twice: the caller's response timeout decides");
  }

  // --- Offline and time

  TEST_CASE("methods: to a device that is offline or not subscribed fail at once") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> offline, unsubscribed;
    invoke(rig, "d1", offline, call());
    CHECK(offline.error() == Error{ErrorCode::kDeviceNotOnline, "d1 is not connected"});
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kDesired});
    invoke(rig, "d1", unsubscribed, call());
    CHECK(unsubscribed.error() == Error{ErrorCode::kDeviceNotOnline, "d1 is connected, and has not subscribed to methods"});
    Reply<MethodResult> other, other_case;
    for (const char* name : {"start", "Reboot"}) rig.shard().subscribe_method(*link.connection, name);
    rig.shard().settle_subscriptions(*link.connection, [] {});
    invoke(rig, "d1", other, {"stop", "{}", 30, 0});
    CHECK(other.error().detail == "d1 is connected, and has subscribed to other methods: start, Reboot");
    invoke(rig, "d1", other_case, call());
    CHECK(other_case.error().detail == "d1 is connected, and has subscribed to other methods: start, Reboot (names are case-sensitive)");
    CHECK(link.take() == Seen{});
  }

  TEST_CASE("methods: with a connect timeout wait for the connection and the subscription") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> reply;
    invoke(rig, "d1", reply, call("1", 30, 20));
    rig.advance(19s);
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    CHECK(link.take() == Seen{});
    rig.subscribe(link, Topic::kMethods);
    CHECK(link.take() == Seen{"method 1 reboot 1"});
    // From here on the device has its own time.
    rig.advance(29s);
    CHECK_FALSE(reply.came());
    rig.shard().answer_method(*link.connection, "1", 200, "");
    CHECK(reply.succeeded());
  }

  TEST_CASE("methods: with a connect timeout go out on a resumed session right behind its begin") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
      rig.subscribe(link, Topic::kMethods);
      rig.settle();
    }
    Reply<MethodResult> first, second;
    invoke(rig, "d1", first, call("1", 30, 20));
    invoke(rig, "d1", second, call("2", 30, 20));
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    CHECK(link.take() == Seen{"method 1 reboot 1", "method 2 reboot 2"});
  }

  TEST_CASE("methods: whose device does not come within the connect timeout fail as offline") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> reply;
    invoke(rig, "d1", reply, call("{}", 30, 20));
    rig.advance(20s - 1ms);
    CHECK_FALSE(reply.came());
    rig.advance(1ms);
    CHECK(reply.error().code == ErrorCode::kDeviceNotOnline);
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    CHECK(link.take() == Seen{});
  }

  TEST_CASE("methods: without an answer in time fail with the cloud's sentence") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> reply;
    invoke(rig, "d1", reply, call("{}", 5));
    // Before the caller's own timer, which runs for the same time.
    rig.advance(5s - 101ms);
    CHECK_FALSE(reply.came());
    rig.advance(1ms);
    CHECK(reply.error() == Error{ErrorCode::kGatewayTimeout, "Timed out waiting for the response from device."});
  }

  TEST_CASE("methods: a device that leaves meanwhile is waited for") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> reply;
    {
      FakeLink link(rig.shard());
      rig.connect_subscribed("d1", link, {Topic::kMethods});
      invoke(rig, "d1", reply, call("{}", 30));
    }
    rig.advance(29s);
    CHECK_FALSE(reply.came());
    rig.advance(1s);
    CHECK(reply.error().code == ErrorCode::kGatewayTimeout);
  }

  // --- Bounds and ends

  TEST_CASE("methods: a hundred are under way at the most, those that wait for the device included") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    std::vector<std::unique_ptr<Reply<MethodResult>>> replies;
    for (int i = 0; i < 100; ++i) {
      replies.push_back(std::make_unique<Reply<MethodResult>>());
      invoke(rig, "d1", *replies.back(), call());
    }
    Reply<MethodResult> refused, taken;
    invoke(rig, "d1", refused, call());
    CHECK(refused.error().code == ErrorCode::kDeviceMaximumInflightMethodExceeded);
    rig.shard().answer_method(*link.connection, "64", 200, "");  // 100 in hex
    invoke(rig, "d1", taken, call());
    CHECK_FALSE(taken.came());
    rig.advance(30s);
    for (const auto& reply : replies) CHECK(reply->came());
  }

  TEST_CASE("methods: of a device that is deleted while they wait fail at once") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    Reply<MethodResult> sent;
    invoke(rig, "d1", sent, call());
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    CHECK(sent.error() == Error{ErrorCode::kDeviceNotFound, "d1"});
    rig.settle();
    rig.advance(1min);
    CHECK(deleted.succeeded());
  }

  TEST_CASE("methods: a device that answers before the call has returned is answered like any other") {
    // Fronts do not, but nothing in the contract forbids it; the list of waiting calls must bear it.
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> replies[3];
    for (auto& reply : replies) invoke(rig, "d1", reply, call("{}", 30, 20));
    FakeLink link(rig.shard());
    link.on_method = [&](std::string_view id) { rig.shard().answer_method(*link.connection, id, 200, ""); };
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    for (auto& reply : replies) CHECK(reply.succeeded());
    Reply<MethodResult> direct;
    invoke(rig, "d1", direct, call());
    CHECK(direct.succeeded());
  }

  TEST_CASE("methods: a connection that ends while calls go out takes no more of them") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> first, second;
    invoke(rig, "d1", first, call("1", 30, 20));
    invoke(rig, "d1", second, call("2", 30, 20));
    FakeLink link(rig.shard()), next(rig.shard());
    link.on_method = [&](std::string_view) { link.detach(); };
    rig.connect("d1", link);
    rig.subscribe(link, Topic::kMethods);
    CHECK(link.take() == Seen{"method 1 reboot 1"});
    rig.connect_subscribed("d1", next, {Topic::kMethods});
    CHECK(next.take() == Seen{"method 2 reboot 2"});  // 1 still waits
  }

  TEST_CASE("methods: a caller may call again from its answer") {
    ShardRig rig;
    rig.create("d1");
    Reply<MethodResult> again;
    rig.shard().invoke_method(id_of("d1"), call("{}", 30, 5), [&](Result<MethodResult>) {
      invoke(rig, "d1", again, call("{}", 30, 5));
    });
    rig.advance(5s);
    CHECK_FALSE(again.came());
    rig.advance(5s);
    CHECK(again.error().code == ErrorCode::kDeviceNotOnline);
  }

  TEST_CASE("methods: a call that its caller took back is not sent, and one that was sent cannot be taken back") {
    ShardRig rig;
    rig.create("d1");
    auto first = std::make_shared<MethodDispatch>(), second = std::make_shared<MethodDispatch>(), third = std::make_shared<MethodDispatch>();
    Reply<MethodResult> one, two, three;
    rig.shard().invoke_method(id_of("d1"), call("1", 30, 60), one.answer(), first);
    rig.shard().invoke_method(id_of("d1"), call("2", 30, 60), two.answer(), second);
    rig.shard().invoke_method(id_of("d1"), call("3", 30, 60), three.answer(), third);
    CHECK(first->withdraw());
    rig.shard().end_withdrawn_methods(id_of("d1"));
    CHECK(one.error().code == ErrorCode::kServiceUnavailable);
    CHECK_FALSE(two.came());
    // Also when the device comes before the shard has heard of it.
    CHECK(second->withdraw());
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kMethods});
    CHECK(two.error().code == ErrorCode::kServiceUnavailable);
    CHECK(link.take() == Seen{"method 1 reboot 3"});
    CHECK_FALSE(third->withdraw());
    rig.shard().end_withdrawn_methods(id_of("d1"));
    CHECK_FALSE(three.came());
    rig.shard().answer_method(*link.connection, "1", 200, "{}");
    CHECK(three.value().status == 200);
    Reply<MethodResult> never;
    rig.shard().invoke_method(id_of("d1"), call(), never.answer(), first);
    CHECK(never.error().code == ErrorCode::kServiceUnavailable);
    CHECK(link.take().empty());
  }
}
