// A scheduled job's second half: its identities are read back page by page, worked, and settled.
#include <fmt/core.h>

#include <utility>

#include "hub/scheduled_job_run.h"

namespace nearhub::hub {
namespace {

Error not_in_time(const ScheduledJob& job) {
  return {ErrorCode::kJobRunPreconditionFailed, fmt::format("the job's maximum execution time of {} s passed before its turn came", job.max_execution.count())};
}

Error not_called(const ScheduledJob& job) {
  return {ErrorCode::kJobRunPreconditionFailed, fmt::format("the job's maximum execution time of {} s passed before the method was called; it is not called any more", job.max_execution.count())};
}

Error cut_off(const ScheduledJob& job) {
  return {ErrorCode::kGatewayTimeout, fmt::format("the job's maximum execution time of {} s passed while the call was under way; the device may carry it out all the same",
                                                  job.max_execution.count())};
}

Error unknown_outcome() {
  return {ErrorCode::kServiceUnavailable, "the hub stopped while the call was under way: whether the device carried it out is not known, and it is not called again"};
}

Error unknown_update(const ScheduledJob& job) {
  return {ErrorCode::kServiceUnavailable, fmt::format("the hub stopped, and the job's maximum execution time of {} s passed before it could go on: whether the twin was updated is not known",
                                                      job.max_execution.count())};
}

}  // namespace

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
  if (!page.ok()) return try_again();
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
    const bool perhaps_made = perhaps_made_ > 0;
    if (perhaps_made) --perhaps_made_;
    timed_out_ ? give_up(std::move(row), perhaps_made) : take_up(std::move(row));
  }
  // Behind the last page nothing was touched yet: what is being saved does not matter to the next.
  if (page_.size() < kMaxUnderWayPerJob && !last_page_ && !asking_ && !retry_ && !stopping_) read_page();
}

void ScheduledJobRun::take_up(DeviceJob row) {
  if (row.status == DeviceJobStatus::kRunning) return give_up(std::move(row), false);
  row.started = row.updated = now();
  const IdentityId id = row.id;
  if (is_method()) {
    move(row, DeviceJobStatus::kRunning);
    unsaved_.push_back(row);
    to_call_.push_back(id);
    under_way_.emplace(id, UnderWay{std::move(row), std::make_shared<MethodDispatch>()});
  } else {
    under_way_.emplace(id, UnderWay{std::move(row), nullptr});
    call(id);
  }
}

void ScheduledJobRun::give_up(DeviceJob row, bool perhaps_made) {
  // One that runs in the store and not here: of before the hub's last stop.
  const Error error = row.status == DeviceJobStatus::kRunning ? unknown_outcome() : perhaps_made ? unknown_update(job_) : not_in_time(job_);
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
    home.executor().post([&home, id, self, request = job_.method, dispatch = under_way_.at(id).dispatch]() mutable {
      home.invoke_method(id, std::move(request), [self, id](Result<MethodResult> result) {
        self->loop_.post([self, id, result = std::move(result)]() mutable { self->on_answered(id, std::move(result)); });
      }, std::move(dispatch));
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
  DeviceJob& row = node.mapped().row;
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
  DeviceJob& row = node.mapped().row;
  const bool stopped = stopping_ && !result.ok() && result.error().code == ErrorCode::kServiceUnavailable;
  if (result.ok()) {
    row.outcome = std::move(*result);
    settle(std::move(row), DeviceJobStatus::kCompleted);
  } else if (stopped && node.mapped().dispatch->withdraw()) {
    put_back(std::move(row));  // it only waited for its device
  } else {
    const Error error = stopped ? unknown_outcome() : result.error();
    settle(std::move(row), DeviceJobStatus::kFailed, &error);
  }
  step();
  if (is_quiet()) on_change_();
}

void ScheduledJobRun::cut_off_calls() {
  const Error sent = cut_off(job_), unsent = not_called(job_);
  for (auto& [id, each] : std::exchange(under_way_, {})) {
    const bool withdrawn = each.dispatch->withdraw();
    settle(std::move(each.row), DeviceJobStatus::kFailed, withdrawn ? &unsent : &sent);
    if (!withdrawn) continue;
    Shard& home = hub_.shard(hub_.home_of(id.device));
    home.executor().post([&home, id = id] { home.end_withdrawn_methods(id); });
  }
  to_call_.clear();
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

}  // namespace nearhub::hub
