// A door that stays where it is while what is behind it goes and comes back: TCP on a loopback port, passed on to another port or, while there is
// none, closed at once. So a hub can restart on any free port, and its clients' address does not change.
//
// THREAD: the test's; bytes move on a thread of its own.
#pragma once
#include <atomic>
#include <cstdint>
#include <thread>

namespace nearhub::test {

class TcpRelay {
 public:
  TcpRelay();
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  std::uint16_t port() const { return port_; }
  // For connections from now on; 0: nothing is there.
  void set_target(std::uint16_t port) { target_ = port; }
  // Breaks all connections, without a goodbye to either side.
  void cut();

 private:
  void run();

  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> target_{0};
  std::thread thread_;
};

}  // namespace nearhub::test
