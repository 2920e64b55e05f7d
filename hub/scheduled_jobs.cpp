#include "hub/scheduled_jobs.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nearhub::hub {
namespace {

// How long a wall clock that was set can go unnoticed.
constexpr std::chrono::seconds kLookInterval{60};

Error already_exists(const std::string& id) { return {ErrorCode::kJobAlreadyExists, fmt::format("a job with the id {} exists; ids of ended jobs are free again after 30 days", id)}; }

Error not_cancellable(const std::string& id, std::string_view what_it_is) {
  return {ErrorCode::kOperationNotAllowedInCurrentState, fmt::format("job {} is {}; only a job that is queued or scheduled can be cancelled", id, what_it_is)};
}

}  // namespace

bool ScheduledJobs::Turn::operator<(const Turn& other) const {
  return std::tuple(!interrupted, start, order) < std::tuple(!other.interrupted, other.start, other.order);
}

ScheduledJobs::ScheduledJobs(const Hub& hub, Executor& executor, TimerQueue& timers, std::vector<UnfinishedJob> unfinished)
    : hub_(hub), executor_(executor), timers_(timers), timer_(timers, [this] { look(); }) {
  for (UnfinishedJob& job : unfinished) {
    const Turn turn{job.status == ScheduledJobStatus::kRunning, job.start, job.sequence};
    next_order_ = std::max(next_order_, job.sequence + 1);
    waiting_.emplace(std::move(job.id), Waiting{turn, job.status});
  }
}

ScheduledJobs::~ScheduledJobs() = default;

void ScheduledJobs::begin() {
  NEARHUB_DCHECK(executor_.is_current());
  begun_ = true;
  look();
}

void ScheduledJobs::create(ScheduledJob job, Answer<ScheduledJob> answer) {
  NEARHUB_DCHECK(executor_.is_current());
  if (stopping_) return answer(Error{ErrorCode::kServiceUnavailable, "the hub is stopping"});
  if (waiting_.count(job.id) > 0 || running_.count(job.id) > 0 || creating_.count(job.id) > 0) return answer(already_exists(job.id));
  if (waiting_.size() + running_.size() + creating_.size() >= kMaxActiveJobs) {
    return answer(Error{ErrorCode::kThrottlingMaxActiveJobCountExceeded, fmt::format("{} jobs are scheduled, queued or running; more are not allowed", kMaxActiveJobs)});
  }
  const WallTime now = hub_.shared().clock.now();
  job.created = now;
  job.start = std::max(job.start, now);
  job.state = {};
  job.state.status = job.start > now ? ScheduledJobStatus::kScheduled : ScheduledJobStatus::kQueued;
  creating_.insert(job.id);
  hub_.shared().store.submit(batch_of(CreateScheduledJob{job}), executor_,
                             lifetime_.guard([this, job, answer = std::move(answer)](const std::unique_ptr<WriteBatch>& answered) mutable {
    creating_.erase(job.id);
    const Status& created = answered->results.front();
    if (!created.ok()) return answer(created.error().code == ErrorCode::kJobAlreadyExists ? already_exists(job.id) : created.error());
    waiting_.emplace(job.id, Waiting{{false, job.start, next_order_++}, job.state.status});
    log::info("jobs", "job={} type={} status={}", job.id, job_kind_text(job.kind), job_status_text(job.state.status));
    answer(std::move(job));
    look_soon();
  }));
}

void ScheduledJobs::cancel(const std::string& id, Answer<ScheduledJob> answer) {
  NEARHUB_DCHECK(executor_.is_current());
  if (stopping_) return answer(Error{ErrorCode::kServiceUnavailable, "the hub is stopping"});
  const auto read = [this](const std::string& job, UniqueFunction<void(Result<ScheduledJob>)> then) {
    hub_.shared().store.read_scheduled_job(job, executor_, [job, then = std::move(then)](Result<std::optional<ScheduledJob>> found) mutable {
      if (!found.ok()) return then(found.error());
      if (!*found) return then(Error{ErrorCode::kJobNotFound, job});
      then(std::move(**found));
    });
  };
  // These two the store may not know yet.
  if (cancelling_.count(id) > 0) return answer(not_cancellable(id, "being cancelled"));
  const auto running = running_.find(id);
  if (running != running_.end() && !running->second->has_ended()) return answer(not_cancellable(id, job_status_text(ScheduledJobStatus::kRunning)));
  const auto waiting = waiting_.find(id);
  // One that ran before the last stop is only waiting for its turn to go on.
  if (waiting == waiting_.end() || waiting->second.turn.interrupted) {
    return read(id, [answer = std::move(answer)](Result<ScheduledJob> job) mutable {
      if (!job.ok()) return answer(std::move(job));
      answer(not_cancellable(job->id, job_status_text(job->state.status)));
    });
  }
  waiting_.erase(waiting);
  cancelling_.insert(id);
  update(id, ScheduledJobStatus::kCancelled, [this, read, id, answer = std::move(answer)]() mutable {
    cancelling_.erase(id);
    log::info("jobs", "job={} status=cancelled", id);
    read(id, std::move(answer));
  });
}

void ScheduledJobs::update(const std::string& id, ScheduledJobStatus status, Task done) {
  ScheduledJobState state;
  state.status = status;
  if (nearhub::hub::has_ended(status)) state.ended = hub_.shared().clock.now();
  hub_.shared().store.submit(batch_of(UpdateScheduledJob{id, std::move(state)}), executor_,
                             lifetime_.guard([done = std::move(done)](const std::unique_ptr<WriteBatch>&) mutable {
    if (done) done();
  }));
}

std::unique_ptr<WriteBatch> ScheduledJobs::batch_of(WriteOperation operation) {
  auto batch = std::make_unique<WriteBatch>();
  batch->bytes = sizeof operation;
  if (const auto* create = std::get_if<CreateScheduledJob>(&operation)) batch->bytes += create->job.update.size() + create->job.method.payload.size();
  batch->operations.push_back(std::move(operation));
  batch->done.resize(1);
  return batch;
}

// --- Looking ------------------------------------------------------------------------------------------------------------------

void ScheduledJobs::look_soon() {
  if (std::exchange(looking_soon_, true)) return;
  executor_.post(lifetime_.guard([this] {
    looking_soon_ = false;
    look();
  }));
}

void ScheduledJobs::look() {
  if (!begun_) return;
  const WallTime now = hub_.shared().clock.now();
  // Runs tell of changes by look_soon(), so that none goes while it is looked at.
  std::erase_if(running_, [](const auto& each) { return each.second->has_ended(); });
  for (const auto& [id, run] : running_) {
    if (run->next_look() <= now) run->look();
  }
  if (!stopping_) begin_due(now);
  set_timer(now);
  check_drained();
}

void ScheduledJobs::begin_due(WallTime now) {
  while (running_.size() < kMaxRunningJobs) {
    auto first = waiting_.end();
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (at->second.turn.start <= now && (first == waiting_.end() || at->second.turn < first->second.turn)) first = at;
    }
    if (first == waiting_.end()) break;
    const std::string id = first->first;
    waiting_.erase(first);
    launch(id);
  }
  for (auto& [id, job] : waiting_) {
    if (job.turn.start > now || job.status != ScheduledJobStatus::kScheduled) continue;
    job.status = ScheduledJobStatus::kQueued;
    update(id, ScheduledJobStatus::kQueued, nullptr);
  }
}

void ScheduledJobs::launch(const std::string& id) {
  auto run = std::make_shared<ScheduledJobRun>(hub_, executor_, id, lifetime_.guard([this] { look_soon(); }));
  running_.emplace(id, run);
  run->begin();
}

void ScheduledJobs::set_timer(WallTime now) {
  if (waiting_.empty() && running_.empty()) return timer_.cancel();
  WallTime next = now + kLookInterval;
  for (const auto& [id, run] : running_) next = std::min(next, run->next_look());
  // Those that are due wait for a place, not for a time.
  for (const auto& [id, job] : waiting_) {
    if (job.turn.start > now) next = std::min(next, job.turn.start);
  }
  timer_.start_at(timers_.now() + std::chrono::ceil<std::chrono::milliseconds>(std::max(next, now) - now));
}

// --- Stopping -----------------------------------------------------------------------------------------------------------------

void ScheduledJobs::stop() {
  stopping_ = true;
  for (const auto& [id, run] : running_) run->stop();
}

void ScheduledJobs::drain(Task drained) {
  drained_ = std::move(drained);
  check_drained();
}

void ScheduledJobs::check_drained() {
  if (!drained_) return;
  const bool quiet = std::all_of(running_.begin(), running_.end(), [](const auto& each) { return each.second->has_ended() || each.second->is_quiet(); });
  if (quiet) std::exchange(drained_, nullptr)();
}

}  // namespace nearhub::hub
