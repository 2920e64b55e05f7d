#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/check.h"

namespace nearhub::bench {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kEventsAtOnce = 512;

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

}  // namespace

Nanoseconds thread_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + Nanoseconds{time.tv_nsec};
}

ClientTls::ClientTls(ServerKey key) : context_(SSL_CTX_new(TLS_client_method())) {
  NEARHUB_CHECK(context_ != nullptr);
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  NEARHUB_CHECK(SSL_CTX_set1_groups_list(context_, "P-256") == 1);
  if (key == ServerKey::kRsa) NEARHUB_CHECK(SSL_CTX_set1_sigalgs_list(context_, "RSA-PSS+SHA256:RSA+SHA256") == 1);
  // Without it OpenSSL builds and judges a chain even where the verdict does not count.
  SSL_CTX_set_cert_verify_callback(context_, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
}

ClientTls::~ClientTls() { SSL_CTX_free(context_); }

// --- Loop -----------------------------------------------------------------------------------------------------------

ClientLoop::ClientLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(std::make_unique<char[]>(kBufferBytes)),
      plaintext_(std::make_unique<char[]>(kBufferBytes)) {
  NEARHUB_CHECK(epoll_ >= 0);
}

ClientLoop::~ClientLoop() { ::close(epoll_); }

void ClientLoop::fail(std::string why) {
  if (failure_.ok()) failure_ = Error{ErrorCode::kIo, std::move(why)};
}

void ClientLoop::handle_events(std::chrono::milliseconds patience) {
  epoll_event events[kEventsAtOnce];
  const int count = epoll_wait(epoll_, events, kEventsAtOnce, static_cast<int>(patience.count()));
  for (int i = 0; i < count; ++i) static_cast<ClientConnection*>(events[i].data.ptr)->on_ready();
}

Status ClientLoop::run_until(const std::function<bool()>& done, std::chrono::seconds patience) {
  const Nanoseconds deadline = now() + patience;
  while (failure_.ok() && !done()) {
    if (now() >= deadline) return Error{ErrorCode::kIo, fmt::format("the server did not answer within {} s", patience.count())};
    handle_events(std::chrono::milliseconds{100});
  }
  return failure_;
}

Status ClientLoop::run_for(std::chrono::milliseconds time) {
  const Nanoseconds deadline = now() + time;
  for (Nanoseconds left = time; left.count() > 0 && failure_.ok(); left = deadline - now()) {
    handle_events(std::chrono::ceil<std::chrono::milliseconds>(left));
  }
  return failure_;
}

int ClientLoop::bio_read(bio_st* bio, char* to, int size) {
  auto& loop = *static_cast<ClientLoop*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (loop.incoming_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t n = std::min(static_cast<std::size_t>(size), loop.incoming_.size());
  std::memcpy(to, loop.incoming_.data(), n);
  loop.incoming_.remove_prefix(n);
  return static_cast<int>(n);
}

int ClientLoop::bio_write(bio_st* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  static_cast<ClientLoop*>(BIO_get_data(bio))->outgoing_.append(from, static_cast<std::size_t>(size));
  return size;
}

// --- Connection -----------------------------------------------------------------------------------------------------

ClientConnection::ClientConnection(ClientLoop& loop, const ClientTls& tls, std::uint16_t port)
    : loop_(loop), ssl_(SSL_new(tls.get())), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "load generator");
    NEARHUB_CHECK(made != nullptr);
    BIO_meth_set_read(made, ClientLoop::bio_read);
    BIO_meth_set_write(made, ClientLoop::bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  BIO* bio = BIO_new(method);
  NEARHUB_CHECK(ssl_ != nullptr && bio != nullptr);
  BIO_set_data(bio, &loop);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_connect_state(ssl_);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Blocking: on loopback the kernel completes it at once, whether or not the server has accepted yet.
  if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail(fmt::format("connecting to port {}: {}", port, std::strerror(errno)));
    return;
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  NEARHUB_CHECK(epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, socket_, &event) == 0);
  handshake();
}

ClientConnection::~ClientConnection() {
  close();
  SSL_free(ssl_);
}

void ClientConnection::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void ClientConnection::fail_tls(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  fail(fmt::format("{}: {}", what, reason != nullptr ? reason : "closed by the server"));
  close();
}

void ClientConnection::on_ready() {
  if (socket_ < 0) return;
  const ssize_t n = ::recv(socket_, loop_.buffer_.get(), kBufferBytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    fail(n == 0 ? "the server closed a connection" : std::strerror(errno));
    return close();
  }
  loop_.incoming_ = {loop_.buffer_.get(), static_cast<std::size_t>(n)};
  if (!secured_) handshake();
  while (secured_ && socket_ >= 0) {
    ERR_clear_error();
    std::size_t size = 0;
    if (SSL_read_ex(ssl_, loop_.plaintext_.get(), kBufferBytes, &size) != 1) {
      if (SSL_get_error(ssl_, 0) != SSL_ERROR_WANT_READ) fail_tls("reading");
      break;
    }
    // on_data() may write, which must not read from this connection's bytes.
    const std::string_view rest = std::exchange(loop_.incoming_, {});
    on_data({loop_.plaintext_.get(), size});
    loop_.incoming_ = rest;
  }
  loop_.incoming_ = {};
}

void ClientConnection::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) return fail_tls("TLS handshake");
  // A client's stack sends its last handshake message before the client can say anything.
  flush();
  if (error == SSL_ERROR_WANT_READ) return;
  secured_ = true;
  on_secured();
}

void ClientConnection::send(std::string_view bytes) {
  if (socket_ < 0) return;
  ERR_clear_error();
  std::size_t n = 0;
  if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &n) != 1) return fail_tls("writing");
  flush();
}

void ClientConnection::flush() {
  if (loop_.outgoing_.empty() || socket_ < 0) return;
  const ssize_t n = ::send(socket_, loop_.outgoing_.data(), loop_.outgoing_.size(), MSG_NOSIGNAL);
  // Requests are small and few per connection: a full socket means that the server has stopped reading.
  if (n != static_cast<ssize_t>(loop_.outgoing_.size())) {
    fail(n < 0 ? fmt::format("sending: {}", std::strerror(errno)) : "the server does not read");
  }
  loop_.outgoing_.clear();
}

}  // namespace nearhub::bench
