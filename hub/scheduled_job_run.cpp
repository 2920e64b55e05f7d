#include "hub/scheduled_job_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "hub/job_condition.h"

namespace nearhub::hub {
namespace {

// When other queries leave no place, or the store does not answer.
constexpr std::chrono::seconds kRetryInterval{1};

}  // namespace

ScheduledJobRun::ScheduledJobRun(const Hub& hub, Executor& loop, std::string id, Task on_change) : hub_(hub), loop_(loop), on_change_(std::move(on_change)) {
  job_.id = std::move(id);
}

void ScheduledJobRun::begin() {
  NEARHUB_DCHECK(loop_.is_current());
  hub_.shared().store.read_scheduled_job(job_.id, loop_, [self = shared_from_this()](Result<std::optional<ScheduledJob>> read) { self->on_read(std::move(read)); });
}

void ScheduledJobRun::on_read(Result<std::optional<ScheduledJob>> read) {
  if (stopping_) return;  // the next start begins it
  if (!read.ok()) return try_again();
  if (!*read) {
    ended_ = true;
    return on_change_();
  }
  job_ = std::move(**read);
  const bool is_new = job_.state.status != ScheduledJobStatus::kRunning;
  if (is_new) {
    job_.state.status = ScheduledJobStatus::kRunning;
    job_.state.started = now();
    state_changed_ = true;
  } else if (job_.state.all_selected && !is_method()) {
    // Rows are taken up in the order in which they are read: those that were under way come first.
    perhaps_made_ = kMaxUnderWayPerJob;
  }
  deadline_ = job_.state.started + job_.max_execution;
  log::info("jobs", "job={} type={} status=running{}", job_.id, job_kind_text(job_.kind), is_new ? "" : " taken up again");
  if (!is_method()) {
    auto update = twin::parse_update(job_.update);
    if (!update.ok()) return end(ScheduledJobStatus::kFailed, update.error().detail);
    update_ = std::make_shared<const twin::Update>(std::move(*update));
  }
  auto query = parse_job_condition(job_.condition);
  if (!query.ok()) return end(ScheduledJobStatus::kFailed, "queryCondition: " + query.error().detail);
  query_ = std::move(*query);
  phase_ = job_.state.all_selected ? Phase::kWorking : Phase::kSelecting;
  on_change_();  // there is a deadline now
  look();
}

void ScheduledJobRun::look() {
  if (retry_ && now() >= *retry_) {
    retry_.reset();
    if (phase_ == Phase::kReading) return stopping_ ? void() : begin();
  }
  if (!timed_out_ && phase_ != Phase::kReading && phase_ != Phase::kEnding && now() >= deadline_) {
    timed_out_ = true;
    deadline_ = WallTime::max();
    log::warn("jobs", "job={} ran longer than max_execution_s={}", job_.id, job_.max_execution.count());
    if (!job_.state.all_selected) {
      job_.state.failure = fmt::format("the maximum execution time of {} s passed while devices were still being selected", job_.max_execution.count());
    }
    // Twin updates under way are a matter of milliseconds; devices may take minutes.
    if (is_method()) cut_off_calls();
  }
  step();
}

void ScheduledJobRun::stop() {
  stopping_ = true;
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::try_again() {
  retry_ = now() + kRetryInterval;
  on_change_();
}

void ScheduledJobRun::step() {
  // Working begins when the last page is stored, because that is where it is read from.
  if (phase_ == Phase::kSelecting && !asking_ && !saving_ && unsaved_.empty()) {
    if (job_.state.all_selected || timed_out_) {
      phase_ = Phase::kWorking;
    } else if (!retry_ && !stopping_) {
      select_page();
    }
  }
  if (phase_ == Phase::kWorking) take_up();
  save();
  if (is_done()) end(job_.state.failure.empty() ? ScheduledJobStatus::kCompleted : ScheduledJobStatus::kFailed, job_.state.failure);
}

// --- Selecting ----------------------------------------------------------------------------------------------------------------

void ScheduledJobRun::select_page() {
  std::size_t limit = kJobPageRows;
  if (query_->top) {
    const auto selected = static_cast<std::uint64_t>(job_.state.statistics.devices);
    limit = static_cast<std::size_t>(std::min<std::uint64_t>(limit, *query_->top - std::min(*query_->top, selected)));
  }
  asking_ = true;
  if (limit == 0) return on_selected(IdentityPage{});
  select_identities(hub_, loop_, query_, job_.state.selected, limit, [self = shared_from_this()](Result<IdentityPage> page) { self->on_selected(std::move(page)); });
}

void ScheduledJobRun::on_selected(Result<IdentityPage> page) {
  asking_ = false;
  // Whatever came behind the time, or the stop, is selected again or not at all.
  if (timed_out_ || stopping_) return step();
  if (!page.ok()) return try_again();
  ScheduledJobState& state = job_.state;
  for (IdentityId& id : page->identities) {
    DeviceJob row;
    row.id = std::move(id);
    row.created = row.updated = now();
    ++state.statistics.devices;
    ++state.statistics.pending;
    unsaved_.push_back(std::move(row));
  }
  if (!page->identities.empty()) state.selected = unsaved_.back().id;
  state.all_selected = !page->more || (query_->top && static_cast<std::uint64_t>(state.statistics.devices) >= *query_->top);
  state_changed_ = true;
  save();
}

// --- Saving -------------------------------------------------------------------------------------------------------------------

// One save at a time: what comes meanwhile goes with the next one.
void ScheduledJobRun::save() {
  if (saving_ || (unsaved_.empty() && !state_changed_)) return;
  auto batch = std::make_unique<WriteBatch>();
  saving_rows_ = unsaved_.size();
  // Rows first: a state that speaks of rows which are not there would lose them.
  if (!unsaved_.empty()) {
    for (const DeviceJob& row : unsaved_) batch->bytes += sizeof row + row.error.size() + (row.outcome ? row.outcome->payload.size() : 0);
    batch->operations.emplace_back(PutDeviceJobs{job_.id, std::exchange(unsaved_, {})});
  }
  batch->operations.emplace_back(UpdateScheduledJob{job_.id, job_.state});
  batch->bytes += sizeof(UpdateScheduledJob);
  batch->done.resize(batch->operations.size());
  saving_ = true;
  state_changed_ = false;
  hub_.shared().store.submit(std::move(batch), loop_, [self = shared_from_this(), to_call = std::exchange(to_call_, {})](const std::unique_ptr<WriteBatch>&) {
    self->on_saved(to_call);
  });
}

void ScheduledJobRun::on_saved(const std::vector<IdentityId>& to_call) {
  saving_ = false;
  saving_rows_ = 0;
  if (phase_ == Phase::kEnding && !state_changed_) {
    ended_ = true;
    const JobStatistics& statistics = job_.state.statistics;
    log::info("jobs", "job={} status={} devices={} succeeded={} failed={} reason=\"{}\"", job_.id, job_status_text(job_.state.status), statistics.devices,
              statistics.succeeded, statistics.failed, job_.state.failure);
    return on_change_();
  }
  for (const IdentityId& id : to_call) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) continue;  // the job's time has passed
    if (!stopping_) {
      call(id);
      continue;
    }
    put_back(std::move(found->second.row));
    under_way_.erase(found);
  }
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::end(ScheduledJobStatus status, std::string failure) {
  phase_ = Phase::kEnding;
  job_.state.status = status;
  job_.state.ended = now();
  job_.state.failure = std::move(failure);
  deadline_ = WallTime::max();
  state_changed_ = true;
  save();
}

}  // namespace nearhub::hub
