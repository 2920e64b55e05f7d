// Telemetry from client libraries: what the hub has stored.
#include "tests/clients/libraries.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kEvents = "devices/d1/messages/events/";

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("telemetry: a QoS 1 message and its property bag are stored when the library says that it is delivered", Client, PahoClient,
                     MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    publish_and_wait(client, kEvents + "%24.mid=m%2F1&%24.ct=application%2Fjson&%24.ce=utf-8&alert=yes%20sir&empty=", R"({"t":21.5})");
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == 1);
    CHECK(contains(events[0], R"("systemProperties":{"message-id":"m/1","content-type":"application/json","content-encoding":"utf-8"})"));
    CHECK(contains(events[0], R"("properties":{"alert":"yes sir","empty":""})"));
    CHECK(contains(events[0], R"("body":{"t":21.5})"));
  }

  TEST_CASE_TEMPLATE("telemetry: a QoS 0 message and its property bag reach the event stream", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    publish_and_wait(client, kEvents + "level=low", "21.5", 0);
    hub.wait_until([&] { return events_of(hub, "d1").size() == 1; }, "the event");
    CHECK(contains(events_of(hub, "d1")[0], R"("properties":{"level":"low"})"));
    CHECK(contains(events_of(hub, "d1")[0], R"("body":"21.5")"));
  }

  TEST_CASE_TEMPLATE("telemetry: hundreds of messages, begun without waiting, are stored once each and in order", Client, PahoClient, MosquittoClient) {
    constexpr int kMessages = 300;
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    for (int i = 0; i < kMessages; ++i) client.start_publish(kEvents, "message " + std::to_string(i), 1);
    client.wait_published();
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == kMessages);
    for (int i = 0; i < kMessages; ++i) CHECK(contains(events[static_cast<std::size_t>(i)], "\"body\":\"message " + std::to_string(i) + "\""));
  }

  TEST_CASE_TEMPLATE("telemetry: a binary message of 250 KB is stored whole", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    // 0xff is never part of a text, and three bytes of it are four slashes of base64.
    publish_and_wait(client, kEvents, std::string(249'999, '\xff'));
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == 1);
    CHECK(contains(events[0], "\"bodyBase64\":\"" + std::string(333'332, '/') + "\""));
  }
}
