// A server that answers every 150 bytes with 4, as small as a hub's front can be: for measuring how TLS is best done inside libuv, and
// where a device's messages are best handled. Its output leaves at the end of a turn, in one piece per connection, as the hub's does.
//
// THREAD: its process is its own; one thread per loop.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace nearhub::bench {

inline constexpr std::size_t kRequestBytes = 150, kAnswerBytes = 4;

enum class Transport {
  kMemoryBio,   // uv_tcp reads and writes, OpenSSL works on a pair of memory BIOs per connection
  kLoopBuffer,  // uv_poll; OpenSSL reads from the loop's read buffer and writes into the loop's write buffer (wire/net)
  kSocketBio,   // uv_poll; OpenSSL reads and writes the socket itself, with read-ahead
};

enum class Home {
  kMoved,   // a connection lives on the loop that its device belongs to
  kHopped,  // a connection lives where it was accepted: each turn's messages go to the other loop, and their answers come back
};

struct TransportServer {
  Transport transport = Transport::kLoopBuffer;
  Home home = Home::kMoved;
  std::vector<int> listening_sockets;  // one loop each; several loops have a core each
  ssl_ctx_st* context = nullptr;
  std::atomic<std::uint64_t>* turns = nullptr;  // counts the turns of all loops; in memory that is shared with the generator

  void run();  // for ever
};

}  // namespace nearhub::bench
