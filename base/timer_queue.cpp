#include "base/timer_queue.h"

#include <utility>

namespace nearhub {

void Timer::start_at(MonoTime deadline) {
  cancel();
  deadline_ = deadline;
  queue_->insert(*this);
}

void Timer::cancel() {
  if (running()) queue_->remove(*this);
}

TimerQueue::~TimerQueue() {
  for (Timer* timer : heap_) timer->at_ = Timer::kIdle;
}

void TimerQueue::run_due() {
  const MonoTime now = clock_.mono();
  // Bounded by what is due now: a callback that re-arms its timer at or before `now` must not starve the loop.
  std::size_t budget = heap_.size();
  while (budget-- > 0 && !heap_.empty() && heap_.front()->deadline_ <= now) {
    Timer& timer = *heap_.front();
    remove(timer);
    timer.on_fire_();
  }
}

void TimerQueue::place(std::size_t at, Timer* timer) {
  heap_[at] = timer;
  timer->at_ = at;
}

void TimerQueue::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.at_ = heap_.size() - 1;
  sift_up(timer.at_);
  if (timer.at_ == 0 && on_earlier_) on_earlier_();
}

void TimerQueue::remove(Timer& timer) {
  const std::size_t at = std::exchange(timer.at_, Timer::kIdle);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(at, last);
  sift_up(at);
  sift_down(last->at_);
}

void TimerQueue::sift_up(std::size_t at) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (heap_[parent]->deadline_ <= heap_[at]->deadline_) return;
    Timer* lower = heap_[at];
    place(at, heap_[parent]);
    place(parent, lower);
    at = parent;
  }
}

void TimerQueue::sift_down(std::size_t at) {
  for (;;) {
    std::size_t least = at;
    for (const std::size_t child : {2 * at + 1, 2 * at + 2}) {
      if (child < heap_.size() && heap_[child]->deadline_ < heap_[least]->deadline_) least = child;
    }
    if (least == at) return;
    Timer* lower = heap_[at];
    place(at, heap_[least]);
    place(least, lower);
    at = least;
  }
}

}  // namespace nearhub
