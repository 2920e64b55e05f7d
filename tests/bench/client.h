// The load generator's side: TLS connections by the thousand on one epoll set and one thread.
//
// Lean on purpose, so that a figure tells of the server: one read of the socket brings all that has come, one call of send() is
// one write, and the buffers are shared.
//
// THREAD: one. ERRORS: whatever goes wrong on any connection ends the run; run_until() and run_for() return it.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct bio_st;
struct ssl_ctx_st;
struct ssl_st;

namespace nearhub::bench {

using Nanoseconds = std::chrono::nanoseconds;

// Since some moment of no meaning.
inline Nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

// The CPU time of the calling thread.
Nanoseconds thread_cpu_time();

// TLS 1.3 with P-256, which every server here offers. Certificates are not checked: that would be the generator's cost alone.
class ClientTls {
 public:
  enum class ServerKey { kAny, kRsa };  // kRsa: shows the server that it must sign with RSA

  explicit ClientTls(ServerKey key);
  ~ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;
  ssl_ctx_st* get() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

class ClientConnection;

class ClientLoop {
 public:
  ClientLoop();
  ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  // Handles events until `done` holds; it is asked after every batch of them. Fails when `patience` is over.
  Status run_until(const std::function<bool()>& done, std::chrono::seconds patience = std::chrono::seconds{60});
  Status run_for(std::chrono::milliseconds time);

  // The first failure counts.
  void fail(std::string why);

 private:
  friend class ClientConnection;
  void handle_events(std::chrono::milliseconds patience);
  static int bio_read(bio_st* bio, char* to, int size);
  static int bio_write(bio_st* bio, const char* from, int size);

  int epoll_;
  Status failure_;
  std::unique_ptr<char[]> buffer_;     // what a read of a socket brought
  std::unique_ptr<char[]> plaintext_;
  std::string_view incoming_;          // of buffer_, not yet decrypted
  std::string outgoing_;               // encrypted, not yet sent
};

// LIFETIME: not destroyed while events are handled, that is never from on_data() or on_secured(); `done` of run_until() may.
class ClientConnection {
 public:
  // Connects to the loopback port and starts the handshake.
  ClientConnection(ClientLoop& loop, const ClientTls& tls, std::uint16_t port);
  virtual ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void send(std::string_view bytes);
  void close();

 protected:
  virtual void on_secured() = 0;
  virtual void on_data(std::string_view bytes) = 0;
  void fail(std::string why) { loop_.fail(std::move(why)); }

 private:
  friend class ClientLoop;
  void on_ready();
  void handshake();
  void flush();
  void fail_tls(std::string_view what);

  ClientLoop& loop_;
  ssl_st* ssl_;
  int socket_;
  bool secured_ = false;
};

}  // namespace nearhub::bench
