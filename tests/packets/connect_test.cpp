// CONNECT and CONNACK: sessions, pipelining, packets in pieces, and what is no CONNECT.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::unique_ptr<MqttClient> send_connect(TestHub& hub, const ConnectBytes& connect) {
  auto client = hub.open();
  client->send_raw(connect.bytes());
  return client;
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("CONNECT with clean session 1 is answered 20 02 00 00, also when a session was stored") {
    TestHub hub;
    hub.create("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    connect.clean_session = false;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    connect.clean_session = true;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    // It is gone for good.
    connect.clean_session = false;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
  }

  TEST_CASE("CONNECT with clean session 0 is answered 20 02 01 00 from the second time on") {
    TestHub hub;
    hub.create("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.clean_session = false;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    expect_bytes(*send_connect(hub, connect), "20 02 01 00"_hex);
    expect_bytes(*send_connect(hub, connect), "20 02 01 00"_hex);
  }

  TEST_CASE("a device that is made again begins without the session of its namesake") {
    TestHub hub;
    hub.create("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.clean_session = false;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    CHECK(hub.api("DELETE", "/devices/d1", {}, {{"If-Match", "*"}}).status == 204);
    hub.create("d1");
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
  }

  TEST_CASE("a refused CONNECT is answered 20 02 00 05, without session-present, and closed") {
    TestHub hub;
    hub.create("d1");
    ConnectBytes connect = connect_bytes(hub, "d1");
    connect.clean_session = false;
    expect_bytes(*send_connect(hub, connect), "20 02 00 00"_hex);
    connect.password = "no token";
    const auto client = send_connect(hub, connect);
    expect_bytes(*client, "20 02 00 05"_hex);
    client->expect_closed();
  }

  TEST_CASE("a CONNECT of another protocol version is answered 20 02 00 01 and closed") {
    TestHub hub;
    const auto answered_1 = [&hub](std::string_view name, char level, std::string_view rest) {
      auto client = hub.open();
      client->send_raw(packet(0x10, field(name) + level + std::string(rest)));
      expect_bytes(*client, "20 02 00 01"_hex);
      client->expect_closed();
    };
    answered_1("MQIsdp", 3, "02 003c"_hex + field("d1"));              // MQTT 3.1
    answered_1("MQTT", 3, "02 003c"_hex + field("d1"));                // a level that never was
    answered_1("MQTT", 5, "02 003c 00"_hex + field("d1"));             // MQTT 5, with properties
    answered_1("MQTT", '\x84', "02 003c"_hex + field("d1"));           // a mosquitto bridge
  }

  TEST_CASE("a password may be absent or empty: flag 0 and length 0 mean the same") {
    TestHub hub;
    hub.create("d1");
    const std::string begin = "00 04 4d 51 54 54 04"_hex, user = field(hub.username("d1"));
    for (const std::string& rest : {begin + "82 003c"_hex + field("d1") + user, begin + "c2 003c"_hex + field("d1") + user + "0000"_hex}) {
      auto client = hub.open();
      client->send_raw(packet(0x10, rest));
      expect_bytes(*client, "20 02 00 05"_hex);
      client->expect_closed();
      CHECK(contains(last_refusal(hub, "d1"), "received no password"));
    }
  }

  TEST_CASE("CONNECT, SUBSCRIBE and PUBLISH in one segment are answered in that order") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.open();
    client->send_raw(connect_bytes(hub, "d1").bytes() + subscribe(0x0a0b, "$iothub/twin/res/#", 1) +
                     packet(0x32, field("devices/d1/messages/events/") + "00 07"_hex + "hello") + publish("$iothub/twin/GET/?$rid=1", "") + "c0 00"_hex);
    expect_bytes(*client, "20 02 00 00"_hex);
    expect_bytes(*client, "90 03 0a0b 01"_hex);
    // What needs no disk may overtake the PUBACK, which waits for its commit.
    std::vector<std::string> rest;
    for (int i = 0; i < 3; ++i) {
      const auto received = client->next();
      REQUIRE(received != nullptr);
      rest.push_back(received->bytes);
    }
    const auto came = [&rest](const std::string& bytes) { return std::count(rest.begin(), rest.end(), bytes) == 1; };
    CHECK(came("40 02 00 07"_hex));
    CHECK(came("d0 00"_hex));
    CHECK(came(publish("$iothub/twin/res/200/?$rid=1", R"({"desired":{"$version":1},"reported":{"$version":1}})")));
  }

  TEST_CASE("packets may come byte by byte, each byte a TLS record") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.open();
    const std::string bytes = connect_bytes(hub, "d1").bytes() + subscribe(1, "$iothub/twin/res/#", 0) + publish("$iothub/twin/GET/?$rid=1", " ");
    for (const char c : bytes) client->send_raw(std::string(1, c));
    expect_bytes(*client, "20 02 00 00"_hex);
    expect_bytes(*client, "90 03 0001 00"_hex);
    expect_bytes(*client, publish("$iothub/twin/res/200/?$rid=1", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
  }

  TEST_CASE("every packet may come in two TLS records, cut anywhere") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.connect("d1");
    const std::string ping = "c0 00"_hex, message = packet(0x32, field("devices/d1/messages/events/") + "00 01"_hex + "x");
    for (std::size_t cut = 1; cut < message.size(); ++cut) {
      client->send_raw(message.substr(0, cut));
      client->send_raw(message.substr(cut));
      expect_bytes(*client, "40 02 00 01"_hex);
      client->send_raw(ping.substr(0, 1));
      client->send_raw(ping.substr(1));
      expect_bytes(*client, "d0 00"_hex);
    }
    CHECK(events_of(hub, "d1").size() == message.size() - 1);
  }

  TEST_CASE("a first packet that is no CONNECT closes the connection without an answer") {
    TestHub hub;
    const std::pair<std::string, std::string> packets[] = {
        {"c0 00"_hex, "PINGREQ"}, {publish("devices/d1/messages/events/", "x"), "PUBLISH"}, {subscribe(1, "$iothub/twin/res/#", 0), "SUBSCRIBE"}, {"e0 00"_hex, "DISCONNECT"}};
    for (const auto& [bytes, name] : packets) {
      auto client = hub.open();
      client->send_raw(bytes);
      expect_closed_because(hub, *client, "", "MQTT CONNECT | connection closed | protocol | expected CONNECT as the first packet; received " + name);
    }
  }

  TEST_CASE("a second CONNECT closes the connection") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.connect("d1");
    client->send_raw(connect_bytes(hub, "d1").bytes());
    expect_closed_because(hub, *client, "d1",
                          "MQTT CONNECT | connection closed | protocol | expected a packet that a connected client may send; received CONNECT; one CONNECT per connection");
  }

  TEST_CASE("a packet that only a hub sends closes the connection") {
    TestHub hub;
    hub.create("d1");
    for (const std::string& bytes : {"20 02 00 00"_hex, "90 03 0001 00"_hex, "b0 02 0001"_hex, "d0 00"_hex, "50 02 0001"_hex, "62 02 0001"_hex, "70 02 0001"_hex}) {
      auto client = hub.connect("d1");
      client->send_raw(bytes);
      client->expect_closed();
      CHECK(contains(last_refusal(hub, "d1"), "expected a packet that a connected client may send"));
    }
  }

  TEST_CASE("a malformed packet closes the connection, with what was wrong") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.connect("d1");
    client->send_raw(packet(0x36, field("devices/d1/messages/events/") + "00 01"_hex));
    expect_closed_because(hub, *client, "d1", "MQTT packet | connection closed | protocol | expected a well-formed MQTT 3.1.1 packet; received PUBLISH with QoS 3");
  }

  TEST_CASE("a CONNECT that announces a megabyte is refused as soon as its length is known") {
    TestHub hub;
    auto client = hub.open();
    client->send_raw("10 80 80 40"_hex);  // 1,048,576 bytes follow; not one of them is sent
    expect_closed_because(hub, *client, "", "MQTT CONNECT | connection closed | size | expected a packet of at most 16384 bytes; received a packet of 1048580 bytes");
  }

  TEST_CASE("garbage on the MQTT port closes the connection") {
    TestHub hub;
    auto client = hub.open();
    client->send_raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client->expect_closed();
    CHECK(contains(last_refusal(hub, ""), "MQTT CONNECT | connection closed | protocol | expected a well-formed MQTT 3.1.1 packet; received"));
  }

  TEST_CASE("time limit: a client has 60 s for its CONNECT, and bytes of it do not lengthen them") {
    TestHub hub;
    hub.create("d1");
    const std::string connect = connect_bytes(hub, "d1").bytes();
    auto slow = hub.open(), in_time = hub.open();
    slow->send_raw(connect.substr(0, 10));
    settle(hub);
    hub.advance(std::chrono::seconds(45));
    slow->send_raw(connect.substr(10, 10));
    in_time->send_raw(connect);
    expect_bytes(*in_time, "20 02 00 00"_hex);
    hub.advance(std::chrono::seconds(16));
    expect_closed_because(hub, *slow, "", "MQTT CONNECT | connection closed | time limit | expected CONNECT within 60 s; received none");
    in_time->expect_silence();
  }

  TEST_CASE("half-open: the oldest connection without a CONNECT gives way to the newest") {
    TestHub hub([](broker::Config& config) {
      config.connections.half_open = 3;
      config.loops = 1;
    });
    hub.create("d1");
    auto connected = hub.connect("d1");
    std::vector<std::unique_ptr<MqttClient>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(hub.open());
    auto last = hub.open();
    expect_closed_because(hub, *waiting[0], "",
                          "MQTT CONNECT | connection closed | limit | expected at most 3 connections before their CONNECT; received one more; this was the oldest");
    connected->expect_silence();
    last->send_raw(connect_bytes(hub, "d1").bytes());
    expect_bytes(*last, "20 02 00 00"_hex);
    waiting[1]->send_raw(connect_bytes(hub, "d1").bytes());
    expect_bytes(*waiting[1], "20 02 00 00"_hex);
  }

  TEST_CASE("half-open: a refused client that lingers gives way without a second reason") {
    TestHub hub([](broker::Config& config) {
      config.connections.half_open = 1;
      config.loops = 1;
    });
    auto refused = hub.open();
    refused->send_raw("c0 00"_hex);
    hub.wait_until([&] { return hub.refusals().size() == 1; }, "the refusal");
    auto next = hub.open();
    refused->expect_closed();
    CHECK(hub.refusals().size() == 1);
  }

  TEST_CASE("connection limit: one more is closed before its handshake, with a reason") {
    TestHub hub([](broker::Config& config) { config.connections.connections = 3; });
    hub.create("d1");  // a kept HTTPS connection: the first of three
    hub.create("d2");
    auto first = hub.connect("d1"), second = hub.connect("d2");
    const TlsClient third(hub.tls(), hub.mqtts());
    CHECK(third.error() != "");
    CHECK(contains(last_refusal(hub, ""), "connection | closed | limit | expected at most 3 connections; received one more; raise max_connections"));
    first.reset();
    hub.wait_until([&] { return TlsClient(hub.tls(), hub.mqtts()).error().empty(); }, "room for one more");
  }

  TEST_CASE("a client that speaks no TLS is told so in the refusal book") {
    TestHub hub;
    // A plain CONNECT, as a client set to port 8883 without TLS sends it.
    const int plain = connect_plain(hub.mqtts());
    send_plain(plain, connect_bytes(hub, "d1").bytes());
    hub.wait_until([&] { return !hub.refusals().empty(); }, "the refusal");
    CHECK(contains(last_refusal(hub, ""), "TLS handshake | connection closed | TLS | expected a TLS handshake; received the peer's first bytes are not TLS"));
    CHECK(contains(last_refusal(hub, ""), "turn TLS on in the client: this port speaks only TLS"));
    ::close(plain);
    const int web = connect_plain(hub.mqtts());
    send_plain(web, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hub.wait_until([&] { return contains(last_refusal(hub, ""), "plain HTTP"); }, "the refusal");
    CHECK(contains(last_refusal(hub, ""), "TLS handshake | connection closed | TLS | expected a TLS handshake; received the peer spoke plain HTTP on a TLS port"));
    ::close(web);
  }

  TEST_CASE("time limit: a peer has 60 s for its TLS handshake") {
    TestHub hub;
    const int plain = connect_plain(hub.mqtts());
    hub.wait_until([&] { return open_connections(hub) == 2; }, "the connection");
    hub.advance(std::chrono::seconds(61));
    hub.wait_until([&] { return !hub.refusals().empty(); }, "the refusal");
    CHECK(last_refusal(hub, "") == "TLS handshake | connection closed | time limit | expected a TLS handshake within 60 s; received none; is the client set to TLS?");
    ::close(plain);
  }
}
