#include "tools/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/check.h"

namespace nearhub::tools {
namespace {

// What a signal handler can reach. Lock-free, hence safe there.
std::atomic<Interrupt*> on_signal{nullptr};
std::atomic<int> handlers_running{0};
struct sigaction previous_int, previous_term;

void handle_signal(int) {
  const int kept = errno;
  ++handlers_running;
  if (Interrupt* interrupt = on_signal.load()) interrupt->request();
  --handlers_running;
  errno = kept;
}

}  // namespace

Interrupt::Interrupt() { NEARHUB_CHECK(::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0); }

Interrupt::~Interrupt() {
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

void Interrupt::request() {
  // A full pipe has been readable for long.
  [[maybe_unused]] const ssize_t n = ::write(pipe_[1], "", 1);
}

bool Interrupt::wait(std::chrono::milliseconds time) const {
  // For the second poll() tells of errors alone, and takes no notice of -1.
  pollfd watched[] = {{pipe_[0], POLLIN, 0}, {reader_fd_, 0, 0}};
  int n;
  do {
    n = ::poll(watched, 2, static_cast<int>(time.count()));
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

InterruptOnSignals::InterruptOnSignals(Interrupt& interrupt) {
  NEARHUB_CHECK(on_signal.exchange(&interrupt) == nullptr);
  struct sigaction action {};
  action.sa_handler = handle_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &previous_int);
  sigaction(SIGTERM, &action, &previous_term);
}

InterruptOnSignals::~InterruptOnSignals() {
  sigaction(SIGINT, &previous_int, nullptr);
  sigaction(SIGTERM, &previous_term, nullptr);
  on_signal.store(nullptr);
  // A signal may have come on another thread, whose handler has the interrupt in its hands still.
  while (handlers_running.load() != 0) std::this_thread::yield();
}

}  // namespace nearhub::tools
