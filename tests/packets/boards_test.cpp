// What boards send and can take: the nRF Connect SDK libraries, first and second generation, and modems with old TLS.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// nRF9160 with early modem firmware: CBC alone, no TLS 1.3.
constexpr const char* kOldModem =
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-RSA-AES128-SHA";

std::unique_ptr<MqttClient> open_with(TestHub& hub, const char* ciphers) {
  TlsOptions options = hub.tls();
  options.ciphers = ciphers;
  return std::make_unique<MqttClient>(options, hub.mqtts());
}

// As the libraries connect, with a token in the place of their certificate.
std::string nrf_connect(const TestHub& hub) {
  return packet(0x10, "00 04 4d 51 54 54 04 c0 06e7"_hex + field("nrf-352656100000001") + field("localhost/nrf-352656100000001/?api-version=2020-09-30") +
                          field(hub.token("nrf-352656100000001")));
}

// Header and payload are two writes of the library.
void send_in_two(MqttClient& board, const std::string& topic, const std::string& payload) {
  const std::string bytes = publish(topic, payload);
  board.send_raw(bytes.substr(0, bytes.size() - payload.size()));
  if (!payload.empty()) board.send_raw(payload);
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("nRF v1: connect, four filters in one packet, twin GET, report, telemetry with ?, desired, method, C2D") {
    TestHub hub;
    hub.create("nrf-352656100000001");
    auto board = open_with(hub, kOldModem);
    CHECK(board->connection().version() == "TLSv1.2");
    board->send_raw(nrf_connect(hub));
    expect_bytes(*board, "20 02 00 00"_hex);
    board->send_raw(packet(0x82, "2a7f"_hex + field("devices/nrf-352656100000001/messages/devicebound/#") + '\0' + field("$iothub/twin/PATCH/properties/desired/#") + '\0' +
                                     field("$iothub/twin/res/#") + '\0' + field("$iothub/methods/POST/#") + '\0'));
    expect_bytes(*board, "90 06 2a7f 00000000"_hex);
    send_in_two(*board, "$iothub/twin/GET/?$rid=10879", "");
    expect_bytes(*board, publish("$iothub/twin/res/200/?$rid=10879", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
    send_in_two(*board, "$iothub/twin/PATCH/properties/reported/?$rid=11023", R"({"interval":20})");
    expect_bytes(*board, publish("$iothub/twin/res/204/?$rid=11023&$version=2", ""));
    send_in_two(*board, "devices/nrf-352656100000001/messages/events/?pos=left&n", "{\"temp\":21}");
    board->expect_silence();
    CHECK(contains(events_of(hub, "nrf-352656100000001").at(0), R"("properties":{"pos":"left","n":null})"));
    CHECK(hub.api("PATCH", "/twins/nrf-352656100000001", R"({"properties":{"desired":{"interval":5}}})").status == 200);
    expect_bytes(*board, publish("$iothub/twin/PATCH/properties/desired/?$version=2", R"({"interval":5,"$version":2})"));
    HttpClient service(hub.tls(), hub.https());
    ask(hub, service, "POST", "/twins/nrf-352656100000001/methods", R"({"methodName":"led","payload":true})");
    expect_bytes(*board, publish("$iothub/methods/POST/led/?$rid=1", "true"));
    send_in_two(*board, "$iothub/methods/res/200/?$rid=1", "{}");
    CHECK(service.read_answer().body == R"({"status":200,"payload":{}})");
    CHECK(hub.api("POST", "/devices/nrf-352656100000001/messages/deviceBound", "hi").status == 204);
    const auto message = board->next();
    REQUIRE(message != nullptr);
    CHECK(message->bytes == publish("devices/nrf-352656100000001/messages/devicebound/%24.to=%2Fdevices%2Fnrf-352656100000001%2Fmessages%2FdeviceBound", "hi"));
    // Its buffer has room for 256 bytes of header.
    CHECK(message->bytes.size() - 2 < 256);
    // It sends its pings every 1767 s.
    board->expect_silence();
  }

  TEST_CASE("nRF v2: the + filter, three-digit request ids that repeat, a bag without ?") {
    TestHub hub;
    hub.create("nrf-352656100000001");
    auto board = open_with(hub, "ECDHE-ECDSA-AES128-GCM-SHA256");
    board->send_raw(nrf_connect(hub));
    expect_bytes(*board, "20 02 00 00"_hex);
    board->send_raw(packet(0x82, "0001"_hex + field("devices/+/messages/devicebound/#") + '\0' + field("$iothub/methods/POST/#") + '\0' +
                                     field("$iothub/twin/PATCH/properties/desired/#") + '\0' + field("$iothub/twin/res/#") + '\0'));
    expect_bytes(*board, "90 06 0001 00000000"_hex);
    send_in_two(*board, "$iothub/twin/GET/?$rid=536", "");
    send_in_two(*board, "$iothub/twin/PATCH/properties/reported/?$rid=536", R"({"a":1})");
    // Both answers carry the same id; the report's may come first or second.
    std::vector<std::string> answers;
    for (int i = 0; i < 2; ++i) {
      const auto received = board->next();
      REQUIRE(received != nullptr);
      answers.push_back(received->bytes);
    }
    std::sort(answers.begin(), answers.end());
    CHECK(answers[0] == publish("$iothub/twin/res/204/?$rid=536&$version=2", ""));
    CHECK(answers[1] == publish("$iothub/twin/res/200/?$rid=536", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
    send_in_two(*board, "devices/nrf-352656100000001/messages/events/pos=left", "{}");
    board->expect_silence();
    CHECK(contains(events_of(hub, "nrf-352656100000001").at(0), R"("properties":{"pos":"left"})"));
    CHECK(hub.api("POST", "/devices/nrf-352656100000001/messages/deviceBound", "hi").status == 204);
    expect_bytes(*board, publish("devices/nrf-352656100000001/messages/devicebound/%24.to=%2Fdevices%2Fnrf-352656100000001%2Fmessages%2FdeviceBound", "hi"));
  }

  TEST_CASE("nRF: the second connect, clean session 0: session present, its C2D held until it has subscribed again") {
    TestHub hub([](broker::Config& config) { config.limits.cloud_hold = std::chrono::seconds(1000); });
    hub.create("nrf-352656100000001");
    const std::string filter = "devices/nrf-352656100000001/messages/devicebound/#";
    {
      auto board = open_with(hub, kOldModem);
      board->send_raw(nrf_connect(hub) + subscribe(1, filter, 0));
      expect_bytes(*board, "20 02 00 00"_hex);
      expect_bytes(*board, "90 03 0001 00"_hex);
    }
    CHECK(hub.api("POST", "/devices/nrf-352656100000001/messages/deviceBound", "hi").status == 204);
    auto board = open_with(hub, kOldModem);
    board->send_raw(nrf_connect(hub));
    expect_bytes(*board, "20 02 01 00"_hex);
    board->expect_silence();
    board->send_raw(subscribe(2, filter, 0));
    expect_bytes(*board, "90 03 0002 00"_hex);
    expect_bytes(*board, publish("devices/nrf-352656100000001/messages/devicebound/%24.to=%2Fdevices%2Fnrf-352656100000001%2Fmessages%2FdeviceBound", "hi"));
  }

  TEST_CASE("TLS: every suite of old modems and of RTOS clients is agreed on") {
    TestHub hub;
    hub.create("d1");
    const std::pair<const char*, const char*> suites[] = {
        {"ECDHE-ECDSA-AES256-SHA384", "EC"},      {"ECDHE-ECDSA-AES256-SHA", "EC"},      {"ECDHE-ECDSA-AES128-SHA256", "EC"},   {"ECDHE-ECDSA-AES128-SHA", "EC"},
        {"ECDHE-RSA-AES256-SHA", "RSA"},          {"ECDHE-RSA-AES128-SHA256", "RSA"},    {"ECDHE-RSA-AES128-SHA", "RSA"},       {"ECDHE-RSA-AES256-SHA384", "RSA"},
        {"ECDHE-RSA-AES256-GCM-SHA384", "RSA"},   {"ECDHE-RSA-AES128-GCM-SHA256", "RSA"}, {"ECDHE-ECDSA-AES128-GCM-SHA256", "EC"}, {"ECDHE-ECDSA-AES256-GCM-SHA384", "EC"},
        {"AES128-SHA256", "RSA"},                 {"AES256-SHA256", "RSA"}};
    for (const auto& [suite, key] : suites) {
      INFO(suite);
      auto board = open_with(hub, suite);
      CHECK(board->connection().cipher() == suite);
      CHECK(board->connection().server_key_type() == key);
      board->send_raw(connect_bytes(hub, "d1").bytes());
      expect_bytes(*board, "20 02 00 00"_hex);
    }
  }
}
