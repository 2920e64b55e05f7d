// Twins through the hub: the device's view, the service's view, and what travels between them.
#include <doctest/doctest.h>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

Result<std::int64_t> report(ShardRig& rig, FakeLink& link, std::string_view patch,
                            std::optional<std::int64_t> if_version = std::nullopt) {
  std::optional<Result<std::int64_t>> answer;
  rig.shard().report(*link.connection, patch, if_version, [&](Result<std::int64_t> got) { answer.emplace(got); });
  rig.settle();
  REQUIRE(answer.has_value());
  return *answer;
}

Result<TwinView> update(ShardRig& rig, std::string_view id, std::string_view body, bool replace = false,
                        const Condition& condition = {}) {
  std::optional<Result<TwinView>> answer;
  rig.shard().update_twin(id_of(id), twin::parse_update(body).value(), replace, condition,
                          [&](Result<TwinView> got) { answer.emplace(got); });
  rig.settle();
  REQUIRE(answer.has_value());
  return *answer;
}

std::string device_twin(ShardRig& rig, FakeLink& link) {
  Reply<std::string> reply;
  rig.shard().get_device_twin(*link.connection, reply.answer());
  rig.settle();
  return reply.value();
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("twin: the device sees both sections with their $version, values last written") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    CHECK(device_twin(rig, link) == R"({"desired":{"$version":1},"reported":{"$version":1}})");
    CHECK(update(rig, "d1", R"({"tags":{"t":1},"properties":{"desired":{"a":{"b":1.50}}}})").ok());
    CHECK(report(rig, link, R"({"fw":"1.2"})").value() == 2);
    CHECK(report(rig, link, R"({"fw":null,"x":[1]})").value() == 3);
    CHECK(device_twin(rig, link) ==
          R"({"desired":{"a":{"b":1.50},"$version":2},"reported":{"x":[1],"$version":3}})");
  }

  TEST_CASE("twin: a report with another $version than the current one is refused and changes nothing") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    CHECK(report(rig, link, R"({"a":1})", 1).value() == 2);
    const auto refused = report(rig, link, R"({"a":2})", 1);
    CHECK(refused.error() ==
          Error{ErrorCode::kPreconditionFailed, "reported $version is 2, the request expects 1"});
    CHECK(device_twin(rig, link) == R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})");
  }

  TEST_CASE("twin: a report that is no object, illegal or too large is refused and writes nothing") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    rig.store.operations.clear();
    const std::string large = "{\"a\":\"" + std::string(twin::kMaxUpdateBytes, 'x') + "\"}";
    for (const std::string& patch : {std::string(), std::string("[]"), std::string("{"), std::string(R"({"$version":1})"),
                                     std::string(R"({"a":[null]})"), large}) {
      const auto refused = report(rig, link, patch);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == ErrorCode::kArgumentInvalid);
    }
    CHECK(rig.store.operations.empty());
    CHECK(report(rig, link, "{}").value() == 2);
  }

  TEST_CASE("twin: the service's view of a device, member by member") {
    ShardRig rig;  // 2026-01-01T00:00:00Z
    auto request = with_keys();
    request.status_reason = "on the bench";
    const registry::Identity identity = rig.create("d1", request);
    rig.advance(1s);
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.model_id = "dtmi:a;1"});
    Reply<std::uint64_t> sent;
    rig.send("d1", "hello", sent);
    rig.settle();
    CHECK(update(rig, "d1", R"({"tags":{"room":7},"properties":{"desired":{"a":1}}})").ok());
    rig.advance(1500ms);
    CHECK(report(rig, link, R"({"b":true})").ok());
    CHECK(rig.twin_json("d1") ==
          R"({"deviceId":"d1","etag":"AAAAAAAAAAI=","deviceEtag":")" + identity.etag().str() +
              R"(","status":"enabled","statusReason":"on the bench","statusUpdateTime":"0001-01-01T00:00:00Z",)"
              R"("connectionState":"Connected","lastActivityTime":"2026-01-01T00:00:02.5000000Z",)"
              R"("cloudToDeviceMessageCount":1,"authenticationType":"sas",)"
              R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"dtmi:a;1","version":4,)"
              R"("tags":{"room":7},"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z",)"
              R"("$lastUpdatedVersion":2,"a":{"$lastUpdated":"2026-01-01T00:00:01.0000000Z","$lastUpdatedVersion":2}},)"
              R"("$version":2},"reported":{"b":true,"$metadata":{"$lastUpdated":"2026-01-01T00:00:02.5000000Z",)"
              R"("b":{"$lastUpdated":"2026-01-01T00:00:02.5000000Z"}},"$version":2}},"capabilities":{"iotEdge":false}})");
  }

  TEST_CASE("twin: the service's view of a module has its own etags and its device's status") {
    ShardRig rig;
    auto request = with_keys();
    request.enabled = false;
    request.status_reason = "lent";
    rig.create("d1", request);
    registry::IdentityRequest x509;
    x509.credentials.type = auth::AuthenticationType::kSelfSigned;
    x509.credentials.primary_thumbprint = std::string(40, 'A');
    const registry::Identity module = rig.create("d1/m1", x509);
    CHECK(rig.twin_json("d1/m1") ==
          R"({"deviceId":"d1","moduleId":"m1","etag":"AAAAAAAAAAE=","deviceEtag":")" + module.etag().str() +
              R"(","status":"disabled","statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected",)"
              R"("lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"selfSigned",)"
              R"("x509Thumbprint":{"primaryThumbprint":")" +
              std::string(40, 'A') +
              R"(","secondaryThumbprint":null},"modelId":"","version":2,)"
              R"("properties":{"desired":{"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z"},"$version":1},)"
              R"("reported":{"$metadata":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z"},"$version":1}}})");
  }

  TEST_CASE("twin: an unknown device and an unknown module are both DeviceNotFound") {
    ShardRig rig;
    rig.create("d1");
    CHECK(update(rig, "d2", "{}").error().code == ErrorCode::kDeviceNotFound);
    CHECK(update(rig, "d1/m1", "{}").error().code == ErrorCode::kDeviceNotFound);
    Reply<TwinView> device, module;
    rig.shard().get_twin(id_of("d2"), device.answer());
    rig.shard().get_twin(id_of("d1/m1"), module.answer());
    rig.settle();
    CHECK(device.error() == Error{ErrorCode::kDeviceNotFound, "d2"});
    CHECK(module.error() == Error{ErrorCode::kDeviceNotFound, "d1/m1"});
  }

  TEST_CASE("twin: an update honours If-Match, and answers the new document and etag") {
    ShardRig rig;
    rig.create("d1");
    const auto first = update(rig, "d1", R"({"tags":{"a":1}})", false, {Condition::kEtag, "AAAAAAAAAAE="});
    REQUIRE(first.ok());
    CHECK(first->etag.str() == "AAAAAAAAAAI=");
    CHECK(first->json == rig.twin_json("d1"));
    const auto stale = update(rig, "d1", R"({"tags":{"a":2}})", false, {Condition::kEtag, "AAAAAAAAAAE="});
    CHECK(stale.error() == Error{ErrorCode::kPreconditionFailed,
                                 "PreconditionFailed, ETag may be invalid. The twin's etag is AAAAAAAAAAI=, If-Match says "
                                 "AAAAAAAAAAE="});
    CHECK(update(rig, "d1", R"({"tags":{"a":3}})", false, {Condition::kAny, {}})->etag.str() == "AAAAAAAAAAM=");
    CHECK(rig.twin_json("d1").find(R"("tags":{"a":3})") != std::string::npos);
  }

  TEST_CASE("twin: an update without tags and desired properties changes and writes nothing") {
    ShardRig rig;
    rig.create("d1");
    rig.store.operations.clear();
    CHECK(update(rig, "d1", "{}")->etag.str() == "AAAAAAAAAAE=");
    CHECK(rig.store.operations.empty());
    CHECK(update(rig, "d1", "{}", /*replace=*/true)->etag.str() == "AAAAAAAAAAI=");
    CHECK(rig.store.operations == std::vector<std::string>{"PutTwin d1"});
  }

  TEST_CASE("twin: an illegal update is refused and leaves the twin as it was") {
    ShardRig rig;
    rig.create("d1");
    CHECK(update(rig, "d1", R"({"properties":{"desired":{"a":1}}})").ok());
    CHECK(update(rig, "d1", R"({"tags":{"t":1},"properties":{"desired":{"b":[null]}}})").error().code ==
          ErrorCode::kArgumentInvalid);
    const std::string json = rig.twin_json("d1");
    CHECK(json.find("\"tags\"") == std::string::npos);
    CHECK(json.find(R"("etag":"AAAAAAAAAAI=")") != std::string::npos);
  }

  TEST_CASE("twin: only the sections that changed go to the store") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    rig.settle();
    Reply<TwinView> patched;
    Reply<std::int64_t> reported;
    rig.patch_desired("d1", R"({"a":1})", patched);
    rig.shard().report(*link.connection, R"({"b":1})", std::nullopt, reported.answer());
    rig.turn();
    const auto& operations = rig.store.oldest().operations;
    REQUIRE(operations.size() == 2);
    const auto& desired = std::get<PutTwin>(operations[0]);
    CHECK(desired.expected_etag_counter == 1);
    CHECK(desired.etag_counter == 2);
    CHECK(desired.expected_reported_version == 1);
    CHECK(desired.reported_version == 1);
    CHECK(desired.desired.has_value());
    CHECK_FALSE(desired.tags.has_value());
    CHECK_FALSE(desired.reported.has_value());
    const auto& report = std::get<PutTwin>(operations[1]);
    CHECK(report.expected_etag_counter == 2);
    CHECK(report.etag_counter == 2);
    CHECK(report.reported_version == 2);
    CHECK_FALSE(report.desired.has_value());
    CHECK(report.reported.has_value());
  }

  TEST_CASE("twin: a replacement without tags does not make tags of a twin that never had any") {
    // Stored as {}, they stood in the document from the next start on.
    ShardRig rig;
    rig.create("d1");
    CHECK(update(rig, "d1", "{}", /*replace=*/true).ok());
    CHECK_FALSE(rig.store.identities.at("d1").twin.twin.has_tags);
    CHECK(rig.twin_json("d1").find("\"tags\"") == std::string::npos);
    // Once set, they stay, emptied too.
    CHECK(update(rig, "d1", R"({"tags":{"a":1}})").ok());
    CHECK(update(rig, "d1", "{}", /*replace=*/true).ok());
    CHECK(rig.store.identities.at("d1").twin.twin.has_tags);
    CHECK(rig.store.identities.at("d1").twin.twin.tags == "{}");
    CHECK(rig.twin_json("d1").find(R"("tags":{})") != std::string::npos);
  }

  TEST_CASE("desired: a change is told behind its commit, in order, to who is connected and subscribed") {
    ShardRig rig;
    for (const char* id : {"d1", "d1/m1", "d2"}) rig.create(id);
    FakeLink device(rig.shard()), module(rig.shard()), other(rig.shard());
    rig.connect_subscribed("d1", device, {Topic::kDesired});
    rig.connect_subscribed("d1/m1", module, {Topic::kDesired});
    rig.connect_subscribed("d2", other, {Topic::kTwinResponses});
    Reply<TwinView> first, second, third, module_patch, other_patch;
    rig.patch_desired("d1", R"({"a":1,"gone":null})", first);
    rig.patch_desired("d1", R"({"a":2})", second);
    rig.patch_desired("d2", R"({"a":1})", other_patch);
    rig.turn();
    rig.patch_desired("d1", R"({"a":3})", third);
    rig.patch_desired("d1/m1", R"({"m":1})", module_patch);
    rig.turn();
    CHECK(device.take() == Seen{});
    rig.store.commit();
    rig.turn();
    CHECK(device.take() == Seen{R"(desired 2 {"a":1,"gone":null,"$version":2})", R"(desired 3 {"a":2,"$version":3})"});
    CHECK(module.take() == Seen{});
    rig.store.commit();
    rig.turn();
    CHECK(device.take() == Seen{R"(desired 4 {"a":3,"$version":4})"});
    CHECK(module.take() == Seen{R"(desired 2 {"m":1,"$version":2})"});
    CHECK(other.take() == Seen{});
  }

  TEST_CASE("desired: a replacement is told with null for what vanished, and tags are told to nobody") {
    ShardRig rig;
    rig.create("d1");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kDesired});
    CHECK(update(rig, "d1", R"({"properties":{"desired":{"a":1,"b":2}}})").ok());
    link.take();
    CHECK(update(rig, "d1", R"({"properties":{"desired":{"a":1,"c":100}}})", /*replace=*/true).ok());
    CHECK(link.take() == Seen{R"(desired 3 {"a":1,"c":100,"b":null,"$version":3})"});
    CHECK(update(rig, "d1", R"({"tags":{"x":1}})").ok());
    CHECK(link.take() == Seen{});
  }

  TEST_CASE("desired: what changed while the device was away is not told later") {
    ShardRig rig;
    rig.create("d1");
    {
      FakeLink link(rig.shard());
      rig.connect("d1", link, {.clean_session = false});
      rig.subscribe(link, Topic::kDesired);
      rig.settle();
    }
    CHECK(update(rig, "d1", R"({"properties":{"desired":{"a":1}}})").ok());
    FakeLink link(rig.shard());
    rig.connect("d1", link, {.clean_session = false});
    rig.settle();
    CHECK(link.take() == Seen{});
    CHECK(update(rig, "d1", R"({"properties":{"desired":{"a":2}}})").ok());
    CHECK(link.take() == Seen{R"(desired 3 {"a":2,"$version":3})"});
  }

  TEST_CASE("twin: a stored one that cannot be read is an error and stays as it is") {
    ShardRig rig;
    rig.create("d1");
    rig.store.identities.at("d1").twin.twin.desired = "{damaged";
    rig.restart();
    FakeLink link(rig.shard());
    rig.connect("d1", link);
    Reply<TwinView> read;
    Reply<std::string> own;
    rig.shard().get_twin(id_of("d1"), read.answer());
    rig.shard().get_device_twin(*link.connection, own.answer());
    rig.settle();
    CHECK(read.error().code == ErrorCode::kCorrupt);
    CHECK(own.error().code == ErrorCode::kCorrupt);
    CHECK(update(rig, "d1", R"({"tags":{}})").error().code == ErrorCode::kCorrupt);
    CHECK(report(rig, link, "{}").error().code == ErrorCode::kCorrupt);
    CHECK(rig.store.identities.at("d1").twin.twin.desired == "{damaged");
    // The identity is unhurt.
    CHECK(link.connection != nullptr);
  }
}
