#include "wire/net/tls_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "wire/net/tls_failure.h"

namespace nearhub::net {
namespace {

// How long a closing connection may take to send what is queued: without the peer taking any of it, and in all. Then, to see the peer close.
constexpr std::chrono::seconds kFlushStallTime{20};
constexpr std::chrono::seconds kFlushTime{300};
constexpr std::chrono::milliseconds kLingerTime{2000};
// More plaintext than a read of the socket can bring, so that one read is one on_data() in the usual case.
constexpr std::size_t kPlaintextBytes = 64 * 1024;
// Answers of TLS itself (key updates) that may wait for a peer that does not read. The owner's bounds count what it wrote, not these.
constexpr std::size_t kMaxUnsentAnswers = 16 * 1024;

// What OpenSSL reads and writes during one call: set before each call, so that the BIO needs no state of its own.
struct Wire {
  std::string_view in;
  std::string* out = nullptr;
};
thread_local Wire wire;

int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  if (wire.in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t n = std::min(static_cast<std::size_t>(size), wire.in.size());
  std::memcpy(to, wire.in.data(), n);
  wire.in.remove_prefix(n);
  return static_cast<int>(n);
}

int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  wire.out->append(from, static_cast<std::size_t>(size));
  return size;
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

BIO_METHOD* wire_bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nearhub wire");
    NEARHUB_CHECK(made != nullptr);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

// Wipes the keys of the key exchange, which have done their work. OpenSSL would keep them as long as the connection: 4 KB of an idle one with P-256 and TLS
// 1.3. It holds the (now empty) objects itself and frees them at its end; nothing asks for them again.
void wipe_ephemeral_keys(SSL* ssl) {
  EVP_PKEY* keys[2] = {nullptr, nullptr};
  SSL_get_tmp_key(ssl, &keys[0]);
  SSL_get_peer_tmp_key(ssl, &keys[1]);
  for (EVP_PKEY* key : keys) {
    // Giving it a type is what empties it; which one does not matter.
    if (key != nullptr) EVP_PKEY_set_type(key, EVP_PKEY_X25519);
    EVP_PKEY_free(key);
  }
}

// Turns a client's certificate, which OpenSSL keeps as long as the connection (4 KB), into one that says nothing.
void empty(X509* certificate) {
  static constexpr unsigned char kNothing[] = {
      0x30, 0x40, 0x30, 0x36, 0x02, 0x01, 0x00,                                                    // serial number 0
      0x30, 0x03, 0x06, 0x01, 0x00, 0x30, 0x00,                                                    // signature algorithm 0.0; issuer
      0x30, 0x1e, 0x17, 0x0d, '0', '0', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z',     // not before
      0x17, 0x0d, '0', '0', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z',                 // not after
      0x30, 0x00, 0x30, 0x08, 0x30, 0x03, 0x06, 0x01, 0x00, 0x03, 0x01, 0x00,                      // subject; key
      0x30, 0x03, 0x06, 0x01, 0x00, 0x03, 0x01, 0x00,                                              // signature
  };
  // Decoding into an existing object frees what it held.
  const unsigned char* at = kNothing;
  d2i_X509(&certificate, &at, sizeof kNothing);
  NEARHUB_CHECK(at == kNothing + sizeof kNothing);
}

}  // namespace

// libuv keeps the handle until its close callback; the connection may be gone by then.
struct TlsConnection::Poll {
  uv_poll_t handle;
  TlsConnection* owner;

  static void close(Poll* poll) {
    poll->owner = nullptr;
    uv_poll_stop(&poll->handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
  }
};

TlsConnection::TlsConnection(Loop& loop, const TlsContext& context, int socket, std::string peer, Handler& handler)
    : loop_(&loop), handler_(handler), tickets_(context.tickets()), ssl_(SSL_new(context.get())), socket_(socket), peer_(std::move(peer)) {
  NEARHUB_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(wire_bio_method());
  NEARHUB_CHECK(bio != nullptr);
  BIO_set_data(bio, &resumed_intermediates_);  // for SessionTickets
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
  attach(loop);
}

TlsConnection::~TlsConnection() {
  if (dirty_) loop_->unmark_dirty(*this);
  if (poll_ != nullptr) Poll::close(std::exchange(poll_, nullptr));
  if (socket_ >= 0) ::close(socket_);
  SSL_free(ssl_);
}

void TlsConnection::attach(Loop& loop) {
  NEARHUB_CHECK(poll_ == nullptr);
  loop_ = &loop;
  poll_ = new Poll{{}, this};
  poll_->handle.data = poll_;
  if (uv_poll_init(loop.uv(), &poll_->handle, socket_) != 0) {
    delete std::exchange(poll_, nullptr);
    fail({CloseReason::kReset, "the socket cannot be polled", {}});
    return;
  }
  polled_events_ = 0;
  update_poll();
}

void TlsConnection::detach() {
  NEARHUB_CHECK(state_ == State::kOpen && queued_output() == 0);
  // The end of the turn has nothing to send any more, though it was to look: the peer may have taken the rest in this very turn.
  if (std::exchange(dirty_, false)) loop_->unmark_dirty(*this);
  drained_ = false;
  Poll::close(std::exchange(poll_, nullptr));
  loop_ = nullptr;
}

std::string& TlsConnection::output() {
  if (!dirty_) mark_dirty();
  // Only an empty one is exchanged: the loop's spare may be a fresh string, as small as this.
  if (output_.empty()) {
    if (std::string spare = loop_->take_buffer(); spare.capacity() > output_.capacity()) output_ = std::move(spare);
  }
  return output_;
}

void TlsConnection::mark_dirty() {
  if (dirty_) return;
  dirty_ = true;
  loop_->mark_dirty(*this);
}

void TlsConnection::pause_reading() {
  reading_ = false;
  update_poll();
}

void TlsConnection::resume_reading() {
  reading_ = true;
  update_poll();
}

void TlsConnection::update_poll() {
  if (poll_ == nullptr) return;
  int events = 0;
  if (reading_ || state_ == State::kLingering) events |= UV_READABLE;
  if (!unsent_.empty()) events |= UV_WRITABLE;
  // Once all is said the peer's bytes no longer count; while flushing they would only fill memory.
  if (state_ == State::kFlushing) events &= ~UV_READABLE;
  if (state_ == State::kFailed || state_ == State::kClosed) events = 0;
  // A broken connection is noticed even while reading is paused.
  if (events == 0 && state_ == State::kOpen) events = UV_DISCONNECT;
  if (events == polled_events_) return;
  polled_events_ = events;
  if (events == 0) {
    uv_poll_stop(&poll_->handle);
    return;
  }
  uv_poll_start(&poll_->handle, events, [](uv_poll_t* handle, int status, int ready) {
    auto* poll = static_cast<Poll*>(handle->data);
    if (poll->owner != nullptr) poll->owner->on_ready(status, ready);
  });
}

void TlsConnection::on_ready(int status, int events) {
  if (status < 0) return on_broken();
  if ((events & UV_WRITABLE) != 0) send_unsent();
  if ((events & UV_READABLE) != 0 && state_ != State::kFailed && state_ != State::kClosed) on_readable();
  // UV_DISCONNECT alone: the peer has shut its side while we were not reading. What it sent before is still in the socket and is read when the
  // owner resumes; stop polling for it, or it would fire again and again.
  if (events == UV_DISCONNECT) {
    uv_poll_stop(&poll_->handle);
    polled_events_ = 0;
  }
}

// The socket has an error, and libuv has stopped polling it. What the peer sent before is still there: a client that leaves without having read
// everything causes a reset, and its goodbye, or its reason, comes in front of it.
void TlsConnection::on_broken() {
  polled_events_ = 0;
  if (closing()) return fail({CloseReason::kReset, {}, {}});
  // While reading is paused it waits; resuming polls again, and comes here.
  while (reading_ && !closing() && on_readable()) {
  }
  if (reading_ && !closing()) fail({CloseReason::kReset, "the connection broke", {}});
}

// False when nothing could be read.
bool TlsConnection::on_readable() {
  char* buffer = loop_->read_buffer();
  const ssize_t n = ::recv(socket_, buffer, Loop::kReadBufferBytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  if (state_ == State::kLingering) {
    if (n <= 0) fail({CloseReason::kLocal, {}, {}});
    return true;
  }
  if (n <= 0) {
    if (state_ == State::kHandshake && heard_) {
      fail({CloseReason::kHandshake, "the peer closed during the TLS handshake",
            "often a client that does not trust the hub's certificate authority; give it this hub's CA file (ca.pem)"});
    } else if (n == 0 && !deaf_) {
      fail({CloseReason::kPeer, "closed by the peer", {}});
    } else {
      // After a write has failed the socket no longer knows why.
      fail({CloseReason::kReset, std::strerror(n < 0 ? errno : ECONNRESET), {}});
    }
    return true;
  }
  heard_ = true;
  wire.in = {buffer, static_cast<std::size_t>(n)};
  wire.out = &loop_->wire_buffer();
  if (state_ == State::kHandshake) handshake();
  if (state_ == State::kOpen) read_plaintext();
  wire.in = {};
  return true;
}

void TlsConnection::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
    send_wire();  // the alert that tells the client why
    fail(tls_failure(CloseReason::kHandshake));
    return;
  }
  send_wire();
  if (error == SSL_ERROR_NONE && state_ == State::kHandshake) {
    state_ = State::kOpen;
    wipe_ephemeral_keys(ssl_);
    handler_.on_secured();
  }
}

void TlsConnection::read_plaintext() {
  thread_local std::unique_ptr<char[]> plaintext = std::make_unique<char[]>(kPlaintextBytes);
  for (;;) {
    std::size_t filled = 0;
    int error = SSL_ERROR_NONE;
    ERR_clear_error();
    while (filled < kPlaintextBytes) {
      // Asking once more would only make OpenSSL allocate its record buffer to find that nothing is there.
      if (filled > 0 && wire.in.empty() && SSL_has_pending(ssl_) == 0) {
        error = SSL_ERROR_WANT_READ;
        break;
      }
      std::size_t n = 0;
      if (SSL_read_ex(ssl_, plaintext.get() + filled, kPlaintextBytes - filled, &n) != 1) {
        error = SSL_get_error(ssl_, 0);
        break;
      }
      filled += n;
    }
    // A key update or an alert of TLS 1.3 may ask for an answer.
    if (!wire.out->empty()) {
      const std::size_t answer = wire.out->size();
      send_wire();
      unsent_answers_ = unsent_.empty() ? 0 : unsent_answers_ + answer;
      if (unsent_answers_ > kMaxUnsentAnswers) {
        fail({CloseReason::kTls, "the peer asks for key updates and does not read the answers", {}});
        return;
      }
    }
    if (filled > 0 && state_ == State::kOpen) {
      // The owner may run other connections' code (a take-over); their reads use the same port only in later turns.
      const std::string_view rest = std::exchange(wire.in, {});
      handler_.on_data({plaintext.get(), filled});
      wire.in = rest;
      wire.out = &loop_->wire_buffer();
    }
    if (state_ != State::kOpen || error == SSL_ERROR_WANT_READ) return;
    if (error == SSL_ERROR_ZERO_RETURN) {
      fail({CloseReason::kPeer, "closed by the peer", {}});
      return;
    }
    if (error != SSL_ERROR_NONE) {
      fail(tls_failure(CloseReason::kTls));
      return;
    }
  }
}

void TlsConnection::flush() {
  dirty_ = false;
  if (state_ == State::kFailed) {
    finish();
    return;
  }
  if ((state_ == State::kOpen || state_ == State::kFlushing) && unsent_.empty() && !output_.empty()) {
    wire.in = {};
    wire.out = &loop_->wire_buffer();
    std::size_t written = 0;
    while (written < output_.size()) {
      ERR_clear_error();
      std::size_t n = 0;
      if (SSL_write_ex(ssl_, output_.data() + written, output_.size() - written, &n) != 1) {
        fail(tls_failure(CloseReason::kTls));
        break;
      }
      written += n;
    }
    loop_->give_buffer(std::exchange(output_, {}));
    send_wire();
    drained_ = !deaf_;
  }
  if (std::exchange(drained_, false) && state_ == State::kOpen) {
    if (unsent_.empty()) {
      handler_.on_drained();
    } else {
      drained_ = true;  // told when the system has taken the rest
    }
  }
  if (state_ == State::kFlushing && unsent_.empty() && output_.empty()) {
    wire.in = {};
    wire.out = &loop_->wire_buffer();
    ERR_clear_error();
    SSL_shutdown(ssl_);
    send_wire();
    if (unsent_.empty() && state_ == State::kFlushing) {
      ::shutdown(socket_, SHUT_WR);
      state_ = State::kLingering;
      linger_->start_at(loop_->timers().now() + kLingerTime);
      update_poll();
    }
  }
  if (state_ == State::kFailed) finish();
}

// The peer takes nothing more. What it has sent is still read, and its end is the connection's.
void TlsConnection::on_write_error(int error) {
  if (state_ != State::kOpen && state_ != State::kHandshake) {
    if (state_ != State::kFailed) fail({CloseReason::kReset, std::strerror(error), {}});
    return;
  }
  deaf_ = true;
  unsent_ = {};
  unsent_at_ = 0;
  update_poll();
}

// Sends the loop's wire buffer; what the socket does not take becomes unsent_.
void TlsConnection::send_wire() {
  std::string& buffer = loop_->wire_buffer();
  if (buffer.empty()) return;
  std::size_t sent = deaf_ ? buffer.size() : 0;
  if (unsent_.empty()) {
    while (sent < buffer.size()) {
      const ssize_t n = ::send(socket_, buffer.data() + sent, buffer.size() - sent, MSG_NOSIGNAL);
      if (n >= 0) {
        sent += static_cast<std::size_t>(n);
      } else if (errno != EINTR) {
        if (errno != EAGAIN) on_write_error(errno);
        break;
      }
    }
  }
  if (sent < buffer.size() && !deaf_ && state_ != State::kFailed) {
    if (unsent_.empty()) last_progress_ = loop_->timers().now();
    unsent_.append(buffer, sent);
    update_poll();
  }
  buffer.clear();
}

void TlsConnection::send_unsent() {
  while (unsent_at_ < unsent_.size()) {
    const ssize_t n = ::send(socket_, unsent_.data() + unsent_at_, unsent_.size() - unsent_at_, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) on_write_error(errno);
      return;
    }
    unsent_at_ += static_cast<std::size_t>(n);
    last_progress_ = loop_->timers().now();
  }
  unsent_ = {};
  unsent_at_ = 0;
  unsent_answers_ = 0;
  update_poll();
  mark_dirty();  // plaintext that had to wait, or the close_notify
}

void TlsConnection::close() {
  if (closing()) return;
  if (state_ == State::kHandshake) {
    abort();
    return;
  }
  state_ = State::kFlushing;
  const MonoTime began = loop_->timers().now();
  linger_ = std::make_unique<Timer>(loop_->timers(), [this, began] {
    const MonoTime end = std::min(std::max(began, last_progress_) + kFlushStallTime, began + kFlushTime);
    if (state_ != State::kFlushing || loop_->timers().now() >= end) return fail({CloseReason::kLocal, {}, {}});
    linger_->start_at(end);
  });
  linger_->start_at(began + kFlushStallTime);
  update_poll();
  mark_dirty();
}

void TlsConnection::abort() {
  if (state_ != State::kClosed) fail({CloseReason::kLocal, {}, {}});
}

void TlsConnection::fail(CloseReason reason) {
  if (state_ == State::kFailed || state_ == State::kClosed) return;
  // Whoever closed first is the reason: a reset after our own close() is ours.
  if (closing()) reason = {CloseReason::kLocal, {}, {}};
  reason_ = std::make_unique<CloseReason>(std::move(reason));
  state_ = State::kFailed;
  update_poll();
  mark_dirty();
}

void TlsConnection::finish() {
  state_ = State::kClosed;
  linger_.reset();
  if (poll_ != nullptr) Poll::close(std::exchange(poll_, nullptr));
  ::close(std::exchange(socket_, -1));
  const std::unique_ptr<CloseReason> reason = std::move(reason_);
  handler_.on_closed(*reason);  // may destroy this
}

std::string_view TlsConnection::tls_version() const { return SSL_get_version(ssl_); }

std::string_view TlsConnection::cipher() const { return SSL_get_cipher_name(ssl_); }

bool TlsConnection::resumed() const { return SSL_session_reused(ssl_) == 1; }

void TlsConnection::forget_session() {
  if (tickets_ != nullptr) tickets_->revoke(ssl_);
}

std::vector<std::string> TlsConnection::take_client_certificates() {
  std::vector<std::string> certificates;
  const auto add = [&certificates](const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size > 0) certificates.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  };
  X509* leaf = SSL_get0_peer_certificate(ssl_);
  if (leaf == nullptr) return certificates;
  add(leaf);
  if (certificates.empty()) return certificates;  // no memory: what comes behind it is not the client's own
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_);
  if (const SharedIntermediates known = std::exchange(resumed_intermediates_, nullptr)) {
    certificates.insert(certificates.end(), known->begin(), known->end());
  } else {
    for (int i = 0; i < sk_X509_num(chain); ++i) add(sk_X509_value(chain, i));
  }
  while (sk_X509_num(chain) > 0) X509_free(sk_X509_pop(chain));
  empty(leaf);
  return certificates;
}

}  // namespace nearhub::net
