#include <doctest/doctest.h>

#include "tests/support/test_hub.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("packets") {
  TEST_CASE("telemetry: a QoS 1 message is acknowledged with its packet id and reaches the event stream") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->send(mqtt::Publish{.topic = "devices/d1/messages/events/", .payload = "21.5", .qos = 1, .packet_id = 7});
    CHECK(device->expect<mqtt::Puback>().packet_id == 7);

    HttpClient reader(hub.tls(), hub.https());
    reader.send_raw("GET /_nearhub/events?since=start&follow=false HTTP/1.1\r\nHost: x\r\nAuthorization: " + hub.owner_token() + "\r\n\r\n");
    CHECK(reader.read_answer().status == 200);
    const std::string events = reader.read_stream_until("\"body\"");
    CHECK(events.find("\"deviceId\":\"d1\"") != std::string::npos);
    CHECK(events.find("\"body\":\"21.5\"") != std::string::npos);
  }
}
