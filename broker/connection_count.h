// The open connections of all loops and both doors, counted together, and what is said of those that end at the door.
//
// THREAD: any.
#pragma once
#include <atomic>
#include <cstddef>
#include <string>

#include "broker/limits.h"
#include "hub/hub.h"
#include "wire/net/tls_connection.h"

namespace nearhub::broker {

class ConnectionCount {
 public:
  explicit ConnectionCount(const ConnectionLimits& limits) : limits_(limits) {}
  ConnectionCount(const ConnectionCount&) = delete;
  ConnectionCount& operator=(const ConnectionCount&) = delete;

  const ConnectionLimits& limits() const { return limits_; }
  std::size_t open() const { return open_.load(); }

  // One more, until leave(). False when there are too many: the socket is closed, and the refusal is in the book.
  bool admit(const hub::Hub& hub, int socket, const std::string& peer);
  void leave() { --open_; }

 private:
  const ConnectionLimits limits_;
  std::atomic<std::size_t> open_{0};
};

// Into the book, when it was TLS that ended the connection. `identity`: as far as it was known.
void record_tls_failure(const hub::Hub& hub, const std::string& identity, const std::string& peer, const net::CloseReason& reason);

}  // namespace nearhub::broker
