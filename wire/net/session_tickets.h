// Resuming TLS sessions by tickets (RFC 5077; RFC 8446 4.6.1): the keys that seal them, and what a ticket does not carry.
//
// The verdict on a client's certificate falls at every CONNECT, from its leaf and the intermediates that came with it. A ticket carries the leaf
// alone, so each one also names the intermediates by their SHA-256, and they are kept here, in bounds. A ticket whose intermediates are gone, whose
// leaf has expired, whose full handshake is too long ago or that was revoked is left aside: a full handshake follows on the same connection, and the
// client notices nothing (x509-and-boards.md A.5).
//
// Keys are random and never leave the process; after a restart every client makes one full handshake.
//
// THREAD: any thread. The handshakes of all loops share one mutex, which is held for look-ups and copies only.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;
struct stack_st_X509;

namespace nearhub::net {

struct TicketLimits {
  std::chrono::hours lifetime{24};         // from the full handshake, however often the session was resumed since (A.5: at most 24 h)
  std::chrono::hours key_time{6};          // then new tickets are sealed with another key
  std::size_t chains = 1024;               // kept sets of intermediates: one for all devices of an issuing authority
  std::size_t chain_bytes = 4 * 1024 * 1024;  // of all of them
  std::size_t revoked = 4096;              // sessions
};

// A client's certificates behind its leaf, as DER, in the order in which they came.
using Intermediates = std::vector<std::string>;
// Shared by the connections that use it, on any loop, and by the store below, which may forget it at any time. Null: none came.
using SharedIntermediates = std::shared_ptr<const Intermediates>;

class SessionTickets {
 public:
  // `clock` outlives it.
  explicit SessionTickets(const Clock& clock, TicketLimits limits = {});
  ~SessionTickets();
  SessionTickets(const SessionTickets&) = delete;
  SessionTickets& operator=(const SessionTickets&) = delete;

  // Has `context` give and take tickets; this outlives the context. Each connection's read BIO must carry a pointer to a SharedIntermediates of its
  // own (BIO_set_data): what a resumed session's client once sent is put there during the handshake.
  void serve(ssl_ctx_st* context);

  // No ticket of this connection's session is taken any more: whoever was refused comes back with a full handshake, in which it can show
  // what it holds now.
  void revoke(ssl_st* connection);

 private:
  using Digest = std::array<unsigned char, 32>;
  using SessionName = std::array<unsigned char, 16>;
  struct Key;
  struct Proof;
  struct Hash {
    template <typename Bytes>
    std::size_t operator()(const Bytes& bytes) const {
      std::size_t hash;  // the bytes are random
      std::memcpy(&hash, bytes.data(), sizeof hash);
      return hash;
    }
  };
  struct Kept {
    Digest digest;
    SharedIntermediates intermediates;
    std::size_t bytes;
  };

  struct Callbacks;

  Key current_key();
  bool find_key(const unsigned char* name, Key& key, bool& current);  // false: none of that name is in use any more
  void drop_old_keys(MonoTime now);
  Digest keep(const stack_st_X509* chain);  // zeros: there is none
  SharedIntermediates find(const Digest& digest);
  Proof prove(ssl_st* connection);
  // May a session from a ticket be resumed now? Then these are its client's intermediates.
  bool fit(ssl_session_st* session, SharedIntermediates& intermediates);

  const Clock& clock_;
  const TicketLimits limits_;

  // Protected by mutex_.
  std::mutex mutex_;
  std::vector<Key> keys_;  // the oldest first
  std::list<Kept> kept_;  // the latest used first
  std::unordered_map<Digest, std::list<Kept>::iterator, Hash> kept_at_;
  std::size_t kept_bytes_ = 0;
  std::deque<SessionName> revoked_;  // the oldest first
  std::unordered_set<SessionName, Hash> is_revoked_;
};

}  // namespace nearhub::net
