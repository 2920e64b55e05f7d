// Deadlines of one loop: a heap of timers that their owners embed.
//
// A timer fires once, on the loop's thread, when run_due() passes its deadline; firing may start or cancel any timer, itself included.
// Keep-alive timers are re-armed when they fire, not at every packet, so a busy connection costs the queue nothing.
//
// THREAD: owning loop only.
#pragma once
#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "base/unique_function.h"

namespace nearhub {

class TimerQueue;

// Embedded in its owner, which it never outlives: destruction cancels.
class Timer {
 public:
  Timer(TimerQueue& queue, Task on_fire) : queue_(&queue), on_fire_(std::move(on_fire)) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start_at(MonoTime deadline);  // starting a running timer moves it
  void cancel();
  bool running() const { return at_ != kIdle; }
  MonoTime deadline() const { return deadline_; }

 private:
  friend class TimerQueue;
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);

  TimerQueue* queue_;
  Task on_fire_;
  MonoTime deadline_{};
  std::size_t at_ = kIdle;  // index in the heap
};

class TimerQueue {
 public:
  explicit TimerQueue(const Clock& clock) : clock_(clock) {}
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  MonoTime now() const { return clock_.mono(); }

  // Fires what is due, at most what was due when called (a timer that re-arms itself in the past waits for the next call).
  void run_due();

  bool empty() const { return heap_.empty(); }
  MonoTime next_deadline() const { return heap_.front()->deadline_; }  // only when not empty

  // Called when the earliest deadline has moved forward, so that the loop can re-arm its own timer. May be empty.
  void on_earlier(Task task) { on_earlier_ = std::move(task); }

 private:
  friend class Timer;
  void insert(Timer& timer);
  void remove(Timer& timer);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);
  void place(std::size_t at, Timer* timer);

  const Clock& clock_;
  std::vector<Timer*> heap_;
  Task on_earlier_;
};

}  // namespace nearhub
