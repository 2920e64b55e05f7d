// Accepts TCP connections for one loop.
//
// Every loop listens on the same address with SO_REUSEPORT, so the kernel spreads new connections and no loop hands sockets to another.
//
// THREAD: bind() any thread before the loops run; the rest on the owning loop only. LIFETIME: the loop outlives the listener.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_function.h"
#include "wire/net/loop.h"

namespace nearhub::net {

// A bound, listening, non-blocking socket. Closed by its destructor.
class ListeningSocket {
 public:
  // `port` 0: any free one; port() tells which. Fails with kInvalidSetting (bad address), kGenericNotFound (the machine has no such address),
  // kGenericForbidden (the port needs a permission that this process lacks) or kIo (in use, and the rest).
  // kFirst claims the address for this hub: a second hub on it fails. kJoin shares the address that a kFirst socket of this process holds.
  enum class Claim { kFirst, kJoin };
  static Result<ListeningSocket> bind(const std::string& address, std::uint16_t port, Claim claim = Claim::kFirst);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  std::uint16_t port() const { return port_; }
  int release();

 private:
  ListeningSocket(int socket, std::uint16_t port) : socket_(socket), port_(port) {}
  int socket_;
  std::uint16_t port_;
};

class Listener {
 public:
  // Called with a non-blocking socket with TCP_NODELAY set, which the callee owns, and the peer's "address:port".
  using OnAccept = UniqueFunction<void(int socket, std::string peer)>;

  Listener(Loop& loop, ListeningSocket socket, OnAccept on_accept);
  ~Listener();  // stops listening
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Poll;
  void accept_ready();

  Loop& loop_;
  OnAccept on_accept_;
  int socket_;
  Poll* poll_;
  Timer retry_;
};

}  // namespace nearhub::net
