// What the hub asks of durable storage, in the hub's words.
//
// Writes travel in batches: all that a shard did in one turn of its loop. A batch is one piece of a transaction; when its answer
// comes back everything in it is durable. Batches of one shard are committed, and answered, in the order submitted. Each operation is a
// compare-and-set on one key and fails alone; an I/O error fails the store for good: no batch is answered after it, and the hub stops.
//
// Reads answer with what is committed. A read that a shard asks for after a batch was answered sees that batch.
//
// No operation needs two devices, so that a replicated store can stand behind the same interface.
//
// THREAD: submit() and the reads from any thread; answers arrive through the executor that the call names.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/access_policy.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "hub/cloud_message.h"
#include "hub/configuration.h"
#include "hub/event.h"
#include "hub/scheduled_job.h"
#include "hub/session.h"
#include "hub/twin_scan.h"
#include "registry/certificate_authority.h"
#include "hub/transfer_job.h"
#include "registry/identity.h"
#include "twin/twin.h"

namespace nearhub::hub {

// A twin as stored, with the model id that stands on its root.
struct TwinRecord {
  twin::StoredTwin twin;
  std::string model_id;
  std::string configurations = {};  // what the configurations did to it (hub/configuration_merge.h), a JSON object; empty: nothing
};

// --- Write operations -------------------------------------------------------------------------------------------------------

struct CreateIdentity {  // kDeviceAlreadyExists, kModuleAlreadyExistsOnDevice, kDeviceNotFound for a module without its device
  registry::Identity identity;
  TwinRecord twin;
  std::int64_t reported_version = 1;  // of the twin
};
struct ReplaceIdentity {  // kPreconditionFailed unless the stored etag counter is `expected_etag`
  registry::Identity identity;
  std::int64_t expected_etag;
};
struct DeleteIdentity {  // with its twin, session, queue; a device with its modules. kPreconditionFailed as above
  IdentityId id;
  std::int64_t expected_etag;
};
struct PutActivity {  // connection_state_updated and last_activity; the etag stays
  IdentityId id;
  WallTime connection_state_updated;
  WallTime last_activity;
};
struct PutTwin {  // kPreconditionFailed unless the stored versions are those expected
  IdentityId id;
  std::int64_t expected_etag_counter;
  std::int64_t expected_reported_version;
  std::int64_t etag_counter;
  std::int64_t reported_version;
  std::optional<std::string> tags;      // the sections that changed, in their stored form
  std::optional<std::string> desired;
  std::optional<std::string> reported;
  std::optional<std::string> configurations = {};  // as in TwinRecord, when it changed
};
struct PutModelId {
  IdentityId id;
  std::string model_id;
};
struct PutSession {
  IdentityId id;
  Session session;
};
struct DropSession {
  IdentityId id;
};
struct EnqueueCloudMessage {  // kPreconditionFailed when the queue has a message of this number
  IdentityId id;
  CloudMessage message;
};
struct RemoveCloudMessage {
  IdentityId id;
  std::uint64_t sequence;
  std::optional<Feedback> feedback;  // stored with the removal
};
struct CountDelivery {
  IdentityId id;
  std::uint64_t sequence;
  std::uint32_t delivery_count;
};
struct RemoveFeedback {
  std::vector<std::uint64_t> sequences;
};
struct PutAuthority {  // kPreconditionFailed unless the stored etag counter is `expected_etag`; nullopt: unless there is none
  registry::CertificateAuthority authority;
  std::optional<std::int64_t> expected_etag;
};
struct DeleteAuthority {  // kPreconditionFailed as above
  std::string name;
  std::int64_t expected_etag;
};
// Each with the mark that its sweep is to be done (`sweep`, rising from change to change), until EndConfigurationSweep says that it was.
struct PutConfiguration {  // kPreconditionFailed unless the stored etag counter is `expected_etag`; nullopt: unless there is none
  Configuration configuration;
  std::optional<std::int64_t> expected_etag;
  std::int64_t sweep;
};
struct DeleteConfiguration {  // kPreconditionFailed as above
  std::string configuration;
  std::int64_t expected_etag;
  std::int64_t sweep;
};
struct EndConfigurationSweep {  // nothing when a later change has left its mark
  std::string configuration;
  std::int64_t sweep;
};
struct ReplacePolicies {  // all of them
  std::vector<auth::AccessPolicy> policies;
};

struct PutTransferJob {  // made or replaced
  TransferJob job;
};

struct CreateScheduledJob {  // kJobAlreadyExists
  ScheduledJob job;
};
struct UpdateScheduledJob {
  std::string job;
  ScheduledJobState state;
};
struct PutDeviceJobs {  // made or replaced
  std::string job;
  std::vector<DeviceJob> rows;
};

using WriteOperation = std::variant<CreateIdentity, ReplaceIdentity, DeleteIdentity, PutActivity, PutTwin, PutModelId, PutSession, DropSession,
                                    EnqueueCloudMessage, RemoveCloudMessage, CountDelivery, RemoveFeedback, PutAuthority, DeleteAuthority, ReplacePolicies, PutTransferJob,
                                    CreateScheduledJob, UpdateScheduledJob, PutDeviceJobs, PutConfiguration, DeleteConfiguration, EndConfigurationSweep>;

// Answers a telemetry message: who waits for the acknowledgement of which packet. `slot` and `generation` name a connection of the shard
// (see Shard::attach), so that an answer to a connection that is gone falls nowhere.
struct EventAck {
  std::uint32_t slot;
  std::uint32_t generation;
  std::uint32_t token;  // the front's: an MQTT packet id
};

// Reused turn after turn, so that steady traffic allocates nothing.
struct WriteBatch {
  std::uint64_t ticket = 0;         // rises by one per batch of a shard
  std::vector<EventBlock> events;   // one per partition, then further ones of those that were full; empty ones have count 0
  std::vector<std::uint32_t> open;  // by partition: the last of its blocks
  std::vector<EventAck> acks;       // in the order of the messages
  std::vector<WriteOperation> operations;
  std::vector<UniqueFunction<void(const Status&)>> done;  // one per operation, run on the shard's loop; may be empty
  std::vector<Status> results;      // one per operation, set by the store
  std::size_t bytes = 0;            // of the events and operations, for the bound on uncommitted bytes

  void set_partitions(std::uint32_t partitions);
  // Where the next event of the partition goes, of about so many bytes.
  EventBlock& block_for(std::uint32_t partition, std::size_t event_bytes);

  bool empty() const { return acks.empty() && operations.empty() && bytes == 0; }
  void clear();
};

// --- Reads ------------------------------------------------------------------------------------------------------------------

// What a queue keeps of a message in memory: all but its content.
struct CloudMessageHead {
  std::uint64_t sequence = 0;
  WallTime enqueued{};
  WallTime expiry{};
  Ack ack = Ack::kNone;
  std::uint32_t delivery_count = 0;
  std::string message_id;  // feedback names it
};

struct IdentityRecord {
  registry::Identity identity;
  TwinRecord twin;
  std::optional<Session> session;
  std::vector<CloudMessageHead> queue;  // in order
};

struct DeviceRecord {
  IdentityRecord device;
  std::vector<IdentityRecord> modules;
};

template <typename T>
using Answer = UniqueFunction<void(Result<T>)>;

struct EventQuery {
  std::uint32_t partition = 0;
  std::uint64_t from_sequence = 0;
  std::size_t max_bytes = 256 * 1024;
};
struct EventPage {
  std::vector<EventBlock> blocks;  // the first may begin before from_sequence
  std::uint64_t next_sequence = 0;  // one behind the last event of the page, or of the stream when the page is empty
  bool more = false;
};

// Identities in the order of their ids: first all edge devices, whom others name as their parents, then all others, modules too.
struct IdentityQuery {
  bool edge = false;  // edge devices, or all others
  IdentityId after;   // behind this one
  std::size_t limit = 500;
  std::size_t max_bytes = 4 * 1024 * 1024;  // of twins; at least one identity is read
};

// Scheduled jobs, the latest first.
struct ScheduledJobQuery {
  std::optional<ScheduledJobKind> kind;
  std::optional<ScheduledJobStatus> status;
  std::uint64_t before = 0;  // those with lower sequence numbers; 0: from the latest on
  std::size_t limit = 100;
  std::size_t max_bytes = 4 * 1024 * 1024;  // of what they are to do; at least one job is read
};
struct ScheduledJobPage {
  std::vector<ScheduledJob> jobs;
  bool more = false;
};

// Jobs and their identities, in the order of the jobs' sequence numbers, then of the ids.
struct DeviceJobQuery {
  std::string job;              // of this job only; empty: of all
  std::string device;           // of this device only; empty: of all
  bool unfinished = false;      // only those that have not ended
  std::uint64_t after_job = 0;  // behind this job's `after`
  IdentityId after;
  std::size_t limit = 1000;
  std::size_t max_bytes = 1024 * 1024;  // of outcomes and errors; at least one is read
};
struct DeviceJobRecord {
  std::uint64_t sequence = 0;  // of the job
  std::string job;
  ScheduledJobKind kind = ScheduledJobKind::kUpdateTwin;
  DeviceJob row;
};
struct DeviceJobPage {
  std::vector<DeviceJobRecord> rows;
  bool more = false;
};

struct DeviceCounts {  // modules are no devices
  std::int64_t total = 0;
  std::int64_t disabled = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // `done` runs on `executor` with the batch, its results filled in.
  virtual void submit(std::unique_ptr<WriteBatch> batch, Executor& executor, UniqueFunction<void(std::unique_ptr<WriteBatch>)> done) = 0;

  // nullopt: no such device.
  virtual void load_device(DeviceId id, Executor& executor, Answer<std::optional<DeviceRecord>> answer) = 0;
  // Messages of one queue by their sequence numbers, in that order; those that are gone are left out.
  virtual void load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                                   Answer<std::vector<CloudMessage>> answer) = 0;
  // Up to `limit` device identities in the order of their ids.
  virtual void list_devices(std::size_t limit, Executor& executor, Answer<std::vector<registry::Identity>> answer) = 0;
  // With their twins, without sessions and queues. An empty page is the end.
  virtual void read_identities(IdentityQuery query, Executor& executor, Answer<std::vector<IdentityRecord>> answer) = 0;
  // The latest first.
  virtual void list_transfer_jobs(Executor& executor, Answer<std::vector<TransferJob>> answer) = 0;
  virtual void read_scheduled_job(std::string id, Executor& executor, Answer<std::optional<ScheduledJob>> answer) = 0;
  virtual void list_scheduled_jobs(ScheduledJobQuery query, Executor& executor, Answer<ScheduledJobPage> answer) = 0;
  virtual void read_device_jobs(DeviceJobQuery query, Executor& executor, Answer<DeviceJobPage> answer) = 0;
  virtual void count_devices(Executor& executor, Answer<DeviceCounts> answer) = 0;
  // Identities whose queue holds a message that expired before `now`, in the order of their ids, at most `limit` of those behind `after`.
  virtual void find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor, Answer<std::vector<IdentityId>> answer) = 0;
  // Known ids that look like `id`, the nearest first, at most three; for "did you mean". Looks at a bounded number of ids.
  virtual void find_similar(DeviceId id, Executor& executor, Answer<std::vector<DeviceId>> answer) = 0;

  // One step of a scan. Other reads go before it, and few steps run at once.
  virtual void scan_twins(TwinScan scan, std::unique_ptr<TwinVisitor> visitor, Executor& executor, Answer<TwinScanStep> answer) = 0;

  virtual void read_events(EventQuery query, Executor& executor, Answer<EventPage> answer) = 0;
  // The sequence number of the first event of the partition at or after `since`; the end of the stream when there is none.
  virtual void seek_events(std::uint32_t partition, WallTime since, Executor& executor, Answer<std::uint64_t> answer) = 0;

  // Deletes the events, feedback and ended jobs that are too old, or too many, to be kept.
  virtual void trim() = 0;

  virtual void read_feedback(std::size_t limit, Executor& executor, Answer<std::vector<Feedback>> answer) = 0;

  // Calls `on_news` on `executor` after commits that brought events; several commits may be told as one. Returns a number for unwatch, after
  // which no call comes on that executor's thread.
  virtual std::uint64_t watch_events(Executor& executor, UniqueFunction<void()> on_news) = 0;
  virtual void unwatch_events(std::uint64_t watch) = 0;
};

}  // namespace nearhub::hub
