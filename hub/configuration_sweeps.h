// Going over all twins that a changed configuration may be about, one configuration after the other.
//
// The twins are selected in pages by the query engine and judged at their homes, a page at a time. A sweep that a stop or a crash cuts off leaves its mark
// in the store and is done again from the beginning; judging a twin twice changes nothing the second time.
//
// THREAD: the first shard's loop.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/timer_queue.h"
#include "hub/hub.h"
#include "hub/query_run.h"

namespace nearhub::hub {

inline constexpr std::size_t kSweepPage = 100;            // twins under way
inline constexpr std::size_t kSweptBeforeAnswer = 1000;   // a change is answered when so many twins have been judged, or all
inline constexpr std::size_t kSweptInFrontBeforeAnswer = 10'000;  // or when so many were judged for changes in front of it
inline constexpr std::chrono::seconds kSweepRetryTime{1};  // when too many queries are under way

class ConfigurationSweeps {
 public:
  ConfigurationSweeps(const Hub& hub, Executor& executor, TimerQueue& timers);

  // `queries`: what selects the twins. `mark`: of the store (EndConfigurationSweep). `answered` may be empty; it runs when kSweptBeforeAnswer twins are
  // judged or the sweep is over, or when it has waited for kSweptInFrontBeforeAnswer twins of others.
  void add(std::string configuration, std::int64_t mark, std::vector<SharedQuery> queries, Task answered);
  // No further page is begun. For the end of the process: nothing is lost, the marks stay.
  void stop() { stopped_ = true; }
  bool idle() const { return waiting_.empty(); }

 private:
  struct Sweep {
    std::string configuration;
    std::int64_t mark;
    std::vector<SharedQuery> queries;  // the first is under way
    Task answered;
    IdentityId after;
    std::size_t judged = 0;
    std::size_t judged_in_front = 0;  // since it came
  };
  void begin_page();
  void judge(std::vector<IdentityId> identities, bool more);
  void on_judged(bool more);
  static void answer(Sweep& sweep);
  void end();

  const Hub& hub_;
  Executor& executor_;
  TimerQueue& timers_;
  Timer retry_;
  std::deque<Sweep> waiting_;  // the first is under way
  bool stopped_ = false;
};

}  // namespace nearhub::hub
