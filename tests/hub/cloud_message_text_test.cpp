// A cloud-to-device message in words: the topic's property bag (device-mqtt.md 5.1), its size, its feedback (5.5).
#include <doctest/doctest.h>

#include "hub/cloud_message.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

const IdentityId kDevice{DeviceId("d1"), {}};
const IdentityId kModule{DeviceId("d1"), ModuleId("m 1")};

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("topic bag: %24.to is always there, and nothing else that the sender did not set") {
    CHECK(device_topic_bag({}, kDevice) == "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound");
    CHECK(device_topic_bag({}, kModule) == "%24.to=%2Fdevices%2Fd1%2Fmodules%2Fm%201%2Fmessages%2FdeviceBound");
  }

  TEST_CASE("topic bag: system properties, then iothub-ack, then application properties in the sender's order") {
    CloudMessage message;
    message.message_id = "mid 1";
    message.correlation_id = "c/1";
    message.user_id = "u+1";
    message.content_type = "application/json";
    message.content_encoding = "utf-8";
    message.ack = Ack::kFull;
    message.expiry = WallTime{Ticks{17'699'039'987'654'321}};
    message.expiry_from_sender = true;
    message.properties = {{"z", "1"}, {"a", "x y"}, {"k&=", "\xc3\xa4"}};
    CHECK(device_topic_bag(message, kDevice) ==
          "%24.mid=mid%201&%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&%24.cid=c%2F1&%24.uid=u%2B1"
          "&%24.exp=2026-01-31T23%3A59%3A58.7654321Z&%24.ct=application%2Fjson&%24.ce=utf-8&iothub-ack=full"
          "&z=1&a=x%20y&k%26%3D=%C3%A4");
  }

  TEST_CASE("topic bag: an expiry that the hub set is not told") {
    CloudMessage message;
    message.expiry = WallTime{Ticks{17'699'039'987'654'321}};
    CHECK(device_topic_bag(message, kDevice).find("exp") == std::string::npos);
  }

  TEST_CASE("topic bag: properties without a value are left out, because three clients break on them") {
    CloudMessage message;
    message.properties = {{"empty", ""}, {"a", "1"}};
    CHECK(device_topic_bag(message, kDevice) == "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&a=1");
  }

  TEST_CASE("topic bag: the wish for feedback by its name, none by its absence") {
    CloudMessage message;
    for (const auto& [ack, text] : {std::pair{Ack::kPositive, "positive"}, std::pair{Ack::kNegative, "negative"},
                                    std::pair{Ack::kFull, "full"}}) {
      message.ack = ack;
      CHECK(device_topic_bag(message, kDevice).ends_with("&iothub-ack=" + std::string(text)));
    }
    message.ack = Ack::kNone;
    CHECK(device_topic_bag(message, kDevice).find("iothub-ack") == std::string::npos);
  }

  TEST_CASE("ack: is read as it is written, and nothing else is read") {
    for (const Ack ack : {Ack::kNone, Ack::kPositive, Ack::kNegative, Ack::kFull}) CHECK(parse_ack(ack_text(ack)) == ack);
    for (const char* text : {"", "Full", "both", "none "}) CHECK_FALSE(parse_ack(text).has_value());
  }

  TEST_CASE("size: body, system properties and application properties with their names") {
    CloudMessage message;
    CHECK(message.size_bytes() == 0);
    message.body = "12345";
    message.message_id = "1";
    message.correlation_id = "12";
    message.user_id = "123";
    message.content_type = "1234";
    message.content_encoding = "12345";
    message.properties = {{"ab", "c"}, {"d", ""}};
    CHECK(message.size_bytes() == 5 + 1 + 2 + 3 + 4 + 5 + 3 + 1);
  }

  TEST_CASE("feedback: who hears of what") {
    struct Row {
      Ack ack;
      bool success, failure;
    };
    for (const Row& row : {Row{Ack::kNone, false, false}, Row{Ack::kPositive, true, false}, Row{Ack::kNegative, false, true},
                           Row{Ack::kFull, true, true}}) {
      CHECK(wants_feedback(row.ack, Outcome::kSuccess) == row.success);
      for (const Outcome outcome :
           {Outcome::kExpired, Outcome::kDeliveryCountExceeded, Outcome::kRejected, Outcome::kPurged}) {
        CHECK(wants_feedback(row.ack, outcome) == row.failure);
      }
    }
  }

  TEST_CASE("feedback: its JSON, of a device and of a module") {
    Feedback feedback;
    feedback.original_message_id = "m\"1";
    feedback.identity = kDevice;
    feedback.generation_id = GenerationId("639028223987654321");
    feedback.enqueued = WallTime{Ticks{17'699'039'987'654'321}};
    feedback.outcome = Outcome::kExpired;
    JsonWriter device;
    write_json(device, feedback);
    CHECK(device.text() ==
          R"({"originalMessageId":"m\"1","description":"Expired","deviceId":"d1","deviceGenerationId":"639028223987654321",)"
          R"("enqueuedTimeUtc":"2026-01-31T23:59:58.7654321Z","statusCode":"Expired"})");
    feedback.identity = kModule;
    feedback.outcome = Outcome::kDeliveryCountExceeded;
    JsonWriter module;
    write_json(module, feedback);
    CHECK(module.text().find(R"("deviceId":"d1","moduleId":"m 1",)") != std::string::npos);
    CHECK(module.text().find(R"("statusCode":"DeliveryCountExceeded")") != std::string::npos);
  }
}
