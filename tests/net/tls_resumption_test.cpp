// Resumed sessions: what the server knows of the client is what it knew after the full handshake, or a full handshake is made.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/net/client_chain.h"
#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;
using namespace std::chrono_literals;

namespace {

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

TlsServer::Options resuming(TicketLimits limits = {}) {
  TlsServer::Options options;
  options.resumption = true;
  options.tickets = limits;
  options.prepare = [](ServerEnd& end) { end.on_bytes = [](ServerEnd& self, std::string_view bytes) { self.connection().write(bytes); }; };
  return options;
}

// What a client shows, leaf first.
struct Chain {
  std::string name;
  ClientCertificate leaf;
  std::vector<ClientCertificate> intermediates;

  std::vector<std::string> der() const {
    std::vector<std::string> all;
    if (!leaf.der.empty()) all.push_back(leaf.der);
    for (const ClientCertificate& each : intermediates) all.push_back(each.der);
    return all;
  }
};

// A client of one version with one chain, which keeps the session of its latest connection.
class Client {
 public:
  explicit Client(int version, Chain chain = {}) : chain_(std::move(chain)) {
    options_.version = version;
    options_.certificate_pem = chain_.leaf.certificate_pem;
    options_.key_pem = chain_.leaf.key_pem;
    for (const ClientCertificate& each : chain_.intermediates) options_.chain_pem.push_back(each.certificate_pem);
  }

  struct Seen {
    bool resumed = false;         // both sides agree on it
    int tickets = 0;
    std::vector<std::string> certificates;  // by the server
    std::string wire;
  };
  // Connects, exchanges a few bytes, keeps the session and leaves. `meanwhile` runs on the server's loop before its certificates are looked at.
  Seen connect(TlsServer& server, const std::function<void(ServerEnd&)>& meanwhile = {}) {
    const std::size_t index = server.accepted();
    options_.session = session_;
    WireClient client(server.port(), options_);
    REQUIRE_MESSAGE(client.handshake(), client.error());
    client.send("hello");
    REQUIRE(client.receive_all(5) == "hello");
    if (auto session = client.session()) session_ = session;
    Seen seen;
    seen.tickets = client.tickets_received();
    seen.wire = client.wire();
    seen.resumed = client.resumed();
    const bool agreed = server.on(server.end(index), [&](ServerEnd& end) {
      if (meanwhile) meanwhile(end);
      seen.certificates = end.connection().take_client_certificates();
      return end.connection().resumed() == seen.resumed;
    });
    CHECK(agreed);
    CHECK(seen.certificates == chain_.der());
    return seen;
  }

  const TlsSession& session() const { return session_; }
  std::string ticket() const {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session_.get(), &bytes, &size);
    return {reinterpret_cast<const char*>(bytes), size};
  }
  void use(TlsSession session) { session_ = std::move(session); }

 private:
  Chain chain_;
  WireClient::Options options_;
  TlsSession session_;
};

ClientCertificateOptions authority() {
  ClientCertificateOptions options;
  options.ca = true;
  return options;
}

Chain chain_of(const std::string& name, int intermediates) {
  Chain chain;
  chain.name = name;
  ClientCertificate issuer = make_client_certificate(name + " root", nullptr, authority());
  for (int i = 0; i < intermediates; ++i) {
    issuer = make_client_certificate(name + " intermediate " + std::to_string(i), &issuer, authority());
    chain.intermediates.insert(chain.intermediates.begin(), issuer);
  }
  chain.leaf = make_client_certificate(name, &issuer);
  return chain;
}

std::vector<Chain> all_kinds() {
  std::vector<Chain> kinds;
  kinds.push_back({"no certificate", {}, {}});
  kinds.push_back({"self-signed, EC", make_client_certificate("d1", nullptr), {}});
  ClientCertificateOptions rsa;
  rsa.key = ClientKey::kRsa;
  kinds.push_back({"self-signed, RSA", make_client_certificate("d1", nullptr, rsa), {}});
  kinds.push_back({"a CA as leaf", make_client_certificate("d1", nullptr, authority()), {}});
  kinds.push_back(chain_of("issued, no intermediate sent", 0));
  kinds.push_back(chain_of("one intermediate", 1));
  kinds.push_back(chain_of("four intermediates", 4));
  Chain with_root = chain_of("intermediate and root", 1);
  with_root.intermediates.push_back(make_client_certificate("some root", nullptr, authority()));
  kinds.push_back(with_root);
  Chain doubled = chain_of("an intermediate twice", 1);
  doubled.intermediates.push_back(doubled.intermediates.front());
  kinds.push_back(doubled);
  Chain turned = chain_of("intermediates in the wrong order", 2);
  std::reverse(turned.intermediates.begin(), turned.intermediates.end());
  kinds.push_back(turned);
  Chain future{"not yet valid", {}, {}};
  ClientCertificateOptions later;
  later.not_before = SystemClock().now() + 24h;
  future.leaf = make_client_certificate("d1", nullptr, later);
  kinds.push_back(future);
  ClientCertificateOptions large;
  large.padding = 6000;
  kinds.push_back({"a leaf of 6 KB", make_client_certificate("d1", nullptr, large), {}});
  return kinds;
}

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("resumption: the server sees the same certificates as after a full handshake, whatever the client showed") {
    TlsServer server(resuming());
    for (const Chain& chain : all_kinds()) {
      for (const int version : kVersions) {
        CAPTURE(chain.name);
        CAPTURE(version);
        Client client(version, chain);
        CHECK_FALSE(client.connect(server).resumed);
        CHECK(client.connect(server).resumed);
        // With the ticket that the resumed connection got.
        CHECK(client.connect(server).resumed);
        CHECK(client.connect(server).resumed);
      }
    }
  }

  TEST_CASE("resumption: one ticket per handshake, for a day, without early data, in records that a modem takes") {
    TlsServer server(resuming());
    ClientCertificateOptions large;
    large.padding = 6000;
    for (const int version : kVersions) {
      CAPTURE(version);
      Client client(version, {"large", make_client_certificate("d1", nullptr, large), {}});
      const auto full = client.connect(server);
      CHECK(full.tickets == 1);
      CHECK(SSL_SESSION_get_ticket_lifetime_hint(client.session().get()) == 24 * 3600);
      CHECK(SSL_SESSION_get_max_early_data(client.session().get()) == 0);
      const auto resumed = client.connect(server);
      CHECK(resumed.tickets == (version == TLS1_3_VERSION ? 1 : 0));
      for (const std::string& wire : {full.wire, resumed.wire}) {
        for (const TlsRecord& record : records_of(wire)) CHECK(record.bytes <= 2303);
      }
    }
  }

  TEST_CASE("resumption: off, no ticket is given, and one from elsewhere is left aside") {
    TlsServer on(resuming());
    TlsServer::Options options = resuming();
    options.resumption = false;
    TlsServer off(options);
    for (const int version : kVersions) {
      Client client(version, chain_of("d1", 1));
      client.connect(on);
      const auto seen = client.connect(off);
      CHECK_FALSE(seen.resumed);
      CHECK(seen.tickets == 0);
    }
  }

  TEST_CASE("resumption: a client of TLS 1.2 that wants no ticket gets none") {
    TlsServer server(resuming());
    WireClient::Options options;
    options.version = TLS1_2_VERSION;
    options.tickets = false;
    WireClient client(server.port(), options);
    REQUIRE_MESSAGE(client.handshake(), client.error());
    client.send("hello");
    CHECK(client.receive_all(5) == "hello");
    CHECK(client.session() == nullptr);
  }

  TEST_CASE("resumption: a ticket of another hub, or of this one before it was started anew, means a full handshake on the same connection") {
    for (const char* name : {"net tests", "another hub"}) {
      TlsServer first(resuming());
      TlsServer::Options options = resuming();
      options.hub = name;
      TlsServer second(options);
      for (const int version : kVersions) {
        CAPTURE(version);
        Client client(version, chain_of("d1", 1));
        client.connect(first);
        const auto seen = client.connect(second);
        CHECK_FALSE(seen.resumed);
        CHECK(seen.tickets == 1);
        CHECK(client.connect(second).resumed);
      }
    }
  }

  TEST_CASE("resumption: a leaf that has expired since is shown anew") {
    for (const int version : kVersions) {
      CAPTURE(version);
      TlsServer server(resuming());
      Chain chain = chain_of("d1", 1);
      ClientCertificateOptions brief;
      brief.not_after = server.clock().now() + 2h;
      const ClientCertificate issuer = make_client_certificate("issuer", nullptr, authority());
      chain.leaf = make_client_certificate("d1", &issuer, brief);
      Client client(version, chain);
      client.connect(server);
      server.advance(1h);
      CHECK(client.connect(server).resumed);
      server.advance(2h);
      CHECK_FALSE(client.connect(server).resumed);
    }
  }

  TEST_CASE("resumption: when the intermediates were forgotten they are sent again, and kept again") {
    for (const int version : kVersions) {
      CAPTURE(version);
      TicketLimits limits;
      limits.chains = 2;
      TlsServer server(resuming(limits));
      Client client(version, chain_of("d1", 1)), second(version, chain_of("d2", 2)), third(version, chain_of("d3", 1));
      client.connect(server);
      second.connect(server);
      CHECK(client.connect(server).resumed);
      // The latest used stay.
      third.connect(server);
      CHECK(client.connect(server).resumed);
      CHECK_FALSE(second.connect(server).resumed);
      CHECK(second.connect(server).resumed);
    }
  }

  TEST_CASE("resumption: the bound on their bytes holds as well") {
    ClientCertificateOptions large = authority();
    large.padding = 6000;
    const auto heavy = [&](const std::string& name, int intermediates) {
      Chain chain = chain_of(name, intermediates);
      for (ClientCertificate& each : chain.intermediates) each = make_client_certificate(name, nullptr, large);
      return chain;
    };
    TicketLimits limits;
    limits.chain_bytes = 16 * 1024;
    TlsServer server(resuming(limits));
    Client first(TLS1_3_VERSION, heavy("d1", 1)), second(TLS1_3_VERSION, heavy("d2", 1)), third(TLS1_3_VERSION, heavy("d3", 1));
    first.connect(server);
    second.connect(server);
    CHECK(first.connect(server).resumed);
    third.connect(server);
    CHECK_FALSE(second.connect(server).resumed);
  }

  TEST_CASE("resumption: a connection keeps its client's intermediates though the store forgets them") {
    for (const int version : kVersions) {
      TicketLimits limits;
      limits.chains = 1;
      TlsServer server(resuming(limits));
      Client client(version, chain_of("d1", 2)), other(version, chain_of("d2", 1));
      client.connect(server);
      // Between the handshake and the verdict: the certificates are compared in connect().
      bool in_between = false;
      const std::size_t index = server.accepted();
      WireClient::Options options;
      options.version = version;
      options.session = client.session();
      WireClient resumed(server.port(), options);
      REQUIRE_MESSAGE(resumed.handshake(), resumed.error());
      resumed.send("hello");
      REQUIRE(resumed.receive_all(5) == "hello");
      CHECK(resumed.resumed());
      other.connect(server, [&](ServerEnd&) { in_between = true; });
      CHECK(in_between);
      const auto certificates = server.on(server.end(index), [](ServerEnd& end) { return end.connection().take_client_certificates(); });
      CHECK(certificates.size() == 3);
      CHECK_FALSE(client.connect(server).resumed);
    }
  }

  TEST_CASE("resumption: keys change, tickets of the one before stay good, and a client gets one of the new key") {
    for (const int version : kVersions) {
      CAPTURE(version);
      TlsServer server(resuming());
      Client client(version, chain_of("d1", 1));
      client.connect(server);
      const std::string first = client.ticket();
      server.advance(7h);
      CHECK(client.connect(server).resumed);
      const std::string second = client.ticket();
      CHECK(second.substr(0, 16) != first.substr(0, 16));  // the name of the key
      CHECK(client.connect(server).resumed);
      CHECK(client.ticket().substr(0, 16) == second.substr(0, 16));
      // A ticket for one use, or one that is good as it is.
      CHECK((client.ticket() != second) == (version == TLS1_3_VERSION));
    }
  }

  TEST_CASE("resumption: a day after its full handshake a session is over, however often it was resumed") {
    for (const int version : kVersions) {
      CAPTURE(version);
      TlsServer server(resuming());
      Client client(version, chain_of("d1", 1));
      client.connect(server);
      for (int hours = 10; hours <= 20; hours += 10) {
        server.advance(10h);
        CHECK(client.connect(server).resumed);
      }
      server.advance(10h);
      CHECK_FALSE(client.connect(server).resumed);
      CHECK(client.connect(server).resumed);
    }
  }

  TEST_CASE("resumption: a session that the owner has given up is not resumed by any of its tickets, and others are") {
    for (const int version : kVersions) {
      CAPTURE(version);
      TicketLimits limits;
      limits.revoked = 1;
      TlsServer server(resuming(limits));
      Client client(version, chain_of("d1", 1)), other(version, chain_of("d2", 1));
      client.connect(server);
      other.connect(server);
      const TlsSession first = client.session();
      CHECK(client.connect(server, [](ServerEnd& end) { end.connection().forget_session(); }).resumed);
      CHECK_FALSE(client.connect(server).resumed);
      client.use(first);
      CHECK_FALSE(client.connect(server).resumed);
      CHECK(client.connect(server).resumed);
      CHECK(other.connect(server).resumed);
    }
  }

  TEST_CASE("resumption: the last words of a client that leaves with its ticket unread are heard") {
    TlsServer::Options options = resuming();
    options.prepare = {};
    TlsServer server(options);
    WireClient::Options wire;
    wire.version = TLS1_3_VERSION;
    for (std::size_t i = 0; i < 20; ++i) {
      WireClient client(server.port(), wire);
      REQUIRE_MESSAGE(client.handshake(), client.error());
      client.send("goodbye");
      client.socket().close();
      CHECK(server.end(i).wait_data(7) == "goodbye");
    }
  }
}
