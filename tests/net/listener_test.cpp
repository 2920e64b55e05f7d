#include "wire/net/listener.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/net/running_loop.h"
#include "tests/net/wire_client.h"

using namespace nearhub;
using namespace nearhub::net;
using namespace nearhub::test;

namespace {

// Accepts and keeps; the sockets are closed at the end.
struct Accepted {
  Signal signal;
  std::vector<int> sockets;        // protected by the signal's mutex
  std::vector<std::string> peers;  // protected by the signal's mutex
  ~Accepted() {
    for (const int fd : sockets) ::close(fd);
  }
  Listener::OnAccept callback() {
    return [this](int fd, std::string peer) {
      const std::lock_guard lock(signal.mutex());
      sockets.push_back(fd);
      peers.push_back(std::move(peer));
      signal.notify_locked();
    };
  }
  void wait(std::size_t count) {
    signal.wait([this, count] { return sockets.size() >= count; }, "connections");
  }
  std::size_t count() {
    const std::lock_guard lock(signal.mutex());
    return sockets.size();
  }
};

ListeningSocket bound(std::uint16_t port = 0, ListeningSocket::Claim claim = ListeningSocket::Claim::kFirst) {
  auto socket = ListeningSocket::bind("127.0.0.1", port, claim);
  REQUIRE_MESSAGE(socket.ok(), (socket.ok() ? "" : socket.error().detail));
  return std::move(*socket);
}

std::unique_ptr<Listener> listen(RunningLoop& loop, ListeningSocket socket, Accepted& accepted) {
  auto moved = std::make_shared<ListeningSocket>(std::move(socket));
  return loop.run([&, moved] { return std::make_unique<Listener>(loop.get(), std::move(*moved), accepted.callback()); });
}

bool can_connect(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

Error error_of(const std::string& address, std::uint16_t port, ListeningSocket::Claim claim = ListeningSocket::Claim::kFirst) {
  const auto socket = ListeningSocket::bind(address, port, claim);
  REQUIRE_FALSE(socket.ok());
  return socket.error();
}

}  // namespace

TEST_SUITE("net") {
  TEST_CASE("listener: port 0 takes a free one, and a connection comes with its peer, non-blocking, without delay and with keep-alive") {
    const SystemClock clock;
    Accepted accepted;
    RunningLoop loop(clock);
    ListeningSocket socket = bound();
    const std::uint16_t port = socket.port();
    CHECK(port != 0);
    auto listener = listen(loop, std::move(socket), accepted);
    const PlainSocket client(port);
    accepted.wait(1);
    CHECK(accepted.peers[0] == "127.0.0.1:" + std::to_string(client.local_port()));
    CHECK((fcntl(accepted.sockets[0], F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(accepted.sockets[0], F_GETFD) & FD_CLOEXEC) != 0);
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    REQUIRE(getsockopt(accepted.sockets[0], IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0);
    CHECK(no_delay != 0);
    int keep_alive = 0;
    REQUIRE(getsockopt(accepted.sockets[0], SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size) == 0);
    CHECK(keep_alive != 0);
    loop.run([&] { listener.reset(); });
  }

  TEST_CASE("listener: connections that waited before it was there are taken, any number of them") {
    const SystemClock clock;
    Accepted accepted;
    RunningLoop loop(clock);
    ListeningSocket socket = bound();
    std::vector<std::unique_ptr<PlainSocket>> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<PlainSocket>(socket.port()));
    auto listener = listen(loop, std::move(socket), accepted);
    accepted.wait(200);
    loop.run([&] { listener.reset(); });
  }

  TEST_CASE("listener: a second hub on the same port fails, before and after the first one listens on it with several loops") {
    ListeningSocket first = bound();
    const std::string in_use = "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": Address already in use";
    CHECK(error_of("127.0.0.1", first.port()) == Error{ErrorCode::kIo, in_use});
    const ListeningSocket joined = bound(first.port(), ListeningSocket::Claim::kJoin);
    CHECK(joined.port() == first.port());
    CHECK(error_of("127.0.0.1", first.port()) == Error{ErrorCode::kIo, in_use});
  }

  TEST_CASE("listener: to join is to share with one's own kind alone") {
    // A socket of another program, without SO_REUSEPORT.
    const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(other, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(other, 1) == 0);
    socklen_t size = sizeof address;
    REQUIRE(getsockname(other, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    CHECK(error_of("127.0.0.1", ntohs(address.sin_port), ListeningSocket::Claim::kJoin).code == ErrorCode::kIo);
    ::close(other);
  }

  TEST_CASE("listener: loops that share a port all get connections") {
    const SystemClock clock;
    Accepted accepted_1, accepted_2;
    RunningLoop loop_1(clock), loop_2(clock);
    ListeningSocket first = bound();
    const std::uint16_t port = first.port();
    ListeningSocket second = bound(port, ListeningSocket::Claim::kJoin);
    auto listener_1 = listen(loop_1, std::move(first), accepted_1);
    auto listener_2 = listen(loop_2, std::move(second), accepted_2);
    // The kernel spreads them by a hash of the addresses: that 128 go to one has no chance.
    std::vector<std::unique_ptr<PlainSocket>> clients;
    for (int i = 0; i < 128; ++i) clients.push_back(std::make_unique<PlainSocket>(port));
    accepted_1.wait(1);
    accepted_2.wait(1);
    loop_1.run([&] { listener_1.reset(); });
    loop_2.run([&] { listener_2.reset(); });
  }

  TEST_CASE("listener: addresses that cannot be had are told apart") {
    CHECK(error_of("localhost", 0) == Error{ErrorCode::kInvalidSetting, "--bind localhost: not an IP address"});
    CHECK(error_of("", 0) == Error{ErrorCode::kInvalidSetting, "--bind : not an IP address"});
    CHECK(error_of("127.0.0.1.1", 0) == Error{ErrorCode::kInvalidSetting, "--bind 127.0.0.1.1: not an IP address"});
    // TEST-NET-1: no machine has it.
    CHECK(error_of("192.0.2.1", 0) == Error{ErrorCode::kGenericNotFound, "cannot listen on 192.0.2.1:0: Cannot assign requested address"});
  }

  TEST_CASE("listener: the unspecified IPv6 address takes IPv4 too") {
    const SystemClock clock;
    auto socket = ListeningSocket::bind("::", 0);
    if (!socket.ok()) {
      // A machine without IPv6 says so in a way that the start-up can tell from other faults.
      CHECK(socket.error().code == ErrorCode::kGenericNotFound);
      return;
    }
    Accepted accepted;
    RunningLoop loop(clock);
    const std::uint16_t port = socket->port();
    auto listener = listen(loop, std::move(*socket), accepted);
    const PlainSocket client(port);
    accepted.wait(1);
    CHECK(accepted.peers[0].ends_with(":" + std::to_string(client.local_port())));
    loop.run([&] { listener.reset(); });
  }

  TEST_CASE("listener: one that is gone takes no connections, and its port is free again") {
    const SystemClock clock;
    Accepted accepted;
    RunningLoop loop(clock);
    ListeningSocket socket = bound();
    const std::uint16_t port = socket.port();
    auto listener = listen(loop, std::move(socket), accepted);
    CHECK(can_connect(port));
    loop.run([&] { listener.reset(); });
    CHECK_FALSE(can_connect(port));
    CHECK(bound(port).port() == port);
  }

  TEST_CASE("listener: a socket that is moved is closed once, by its last owner") {
    std::uint16_t port = 0;
    {
      ListeningSocket first = bound();
      port = first.port();
      ListeningSocket second = std::move(first);
      CHECK(second.port() == port);
      ListeningSocket third = bound();
      third = std::move(second);
      CHECK(third.port() == port);
      CHECK(can_connect(port));
    }
    CHECK_FALSE(can_connect(port));
  }

  TEST_CASE("listener: without free file descriptors it waits and tries again, and nobody is lost") {
    ManualClock clock;
    Accepted accepted;
    RunningLoop loop(clock);
    ListeningSocket socket = bound();
    const std::uint16_t port = socket.port();
    std::vector<std::unique_ptr<PlainSocket>> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<PlainSocket>(port));
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{0, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    auto listener = listen(loop, std::move(socket), accepted);
    const std::size_t without = accepted.count();
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(without == 0);
    loop.run([&] { clock.advance(std::chrono::seconds{1}); });
    loop.get().clock_moved();
    accepted.wait(3);
    clients.push_back(std::make_unique<PlainSocket>(port));
    accepted.wait(4);
    loop.run([&] { listener.reset(); });
  }
}
