#include "hub/session.h"

#include <doctest/doctest.h>

using namespace nearhub::hub;

TEST_SUITE("hub") {
  TEST_CASE("session flags: a subscription is there until it is removed, with the QoS of the last time") {
    Session session;
    CHECK(session.empty());
    for (int i = 0; i < kTopics; ++i) {
      const auto topic = static_cast<Topic>(i);
      CHECK_FALSE(session.has(topic));
      session.add(topic, 1);
      CHECK(session.has(topic));
      session.remove(topic);
      CHECK_FALSE(session.has(topic));
    }
    CHECK(session == Session());
    session.add(Topic::kDesired, 1);
    session.add(Topic::kDesired, 0);
    Session other;
    other.add(Topic::kDesired, 0);
    CHECK(session == other);
  }

  TEST_CASE("session flags: cloud-to-device messages by either filter, at the better QoS of the two") {
    Session session;
    CHECK_FALSE(session.cloud_messages());
    session.add(Topic::kCloudMessagesWildcard, 0);
    CHECK(session.cloud_messages());
    CHECK(session.cloud_message_qos() == 0);
    session.add(Topic::kCloudMessages, 1);
    CHECK(session.cloud_message_qos() == 1);
    session.remove(Topic::kCloudMessages);
    CHECK(session.cloud_messages());
    CHECK(session.cloud_message_qos() == 0);
  }

  TEST_CASE("session flags: methods by the filter for all, or one by one") {
    Session session;
    CHECK_FALSE(session.methods("a"));
    session.method_names = {"a"};
    CHECK(session.methods("a"));
    CHECK_FALSE(session.methods("b"));
    CHECK_FALSE(session.empty());
    session.add(Topic::kMethods, 0);
    CHECK(session.methods("b"));
  }
}
