#include "tests/clients/tcp_relay.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <vector>

namespace nearhub::test {
namespace {

constexpr char kCut = 'c', kEnd = 'e';

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// What one socket has is sent to the other; false at the end of either.
bool pass_on(int from, int to) {
  char buffer[16 * 1024];
  const ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = ::send(to, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return got > 0;
}

void reset(int socket) {
  const linger at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket);
}

}  // namespace

TcpRelay::TcpRelay() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener_, 16) == 0);
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  REQUIRE(::pipe(wake_) == 0);
  thread_ = std::thread([this] { run(); });
}

TcpRelay::~TcpRelay() {
  CHECK(::write(wake_[1], &kEnd, 1) == 1);
  thread_.join();
  for (const int fd : {listener_, wake_[0], wake_[1]}) ::close(fd);
}

void TcpRelay::cut() { REQUIRE(::write(wake_[1], &kCut, 1) == 1); }

void TcpRelay::run() {
  std::map<int, int> peers;  // both ways
  const auto close_both = [&peers](int socket, void (*close)(int)) {
    const int other = peers.at(socket);
    peers.erase(socket);
    peers.erase(other);
    close(socket);
    close(other);
  };
  for (;;) {
    std::vector<pollfd> watched = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [socket, other] : peers) watched.push_back({socket, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) {
      char word = kEnd;
      if (::read(wake_[0], &word, 1) != 1) word = kEnd;
      while (!peers.empty()) close_both(peers.begin()->first, reset);
      if (word == kEnd) return;
      continue;
    }
    if (watched[1].revents != 0) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(target_.load());
      if (target_.load() == 0 || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
      } else {
        peers[client] = server;
        peers[server] = client;
      }
    }
    for (std::size_t i = 2; i < watched.size(); ++i) {
      const int socket = watched[i].fd;
      if (watched[i].revents == 0 || peers.count(socket) == 0) continue;
      if (!pass_on(socket, peers.at(socket))) close_both(socket, [](int fd) { ::close(fd); });
    }
  }
}

}  // namespace nearhub::test
