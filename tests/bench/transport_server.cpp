#include "tests/bench/transport_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"
#include "tests/bench/process.h"

namespace nearhub::bench {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::string_view kAnswer("\x40\x02\x00\x01", kAnswerBytes);

class Peer;

// What one loop has for the other at the end of a turn.
struct Batch {
  std::vector<Peer*> peers;  // once per request or answer
  std::string requests;      // their bytes; empty in a batch of answers
};

// One loop: its buffers, its mailbox and the peers that have something to send.
class ServerLoop {
 public:
  ServerLoop(const TransportServer& server, int listening_socket);
  void set_other(ServerLoop& other) { other_ = &other; }
  void run() { uv_run(&uv_, UV_RUN_DEFAULT); }

  uv_loop_t* uv() { return &uv_; }
  char* read_buffer() { return read_buffer_.get(); }
  void on_requests(Peer& peer, std::string_view bytes, std::size_t count);
  void mark_dirty(Peer& peer) { dirty_.push_back(&peer); }

  // What OpenSSL reads and writes during one call (kLoopBuffer).
  std::string_view wire_in;
  std::string wire_out;

 private:
  void accept_ready();
  void post(Batch batch);
  void run_mailbox();
  void end_turn();

  const TransportServer& server_;
  const int listening_socket_;
  ServerLoop* other_ = nullptr;
  uv_loop_t uv_;
  uv_poll_t listener_;
  uv_async_t wake_;
  uv_check_t check_;
  std::unique_ptr<char[]> read_buffer_ = std::make_unique<char[]>(kBufferBytes);
  std::vector<Peer*> dirty_;
  Batch requests_, answers_;  // of this turn, for the other loop

  std::mutex mutex_;
  std::vector<Batch> mailbox_;  // protected by mutex_
};

// A connection. It is never freed: the process ends with the measurement.
class Peer {
 public:
  Peer(ServerLoop& loop, ssl_ctx_st* context) : loop_(loop), ssl_(SSL_new(context)) {
    NEARHUB_CHECK(ssl_ != nullptr);
    SSL_set_accept_state(ssl_);
  }
  virtual ~Peer() = default;

  ServerLoop& loop() { return loop_; }
  void answer() {
    if (answers_++ == 0) loop_.mark_dirty(*this);
  }
  // End of turn.
  void send_answers() {
    std::string text;
    for (; answers_ > 0; --answers_) text += kAnswer;
    NEARHUB_CHECK(SSL_write(ssl_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()));
    flush();
  }

 protected:
  virtual void flush() = 0;
  virtual void stop() = 0;

  // There may be something for OpenSSL to read.
  void advance() {
    ERR_clear_error();
    if (!secured_) {
      const int result = SSL_do_handshake(ssl_);
      flush();
      if (result != 1) return check_end(result);
      secured_ = true;
    }
    for (;;) {
      char bytes[16 * 1024];
      const int size = SSL_read(ssl_, bytes, sizeof bytes);
      if (size <= 0) return check_end(size);
      const std::size_t whole = (partial_ + static_cast<std::size_t>(size)) / kRequestBytes;
      partial_ = (partial_ + static_cast<std::size_t>(size)) % kRequestBytes;
      loop_.on_requests(*this, {bytes, static_cast<std::size_t>(size)}, whole);
    }
  }

  ServerLoop& loop_;
  ssl_st* ssl_;

 private:
  void check_end(int result) {
    if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) stop();
  }

  bool secured_ = false;
  std::size_t partial_ = 0;  // bytes of a request that is not whole yet
  std::size_t answers_ = 0;
};

class MemoryBioPeer final : public Peer {
 public:
  MemoryBioPeer(ServerLoop& loop, ssl_ctx_st* context, int socket) : Peer(loop, context), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_, in_, out_);
    NEARHUB_CHECK(uv_tcp_init(loop.uv(), &tcp_) == 0 && uv_tcp_open(&tcp_, socket) == 0);
    tcp_.data = this;
    uv_read_start(
        stream(),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          *buffer = uv_buf_init(static_cast<MemoryBioPeer*>(handle->data)->loop_.read_buffer(), kBufferBytes);
        },
        [](uv_stream_t* handle, ssize_t size, const uv_buf_t* buffer) {
          auto& peer = *static_cast<MemoryBioPeer*>(handle->data);
          if (size < 0) return peer.stop();
          BIO_write(peer.in_, buffer->base, static_cast<int>(size));
          peer.advance();
        });
  }

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void flush() override {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    if (size <= 0) return;
    const uv_buf_t buffer = uv_buf_init(bytes, static_cast<unsigned>(size));
    NEARHUB_CHECK(uv_try_write(stream(), &buffer, 1) == size);
    static_cast<void>(BIO_reset(out_));
  }
  void stop() override { uv_read_stop(stream()); }

  BIO* in_;
  BIO* out_;
  uv_tcp_t tcp_;
};

class PolledPeer : public Peer {
 public:
  PolledPeer(ServerLoop& loop, ssl_ctx_st* context, int socket) : Peer(loop, context), socket_(socket) {
    NEARHUB_CHECK(uv_poll_init(loop.uv(), &poll_, socket) == 0);
    poll_.data = this;
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) { static_cast<PolledPeer*>(handle->data)->on_readable(); });
  }

 protected:
  virtual void on_readable() = 0;
  void stop() override { uv_poll_stop(&poll_); }
  const int socket_;

 private:
  uv_poll_t poll_;
};

class LoopBufferPeer final : public PolledPeer {
 public:
  LoopBufferPeer(ServerLoop& loop, ssl_ctx_st* context, int socket) : PolledPeer(loop, context, socket) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loop buffer");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1L : 0L; });
      return made;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, &loop);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
  }

 private:
  static int read(BIO* bio, char* to, int size) {
    auto& loop = *static_cast<ServerLoop*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (loop.wire_in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t n = std::min(static_cast<std::size_t>(size), loop.wire_in.size());
    std::memcpy(to, loop.wire_in.data(), n);
    loop.wire_in.remove_prefix(n);
    return static_cast<int>(n);
  }
  static int write(BIO* bio, const char* from, int size) {
    static_cast<ServerLoop*>(BIO_get_data(bio))->wire_out.append(from, static_cast<std::size_t>(size));
    return size;
  }
  void on_readable() override {
    const ssize_t n = ::read(socket_, loop_.read_buffer(), kBufferBytes);
    if (n <= 0) return n == 0 || errno != EAGAIN ? stop() : void();
    loop_.wire_in = {loop_.read_buffer(), static_cast<std::size_t>(n)};
    advance();
  }
  void flush() override {
    std::string& bytes = loop_.wire_out;
    if (bytes.empty()) return;
    NEARHUB_CHECK(::write(socket_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    bytes.clear();
  }
};

class SocketBioPeer final : public PolledPeer {
 public:
  SocketBioPeer(ServerLoop& loop, ssl_ctx_st* context, int socket) : PolledPeer(loop, context, socket) {
    SSL_set_fd(ssl_, socket);
    SSL_set_read_ahead(ssl_, 1);
  }

 private:
  void on_readable() override { advance(); }
  void flush() override {}  // OpenSSL has written to the socket
};

ServerLoop::ServerLoop(const TransportServer& server, int listening_socket) : server_(server), listening_socket_(listening_socket) {
  NEARHUB_CHECK(uv_loop_init(&uv_) == 0);
  uv_.data = this;
  uv_async_init(&uv_, &wake_, [](uv_async_t* handle) { static_cast<ServerLoop*>(handle->loop->data)->run_mailbox(); });
  uv_check_init(&uv_, &check_);
  uv_check_start(&check_, [](uv_check_t* handle) { static_cast<ServerLoop*>(handle->loop->data)->end_turn(); });
  uv_poll_init(&uv_, &listener_, listening_socket);
  uv_poll_start(&listener_, UV_READABLE, [](uv_poll_t* handle, int, int) { static_cast<ServerLoop*>(handle->loop->data)->accept_ready(); });
}

void ServerLoop::accept_ready() {
  for (;;) {
    const int socket = ::accept4(listening_socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    switch (server_.transport) {
      case Transport::kMemoryBio: new MemoryBioPeer(*this, server_.context, socket); break;
      case Transport::kLoopBuffer: new LoopBufferPeer(*this, server_.context, socket); break;
      case Transport::kSocketBio: new SocketBioPeer(*this, server_.context, socket); break;
    }
  }
}

void ServerLoop::on_requests(Peer& peer, std::string_view bytes, std::size_t count) {
  if (server_.home == Home::kMoved) {
    for (; count > 0; --count) peer.answer();
    return;
  }
  requests_.peers.insert(requests_.peers.end(), count, &peer);
  requests_.requests += bytes;
}

void ServerLoop::post(Batch batch) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    wake = mailbox_.empty();
    mailbox_.push_back(std::move(batch));
  }
  if (wake) uv_async_send(&wake_);
}

void ServerLoop::run_mailbox() {
  std::vector<Batch> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(mailbox_);
  }
  for (Batch& batch : taken) {
    if (batch.requests.empty()) {
      for (Peer* peer : batch.peers) peer->answer();
    } else {
      answers_.peers.insert(answers_.peers.end(), batch.peers.begin(), batch.peers.end());
    }
  }
}

void ServerLoop::end_turn() {
  server_.turns->fetch_add(1, std::memory_order_relaxed);
  for (Peer* peer : std::exchange(dirty_, {})) peer->send_answers();
  if (!requests_.peers.empty()) other_->post(std::exchange(requests_, {}));
  if (!answers_.peers.empty()) other_->post(std::exchange(answers_, {}));
}

}  // namespace

void TransportServer::run() {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::unique_ptr<ServerLoop>> loops;
  for (const int socket : listening_sockets) loops.push_back(std::make_unique<ServerLoop>(*this, socket));
  for (std::size_t i = 0; i < loops.size(); ++i) loops[i]->set_other(*loops[(i + 1) % loops.size()]);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loops.size(); ++i) {
    threads.emplace_back([&loop = *loops[i], core = static_cast<int>(i)] {
      pin_this_thread(core);
      loop.run();
    });
  }
  pin_this_thread(0);
  loops.front()->run();
}

}  // namespace nearhub::bench
