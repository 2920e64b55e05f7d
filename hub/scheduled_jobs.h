// The scheduled jobs of the hub: when each begins, which of them run, and what may still be cancelled.
//
// DESIGN. In memory are the ids and start times of the jobs that have not ended, and up to kMaxRunningJobs runs (hub/scheduled_job_run.h). All else is in
// the store, where clients' questions are answered from: what they are told is durable. One timer wakes the object for the next start, for the next end of
// a job's time, and every minute while something waits, because wall clocks are set.
//
// THREAD: the first shard's loop; post() and try_post() from any thread lead there.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/lifetime.h"
#include "base/timer_queue.h"
#include "hub/hub.h"
#include "hub/scheduled_job.h"
#include "hub/scheduled_job_run.h"
#include "hub/store.h"

namespace nearhub::hub {

class ScheduledJobs {
 public:
  // `unfinished`: as the store has them. `hub` has, or will have, its shards; `executor` and `timers` are those of the first.
  ScheduledJobs(const Hub& hub, Executor& executor, TimerQueue& timers, std::vector<UnfinishedJob> unfinished);
  ~ScheduledJobs();
  ScheduledJobs(const ScheduledJobs&) = delete;
  ScheduledJobs& operator=(const ScheduledJobs&) = delete;

  // Runs `task` on the loop where the rest may be called. Any thread; false when too much waits there.
  bool try_post(Task task) { return executor_.try_post(std::move(task)); }
  void post(Task task) { executor_.post(std::move(task)); }

  // From here on jobs run; those of before the last stop are taken up.
  void begin();

  // `created` and the state are set here. Fails with kJobAlreadyExists, and with kThrottlingMaxActiveJobCountExceeded when kMaxActiveJobs have not ended.
  void create(ScheduledJob job, Answer<ScheduledJob> answer);
  // Only of jobs that do not run yet: kOperationNotAllowedInCurrentState for others, one that is being cancelled included; kJobNotFound.
  void cancel(const std::string& id, Answer<ScheduledJob> answer);

  // Begins nothing new from here on.
  void stop();
  // Behind stop(), and when the shards have ended their direct methods: runs `drained` when nothing is under way or unsaved.
  void drain(Task drained);

  struct Figures {
    std::size_t waiting = 0;
    std::size_t running = 0;
  };
  Figures figures() const { return {waiting_.size(), running_.size()}; }

 private:
  // The order in which jobs that may begin do so.
  struct Turn {
    bool interrupted = false;  // it ran before the last stop of the hub
    WallTime start{};
    std::uint64_t order = 0;  // of creation
    bool operator<(const Turn& other) const;
  };
  struct Waiting {
    Turn turn;
    ScheduledJobStatus status = ScheduledJobStatus::kQueued;
  };

  // Begins what may begin, forgets what has ended, and sets the timer.
  void look();
  void look_soon();
  void begin_due(WallTime now);
  void set_timer(WallTime now);
  void launch(const std::string& id);
  void update(const std::string& id, ScheduledJobStatus status, Task done);
  void check_drained();
  static std::unique_ptr<WriteBatch> batch_of(WriteOperation operation);

  const Hub& hub_;
  Executor& executor_;
  TimerQueue& timers_;
  Timer timer_;
  std::map<std::string, Waiting> waiting_;
  std::map<std::string, std::shared_ptr<ScheduledJobRun>> running_;
  std::set<std::string> creating_;
  std::set<std::string> cancelling_;
  std::uint64_t next_order_ = 1;
  bool begun_ = false;
  bool stopping_ = false;
  bool looking_soon_ = false;
  Task drained_;
  Lifetime lifetime_;
};

}  // namespace nearhub::hub
