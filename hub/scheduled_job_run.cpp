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

Error not_in_time(const ScheduledJob& job) {
  return {ErrorCode::kJobRunPreconditionFailed, fmt::format("the job's maximum execution time of {} s passed before its turn came", job.max_execution.count())};
}

Error cut_off(const ScheduledJob& job) {
  return {ErrorCode::kGatewayTimeout, fmt::format("the job's maximum execution time of {} s passed while the call was under way; the device may carry it out all the same",
                                                  job.max_execution.count())};
}

Error unknown_outcome() {
  return {ErrorCode::kServiceUnavailable, "the hub stopped while the call was under way: whether the device carried it out is not known, and it is not called again"};
}

}  // namespace

ScheduledJobRun::ScheduledJobRun(const Hub& hub, Executor& loop, std::string id, Task on_change) : hub_(hub), loop_(loop), on_change_(std::move(on_change)) {
  job_.id = std::move(id);
}

void ScheduledJobRun::begin() {
  NEARHUB_DCHECK(loop_.is_current());
  hub_.shared().store.read_scheduled_job(job_.id, loop_, [self = shared_from_this()](Result<std::optional<ScheduledJob>> read) { self->on_read(std::move(read)); });
}

void ScheduledJobRun::on_read(Result<std::optional<ScheduledJob>> read) {
  if (!read.ok()) return try_again(kRetryInterval);
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
    if (is_method()) {
      for (auto& [id, row] : std::exchange(under_way_, {})) {
        const Error error = cut_off(job_);
        settle(std::move(row), DeviceJobStatus::kFailed, &error);
      }
      to_call_.clear();
    }
  }
  step();
}

void ScheduledJobRun::stop() {
  stopping_ = true;
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::try_again(std::chrono::seconds in) {
  retry_ = now() + in;
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
  if (!page.ok()) return try_again(kRetryInterval);
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

// --- Working ------------------------------------------------------------------------------------------------------------------

void ScheduledJobRun::read_page() {
  asking_ = true;
  DeviceJobQuery query;
  query.job = job_.id;
  query.unfinished = true;
  query.after_job = job_.sequence;
  query.after = page_end_;
  query.limit = kJobPageRows;
  hub_.shared().store.read_device_jobs(std::move(query), loop_, [self = shared_from_this()](Result<DeviceJobPage> page) { self->on_page(std::move(page)); });
}

void ScheduledJobRun::on_page(Result<DeviceJobPage> page) {
  asking_ = false;
  if (!page.ok()) return try_again(kRetryInterval);
  for (DeviceJobRecord& record : page->rows) page_.push_back(std::move(record.row));
  if (!page_.empty()) page_end_ = page_.back().id;
  last_page_ = !page->more;
  step();
}

void ScheduledJobRun::take_up() {
  const std::size_t most = timed_out_ ? kJobPageRows : kMaxUnderWayPerJob;
  while (!page_.empty() && !stopping_ && under_way_.size() + unsaved_.size() + saving_rows_ < most) {
    DeviceJob row = std::move(page_.front());
    page_.pop_front();
    timed_out_ ? give_up(std::move(row)) : take_up(std::move(row));
  }
  // Behind the last page nothing was touched yet: what is being saved does not matter to the next.
  if (page_.size() < kMaxUnderWayPerJob && !last_page_ && !asking_ && !retry_ && !stopping_) read_page();
}

void ScheduledJobRun::take_up(DeviceJob row) {
  if (row.status == DeviceJobStatus::kRunning) return give_up(std::move(row));
  row.started = row.updated = now();
  const IdentityId id = row.id;
  if (is_method()) {
    move(row, DeviceJobStatus::kRunning);
    unsaved_.push_back(row);
    to_call_.push_back(id);
    under_way_.emplace(id, std::move(row));
  } else {
    under_way_.emplace(id, std::move(row));
    call(id);
  }
}

void ScheduledJobRun::give_up(DeviceJob row) {
  // One that runs in the store and not here: of before the hub's last stop.
  const Error error = row.status == DeviceJobStatus::kRunning ? unknown_outcome() : not_in_time(job_);
  settle(std::move(row), DeviceJobStatus::kFailed, &error);
}

bool ScheduledJobRun::is_done() const {
  // What a stop has put back is for the next start.
  return phase_ == Phase::kWorking && !stopping_ && last_page_ && page_.empty() && under_way_.empty() && unsaved_.empty() && !asking_ && !saving_;
}

void ScheduledJobRun::call(const IdentityId& id) {
  Shard& home = hub_.shard(hub_.home_of(id.device));
  auto self = shared_from_this();
  if (is_method()) {
    home.executor().post([&home, id, self, request = job_.method]() mutable {
      home.invoke_method(id, std::move(request), [self, id](Result<MethodResult> result) {
        self->loop_.post([self, id, result = std::move(result)]() mutable { self->on_answered(id, std::move(result)); });
      });
    });
  } else {
    home.executor().post([&home, id, self, update = update_] {
      home.patch_twin(id, update, [self, id](const Result<std::monostate>& result) {
        self->loop_.post([self, id, result] { self->on_patched(id, result); });
      });
    });
  }
}

void ScheduledJobRun::on_patched(const IdentityId& id, const Result<std::monostate>& result) {
  auto node = under_way_.extract(id);
  if (node.empty()) return;
  DeviceJob& row = node.mapped();
  if (result.ok()) {
    settle(std::move(row), DeviceJobStatus::kCompleted);
  } else if (stopping_ && result.error().code == ErrorCode::kServiceUnavailable) {
    // It stays pending in the store, and is made by the next start.
  } else {
    settle(std::move(row), DeviceJobStatus::kFailed, &result.error());
  }
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::on_answered(const IdentityId& id, Result<MethodResult> result) {
  auto node = under_way_.extract(id);
  if (node.empty()) return;  // the job's time had passed
  DeviceJob& row = node.mapped();
  if (result.ok()) {
    row.outcome = std::move(*result);
    settle(std::move(row), DeviceJobStatus::kCompleted);
  } else {
    const bool stopped = stopping_ && result.error().code == ErrorCode::kServiceUnavailable;
    const Error error = stopped ? unknown_outcome() : result.error();
    settle(std::move(row), DeviceJobStatus::kFailed, &error);
  }
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::settle(DeviceJob row, DeviceJobStatus status, const Error* error) {
  row.ended = row.updated = now();
  if (row.started == kNever) row.started = row.ended;
  if (error != nullptr) {
    row.error_code = error_name(error->code);
    row.error = error->detail;
  }
  move(row, status);
  unsaved_.push_back(std::move(row));
}

void ScheduledJobRun::put_back(DeviceJob row) {
  row.started = kNever;
  row.updated = now();
  move(row, DeviceJobStatus::kPending);
  unsaved_.push_back(std::move(row));
}

std::int64_t& ScheduledJobRun::count_of(DeviceJobStatus status) {
  JobStatistics& statistics = job_.state.statistics;
  switch (status) {
    case DeviceJobStatus::kPending: return statistics.pending;
    case DeviceJobStatus::kRunning: return statistics.running;
    case DeviceJobStatus::kCompleted: return statistics.succeeded;
    case DeviceJobStatus::kFailed: return statistics.failed;
  }
  return statistics.failed;
}

void ScheduledJobRun::move(DeviceJob& row, DeviceJobStatus to) {
  --count_of(row.status);
  ++count_of(to);
  row.status = to;
  state_changed_ = true;
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
    put_back(std::move(found->second));
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
