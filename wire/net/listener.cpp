#include "wire/net/listener.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "wire/net/address.h"

namespace nearhub::net {
namespace {

constexpr int kBacklog = 1024;
// New connections taken per turn, so that a flood does not keep the others waiting.
constexpr int kMaxAcceptsPerTurn = 64;
// How long to wait when the process is out of file descriptors.
constexpr std::chrono::milliseconds kRetryTime{200};

std::string peer_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return host_and_port(text, ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return host_and_port(text, ntohs(v6.sin6_port));
}

}  // namespace

Result<ListeningSocket> ListeningSocket::bind(const std::string& address, std::uint16_t port, Claim claim) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), nullptr, &hints, &found) != 0) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("--bind {}: not an IP address", address)};
  }
  sockaddr_storage where{};
  std::memcpy(&where, found->ai_addr, found->ai_addrlen);
  const socklen_t size = found->ai_addrlen;
  const int family = found->ai_family;
  freeaddrinfo(found);
  if (family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(where).sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6&>(where).sin6_port = htons(port);
  }

  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return Error{errno == EAFNOSUPPORT ? ErrorCode::kGenericNotFound : ErrorCode::kIo,
                 fmt::format("no socket for {}: {}", address, std::strerror(errno))};
  }
  ListeningSocket result(fd, port);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (claim == Claim::kJoin) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (family == AF_INET6) {
    const int both = 0;  // "::" takes IPv4 too
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
  }
  bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&where), size) == 0;
  // The first socket takes the address without SO_REUSEPORT, which fails when another process has it, and opens it to its own kind after.
  if (bound && claim == Claim::kFirst) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  bound = bound && listen(fd, kBacklog) == 0;
  if (!bound) {
    const ErrorCode code = errno == EACCES || errno == EPERM   ? ErrorCode::kGenericForbidden
                           : errno == EADDRNOTAVAIL            ? ErrorCode::kGenericNotFound
                                                               : ErrorCode::kIo;
    return Error{code, fmt::format("cannot listen on {}: {}", host_and_port(address, port), std::strerror(errno))};
  }
  socklen_t length = sizeof where;
  getsockname(fd, reinterpret_cast<sockaddr*>(&where), &length);
  result.port_ = ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in&>(where).sin_port
                                         : reinterpret_cast<sockaddr_in6&>(where).sin6_port);
  return result;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(port_, other.port_);
  return *this;
}

ListeningSocket::~ListeningSocket() {
  if (socket_ >= 0) ::close(socket_);
}

int ListeningSocket::release() { return std::exchange(socket_, -1); }

struct Listener::Poll {
  uv_poll_t handle;
  Listener* owner;
};

Listener::Listener(Loop& loop, ListeningSocket socket, OnAccept on_accept)
    : loop_(loop),
      on_accept_(std::move(on_accept)),
      socket_(socket.release()),
      poll_(new Poll{{}, this}),
      retry_(loop.timers(), [this] { accept_ready(); }) {
  poll_->handle.data = poll_;
  NEARHUB_CHECK(uv_poll_init(loop_.uv(), &poll_->handle, socket_) == 0);
  accept_ready();
}

Listener::~Listener() {
  poll_->owner = nullptr;
  uv_poll_stop(&poll_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_->handle), [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
  ::close(socket_);
}

void Listener::accept_ready() {
  for (int i = 0; i < kMaxAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(socket_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log::error("net", "cannot accept connections error=\"{}\" retry_ms={}; raise the limit of open files", std::strerror(errno),
                   kRetryTime.count());
        uv_poll_stop(&poll_->handle);
        retry_.start_at(loop_.timers().now() + kRetryTime);
        return;
      }
      if (errno == ECONNABORTED || errno == EINTR) continue;
      break;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // In the system's own time (hours), so that a board that sleeps is not disturbed; it ends connections whose peer is gone without a word.
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    on_accept_(fd, peer_text(address));
  }
  uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* handle, int /*status*/, int /*events*/) {
    auto* poll = static_cast<Poll*>(handle->data);
    if (poll->owner != nullptr) poll->owner->accept_ready();
  });
}

}  // namespace nearhub::net
