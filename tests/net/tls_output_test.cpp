// What goes out: how it is cut into records, and what happens when the peer does not read.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>

#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

// The nRF9160's modem takes no record beyond this (x509-and-boards.md B.6).
constexpr std::size_t kModemRecordBytes = 2303;

std::size_t largest(const std::vector<TlsRecord>& records) {
  std::size_t most = 0;
  for (const TlsRecord& record : records) most = std::max(most, record.bytes);
  return most;
}

std::size_t count(const std::vector<TlsRecord>& records, int type) {
  return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [type](const TlsRecord& record) { return record.type == type; }));
}

std::size_t queued(TlsServer& server, ServerEnd& end) {
  return server.on(end, [](ServerEnd& self) { return self.connection().queued_output(); });
}

void write(TlsServer& server, ServerEnd& end, std::string_view bytes) {
  server.on(end, [bytes](ServerEnd& self) { self.connection().write(bytes); });
}

// Both ends with small windows, so that a reader that stops is felt soon.
struct SlowPair {
  SlowPair() : server({TlsServer::Leaves::kEc, {}, 4096}), client(server.port(), options()) {
    REQUIRE(client.handshake());
    server.end().wait_secured();
    server.loop().settle();
  }
  static WireClient::Options options() {
    WireClient::Options options;
    options.receive_buffer = 4096;
    return options;
  }
  ServerEnd& end() { return server.end(); }
  TlsServer server;
  WireClient client;
};

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("TLS output: no record is beyond what a modem takes, in any version and suite") {
    TlsServer server;
    std::size_t index = 0;
    for (const auto& [version, ciphers] :
         {std::pair<int, std::string>{TLS1_3_VERSION, ""}, {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"}, {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384"},
          {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA"}, {TLS1_2_VERSION, "AES128-SHA256"}, {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"}}) {
      CAPTURE(ciphers);
      WireClient::Options options;
      options.version = version;
      if (!ciphers.empty()) options.ciphers = ciphers.c_str();
      WireClient client(server.port(), options);
      REQUIRE_MESSAGE(client.handshake(), client.error());
      ServerEnd& end = server.end(index++);
      end.wait_secured();
      CHECK(largest(records_of(client.wire())) <= kModemRecordBytes);
      const std::size_t handshake = client.wire().size();
      const std::string sent = pattern(100'000);
      write(server, end, sent);
      CHECK((client.receive_all(sent.size()) == sent));
      const auto records = records_of(std::string_view(client.wire()).substr(handshake));
      CHECK(largest(records) <= kModemRecordBytes);
      // 48 of 2048 bytes and one of the rest, not many small ones.
      CHECK(count(records, 23) == 49);
    }
  }

  TEST_CASE("TLS output: what is written in one turn is one record, from however many pieces") {
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.on(end, [](ServerEnd& self) {
      for (int i = 0; i < 100; ++i) self.connection().write(std::string(1, static_cast<char>('a' + i % 26)));
      CHECK(self.connection().queued_output() == 100);
    });
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += static_cast<char>('a' + i % 26);
    const std::size_t before = client.wire().size();
    CHECK(client.receive_all(100) == expected);
    const auto records = records_of(std::string_view(client.wire()).substr(before));
    CHECK(records.size() == 1);
    CHECK(queued(server, end) == 0);
  }

  TEST_CASE("TLS output: the buffer of a turn keeps what is in it, whichever buffers other connections have left behind") {
    TlsServer server;
    WireClient first(server.port(), {}), second(server.port(), {});
    REQUIRE(first.handshake());
    REQUIRE(second.handshake());
    server.end(0).wait_secured();
    server.end(1).wait_secured();
    for (int round = 0; round < 3; ++round) {
      write(server, server.end(0), pattern(5000));
      CHECK(first.receive_all(5000).size() == 5000);
      server.on(server.end(1), [](ServerEnd& self) {
        std::string& out = self.connection().output();
        out += "a";
        self.connection().output() += "b";
        self.connection().write("c");
      });
      CHECK(second.receive_all(3) == "abc");
    }
  }

  TEST_CASE("TLS output: megabytes written at once arrive whole") {
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    server.end().wait_secured();
    const std::string sent = pattern(8'000'000);
    write(server, server.end(), sent);
    CHECK((client.receive_all(sent.size()) == sent));
    server.end().wait_drained(1);
    CHECK(queued(server, server.end()) == 0);
  }

  TEST_CASE("TLS output: a reader that stops is seen in queued_output(), and gets everything when it reads again") {
    SlowPair pair;
    const std::string first = pattern(1'000'000, 1), second = pattern(1'000'000, 2), third = pattern(10, 3);
    const int drained_before = pair.end().drained();
    write(pair.server, pair.end(), first);
    pair.server.loop().settle();
    CHECK(queued(pair.server, pair.end()) > 500'000);
    CHECK(pair.end().drained() == drained_before);
    // What comes behind it waits as plaintext, and is counted.
    const std::size_t waiting = queued(pair.server, pair.end());
    write(pair.server, pair.end(), second);
    pair.server.loop().settle();
    CHECK(queued(pair.server, pair.end()) >= waiting + 900'000);
    write(pair.server, pair.end(), third);
    CHECK((pair.client.receive_all(2'000'010) == first + second + third));
    pair.end().wait_drained(drained_before + 1);
    CHECK(queued(pair.server, pair.end()) == 0);
  }

  TEST_CASE("TLS output: on_drained() follows every writing turn that the system took whole") {
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.loop().settle();
    CHECK(end.drained() == 0);
    for (int i = 1; i <= 3; ++i) {
      write(server, end, "x");
      end.wait_drained(i);
    }
    server.loop().settle();
    CHECK(end.drained() == 3);
  }

  TEST_CASE("TLS output: a writer that fills up in on_drained() goes on for ever without holding more than it wrote") {
    SlowPair pair;
    // Three more writes, each when the one before is with the system.
    pair.server.on(pair.end(), [](ServerEnd& self) {
      auto left = std::make_shared<int>(3);
      self.when_drained = [left](ServerEnd& again) {
        CHECK(again.connection().queued_output() == 0);
        if ((*left)-- > 0) again.connection().write(pattern(100'000));
      };
      self.connection().write(pattern(100'000));
    });
    const std::string all = pair.client.receive_all(400'000);
    const std::string once = pattern(100'000);
    CHECK((all == once + once + once + once));
  }

  TEST_CASE("TLS output: last_progress() moves when the reader takes something, and stands while it does not") {
    SlowPair pair;
    write(pair.server, pair.end(), pattern(1'000'000));
    pair.server.loop().settle();
    const auto progress = [&] { return pair.server.on(pair.end(), [](ServerEnd& self) { return self.connection().last_progress(); }); };
    const auto now = [&] { return pair.server.loop().run([&] { return pair.server.loop().get().timers().now(); }); };
    const MonoTime stalled_at = progress();
    pair.server.advance(std::chrono::minutes{10});
    pair.server.loop().settle();
    CHECK(progress() == stalled_at);
    CHECK(now() - progress() >= std::chrono::minutes{10});
    CHECK(pair.client.receive_all(500'000).size() >= 500'000);
    CHECK(now() - progress() < std::chrono::minutes{10});
  }

  TEST_CASE("TLS output: a reader that stops and then leaves is no loss to anybody") {
    SlowPair pair;
    write(pair.server, pair.end(), pattern(1'000'000));
    pair.server.loop().settle();
    pair.client.socket().close();
    const CloseReason reason = pair.end().wait_closed();
    CHECK(reason.kind == CloseReason::kReset);
  }

  TEST_CASE("TLS output: one slow reader does not hold up another") {
    TlsServer server({TlsServer::Leaves::kEc, {}, 4096});
    WireClient slow(server.port(), SlowPair::options()), quick(server.port(), {});
    REQUIRE(slow.handshake());
    REQUIRE(quick.handshake());
    server.end(0).wait_secured();
    server.end(1).wait_secured();
    write(server, server.end(0), pattern(2'000'000));
    for (int i = 0; i < 5; ++i) {
      write(server, server.end(1), "news");
      CHECK(quick.receive_all(4) == "news");
    }
    CHECK(queued(server, server.end(0)) > 0);
    CHECK((slow.receive_all(2'000'000) == pattern(2'000'000)));
  }

  TEST_CASE("TLS output: key updates are answered, for those who read the answers") {
    TlsServer::Options options;
    options.prepare = [](ServerEnd& end) { end.on_bytes = [](ServerEnd& self, std::string_view bytes) { self.connection().write(bytes); }; };
    TlsServer server(std::move(options));
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    for (int i = 0; i < 200; ++i) {
      REQUIRE(client.ask_for_key_update());
      client.send("x");
      CHECK(client.receive() == "x");
    }
  }

  TEST_CASE("TLS output: a peer that asks for key updates without end and does not read is closed, and costs no memory") {
    SlowPair pair;
    int asked = 0;
    while (asked < 200'000 && pair.client.ask_for_key_update()) ++asked;
    const CloseReason reason = pair.end().wait_closed();
    CHECK(reason.kind == CloseReason::kTls);
    CHECK(reason.detail == "the peer asks for key updates and does not read the answers");
    CHECK(asked < 200'000);
  }
}
