// One TLS connection from its handshake to its end, over real sockets.
#include "wire/net/tls_connection.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <string>

#include "base/base64.h"
#include "base/text.h"
#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

// x509-and-boards.md B.6: old firmware of the nRF9160's modem.
constexpr const char* kOldModemCiphers =
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
    "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA";

WireClient::Options verified() {
  WireClient::Options options;
  options.verify_name = "localhost";
  options.ca_pem = TlsServer::ca_pem();
  return options;
}

void echo(ServerEnd& end) {
  end.on_bytes = [](ServerEnd& self, std::string_view bytes) { self.connection().write(bytes); };
}

TlsServer::Options echoing() {
  TlsServer::Options options;
  options.prepare = echo;
  return options;
}

std::string der_of(const std::string& pem) {
  std::string text;
  std::string_view rest = pem;
  while (!rest.empty()) {
    const auto [line, more] = split_once(rest, '\n');
    rest = more.value_or("");
    if (!line.starts_with("-----")) text += line;
  }
  const auto der = base64_decode(text);
  REQUIRE(der.has_value());
  return *der;
}

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("TLS: a client of today gets TLS 1.3 and the EC leaf") {
    TlsServer server(echoing());
    WireClient client(server.port(), verified());
    REQUIRE_MESSAGE(client.handshake(), client.error());
    CHECK(client.version() == "TLSv1.3");
    CHECK(client.server_key_type() == "EC");
    client.send("hello");
    CHECK(client.receive() == "hello");
    const auto [version, cipher, peer] = server.on(server.end(), [](ServerEnd& end) {
      return std::tuple(std::string(end.connection().tls_version()), std::string(end.connection().cipher()), end.connection().peer());
    });
    CHECK(version == "TLSv1.3");
    CHECK(cipher == client.cipher());
    CHECK(peer == "127.0.0.1:" + std::to_string(client.socket().local_port()));
  }

  TEST_CASE("TLS: a client of TLS 1.2 alone is served, and gets the leaf that it can use") {
    TlsServer server(echoing());
    struct Case {
      const char* ciphers;
      const char* signatures;
      const char* leaf;
      const char* chosen;
    };
    const Case cases[] = {
        {nullptr, nullptr, "EC", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {nullptr, "RSA+SHA256:RSA+SHA384", "RSA", "ECDHE-RSA-AES256-GCM-SHA384"},
        {kOldModemCiphers, nullptr, "EC", "ECDHE-ECDSA-AES256-SHA384"},
        // Suites of boards that know no GCM, and of those that know no ECDHE.
        {"ECDHE-RSA-AES128-SHA", "RSA+SHA256", "RSA", "ECDHE-RSA-AES128-SHA"},
        {"ECDHE-ECDSA-AES128-SHA", nullptr, "EC", "ECDHE-ECDSA-AES128-SHA"},
        {"AES128-SHA256", nullptr, "RSA", "AES128-SHA256"},
        {"AES128-SHA", nullptr, "RSA", "AES128-SHA"},
        {"AES256-GCM-SHA384", nullptr, "RSA", "AES256-GCM-SHA384"},
        {"ECDHE-RSA-CHACHA20-POLY1305", nullptr, "RSA", "ECDHE-RSA-CHACHA20-POLY1305"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.chosen);
      WireClient::Options options = verified();
      options.version = TLS1_2_VERSION;
      options.ciphers = c.ciphers;
      options.signatures = c.signatures;
      WireClient client(server.port(), options);
      REQUIRE_MESSAGE(client.handshake(), client.error());
      CHECK(client.version() == "TLSv1.2");
      CHECK(client.server_key_type() == c.leaf);
      CHECK(client.cipher() == c.chosen);
      client.send("hello");
      CHECK(client.receive() == "hello");
    }
  }

  TEST_CASE("TLS: a client of TLS 1.3 that signs with RSA alone gets the RSA leaf") {
    TlsServer server(echoing());
    WireClient::Options options = verified();
    options.signatures = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256";
    WireClient client(server.port(), options);
    REQUIRE_MESSAGE(client.handshake(), client.error());
    CHECK(client.version() == "TLSv1.3");
    CHECK(client.server_key_type() == "RSA");
  }

  TEST_CASE("TLS: a listener with one leaf shows that one") {
    for (const auto& [leaves, type] : {std::pair{TlsServer::Leaves::kRsa, "RSA"}, std::pair{TlsServer::Leaves::kEc, "EC"}}) {
      TlsServer server({leaves, echo, 0});
      WireClient client(server.port(), verified());
      REQUIRE_MESSAGE(client.handshake(), client.error());
      CHECK(client.server_key_type() == type);
    }
  }

  TEST_CASE("TLS: every curve of the list serves") {
    TlsServer server(echoing());
    for (const char* group : {"P-256", "P-384", "P-521", "X25519"}) {
      CAPTURE(group);
      WireClient::Options options = verified();
      options.groups = group;
      WireClient client(server.port(), options);
      CHECK_MESSAGE(client.handshake(), client.error());
    }
  }

  TEST_CASE("TLS: a client certificate is asked for, not demanded, and passed on as it came, whoever signed it") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsServer server(echoing());
      WireClient::Options options = verified();
      options.version = version;
      {
        WireClient client(server.port(), options);
        REQUIRE_MESSAGE(client.handshake(), client.error());
        server.end(0).wait_secured();
        CHECK(server.on(server.end(0), [](ServerEnd& end) { return end.connection().take_client_certificates(); }).empty());
      }
      // The root of another authority, with a chain behind it that has nothing to do with it.
      SystemRandom random;
      const auto stranger = certs::make_root("stranger", SystemClock().now(), random);
      REQUIRE(stranger.ok());
      options.certificate_pem = stranger->certificate_pem;
      options.key_pem = stranger->key_pem;
      options.chain_pem = {TlsServer::ca_pem()};
      WireClient client(server.port(), options);
      REQUIRE_MESSAGE(client.handshake(), client.error());
      server.end(1).wait_secured();
      const auto certificates = server.on(server.end(1), [](ServerEnd& end) { return end.connection().take_client_certificates(); });
      REQUIRE(certificates.size() == 2);
      CHECK(certificates[0] == der_of(stranger->certificate_pem));
      CHECK(certificates[1] == der_of(TlsServer::ca_pem()));
      client.send("hello");
      CHECK(client.receive() == "hello");
    }
  }

  TEST_CASE("TLS: bytes arrive whole and in order, both ways, large and small") {
    TlsServer server(echoing());
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    for (const std::size_t size : {1u, 2u, 15u, 16u, 2047u, 2048u, 2049u, 16'384u, 65'536u, 200'000u}) {
      CAPTURE(size);
      const std::string sent = pattern(size, static_cast<std::uint32_t>(size));
      client.send(sent);
      CHECK((client.receive_all(size) == sent));
    }
  }

  TEST_CASE("TLS: a handshake and requests that come byte by byte") {
    TlsServer server(echoing());
    TlsClient reference(TlsServer::client_options(), server.port());
    REQUIRE(reference.error() == "");
    for (const char c : std::string("byte by byte")) {
      reference.send({&c, 1});
      CHECK(reference.receive() == std::string(1, c));
    }
  }

  TEST_CASE("TLS: data that comes together with the end of the handshake is not lost") {
    TlsServer server;
    WireClient::Options options = verified();
    WireClient client(server.port(), options);
    REQUIRE(client.handshake());
    client.send("early");
    CHECK(server.end().wait_data(5) == "early");
  }

  TEST_CASE("TLS: while reading is paused nothing is delivered, and afterwards everything") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    client.send("before ");
    ServerEnd& end = server.end();
    end.wait_data(7);
    server.on(end, [](ServerEnd& self) { self.connection().pause_reading(); });
    const std::string sent = pattern(100'000);
    client.send(sent.substr(0, 50'000));
    server.loop().settle();
    CHECK(end.received() == 7);
    client.send(sent.substr(50'000));
    server.loop().settle();
    CHECK(end.received() == 7);
    server.on(end, [](ServerEnd& self) { self.connection().resume_reading(); });
    CHECK((end.wait_data(7 + sent.size()) == "before " + sent));
  }

  TEST_CASE("TLS: what is written while reading is paused goes out") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    server.end().wait_secured();
    server.on(server.end(), [](ServerEnd& self) {
      self.connection().pause_reading();
      self.connection().write("still here");
    });
    CHECK(client.receive() == "still here");
  }

  TEST_CASE("TLS: a peer that leaves while reading is paused is noticed when reading goes on, behind what it had sent") {
    TlsServer server;
    auto client = std::make_unique<WireClient>(server.port(), verified());
    REQUIRE(client->handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) { self.connection().pause_reading(); });
    client->send("last words");
    client.reset();
    server.loop().settle();
    CHECK_FALSE(end.closed());
    server.on(end, [](ServerEnd& self) { self.connection().resume_reading(); });
    CHECK(end.wait_closed().kind == CloseReason::kPeer);
    CHECK(end.wait_data(10) == "last words");
  }

  TEST_CASE("TLS: the peer's goodbye and its mere leaving are both the peer's end") {
    TlsServer server;
    {
      const TlsClient client(TlsServer::client_options(), server.port());
      REQUIRE(client.error() == "");
    }
    const CloseReason reason = server.end(0).wait_closed();
    CHECK(reason.kind == CloseReason::kPeer);
    CHECK(reason.detail == "closed by the peer");
    CHECK(reason.advice == "");
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    client.send("x");
    client.socket().finish();
    CHECK(server.end(1).wait_closed().kind == CloseReason::kPeer);
    CHECK(server.end(1).wait_data(1) == "x");
  }

  TEST_CASE("TLS: a reset is told from an end") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    server.end().wait_secured();
    client.socket().reset();
    const CloseReason reason = server.end().wait_closed();
    CHECK(reason.kind == CloseReason::kReset);
    CHECK(reason.detail == "Connection reset by peer");
  }

  TEST_CASE("TLS: close() delivers what is queued, then says goodbye, then waits for the peer") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsServer server;
      WireClient::Options options = verified();
      options.version = version;
      WireClient client(server.port(), options);
      REQUIRE(client.handshake());
      ServerEnd& end = server.end();
      end.wait_secured();
      const std::string last = pattern(300'000);
      server.on(end, [&last](ServerEnd& self) {
        self.connection().write(last);
        self.connection().close();
        CHECK(self.connection().closing());
        self.connection().close();
        CHECK_FALSE(self.closed());
      });
      CHECK((client.receive_all(last.size()) == last));
      CHECK(client.receive() == "");
      CHECK(client.said_goodbye());
      CHECK_FALSE(end.closed());
      client.socket().close();
      CHECK(end.wait_closed().kind == CloseReason::kLocal);
    }
  }

  TEST_CASE("TLS: behind close() the peer's bytes no longer count") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) { self.connection().close(); });
    CHECK(client.receive() == "");
    CHECK(client.said_goodbye());
    client.send("too late");
    client.socket().finish();
    CHECK(end.wait_closed().kind == CloseReason::kLocal);
    CHECK(end.received() == 0);
  }

  TEST_CASE("TLS: a closing connection does not wait for ever, for a peer that stays or one that does not read") {
    TlsServer server({TlsServer::Leaves::kEc, {}, 4096});
    WireClient::Options options = verified();
    options.receive_buffer = 4096;
    WireClient staying(server.port(), options), not_reading(server.port(), options);
    REQUIRE(staying.handshake());
    REQUIRE(not_reading.handshake());
    server.end(0).wait_secured();
    server.end(1).wait_secured();
    // The long write first: a slow machine must not spend the other's time on it.
    server.on(server.end(1), [](ServerEnd& self) {
      self.connection().write(std::string(5'000'000, 'x'));
      self.connection().close();
    });
    server.on(server.end(0), [](ServerEnd& self) { self.connection().close(); });
    server.advance(std::chrono::milliseconds{1'000});
    server.loop().settle();
    CHECK_FALSE(server.end(0).closed());
    CHECK_FALSE(server.end(1).closed());
    server.advance(std::chrono::milliseconds{1'100});
    CHECK(server.end(0).wait_closed().kind == CloseReason::kLocal);
    server.loop().settle();
    CHECK_FALSE(server.end(1).closed());
    server.advance(std::chrono::seconds{20});
    CHECK(server.end(1).wait_closed().kind == CloseReason::kLocal);
  }

  TEST_CASE("TLS: a closing connection sends all to a slow reader, for as long as it reads, but not for ever") {
    for (const int pieces : {20, 40}) {
      CAPTURE(pieces);
      TlsServer server({TlsServer::Leaves::kEc, {}, 4096});
      WireClient::Options options = verified();
      options.receive_buffer = 4096;
      WireClient client(server.port(), options);
      REQUIRE(client.handshake());
      ServerEnd& end = server.end();
      end.wait_secured();
      constexpr std::size_t kPieceBytes = 100'000;
      const std::string last = pattern(static_cast<std::size_t>(pieces) * kPieceBytes);
      server.on(end, [&last](ServerEnd& self) {
        self.connection().write(last);
        self.connection().close();
      });
      // Ten seconds pass with each piece: 200 s are not too many, and 400 s are.
      std::string received;
      for (int i = 0; i < pieces && !end.closed(); ++i) {
        received += client.receive_all(kPieceBytes);
        server.loop().settle();
        server.advance(std::chrono::seconds{10});
        server.loop().settle();
      }
      CHECK((received == last) == (pieces == 20));
    }
  }

  TEST_CASE("TLS: abort() ends at the end of the turn, and what is queued is lost") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) {
      self.connection().write("never sent");
      self.connection().abort();
      CHECK(self.connection().closing());
      CHECK_FALSE(self.closed());
      self.connection().abort();
      self.connection().close();
    });
    CHECK(end.wait_closed().kind == CloseReason::kLocal);
    CHECK(client.receive() == "");
    CHECK_FALSE(client.said_goodbye());
  }

  TEST_CASE("TLS: close() during the handshake ends at once") {
    TlsServer::Options options;
    options.prepare = [](ServerEnd& end) { end.connection().close(); };
    TlsServer server(std::move(options));
    WireClient client(server.port(), verified());
    CHECK_FALSE(client.handshake());
    CHECK(server.end().wait_closed().kind == CloseReason::kLocal);
  }

  TEST_CASE("TLS: whoever ended it first is the reason") {
    TlsServer server;
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) { self.connection().close(); });
    CHECK(client.receive() == "");
    client.socket().reset();
    CHECK(end.wait_closed().kind == CloseReason::kLocal);
  }

  TEST_CASE("TLS: a connection may be closed from inside each of its calls, and destroyed in the last") {
    for (const char* where : {"secured", "data", "drained"}) {
      CAPTURE(where);
      TlsServer::Options options;
      options.prepare = [where = std::string(where)](ServerEnd& end) {
        if (where == "secured") end.when_secured = [](ServerEnd& self) { self.connection().close(); };
        if (where == "drained") end.when_drained = [](ServerEnd& self) { self.connection().close(); };
        end.on_bytes = [where](ServerEnd& self, std::string_view) {
          self.connection().write("answer");
          if (where == "data") self.connection().close();
        };
      };
      TlsServer server(std::move(options));
      WireClient client(server.port(), verified());
      REQUIRE(client.handshake());
      if (std::string_view(where) != "secured") {
        client.send("request");
        CHECK(client.receive_all(6) == "answer");
      }
      CHECK(client.receive() == "");
      CHECK(client.said_goodbye());
      client.socket().close();
      CHECK(server.end().wait_closed().kind == CloseReason::kLocal);
      server.loop().settle();
      CHECK(server.on(server.end(), [](ServerEnd& end) { return end.owned() == nullptr; }));
    }
  }

  TEST_CASE("TLS: abort() from inside on_data() delivers no more") {
    TlsServer::Options options;
    options.prepare = [](ServerEnd& end) {
      end.on_bytes = [](ServerEnd& self, std::string_view) {
        CHECK_FALSE(self.connection().closing());
        self.connection().abort();
      };
    };
    TlsServer server(std::move(options));
    WireClient client(server.port(), verified());
    REQUIRE(client.handshake());
    client.send(pattern(60'000));
    CHECK(server.end().wait_closed().kind == CloseReason::kLocal);
  }

  TEST_CASE("TLS: a connection that its owner keeps after on_closed() does nothing more") {
    TlsServer::Options options;
    options.prepare = [](ServerEnd& end) { end.destroy_when_closed = false; };
    TlsServer server(std::move(options));
    {
      const TlsClient client(TlsServer::client_options(), server.port());
      REQUIRE(client.error() == "");
    }
    ServerEnd& end = server.end();
    CHECK(end.wait_closed().kind == CloseReason::kPeer);
    server.on(end, [](ServerEnd& self) {
      CHECK(self.connection().closing());
      self.connection().close();
      self.connection().abort();
      self.connection().pause_reading();
      self.connection().resume_reading();
    });
    server.loop().settle();
  }

  TEST_CASE("TLS: a connection can be destroyed at any time, which closes the socket without a word to the handler") {
    TlsServer server({TlsServer::Leaves::kEc, {}, 4096});
    WireClient::Options options = verified();
    options.receive_buffer = 4096;
    // In the handshake, idle, with output of this turn, with output that the peer does not take, while closing.
    PlainSocket silent(server.port());
    WireClient idle(server.port(), options), writing(server.port(), options), stalled(server.port(), options), closing(server.port(), options);
    for (WireClient* client : {&idle, &writing, &stalled, &closing}) REQUIRE(client->handshake());
    for (std::size_t i = 1; i < 5; ++i) server.end(i).wait_secured();
    server.on(server.end(3), [](ServerEnd& self) { self.connection().write(std::string(5'000'000, 'x')); });
    server.loop().settle();
    for (std::size_t i = 0; i < 5; ++i) {
      server.on(server.end(i), [i](ServerEnd& self) {
        if (i == 2) self.connection().write("lost");
        if (i == 3) CHECK(self.connection().queued_output() > 0);
        if (i == 4) self.connection().close();
        self.owned().reset();
      });
    }
    server.loop().settle();
    for (std::size_t i = 0; i < 5; ++i) CHECK_FALSE(server.end(i).closed());
    CHECK(silent.receive() == "");
    CHECK(idle.receive() == "");
    CHECK(writing.receive() == "");
  }

  TEST_CASE("TLS: one loop ends while connections are open") {
    auto server = std::make_unique<TlsServer>(echoing());
    WireClient client(server->port(), verified());
    REQUIRE(client.handshake());
    server->end().wait_secured();
    server.reset();
    CHECK(client.receive() == "");
  }
}
