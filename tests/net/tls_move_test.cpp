// A connection that changes its loop: nothing is lost, in either direction.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <string>

#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

// Echoes, and moves to the other loop each time that its output is out.
class Wanderer {
 public:
  Wanderer(Loop& first, Loop& second) : loops_{&first, &second} {}

  void take(ServerEnd& end) {
    end.on_bytes = [this](ServerEnd& self, std::string_view bytes) {
      NEARHUB_CHECK(loops_[at_]->is_current());
      self.connection().write(bytes);
    };
    end.when_drained = [this](ServerEnd& self) {
      // What comes meanwhile waits in the socket.
      self.connection().pause_reading();
      loops_[at_]->post([this, &self] { move(self); });
    };
  }
  int moves() const { return moves_; }

 private:
  void move(ServerEnd& end) {
    if (end.owned() == nullptr || end.connection().closing()) return;
    end.connection().detach();
    at_ = 1 - at_;
    ++moves_;
    loops_[at_]->post([this, &end] {
      end.connection().attach(*loops_[at_]);
      end.connection().resume_reading();
    });
  }

  Loop* loops_[2];
  std::size_t at_ = 0;  // the loop that holds the connection
  std::atomic<int> moves_{0};
};

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("moving: between two loops with data under way both ways, not a byte is lost") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const SystemClock clock;
      RunningLoop second(clock);
      std::unique_ptr<Wanderer> wanderer;
      TlsServer::Options options;
      options.leaves = TlsServer::Leaves::kEc;
      options.prepare = [&wanderer](ServerEnd& end) { wanderer->take(end); };
      TlsServer server(std::move(options));
      wanderer = std::make_unique<Wanderer>(server.loop().get(), second.get());
      WireClient::Options client_options;
      client_options.version = version;
      WireClient client(server.port(), client_options);
      REQUIRE(client.handshake());

      constexpr std::size_t kTotal = 1'000'000, kWindow = 10'000;
      const std::string sent = pattern(kTotal);
      std::string received;
      std::size_t at = 0, piece = 1;
      while (received.size() < kTotal) {
        while (at < kTotal && at - received.size() < kWindow) {
          const std::size_t n = std::min({piece, kTotal - at, kWindow - (at - received.size())});
          client.send(std::string_view(sent).substr(at, n));
          at += n;
          piece = piece * 7 % 9973 + 1;
        }
        const std::string more = client.receive();
        REQUIRE(!more.empty());
        received += more;
      }
      CHECK((received == sent));
      CHECK(wanderer->moves() >= 100);
      client.socket().close();
      CHECK(server.end().wait_closed().kind == CloseReason::kPeer);
      server.loop().settle();
      second.settle();
    }
  }

  TEST_CASE("moving: also when the turn still had its output to look at, and there is none") {
    const SystemClock clock;
    RunningLoop second(clock);
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    // The same happens when the system takes, in that turn, the last of what waited.
    server.on(end, [](ServerEnd& self) {
      CHECK(self.connection().output().empty());
      self.connection().detach();
    });
    server.loop().settle();
    second.run([&] {
      end.connection().attach(second.get());
      end.connection().write("from the second loop");
    });
    CHECK(client.receive() == "from the second loop");
    client.send("x");
    CHECK(end.wait_data(1) == "x");
    second.run([&] { end.owned().reset(); });
  }

  TEST_CASE("moving: what comes while no loop holds the connection waits for the next one") {
    const SystemClock clock;
    RunningLoop second(clock);
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    client.send("before ");
    end.wait_data(7);
    server.on(end, [](ServerEnd& self) { self.connection().detach(); });
    client.send("between ");
    server.loop().settle();
    CHECK(end.received() == 7);
    second.run([&] { end.connection().attach(second.get()); });
    client.send("after");
    CHECK(end.wait_data(20) == "before between after");
    second.run([&] { end.connection().write("from the second loop"); });
    CHECK(client.receive_all(20) == "from the second loop");
    second.run([&] { end.owned().reset(); });
  }

  TEST_CASE("moving: a peer that leaves meanwhile is noticed on the new loop") {
    const SystemClock clock;
    RunningLoop second(clock);
    TlsServer server;
    auto client = std::make_unique<WireClient>(server.port(), WireClient::Options());
    REQUIRE(client->handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.loop().settle();
    server.on(end, [](ServerEnd& self) { self.connection().detach(); });
    client->send("last words");
    client.reset();
    second.run([&] { end.connection().attach(second.get()); });
    CHECK(end.wait_closed().kind == CloseReason::kPeer);
    CHECK(end.wait_data(10) == "last words");
    second.settle();
  }

  TEST_CASE("moving: a reset meanwhile is noticed, too") {
    const SystemClock clock;
    RunningLoop second(clock);
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.loop().settle();
    server.on(end, [](ServerEnd& self) { self.connection().detach(); });
    client.socket().reset();
    second.run([&] { end.connection().attach(second.get()); });
    CHECK(end.wait_closed().kind == CloseReason::kReset);
    second.settle();
  }

  TEST_CASE("moving: paused reading stays paused") {
    const SystemClock clock;
    RunningLoop second(clock);
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.loop().settle();
    server.on(end, [](ServerEnd& self) {
      self.connection().pause_reading();
      self.connection().detach();
    });
    client.send("waiting");
    second.run([&] { end.connection().attach(second.get()); });
    second.settle();
    CHECK(end.received() == 0);
    second.run([&] { end.connection().resume_reading(); });
    CHECK(end.wait_data(7) == "waiting");
    second.run([&] { end.owned().reset(); });
  }

  TEST_CASE("moving: a connection without a loop can be destroyed") {
    TlsServer server;
    WireClient client(server.port(), {});
    REQUIRE(client.handshake());
    ServerEnd& end = server.end();
    end.wait_secured();
    server.loop().settle();
    server.on(end, [](ServerEnd& self) {
      self.connection().detach();
      self.owned().reset();
    });
    CHECK(client.receive() == "");
    CHECK_FALSE(end.closed());
  }
}
