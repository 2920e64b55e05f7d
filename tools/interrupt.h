// Ctrl-C as a file descriptor, so that a command that waits for a hub wakes up at once and ends in order.
//
// THREAD: request() from any thread and from signal handlers; the rest on the command's thread.
#pragma once
#include <chrono>

namespace nearhub::tools {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void request();
  // Counts as requested, too, once nobody reads from `fd` (a pipe) any more. Before the others are called.
  void watch_reader(int fd) { reader_fd_ = fd; }
  bool requested() const { return wait(std::chrono::milliseconds{0}); }
  // True when the interrupt was requested within the time.
  bool wait(std::chrono::milliseconds time) const;
  // Readable once requested, and for ever after; it does not tell of the reader.
  int fd() const { return pipe_[0]; }

 private:
  int pipe_[2];
  int reader_fd_ = -1;
};

// While it lives SIGINT and SIGTERM request `interrupt`. One at a time in a process.
class InterruptOnSignals {
 public:
  explicit InterruptOnSignals(Interrupt& interrupt);
  ~InterruptOnSignals();
  InterruptOnSignals(const InterruptOnSignals&) = delete;
  InterruptOnSignals& operator=(const InterruptOnSignals&) = delete;
};

}  // namespace nearhub::tools
