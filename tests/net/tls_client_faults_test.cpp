// Handshakes that fail: what the refusal book is told, in words that help somebody with a board on the desk.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;
using namespace std::string_view_literals;

namespace {

// A client that fails for a reason of its own.
CloseReason after_handshake(TlsServer& server, const WireClient::Options& options) {
  const std::size_t index = server.accepted();
  WireClient client(server.port(), options);
  CHECK_FALSE(client.handshake());
  return server.end(index).wait_closed();
}

constexpr const char* kRefused =
    "the client refused the hub's certificate: its authority is not trusted, it lacks the name that the client dialled, or the client's clock is wrong (TLS: ";
constexpr const char* kRefusedAdvice =
    "give the client this hub's CA file, start the hub with --host NAME for the name that the client dials, and set the client's clock";

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("handshake faults: plain HTTP on a TLS port") {
    TlsServer server;
    for (const char* request : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /devices HTTP/1.1\r\n\r\n", "PUT /devices/d1 HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n"}) {
      CAPTURE(request);
      const std::size_t index = server.accepted();
      PlainSocket client(server.port());
      client.send(request);
      const CloseReason reason = server.end(index).wait_closed();
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail == "the peer spoke plain HTTP on a TLS port (TLS: http request)");
      CHECK(reason.advice == "use https://");
    }
  }

  TEST_CASE("handshake faults: plain MQTT, and other bytes that are no TLS") {
    TlsServer server;
    for (const auto bytes : {"\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00"sv, "PATCH /twins/d1 HTTP/1.1\r\n\r\n"sv, "hello, is anybody there?\r\n"sv,
                             "\0\0\0\0\0\0\0\0"sv}) {
      CAPTURE(bytes);
      const std::size_t index = server.accepted();
      PlainSocket client(server.port());
      client.send(bytes);
      const CloseReason reason = server.end(index).wait_closed();
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail == "the peer's first bytes are not TLS (TLS: wrong version number)");
      CHECK(reason.advice == "turn TLS on in the client: this port speaks only TLS");
    }
  }

  TEST_CASE("handshake faults: a client that does not trust the hub's authority") {
    SystemRandom random;
    const auto other = certs::make_root("another root", SystemClock().now(), random);
    REQUIRE(other.ok());
    TlsServer server;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      WireClient::Options options;
      options.version = version;
      options.verify_name = "localhost";
      options.ca_pem = other->certificate_pem;
      const CloseReason reason = after_handshake(server, options);
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail.starts_with("the client does not trust the hub's certificate authority (TLS: "));
      CHECK(reason.advice == "give the client this hub's CA file (ca.pem); see `nearhub examples`");
    }
  }

  TEST_CASE("handshake faults: a client that dialled a name that the certificate lacks") {
    TlsServer server;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      WireClient::Options options;
      options.version = version;
      options.verify_name = "hub.local.test";
      options.ca_pem = TlsServer::ca_pem();
      const CloseReason reason = after_handshake(server, options);
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail.starts_with(kRefused));
      CHECK(reason.advice == kRefusedAdvice);
    }
  }

  TEST_CASE("handshake faults: a client whose clock is wrong") {
    TlsServer server;
    // A board without a battery wakes up in 2000; another one has jumped to 2200.
    for (const std::int64_t now_s : {946'684'800LL, 7'258'118'400LL}) {
      WireClient::Options options;
      options.verify_name = "localhost";
      options.ca_pem = TlsServer::ca_pem();
      options.now_s = now_s;
      const CloseReason reason = after_handshake(server, options);
      CHECK(reason.kind == CloseReason::kHandshake);
      // OpenSSL's clients say "bad certificate" to one that is not yet valid, and "expired" to one that is no more.
      if (now_s > 2'000'000'000) {
        CHECK(reason.detail.starts_with("the client holds the hub's certificate for expired or not yet valid"));
        CHECK(reason.advice == "set the client's clock");
      } else {
        CHECK(reason.detail.starts_with(kRefused));
        CHECK(reason.advice == kRefusedAdvice);
      }
    }
  }

  TEST_CASE("handshake faults: versions and suites that nobody shares") {
    TlsServer server;
    WireClient::Options old;
    old.version = TLS1_1_VERSION;
    CloseReason reason = after_handshake(server, old);
    CHECK(reason.kind == CloseReason::kHandshake);
    CHECK(reason.detail == "the client offers no TLS version above 1.1 (TLS: unsupported protocol)");
    CHECK(reason.advice == "the hub speaks TLS 1.2 and 1.3");
    WireClient::Options strange;
    strange.version = TLS1_2_VERSION;
    strange.ciphers = "DHE-RSA-AES128-GCM-SHA256";
    reason = after_handshake(server, strange);
    CHECK(reason.kind == CloseReason::kHandshake);
    CHECK(reason.detail == "client and hub share no cipher suite (TLS: no shared cipher)");
    CHECK(reason.advice == "see docs/tls.md for the hub's list");
  }

  TEST_CASE("handshake faults: a client that leaves in the middle") {
    TlsServer server;
    {
      WireClient client(server.port(), {});
      client.send_hello();
      client.socket().receive();  // the server's answer has come
      client.socket().finish();
      const CloseReason reason = server.end(0).wait_closed();
      CHECK(reason.kind == CloseReason::kHandshake);
      CHECK(reason.detail == "the peer closed during the TLS handshake");
      CHECK(reason.advice == "often a client that does not trust the hub's certificate authority; give it this hub's CA file (ca.pem)");
    }
    PlainSocket half(server.port());
    half.send("\x16\x03\x01\x02\x00\x01\x00");
    half.finish();
    CHECK(server.end(1).wait_closed().kind == CloseReason::kHandshake);
  }

  TEST_CASE("handshake faults: who connects and leaves without a byte is no fault") {
    TlsServer server;
    {
      const PlainSocket probe(server.port());
      server.end(0);
    }
    const CloseReason reason = server.end(0).wait_closed();
    CHECK(reason.kind == CloseReason::kPeer);
    CHECK(reason.advice == "");
  }

  TEST_CASE("handshake faults: a broken record after the handshake is a TLS error, and the peer is told") {
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    server.end().wait_secured();
    client.socket().send("\x17\x03\x03\x00\x20" "01234567890123456789012345678901"sv);
    const CloseReason reason = server.end().wait_closed();
    CHECK(reason.kind == CloseReason::kTls);
    CHECK(reason.detail.starts_with("TLS: "));
  }

  TEST_CASE("handshake faults: no renegotiation") {
    TlsServer server;
    WireClient::Options options;
    options.version = TLS1_2_VERSION;
    WireClient client(server.port(), options);
    REQUIRE(client.handshake());
    server.end().wait_secured();
    // A ClientHello in the clear where a protected record must stand.
    client.socket().send("\x16\x03\x03\x00\x04\x01\x00\x00\x00"sv);
    CHECK(server.end().wait_closed().kind == CloseReason::kTls);
  }
}
