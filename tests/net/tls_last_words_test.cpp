// What a client sent before its system broke the connection. Clients say goodbye and close without having read everything: their system answers what it
// still had for them with a reset, while their last bytes wait in our socket.
#include <doctest/doctest.h>

#include <string>

#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

WireClient::Options verified_client() {
  WireClient::Options options;
  options.verify_name = "localhost";
  options.ca_pem = TlsServer::ca_pem();
  return options;
}

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("last words: bytes before a reset are read") {
    TlsServer server;
    WireClient client(server.port(), verified_client());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    // On the loop's thread, so that it sees bytes and reset at once.
    server.on(end, [&client](ServerEnd&) {
      client.send("last words");
      client.socket().reset();
    });
    CHECK(end.wait_data(10) == "last words");
    CHECK(end.wait_closed().kind == CloseReason::kReset);
  }

  TEST_CASE("last words: bytes before a reset are read, although what is written finds nobody") {
    TlsServer server;
    WireClient client(server.port(), verified_client());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [&client](ServerEnd& self) {
      client.send("last words");
      client.socket().reset();
      self.connection().write("too late");
    });
    CHECK(end.wait_data(10) == "last words");
    CHECK(end.wait_closed().kind == CloseReason::kReset);
    CHECK(server.on(end, [](ServerEnd& self) { return self.owned() == nullptr; }));
  }

  TEST_CASE("last words: wait while reading is paused") {
    TlsServer server;
    WireClient client(server.port(), verified_client());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) { self.connection().pause_reading(); });
    client.send("last words");
    client.socket().reset();
    server.loop().settle();
    CHECK(end.received() == 0);
    CHECK_FALSE(end.closed());
    server.on(end, [](ServerEnd& self) { self.connection().resume_reading(); });
    CHECK(end.wait_data(10) == "last words");
    CHECK(end.wait_closed().kind == CloseReason::kReset);
  }

  TEST_CASE("last words: a reader that pauses in the midst of them gets the rest later") {
    std::string taken;  // loop's thread
    TlsServer::Options options;
    options.prepare = [&taken](ServerEnd& end) {
      end.on_bytes = [&taken](ServerEnd& self, std::string_view bytes) {
        taken += bytes;
        self.connection().pause_reading();
      };
    };
    TlsServer server(options);
    WireClient client(server.port(), verified_client());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    const std::string much = pattern(100'000);
    server.on(end, [&](ServerEnd&) {
      client.send(much);
      client.socket().reset();
    });
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!end.closed() && std::chrono::steady_clock::now() < deadline) {
      server.on(end, [](ServerEnd& self) {
        if (self.owned() != nullptr) self.connection().resume_reading();
      });
    }
    CHECK(end.wait_closed().kind == CloseReason::kReset);
    // What the client's system had not sent yet went with the reset.
    server.loop().settle();
    CHECK(taken.size() > 0);
    CHECK((much.substr(0, taken.size()) == taken));
  }

  TEST_CASE("last words: a client that refuses the certificate is understood, although it is gone at once") {
    for (int i = 0; i < 20; ++i) {
      TlsServer server;
      WireClient::Options options = verified_client();
      options.verify_name = "another.name";
      WireClient client(server.port(), options);
      CHECK_FALSE(client.handshake());
      client.socket().reset();
      const CloseReason reason = server.end().wait_closed();
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail.starts_with("the client refused the hub's certificate"));
    }
  }

  TEST_CASE("last words: a reset during the handshake is a failed handshake, with advice") {
    TlsServer server;
    WireClient client(server.port(), verified_client());
    client.send_hello();
    ServerEnd& end = server.end();
    CHECK(client.socket().receive().size() > 0);  // the server's flight: it has heard us
    client.socket().reset();
    const CloseReason reason = end.wait_closed();
    CHECK(reason.kind == CloseReason::kHandshake);
    CHECK(reason.detail == "the peer closed during the TLS handshake");
    CHECK(reason.advice.find("CA file") != std::string::npos);
  }
}
