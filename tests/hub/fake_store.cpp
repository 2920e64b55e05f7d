#include "tests/hub/fake_store.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace nearhub::hub {
namespace {

Status failed(ErrorCode code) { return Error{code, "the fake store was told so"}; }

template <typename Operation>
constexpr const char* name_of() {
  if constexpr (std::is_same_v<Operation, CreateIdentity>) return "CreateIdentity";
  if constexpr (std::is_same_v<Operation, ReplaceIdentity>) return "ReplaceIdentity";
  if constexpr (std::is_same_v<Operation, DeleteIdentity>) return "DeleteIdentity";
  if constexpr (std::is_same_v<Operation, PutActivity>) return "PutActivity";
  if constexpr (std::is_same_v<Operation, PutTwin>) return "PutTwin";
  if constexpr (std::is_same_v<Operation, PutModelId>) return "PutModelId";
  if constexpr (std::is_same_v<Operation, PutSession>) return "PutSession";
  if constexpr (std::is_same_v<Operation, DropSession>) return "DropSession";
  if constexpr (std::is_same_v<Operation, EnqueueCloudMessage>) return "EnqueueCloudMessage";
  if constexpr (std::is_same_v<Operation, RemoveCloudMessage>) return "RemoveCloudMessage";
  if constexpr (std::is_same_v<Operation, CountDelivery>) return "CountDelivery";
  if constexpr (std::is_same_v<Operation, PutAuthority>) return "PutAuthority";
  if constexpr (std::is_same_v<Operation, DeleteAuthority>) return "DeleteAuthority";
  if constexpr (std::is_same_v<Operation, ReplacePolicies>) return "ReplacePolicies";
  if constexpr (std::is_same_v<Operation, PutTransferJob>) return "PutTransferJob";
  if constexpr (std::is_same_v<Operation, CreateScheduledJob>) return "CreateScheduledJob";
  if constexpr (std::is_same_v<Operation, UpdateScheduledJob>) return "UpdateScheduledJob";
  if constexpr (std::is_same_v<Operation, PutDeviceJobs>) return "PutDeviceJobs";
  if constexpr (std::is_same_v<Operation, PutConfiguration>) return "PutConfiguration";
  if constexpr (std::is_same_v<Operation, DeleteConfiguration>) return "DeleteConfiguration";
  if constexpr (std::is_same_v<Operation, EndConfigurationSweep>) return "EndConfigurationSweep";
  return "RemoveFeedback";
}

std::string key_of(const IdentityId& id) { return id.text(); }

}  // namespace

std::string text_of(const WriteOperation& operation) {
  return std::visit(
      [](const auto& op) -> std::string {
        std::string text = name_of<std::decay_t<decltype(op)>>();
        if constexpr (requires { op.id; }) {
          text += " " + op.id.text();
        } else if constexpr (requires { op.identity.id; }) {
          text += " " + op.identity.id.text();
        }
        return text;
      },
      operation);
}

FakeStore::StoredIdentity* FakeStore::find(const IdentityId& id) {
  const auto found = identities.find(key_of(id));
  return found == identities.end() ? nullptr : &found->second;
}

// --- Writes

void FakeStore::submit(std::unique_ptr<WriteBatch> batch, Executor& executor,
                       UniqueFunction<void(std::unique_ptr<WriteBatch>)> done) {
  CHECK(batch->done.size() == batch->operations.size());
  // Batches without a ticket are not of the shard.
  if (batch->ticket != 0) {
    CHECK(batch->ticket == last_ticket_ + 1);
    last_ticket_ = batch->ticket;
  }
  waiting_.push_back({std::move(batch), &executor, std::move(done)});
}

void FakeStore::commit() {
  REQUIRE_FALSE(waiting_.empty());
  Submission submission = std::move(waiting_.front());
  waiting_.pop_front();
  WriteBatch& batch = *submission.batch;
  for (const WriteOperation& operation : batch.operations) {
    const std::string text = text_of(operation);
    const auto failing = std::find_if(failing_.begin(), failing_.end(), [&](const auto& f) { return f.first == text; });
    if (failing != failing_.end()) {
      batch.results.push_back(failed(failing->second));
      failing_.erase(failing);
      continue;
    }
    batch.results.push_back(apply(operation));
    if (batch.results.back().ok()) operations.push_back(text);
  }
  for (const EventBlock& block : batch.events) {
    if (block.count > 0) blocks.push_back(block);
  }
  submission.executor->post([done = std::move(submission.done), answered = std::move(submission.batch)]() mutable {
    done(std::move(answered));
  });
}

void FakeStore::commit_all() {
  while (!waiting_.empty()) commit();
}

Status FakeStore::apply(const WriteOperation& operation) {
  if (const auto* op = std::get_if<CreateIdentity>(&operation)) {
    if (find(op->identity.id) != nullptr) return failed(ErrorCode::kDeviceAlreadyExists);
    StoredIdentity stored;
    stored.identity = op->identity;
    stored.twin = op->twin;
    stored.reported_version = op->reported_version;
    identities.emplace(key_of(op->identity.id), std::move(stored));
    return {};
  }
  if (const auto* op = std::get_if<ReplaceIdentity>(&operation)) {
    StoredIdentity* stored = find(op->identity.id);
    if (stored == nullptr) return failed(ErrorCode::kDeviceNotFound);
    if (stored->identity.etag_counter != op->expected_etag) return failed(ErrorCode::kPreconditionFailed);
    stored->identity = op->identity;
    return {};
  }
  if (const auto* op = std::get_if<DeleteIdentity>(&operation)) {
    StoredIdentity* stored = find(op->id);
    if (stored == nullptr) return failed(ErrorCode::kDeviceNotFound);
    if (stored->identity.etag_counter != op->expected_etag) return failed(ErrorCode::kPreconditionFailed);
    const bool module = op->id.is_module();
    std::erase_if(identities, [&](const auto& entry) {
      const IdentityId& id = entry.second.identity.id;
      return module ? id == op->id : id.device == op->id.device;
    });
    return {};
  }
  if (const auto* op = std::get_if<PutActivity>(&operation)) {
    if (StoredIdentity* stored = find(op->id)) {
      stored->identity.connection_state_updated = op->connection_state_updated;
      stored->identity.last_activity = op->last_activity;
    }
    return {};
  }
  if (const auto* op = std::get_if<PutTwin>(&operation)) {
    StoredIdentity* stored = find(op->id);
    if (stored == nullptr) return failed(ErrorCode::kDeviceNotFound);
    if (stored->twin.twin.etag_counter != op->expected_etag_counter ||
        stored->reported_version != op->expected_reported_version) {
      return failed(ErrorCode::kPreconditionFailed);
    }
    stored->twin.twin.etag_counter = op->etag_counter;
    stored->reported_version = op->reported_version;
    if (op->tags) {
      stored->twin.twin.has_tags = true;
      stored->twin.twin.tags = *op->tags;
    }
    if (op->desired) stored->twin.twin.desired = *op->desired;
    if (op->reported) stored->twin.twin.reported = *op->reported;
    if (op->configurations) stored->twin.configurations = *op->configurations;
    return {};
  }
  if (const auto* op = std::get_if<PutModelId>(&operation)) {
    if (StoredIdentity* stored = find(op->id)) stored->twin.model_id = op->model_id;
    return {};
  }
  if (const auto* op = std::get_if<PutSession>(&operation)) {
    if (StoredIdentity* stored = find(op->id)) stored->session = op->session;
    return {};
  }
  if (const auto* op = std::get_if<DropSession>(&operation)) {
    if (StoredIdentity* stored = find(op->id)) stored->session.reset();
    return {};
  }
  if (const auto* op = std::get_if<EnqueueCloudMessage>(&operation)) {
    StoredIdentity* stored = find(op->id);
    if (stored == nullptr) return failed(ErrorCode::kDeviceNotFound);
    const bool fresh = stored->queue.emplace(op->message.sequence, op->message).second;
    return fresh ? Status() : failed(ErrorCode::kPreconditionFailed);
  }
  if (const auto* op = std::get_if<RemoveCloudMessage>(&operation)) {
    StoredIdentity* stored = find(op->id);
    if (stored != nullptr && stored->queue.erase(op->sequence) > 0 && op->feedback) feedback.push_back(*op->feedback);
    return {};
  }
  if (const auto* op = std::get_if<CreateScheduledJob>(&operation)) return apply(*op);
  if (const auto* op = std::get_if<UpdateScheduledJob>(&operation)) {
    if (const auto found = jobs.find(op->job); found != jobs.end()) found->second.state = op->state;
    return {};
  }
  if (const auto* op = std::get_if<PutDeviceJobs>(&operation)) {
    for (const DeviceJob& row : op->rows) device_jobs[op->job].insert_or_assign(row.id, row);
    return {};
  }
  return {};
}

Status FakeStore::apply(const CreateScheduledJob& op) {
  ScheduledJob job = op.job;
  job.sequence = jobs.size() + 1;
  return jobs.emplace(op.job.id, std::move(job)).second ? Status() : failed(ErrorCode::kJobAlreadyExists);
}

// --- Reads

template <typename T>
void FakeStore::read(std::string what, Executor& executor, Answer<T> answer, const std::function<T()>& query) {
  reads.push_back(std::move(what));
  if (broken_) {
    executor.post([answer = std::move(answer)]() mutable { answer(Error{ErrorCode::kIo, "the disk is gone"}); });
    return;
  }
  // What is committed when the read is made, as on a reader's own connection.
  Task task = [&executor, answer = std::move(answer), result = query()]() mutable {
    executor.post([answer = std::move(answer), result = std::move(result)]() mutable { answer(std::move(result)); });
  };
  if (holding_) {
    held_.push_back(std::move(task));
  } else {
    task();
  }
}

void FakeStore::release_reads() {
  holding_ = false;
  for (Task& task : std::exchange(held_, {})) task();
}

void FakeStore::load_device(DeviceId id, Executor& executor, Answer<std::optional<DeviceRecord>> answer) {
  const auto record_of = [](const StoredIdentity& stored) {
    IdentityRecord record{stored.identity, stored.twin, stored.session, {}};
    for (const auto& [sequence, message] : stored.queue) {
      record.queue.push_back({sequence, message.enqueued, message.expiry, message.ack, message.delivery_count,
                              message.message_id});
    }
    return record;
  };
  read<std::optional<DeviceRecord>>("load " + id.str(), executor, std::move(answer),
                                    [this, id, record_of]() -> std::optional<DeviceRecord> {
    const StoredIdentity* device = find({id, {}});
    if (device == nullptr) return std::nullopt;
    DeviceRecord record{record_of(*device), {}};
    for (const auto& [key, stored] : identities) {
      if (stored.identity.id.device == id && stored.identity.id.is_module()) record.modules.push_back(record_of(stored));
    }
    return record;
  });
}

void FakeStore::load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                                    Answer<std::vector<CloudMessage>> answer) {
  std::string what = "messages " + id.text() + " ";
  for (const std::uint64_t sequence : sequences) {
    what += (what.ends_with(' ') ? "" : ",") + std::to_string(sequence);
  }
  read<std::vector<CloudMessage>>(std::move(what), executor, std::move(answer), [this, id, sequences] {
    std::vector<CloudMessage> messages;
    if (const StoredIdentity* stored = find(id)) {
      for (const std::uint64_t sequence : sequences) {
        if (const auto found = stored->queue.find(sequence); found != stored->queue.end()) {
          messages.push_back(found->second);
        }
      }
    }
    return messages;
  });
}

void FakeStore::list_devices(std::size_t limit, Executor& executor, Answer<std::vector<registry::Identity>> answer) {
  read<std::vector<registry::Identity>>("list", executor, std::move(answer), [this, limit] {
    std::vector<registry::Identity> listed;
    for (const auto& [key, stored] : identities) {
      if (!stored.identity.id.is_module() && listed.size() < limit) listed.push_back(stored.identity);
    }
    return listed;
  });
}

void FakeStore::count_devices(Executor& executor, Answer<DeviceCounts> answer) {
  read<DeviceCounts>("count", executor, std::move(answer), [this] {
    DeviceCounts counts;
    for (const auto& [key, stored] : identities) {
      if (stored.identity.id.is_module()) continue;
      ++counts.total;
      if (!stored.identity.enabled) ++counts.disabled;
    }
    return counts;
  });
}

void FakeStore::find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor,
                             Answer<std::vector<IdentityId>> answer) {
  read<std::vector<IdentityId>>("expired", executor, std::move(answer), [this, now, after, limit] {
    std::vector<IdentityId> found;
    for (const auto& [key, stored] : identities) {
      if (key <= after.text()) continue;
      const bool expired = std::any_of(stored.queue.begin(), stored.queue.end(),
                                       [now](const auto& entry) { return entry.second.expiry <= now; });
      if (expired && found.size() < limit) found.push_back(stored.identity.id);
    }
    return found;
  });
}

void FakeStore::find_similar(DeviceId id, Executor& executor, Answer<std::vector<DeviceId>> answer) {
  read<std::vector<DeviceId>>("similar " + id.str(), executor, std::move(answer), [this] { return similar; });
}

// The hub core asks for none of these.
void FakeStore::scan_twins(TwinScan scan, std::unique_ptr<TwinVisitor> visitor, Executor& executor, Answer<TwinScanStep> answer) {
  const auto shared = std::make_shared<std::unique_ptr<TwinVisitor>>(std::move(visitor));
  std::string what = "scan behind " + scan.after.text();
  read<TwinScanStep>(std::move(what), executor, std::move(answer), [this, scan = std::move(scan), shared] {
    TwinScanStep step;
    step.visitor = std::move(*shared);
    step.last = scan.after;
    if (!step.visitor->begin() || scan.max_rows == 0) return step;
    std::map<IdentityId, const StoredIdentity*> sorted;  // the keys of `identities` are in another order
    for (const auto& [key, stored] : identities) sorted.emplace(stored.identity.id, &stored);
    std::size_t looked = 0;
    for (auto at = sorted.upper_bound(scan.after); at != sorted.end(); ++at) {
      const auto& [id, stored] = *at;
      const bool asked_for = !scan.among || std::binary_search(scan.among->begin(), scan.among->end(), id.device.str());
      if (id.is_module() != scan.modules || !asked_for || !id.device.view().starts_with(scan.prefix)) continue;
      const twin::StoredTwin& twin = stored->twin.twin;
      const TwinRow row{stored->identity, sorted.at({id.device, {}})->identity, twin.etag_counter, stored->reported_version, stored->twin.model_id,
                        {twin.has_tags, twin.tags, twin.desired, twin.reported}, static_cast<std::int64_t>(stored->queue.size()),
                        stored->twin.configurations};
      const bool go_on = step.visitor->visit(row);
      step.last = id;
      if (!go_on || ++looked == scan.max_rows) return step;
    }
    step.at_end = true;
    return step;
  });
}

void FakeStore::read_scheduled_job(std::string id, Executor& executor, Answer<std::optional<ScheduledJob>> answer) {
  read<std::optional<ScheduledJob>>("job " + id, executor, std::move(answer), [this, id]() -> std::optional<ScheduledJob> {
    const auto found = jobs.find(id);
    return found == jobs.end() ? std::nullopt : std::optional(found->second);
  });
}

void FakeStore::list_scheduled_jobs(ScheduledJobQuery, Executor&, Answer<ScheduledJobPage>) { FAIL("not expected"); }

void FakeStore::read_device_jobs(DeviceJobQuery query, Executor& executor, Answer<DeviceJobPage> answer) {
  read<DeviceJobPage>("rows " + query.job + " behind " + query.after.text(), executor, std::move(answer), [this, query] {
    DeviceJobPage page;
    const ScheduledJob& job = jobs.at(query.job);
    for (const auto& [id, row] : device_jobs[query.job]) {
      if (id <= query.after || (query.unfinished && has_ended(row.status))) continue;
      page.more = page.rows.size() == query.limit;
      if (page.more) break;
      page.rows.push_back({job.sequence, job.id, job.kind, row});
    }
    return page;
  });
}

void FakeStore::read_events(EventQuery, Executor&, Answer<EventPage>) { FAIL("not expected"); }
void FakeStore::seek_events(std::uint32_t, WallTime, Executor&, Answer<std::uint64_t>) { FAIL("not expected"); }
void FakeStore::read_identities(IdentityQuery, Executor&, Answer<std::vector<IdentityRecord>>) { FAIL("not expected"); }
void FakeStore::list_transfer_jobs(Executor&, Answer<std::vector<TransferJob>>) { FAIL("not expected"); }
void FakeStore::read_feedback(std::size_t, Executor&, Answer<std::vector<Feedback>>) { FAIL("not expected"); }
std::uint64_t FakeStore::watch_events(Executor&, UniqueFunction<void()>) {
  FAIL("not expected");
  return 0;
}
void FakeStore::unwatch_events(std::uint64_t) { FAIL("not expected"); }

}  // namespace nearhub::hub
