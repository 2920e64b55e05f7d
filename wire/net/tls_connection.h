// One accepted TLS connection: plaintext in, plaintext out.
//
// The socket is polled by libuv; OpenSSL reads from the loop's one read buffer and writes into the loop's one wire buffer through a BIO of our
// own, so an idle connection holds no buffers (figures: docs/adr/0001). Output is collected during a turn and sent at its end in one
// write. When the peer does not read, ciphertext waits, further output stays plaintext, and the owner sees queued_output() grow: it
// decides when that is too much.
//
// A connection can change loops: detach() on the old one, attach() on the new one; nothing may be queued or half-decrypted across it, which
// holds by construction when it is called from the end of a turn.
//
// THREAD: owning loop only. LIFETIME: the owner keeps the connection until on_closed() has been called; destroying it earlier closes the
// socket without a callback. The handler outlives the connection.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/timer_queue.h"
#include "wire/net/loop.h"
#include "wire/net/tls_context.h"

struct ssl_st;

namespace nearhub::net {

// Why a connection ended, for the log and the refusal book.
struct CloseReason {
  enum Kind {
    kLocal,      // we called close() or abort()
    kPeer,       // the peer closed
    kReset,      // the network or the peer's system broke it
    kHandshake,  // TLS could not be agreed on; `detail` says what failed, `advice` how to mend it
    kTls,        // a TLS error after the handshake
  };
  Kind kind = kLocal;
  std::string detail;
  std::string advice;
};

class TlsConnection {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // The handshake is done.
    virtual void on_secured() = 0;
    // Plaintext, valid during the call. After pause_reading() at most what this read of the socket brought still comes.
    virtual void on_data(std::string_view bytes) = 0;
    // What was written so far is with the system: a writer that holds back may go on.
    virtual void on_drained() {}
    // Bytes that came before the peer's system broke the connection are delivered first.
    // Once, last, at the end of a turn: never from inside one of the owner's own calls. The owner may destroy the connection in it.
    virtual void on_closed(const CloseReason& reason) = 0;
  };

  // Takes the accepted, non-blocking socket and starts the handshake.
  TlsConnection(Loop& loop, const TlsContext& context, int socket, std::string peer, Handler& handler);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // The buffer of this turn's output: append to it. It is encrypted and sent at the end of the turn.
  std::string& output();
  void write(std::string_view bytes) { output().append(bytes); }
  // Plaintext and ciphertext that the peer has not taken yet.
  std::size_t queued_output() const { return output_.size() + unsent_.size() - unsent_at_; }
  // When the socket last took bytes while output was waiting; for stall limits. Meaningful only while queued_output() > 0.
  MonoTime last_progress() const { return last_progress_; }

  void pause_reading();
  void resume_reading();

  // Sends what is queued and a close_notify, as long as the peer takes it, then waits a moment for the peer to close, so that a last packet is not
  // lost to a reset. No more data is delivered; on_closed() follows.
  void close();
  // Ends at once; what is queued is lost. on_closed() follows at the end of the turn.
  void abort();
  bool closing() const { return state_ != State::kOpen && state_ != State::kHandshake; }

  // Takes the connection off its loop; then attach() on the other loop's thread. Only when secured, not closing and nothing is queued.
  void detach();
  void attach(Loop& loop);

  const std::string& peer() const { return peer_; }  // "192.0.2.7:50412"
  std::string_view tls_version() const;              // "TLSv1.3"
  std::string_view cipher() const;

  // The client's certificates as DER, leaf first; empty when it showed none. After a resumed handshake they are those of the full one. Once, after the
  // handshake: the connection does not keep them.
  std::vector<std::string> take_client_certificates();
  // The handshake was an abbreviated one.
  bool resumed() const;
  // The client was refused: its session is not resumed any more, so that it comes back with a full handshake.
  void forget_session();

  // Called by the loop at the end of a turn.
  void flush();

 private:
  enum class State {
    kHandshake,
    kOpen,
    kFlushing,   // close() was called; queued output goes out first
    kLingering,  // all sent, waiting for the peer to close
    kFailed,     // ends at the end of this turn
    kClosed,
  };
  struct Poll;  // owns the libuv handle, which lives until libuv lets go of it

  void on_ready(int status, int events);
  void on_broken();
  bool on_readable();
  void on_write_error(int error);
  void read_plaintext();
  void handshake();
  void send_wire();
  void send_unsent();
  void update_poll();
  void mark_dirty();
  void fail(CloseReason reason);
  void finish();

  Loop* loop_;
  Handler& handler_;
  SessionTickets* tickets_;  // null: none are given
  ssl_st* ssl_;
  Poll* poll_ = nullptr;
  int socket_;
  int polled_events_ = 0;
  State state_ = State::kHandshake;
  bool reading_ = true;
  bool dirty_ = false;
  bool drained_ = false;  // on_drained() is due once nothing is unsent
  bool deaf_ = false;   // the peer's system takes nothing more; what it has sent is still to be read
  bool heard_ = false;  // a byte has come: somebody who connects and leaves without one is no failed handshake
  MonoTime last_progress_{};
  std::string output_;          // plaintext of this turn
  std::string unsent_;          // ciphertext that the socket did not take
  std::size_t unsent_at_ = 0;   // how much of it has been sent since
  std::size_t unsent_answers_ = 0;  // how much of it TLS itself has made since it was last empty
  std::string peer_;
  SharedIntermediates resumed_intermediates_;  // set by the handshake
  std::unique_ptr<Timer> linger_;         // only while closing
  std::unique_ptr<CloseReason> reason_;   // only when failed
};

}  // namespace nearhub::net
