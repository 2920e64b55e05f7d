// Deadlines of a live connection: keep-alive, the end of its token.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;
using std::chrono::seconds;

TEST_SUITE("packets") {
  TEST_CASE("keep-alive: a silent client is closed after one and a half times what it announced") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 100});
    hub.advance(seconds(140));
    device->expect_silence();  // a ping
    hub.advance(seconds(140));
    device->send_raw(packet(0x30, field("devices/d1/messages/events/") + "any packet counts"));
    settle(hub);
    hub.advance(seconds(140));
    device->expect_silence();
    hub.advance(seconds(151));
    expect_closed_because(hub, *device, "d1",
                          "MQTT keep-alive | connection closed | time limit | expected a packet within 150 s (keep-alive 100 s); received none; the client "
                          "must send PINGREQ when it has nothing else to send");
    CHECK(contains(call(hub, "GET", "/devices/d1").body, R"("connectionState":"Disconnected")"));
  }

  TEST_CASE("keep-alive 0, and everything up to 1707 s: 1767 s of silence at the most") {
    TestHub hub([](broker::Config& config) { config.sas_times.grace_s = 1'000'000; });
    hub.create("d1");
    for (const int keep_alive : {0, 1178, 1707}) {
      auto device = join(hub, "d1", {.keep_alive_s = static_cast<std::uint16_t>(keep_alive)});
      hub.advance(seconds(1750));
      device->expect_silence();
      hub.advance(seconds(1767));
      device->expect_closed();
      CHECK(contains(last_refusal(hub, "d1"), "expected a packet within 1767 s"));
    }
  }

  TEST_CASE("keep-alive above 1707 s: a client that pings only then has 60 s more") {
    TestHub hub([](broker::Config& config) { config.sas_times.grace_s = 1'000'000; });
    hub.create("d1");
    // The nRF sample: it pings every 1767 s, just when the cloud's own limit strikes.
    auto device = join(hub, "d1", {.keep_alive_s = 1767});
    for (int i = 0; i < 5; ++i) {
      hub.advance(seconds(1767));
      settle(hub);
      device->expect_silence();
    }
    hub.advance(seconds(1810));
    device->expect_silence();
    hub.advance(seconds(1827));
    device->expect_closed();
    CHECK(contains(last_refusal(hub, "d1"), "expected a packet within 1827 s (keep-alive 1767 s)"));
  }

  TEST_CASE("keep-alive: half a packet is no packet") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 100});
    hub.advance(seconds(140));
    device->send_raw("c0"_hex);
    settle(hub);
    hub.advance(seconds(11));
    device->expect_closed();
    CHECK(contains(last_refusal(hub, "d1"), "expected a packet within 150 s"));
  }

  TEST_CASE("token end: a connection ends 600 s after the expiry of its token") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 0, .token_lifetime_s = 100});
    hub.advance(seconds(685));
    device->expect_silence();
    hub.advance(seconds(16));
    expect_closed_because(hub, *device, "d1",
                          "MQTT connection | connection closed | SAS expiry | expected a new token within 600 s of the old one's expiry; received none: the "
                          "token of this connection has expired; reconnect with a new token before the old one expires");
  }

  TEST_CASE("token end: a token that has expired is accepted for 300 s, and its connection still ends 600 s after the expiry") {
    TestHub hub;
    hub.create("d1");
    auto device = join(hub, "d1", {.keep_alive_s = 0, .token_lifetime_s = -285});
    hub.advance(seconds(300));
    device->expect_silence();
    hub.advance(seconds(16));
    device->expect_closed();
    CHECK(contains(last_refusal(hub, "d1"), "SAS expiry"));
  }

  TEST_CASE("token end: a client that comes back with a new token in time stays, with its session") {
    TestHub hub;
    hub.create("d1");
    auto first = join(hub, "d1", {.clean_session = false, .keep_alive_s = 0, .token_lifetime_s = 100});
    first->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*first, "90 03 0001 00"_hex);
    hub.advance(seconds(50));
    // Node's renewal: DISCONNECT, a new connection, and nothing more.
    first->send_raw("e0 00"_hex);
    first->expect_closed();
    bool session_present = false;
    auto second = join(hub, "d1", {.clean_session = false, .keep_alive_s = 0, .token_lifetime_s = 100'000}, &session_present);
    CHECK(session_present);
    hub.advance(seconds(700));
    second->expect_silence();
    HttpClient service(hub.tls(), hub.https());
    ask(hub, service, "POST", "/twins/d1/methods", R"({"methodName":"reboot"})");
    expect_bytes(*second, publish("$iothub/methods/POST/reboot/?$rid=1", "null"));
    second->send_raw(publish("$iothub/methods/res/200/?$rid=1", ""));
    CHECK(service.read_answer().body == R"({"status":200,"payload":null})");
  }
}
