// Feedback on cloud-to-device messages over HTTPS [service-rest.md 5.12].
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

constexpr const char* kFeedback = "/messages/serviceBound/feedback";

// Messages m0, m1, ... to a device that was never there, purged: one record each.
void make_feedback(TestHub& hub, int count, const std::string& device = "d1") {
  for (int i = 0; i < count; ++i) {
    const HttpAnswer sent = hub.api("POST", "/devices/" + device + "/messages/deviceBound", "x", {{"iothub-ack", "full"}, {"iothub-messageid", "m" + std::to_string(i)}});
    REQUIRE(sent.status == 204);
  }
  REQUIRE(hub.api("DELETE", "/devices/" + device + "/commands").status == 200);
}

struct FeedbackBatch {
  std::string etag;
  std::vector<std::string> messages;
};

FeedbackBatch receive(TestHub& hub) {
  const HttpAnswer answer = hub.api("GET", kFeedback);
  if (answer.status == 204) return {};
  REQUIRE(answer.status == 200);
  FeedbackBatch received{answer.header("ETag"), {}};
  const auto records = parse_json(answer.body);
  REQUIRE(records.ok());
  for (const JsonValue& record : records->GetArray()) received.messages.push_back(member(record, "originalMessageId"));
  return received;
}

std::string path_of(const std::string& etag, const std::string& behind = {}) { return std::string(kFeedback) + "/" + etag.substr(1, etag.size() - 2) + behind; }

const std::vector<std::string> kBoth = {"\"m0\"", "\"m1\""};

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("feedback: a sender that asked hears what became of its message, in the documented form") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"devices/d1/messages/devicebound/#", 1}});
    device->expect<mqtt::Suback>();
    for (const auto& [id, ack] : {std::pair{"wanted", "positive"}, std::pair{"not wanted", "negative"}}) {
      REQUIRE(hub.api("POST", "/devices/d1/messages/deviceBound", "x", {{"iothub-ack", ack}, {"iothub-messageid", id}}).status == 204);
      device->send(mqtt::Puback{device->expect<mqtt::Publish>().packet_id});
    }
    // What the device has acknowledged is settled once the hub answers what it sent behind it.
    device->send(mqtt::Pingreq{});
    device->expect<mqtt::Pingresp>();
    hub.wait_until([&] { return hub.api("GET", "/devices/d1").body.find("\"cloudToDeviceMessageCount\":0") != std::string::npos; }, "the queue is empty");
    const HttpAnswer answer = hub.api("GET", kFeedback);
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type").starts_with("application/json"));
    const auto records = parse_json(answer.body);
    REQUIRE(records.ok());
    REQUIRE(records->Size() == 1);
    const JsonValue& record = (*records)[0];
    CHECK(member(record, "originalMessageId") == "\"wanted\"");
    CHECK(member(record, "statusCode") == "\"Success\"");
    CHECK(member(record, "description") == "\"Success\"");
    CHECK(member(record, "deviceId") == "\"d1\"");
    const auto identity = parse_json(hub.api("GET", "/devices/d1").body);
    REQUIRE(identity.ok());
    CHECK(member(record, "deviceGenerationId") == member(*identity, "generationId"));
    CHECK(member(record, "enqueuedTimeUtc").ends_with("Z\""));
  }

  TEST_CASE("feedback: a batch is locked for who received it, and gone once it is completed") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("GET", kFeedback).status == 204);
    make_feedback(hub, 2);
    const FeedbackBatch first = receive(hub);
    CHECK(first.messages == kBoth);
    CHECK(receive(hub).messages.empty());
    CHECK(hub.api("DELETE", path_of(first.etag)).status == 204);
    CHECK(receive(hub).messages.empty());
    const HttpAnswer again = hub.api("DELETE", path_of(first.etag));
    CHECK(again.status == 412);
    CHECK(again.header("iothub-errorcode") == "DeviceMessageLockLost");
    CHECK(hub.api("POST", path_of(first.etag, "/abandon")).status == 412);
  }

  TEST_CASE("feedback: an abandoned batch, and one whose lock is over, can be received again") {
    TestHub hub;
    hub.create("d1");
    make_feedback(hub, 2);
    const FeedbackBatch first = receive(hub);
    CHECK(hub.api("POST", path_of(first.etag, "/abandon")).status == 204);
    const FeedbackBatch second = receive(hub);
    CHECK(second.messages == kBoth);
    CHECK(second.etag != first.etag);
    hub.advance(std::chrono::seconds{59});
    CHECK(receive(hub).messages.empty());
    hub.advance(std::chrono::seconds{2});
    CHECK(receive(hub).messages == kBoth);
    CHECK(hub.api("DELETE", path_of(second.etag)).status == 412);
  }

  TEST_CASE("feedback: a batch has at most a hundred records, and the next one goes on behind it") {
    TestHub hub;
    for (const std::string device : {"d1", "d2", "d3"}) {
      hub.create(device);
      make_feedback(hub, 40, device);
    }
    const FeedbackBatch first = receive(hub), second = receive(hub);
    CHECK(first.messages.size() == 100);
    CHECK(second.messages.size() == 20);
    CHECK(second.messages.back() == "\"m39\"");
    CHECK(hub.api("DELETE", path_of(second.etag)).status == 204);
    CHECK(hub.api("POST", path_of(first.etag, "/abandon")).status == 204);
    CHECK(receive(hub).messages.size() == 100);
  }

  TEST_CASE("feedback: the number of locked batches has a bound") {
    TestHub hub;
    hub.create("d1");
    for (int i = 0; i < 50; ++i) {
      make_feedback(hub, 1);
      REQUIRE(receive(hub).messages.size() == 1);
    }
    make_feedback(hub, 1);
    const HttpAnswer refused = hub.api("GET", kFeedback);
    CHECK(refused.status == 429);
    hub.advance(std::chrono::seconds{61});
    CHECK(receive(hub).messages.size() == 51);
  }

  TEST_CASE("feedback: it is the service's right") {
    TestHub hub;
    for (const auto& [policy, status] : {std::pair{"service", 204}, std::pair{"registryReadWrite", 401}, std::pair{"device", 401}}) {
      CAPTURE(policy);
      CHECK(hub.api("GET", kFeedback, {}, {{"Authorization", hub.policy_token(policy)}}).status == status);
    }
  }
}

}  // namespace nearhub::test
