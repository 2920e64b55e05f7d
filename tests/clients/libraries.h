// The libraries that a rule is tested with, for TEST_CASE_TEMPLATE, and what such tests share.
//
// THREAD: the test's.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/clients/mosquitto_client.h"
#include "tests/clients/paho_client.h"
#include "tests/packets/wire.h"

// The names of the test cases end with them.
TYPE_TO_STRING_AS("Paho", nearhub::test::PahoClient);
TYPE_TO_STRING_AS("mosquitto", nearhub::test::MosquittoClient);

namespace nearhub::test {

template <typename Client>
void publish_and_wait(Client& client, const std::string& topic, const std::string& payload, int qos = 1) {
  client.start_publish(topic, payload, qos);
  client.wait_published();
}

template <typename Client>
void connect_with_success(Client& client) {
  REQUIRE(client.connect().code == 0);
}

inline void send_cloud_message(TestHub& hub, std::string_view body, const HttpClient::Headers& headers = {}) {
  REQUIRE(hub.api("POST", "/devices/d1/messages/deviceBound", body, headers).status == 204);
}

}  // namespace nearhub::test
