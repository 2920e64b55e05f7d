// One event loop: a thread's libuv loop, its mailbox, its timers and its end of turn.
//
// A turn is one pass over what was ready. What must happen once per turn and not once per event (hand the turn's writes to the store,
// send each connection's output in one piece) is registered with at_turn_end() and runs after the events of the turn.
//
// The mailbox is the only way between loops: append under a lock, wake once, the owner swaps the list and runs it with no lock held.
// Tasks of one sender keep their order.
//
// THREAD: the constructor and run() on the thread that owns the loop (they may differ if nothing else happens in between); post(), try_post(),
// stop(), is_current() and clock_moved() from any thread; all else on the owning loop only.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/timer_queue.h"

struct uv_loop_s;

namespace nearhub::net {

class TlsConnection;

// New work from outside that may wait for one loop; beyond it try_post() refuses (answer 429 or 503). Answers are not bounded: there are
// never more of them than requests.
inline constexpr std::size_t kMaxMailboxRequests = 65'536;

class Loop final : public Executor {
 public:
  // `clock` outlives the loop.
  explicit Loop(const Clock& clock);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(), then until every handle is closed. Tasks posted after that are dropped.
  void run();
  // Ends run() after the current turn. Owners of connections and listeners close those first.
  void stop();

  void post(Task task) override;
  bool try_post(Task task) override;
  bool is_current() const override;

  TimerQueue& timers() { return timers_; }
  const Clock& clock() const { return clock_; }

  // Runs `task` at the end of every turn that had events, in the order of registration, for the life of the loop. A task that makes
  // work for an earlier one must not: order them accordingly.
  void at_turn_end(Task task);

  // Runs once at the end of this turn, before the tasks of at_turn_end(); for destroying what is still on the stack now.
  void defer(Task task);

  // Fires what became due when the clock was moved by hand. Any thread.
  void clock_moved();

  // Calls `on_signal` on this loop when the process gets one of the signals. At most one watcher per signal in a process.
  void watch_signals(std::vector<int> signals, UniqueFunction<void(int)> on_signal);

 private:
  friend class TlsConnection;
  friend class Listener;
  struct Impl;

  uv_loop_s* uv();
  // One buffer for all reads of the loop's connections, and one for the bytes that a connection is about to send.
  char* read_buffer();
  static constexpr std::size_t kReadBufferBytes = 64 * 1024;
  std::string& wire_buffer();
  // Connections with output to send at the end of the turn.
  void mark_dirty(TlsConnection& connection);
  void unmark_dirty(TlsConnection& connection);
  // Output buffers travel between connections, so that an idle one holds none.
  std::string take_buffer();
  void give_buffer(std::string buffer);

  void run_mailbox();
  void end_turn();
  void arm_timer();

  const Clock& clock_;
  TimerQueue timers_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nearhub::net
