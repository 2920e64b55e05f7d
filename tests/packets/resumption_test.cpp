// Resumed TLS sessions at the running hub: who comes in is decided anew, and refused as after a full handshake.
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

using Session = std::shared_ptr<ssl_session_st>;

// TLS 1.2 or 1.3.
TlsOptions options_of(TestHub& hub, bool tls12, const Session& session = nullptr) {
  TlsOptions options = hub.tls();
  if (tls12) options.ciphers = "ECDHE+AESGCM";
  options.session = session;
  return options;
}

struct Attempt {
  std::uint8_t code = 0;
  bool resumed = false;
  Session session;
};

// A CONNECT with the current token; the connection ends behind its answer.
Attempt attempt(TestHub& hub, std::string_view identity, const TlsOptions& options) {
  MqttClient client(options, hub.mqtts());
  const std::string user = hub.username(identity), password = hub.token(identity);
  mqtt::Connect packet;
  packet.client_id = identity;
  packet.username = user;
  packet.password = password;
  const mqtt::Connack answer = client.connect(packet);
  return {answer.return_code, client.connection().resumed(), client.connection().session()};
}

std::string reason_of(TestHub& hub, std::string_view identity) {
  const std::string text = last_refusal(hub, identity);
  CHECK(!text.empty());
  return text;
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("resumption: a device comes back with an abbreviated handshake, on whichever loop it is accepted, and to the other door") {
    TestHub hub;
    hub.create("d1");
    for (const bool tls12 : {true, false}) {
      CAPTURE(tls12);
      Attempt last = attempt(hub, "d1", options_of(hub, tls12));
      CHECK(last.code == 0);
      CHECK_FALSE(last.resumed);
      for (int i = 0; i < 6; ++i) {
        last = attempt(hub, "d1", options_of(hub, tls12, last.session));
        CHECK(last.code == 0);
        CHECK(last.resumed);
      }
      HttpClient service(options_of(hub, tls12, last.session), hub.https());
      CHECK(service.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", hub.owner_token()}}).status == 200);
      CHECK(service.connection().resumed());
      // Nobody is anybody by a session alone.
      CHECK(service.request("GET", "/devices/d1?api-version=2021-04-12").status == 401);
    }
  }

  TEST_CASE("resumption: with --tls-resumption off every handshake is a full one") {
    TestHub hub([](broker::Config& config) { config.tls_resumption = false; });
    hub.create("d1");
    for (const bool tls12 : {true, false}) CHECK(attempt(hub, "d1", options_of(hub, tls12)).session == nullptr);
  }

  TEST_CASE("resumption: what changed between two connections refuses the second for the reason that a full handshake would give") {
    struct Case {
      std::string name;
      std::function<void(TestHub&)> change;
    };
    const std::vector<Case> cases = {
        {"disabled", [](TestHub& hub) { CHECK(hub.api("PUT", "/devices/d1", R"({"deviceId":"d1","status":"disabled","statusReason":"lost"})", {{"If-Match", "*"}}).status == 200); }},
        {"other keys", [](TestHub& hub) { CHECK(hub.api("PUT", "/devices/d1", R"({"deviceId":"d1","authentication":{"type":"sas","symmetricKey":{"primaryKey":"YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=","secondaryKey":"YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="}}})", {{"If-Match", "*"}}).status == 200); }},
        {"deleted", [](TestHub& hub) { CHECK(hub.api("DELETE", "/devices/d1", {}, {{"If-Match", "*"}}).status == 204); }},
    };
    for (const Case& c : cases) {
      for (const bool tls12 : {true, false}) {
        CAPTURE(c.name);
        CAPTURE(tls12);
        TestHub hub;
        hub.create("d1");
        const Attempt before = attempt(hub, "d1", options_of(hub, tls12));
        CHECK(before.code == 0);
        c.change(hub);
        const Attempt resumed = attempt(hub, "d1", options_of(hub, tls12, before.session));
        CHECK(resumed.resumed);
        CHECK(resumed.code == 5);
        const std::string reason = reason_of(hub, "d1");
        // Whoever was refused comes back with a full handshake, in which it could show another certificate.
        const Attempt full = attempt(hub, "d1", options_of(hub, tls12, resumed.session));
        CHECK_FALSE(full.resumed);
        CHECK(full.code == 5);
        CHECK(reason_of(hub, "d1") == reason);
      }
    }
  }

  TEST_CASE("resumption: a ticket of the hub before it was started anew means a full handshake") {
    for (const bool tls12 : {true, false}) {
      Session session;
      {
        TestHub before;
        before.create("d1");
        session = attempt(before, "d1", options_of(before, tls12)).session;
        REQUIRE(session != nullptr);
      }
      TestHub after;
      after.create("d1");
      const Attempt again = attempt(after, "d1", options_of(after, tls12, session));
      CHECK_FALSE(again.resumed);
      CHECK(again.code == 0);
      CHECK(again.session != nullptr);
    }
  }

  TEST_CASE("resumption: many clients at a time, on all loops") {
    TestHub hub;
    constexpr int kClients = 4, kConnects = 6;
    for (int i = 0; i < kClients; ++i) hub.create("d" + std::to_string(i));
    std::vector<std::thread> clients;
    std::vector<int> resumed(kClients, 0);
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] {
        Session session;
        for (int k = 0; k < kConnects; ++k) {
          const Attempt next = attempt(hub, "d" + std::to_string(i), options_of(hub, i % 2 == 0, session));
          resumed[static_cast<std::size_t>(i)] += next.resumed ? 1 : 0;
          session = next.session;
        }
      });
    }
    for (std::thread& client : clients) client.join();
    for (const int count : resumed) CHECK(count == kConnects - 1);
  }
}
