#include "jobs/transfer_jobs.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "hub/store.h"
#include "jobs/job_context.h"
#include "jobs/waiting.h"

namespace nearhub::jobs {

TransferJobs::TransferJobs(const hub::Hub& hub, blob::Settings settings) : hub_(hub), settings_(std::move(settings)) {
  thread_ = std::thread([this] { run(); });
}

TransferJobs::~TransferJobs() { stop(); }

void TransferJobs::stop_soon() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  cut_off_ = true;
  wake_.notify_one();
}

void TransferJobs::stop() {
  stop_soon();
  if (thread_.joinable()) thread_.join();
}

void TransferJobs::create(TransferRequest request, hub::Answer<hub::TransferJob> answer) {
  Error refused;
  {
    const std::lock_guard lock(mutex_);
    if (!active_ && !stopping_) {
      cut_off_ = false;
      active_ = std::make_unique<Active>();
      active_->job.id = hub_.shared().random.uuid();
      active_->job.kind = request.kind;
      active_->job.exclude_keys = request.exclude_keys;
      active_->job.input_blob = request.input_blob;
      active_->job.output_blob = request.output_blob;
      active_->request = std::move(request);
      active_->created = std::move(answer);
      wake_.notify_one();
      return;
    }
    refused = stopping_ ? Error{ErrorCode::kServiceUnavailable, "the hub is stopping"}
                        : Error{ErrorCode::kJobQuotaExceeded, "Job quota has been exceeded: job " + active_->job.id + " is active, and one at a time is allowed"};
  }
  answer(std::move(refused));
}

void TransferJobs::cancel(std::string id, UniqueFunction<void(const Status&)> answer) {
  {
    const std::lock_guard lock(mutex_);
    if (active_ && active_->job.id == id) {
      active_->cancel_answers.push_back(std::move(answer));
      if (active_->ending) return;
      active_->cancelled = true;
      cut_off_ = true;
      return;
    }
  }
  hub_.shared().store.list_transfer_jobs(InPlace::instance(), [id = std::move(id), answer = std::move(answer)](const Result<std::vector<hub::TransferJob>>& jobs) mutable {
    if (!jobs.ok()) return answer(jobs.error());
    const auto found = std::find_if(jobs->begin(), jobs->end(), [&id](const hub::TransferJob& job) { return job.id == id; });
    if (found == jobs->end()) return answer(Error{ErrorCode::kJobNotFound, id});
    answer(Error{ErrorCode::kOperationNotAllowedInCurrentState, "job " + id + " has ended: " + std::string(hub::transfer_status_text(found->status))});
  });
}

void TransferJobs::run() {
  for (;;) {
    Active* active;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return active_ != nullptr || stopping_; });
      if (stopping_ && !active_) return;
      active = active_.get();
    }
    run_job(*active);
    std::unique_ptr<Active> ended;
    {
      const std::lock_guard lock(mutex_);
      ended = std::move(active_);
    }
    for (auto& answer : ended->cancel_answers) answer(Status());
  }
}

void TransferJobs::run_job(Active& active) {
  hub::TransferJob& job = active.job;
  const Clock& clock = hub_.shared().clock;
  const Status worked = work(active);
  // Cut off by a stop: the next start says so. Not created: nobody knows of it.
  if (stopping_ || active.created) {
    if (active.created) active.created(worked.ok() ? Error{ErrorCode::kServiceUnavailable, "the hub is stopping"} : worked.error());
    return;
  }
  bool cancelled;
  {
    const std::lock_guard lock(mutex_);
    cancelled = active.cancelled;
    active.ending = true;
    cut_off_ = stopping_.load();  // the last word is written although the job itself was cut off
  }
  job.ended = clock.now();
  if (worked.ok()) {
    job.status = hub::TransferStatus::kCompleted;
    job.progress = 100;
  } else {
    job.status = cancelled ? hub::TransferStatus::kCancelled : hub::TransferStatus::kFailed;
    job.failure = cancelled ? "" : worked.error().detail;
  }
  static_cast<void>(save(job));
  log::info("jobs", "job={} status={} reason=\"{}\"", job.id, hub::transfer_status_text(job.status), job.failure);
}

Status TransferJobs::work(Active& active) {
  const TransferRequest& request = active.request;
  const bool import = request.kind == hub::TransferKind::kImport;
  // Checked while the client waits for its answer (service-rest.md 5.8).
  std::unique_ptr<blob::Container> input;
  if (import) {
    auto opened = blob::open_container(request.input_uri, settings_, cut_off_);
    if (!opened.ok()) return opened.error();
    input = std::move(*opened);
    if (const auto readable = input->open(request.input_blob); !readable.ok()) return readable.error();
  }
  auto output = blob::open_container(import && request.output_uri.empty() ? request.input_uri : request.output_uri, settings_, cut_off_);
  if (!output.ok()) return output.error();
  if (!import) {
    if (Status sound = blob::check_blob_name(request.output_blob); !sound.ok()) return sound;
  }
  if (Status writable = (*output)->probe_write(); !writable.ok()) return writable;

  hub::TransferJob& job = active.job;
  job.started = hub_.shared().clock.now();
  if (Status saved = save(job); !saved.ok()) return saved;
  log::info("jobs", "job={} type={} status=enqueued", job.id, import ? "import" : "export");
  std::exchange(active.created, nullptr)(job);
  job.status = hub::TransferStatus::kRunning;
  if (Status saved = save(job); !saved.ok()) return saved;
  const JobContext context{hub_, request, cut_off_, stopping_, [this, &active](std::uint64_t done, std::uint64_t of) { progress(active, done, of); }};
  return import ? run_import(context, *input, **output) : run_export(context, **output);
}

void TransferJobs::progress(Active& active, std::uint64_t done, std::uint64_t of) {
  // Complete is said at the end alone.
  const int percent = of == 0 ? 0 : static_cast<int>(std::min<std::uint64_t>(99, done * 100 / of));
  if (percent <= active.job.progress) return;
  active.job.progress = percent;
  static_cast<void>(save(active.job));
}

Status TransferJobs::save(const hub::TransferJob& job) {
  Waiting<std::monostate> waiting;
  auto batch = std::make_unique<hub::WriteBatch>();
  batch->operations.emplace_back(hub::PutTransferJob{job});
  batch->done.emplace_back();
  batch->bytes = sizeof(hub::PutTransferJob);
  hub_.shared().store.submit(std::move(batch), InPlace::instance(), [answer = waiting.answer()](const std::unique_ptr<hub::WriteBatch>&) mutable { answer(std::monostate()); });
  const auto saved = waiting.wait(cut_off_);
  return saved.ok() ? Status() : Status(saved.error());
}

}  // namespace nearhub::jobs
