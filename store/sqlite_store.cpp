#include "store/sqlite_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/configuration_table.h"
#include "store/event_log.h"
#include "store/migrations.h"
#include "store/operations.h"
#include "store/reads.h"
#include "store/scan.h"
#include "store/scheduled_job_reads.h"
#include "store/sqlite.h"

namespace nearhub::store {
namespace {

// What one transaction takes at the most, so that the first of a long queue is not answered with the last.
constexpr std::size_t kMaxGroupBytes = 8 * 1024 * 1024;
constexpr std::size_t kMaxGroupBatches = 1024;
// A larger file that was closed cleanly is not checked page by page at every start.
constexpr std::uintmax_t kAlwaysCheckedBytes = 64 * 1024 * 1024;
// Pages in the WAL before it is moved into the database: 16 MB.
constexpr int kCheckpointPages = 4000;

constexpr std::string_view kPartitionsSetting = "partitions";
constexpr std::string_view kStopSetting = "last_stop";

Status check_whole(Database& database, const std::string& path) {
  auto check = database.prepare("PRAGMA quick_check(1)");
  if (!check.ok()) return check.error();
  const std::string verdict = check->step() ? check->text(0) : database.error("quick_check").detail;
  if (verdict == "ok") return {};
  return Error{ErrorCode::kCorrupt, fmt::format("{} is damaged ({}). Restore it from a backup, or start with another --data folder", path, verdict)};
}

Status configure(Database& database, const StoreSettings& settings) {
  const bool memory = settings.path.empty();
  const std::string sql = fmt::format(
      "PRAGMA journal_mode={}; PRAGMA synchronous={}; PRAGMA wal_autocheckpoint={}; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;"
      "PRAGMA locking_mode=NORMAL; PRAGMA trusted_schema=OFF;",
      memory ? "MEMORY" : "WAL", settings.durability == Durability::kFull ? "FULL" : "NORMAL", kCheckpointPages);
  return database.execute(sql.c_str());
}

}  // namespace

struct SqliteStore::Impl {
  struct Submission {
    std::unique_ptr<hub::WriteBatch> batch;
    Executor* executor;
    UniqueFunction<void(std::unique_ptr<hub::WriteBatch>)> done;
  };
  using Read = UniqueFunction<void(Database&)>;
  // Shared with the task on its way to the executor, which may find it ended, or be what ends it.
  struct Listener {
    UniqueFunction<void()> on_news;
    std::atomic<bool> told{false};  // a task is on its way: further news need none
    bool ended = false;             // the executor's thread only
  };
  struct Watch {
    Executor* executor;
    std::shared_ptr<Listener> listener;
  };

  Impl(StoreSettings given, const Clock& c, UniqueFunction<void(const Error&)> failure, Database opened)
      : settings(std::move(given)), clock(c), on_failure(std::move(failure)), database(std::move(opened)) {}

  const StoreSettings settings;
  const Clock& clock;
  UniqueFunction<void(const Error&)> on_failure;

  // Writer thread only, once it runs.
  Database database;
  std::unique_ptr<Operations> operations;
  std::unique_ptr<EventLog> events;
  std::vector<hub::EventBlock*> blocks;

  // Protected by mutex.
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable read_work;
  std::vector<Submission> waiting;
  std::deque<Read> reads;
  std::deque<Read> scans;    // steps of scans: long reads, which give way
  std::size_t scanning = 0;  // readers that are at one
  bool trimming = false;  // asked for
  bool stopping = false;
  bool poisoned = false;

  std::mutex watch_mutex;
  std::map<std::uint64_t, Watch> watches;  // protected by watch_mutex
  std::uint64_t next_watch = 1;            // protected by watch_mutex

  std::thread writer;
  std::vector<std::thread> readers;

  void run_writer();
  void run_reader(Database connection);
  bool commit(std::vector<Submission>& group);
  bool trim_old();
  void poison(const Error& error);
  void tell_watches();

  bool may_scan() const { return !scans.empty() && (stopping || scanning + 1 < std::max<std::size_t>(readers.size(), 2)); }

  // Runs `query` on a reader's connection and posts its result.
  template <typename T, typename Query>
  void read(Executor& executor, hub::Answer<T> answer, Query query, std::deque<Read> Impl::*lane = &Impl::reads) {
    {
      const std::lock_guard lock(mutex);
      if (!stopping && !poisoned) {
        (this->*lane).push_back([&executor, answer = std::move(answer), query = std::move(query)](Database& connection) mutable {
          executor.post([answer = std::move(answer), result = Result<T>(query(connection))]() mutable { answer(std::move(result)); });
        });
        (readers.empty() ? work : read_work).notify_one();
        return;
      }
    }
    executor.post([answer = std::move(answer)]() mutable { answer(Error{ErrorCode::kServiceUnavailable, "the store is stopping"}); });
  }
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(StoreSettings settings, const Clock& clock, UniqueFunction<void(const Error&)> on_failure) {
  const bool memory = settings.path.empty();
  const std::string path = memory ? ":memory:" : settings.path;
  auto opened = Database::open(path, Database::Mode::kReadWrite);
  if (!opened.ok()) return std::move(opened).error();
  if (Status ready = migrate(*opened, path); !ready.ok()) return ready.error();
  if (Status configured = configure(*opened, settings); !configured.ok()) return configured.error();

  auto impl = std::make_unique<Impl>(std::move(settings), clock, std::move(on_failure), std::move(*opened));
  Impl& store = *impl;
  std::unique_ptr<SqliteStore> result(new SqliteStore(std::move(impl)));
  if (!memory) {
    std::error_code ignored;
    const bool small = std::filesystem::file_size(path, ignored) <= kAlwaysCheckedBytes;
    if (small || result->setting(kStopSetting) != "clean") {
      if (Status whole = check_whole(store.database, path); !whole.ok()) return whole.error();
    }
  }
  if (!result->setting(kPartitionsSetting)) {
    if (Status set = result->set_setting(kPartitionsSetting, std::to_string(store.settings.partitions)); !set.ok()) return set.error();
  }
  if (Status set = result->set_setting(kStopSetting, "running"); !set.ok()) return set.error();
  if (store.settings.max_pages_for_test > 0) {
    static_cast<void>(store.database.query_integer(fmt::format("PRAGMA max_page_count={}", store.settings.max_pages_for_test)));
  }

  if (Status marked = end_interrupted_jobs(store.database, clock.now()); !marked.ok()) return marked.error();
  auto operations = Operations::prepare(store.database);
  if (!operations.ok()) return std::move(operations).error();
  store.operations = std::move(*operations);
  auto events = EventLog::open(store.database, result->partitions(), {store.settings.event_retention, store.settings.event_bytes});
  if (!events.ok()) return std::move(events).error();
  store.events = std::move(*events);

  for (int i = 0; !memory && i < store.settings.reader_threads; ++i) {
    auto connection = Database::open(path, Database::Mode::kReadOnly);
    if (!connection.ok()) return std::move(connection).error();
    store.readers.emplace_back([&store, reader = std::move(*connection)]() mutable { store.run_reader(std::move(reader)); });
  }
  store.writer = std::thread([&store] { store.run_writer(); });
  return result;
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work.notify_all();
  impl_->read_work.notify_all();
  for (std::thread& reader : impl_->readers) reader.join();
  if (impl_->writer.joinable()) {
    impl_->writer.join();
    if (!impl_->poisoned) static_cast<void>(set_setting(kStopSetting, "clean"));
  }
}

std::uint32_t SqliteStore::partitions() const {
  const auto stored = const_cast<SqliteStore*>(this)->setting(kPartitionsSetting);
  const auto number = stored ? parse_decimal(*stored) : std::nullopt;
  return static_cast<std::uint32_t>(number.value_or(impl_->settings.partitions));
}

std::optional<std::string> SqliteStore::setting(std::string_view name) {
  auto row = impl_->database.cached("SELECT value FROM setting WHERE name=?1");
  if (!row.ok()) return std::nullopt;
  (*row)->bind(1, name);
  if (!(*row)->step()) return std::nullopt;
  std::string value = (*row)->text(0);
  (*row)->reset();
  return value;
}

Status SqliteStore::set_setting(std::string_view name, std::string_view value) {
  auto row = impl_->database.cached("INSERT INTO setting(name, value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=excluded.value");
  if (!row.ok()) return row.error();
  (*row)->bind(1, name).bind(2, value);
  return (*row)->run() ? Status() : Status(impl_->database.error("writing a setting"));
}

Result<std::vector<auth::AccessPolicy>> SqliteStore::policies() {
  auto rows = impl_->database.cached("SELECT name, primary_key, secondary_key, rights FROM policy ORDER BY position");
  if (!rows.ok()) return std::move(rows).error();
  std::vector<auth::AccessPolicy> policies;
  while ((*rows)->step()) {
    policies.push_back({(*rows)->text(0), (*rows)->text(1), (*rows)->text(2), auth::Rights::from_bits(static_cast<std::uint8_t>((*rows)->integer(3)))});
  }
  if (!(*rows)->ok()) return impl_->database.error("reading policies");
  return policies;
}

Status SqliteStore::set_policies(const std::vector<auth::AccessPolicy>& policies) {
  Database& database = impl_->database;
  if (Status begun = database.execute("BEGIN IMMEDIATE"); !begun.ok()) return begun;
  Status written = replace_policies(database, policies);
  if (written.ok()) written = database.execute("COMMIT");
  if (!written.ok()) static_cast<void>(database.execute("ROLLBACK"));
  return written;
}

Result<std::vector<registry::CertificateAuthority>> SqliteStore::certificate_authorities() {
  auto rows = impl_->database.cached("SELECT name, certificate, verified, verification_code, created, updated, etag FROM certificate_authority ORDER BY name");
  if (!rows.ok()) return std::move(rows).error();
  std::vector<registry::CertificateAuthority> authorities;
  while ((*rows)->step()) {
    registry::CertificateAuthority authority;
    authority.name = (*rows)->text(0);
    authority.certificate = (*rows)->blob_view(1);
    authority.verified = (*rows)->integer(2) != 0;
    authority.verification_code = (*rows)->text(3);
    authority.created = (*rows)->time(4);
    authority.updated = (*rows)->time(5);
    authority.etag_counter = (*rows)->integer(6);
    authorities.push_back(std::move(authority));
  }
  if (!(*rows)->ok()) return impl_->database.error("reading certificate authorities");
  for (registry::CertificateAuthority& authority : authorities) {
    if (Status read = registry::read_certificate(authority); !read.ok()) return read.error();
  }
  return authorities;
}

Result<std::vector<hub::UnfinishedJob>> SqliteStore::unfinished_scheduled_jobs() { return store::unfinished_scheduled_jobs(impl_->database); }
Result<hub::StoredConfigurations> SqliteStore::configurations() { return read_configurations(impl_->database); }

// --- Writer -------------------------------------------------------------------------------------------------------------------

void SqliteStore::submit(std::unique_ptr<hub::WriteBatch> batch, Executor& executor, UniqueFunction<void(std::unique_ptr<hub::WriteBatch>)> done) {
  bool wake;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->poisoned) return;  // never acknowledged
    wake = impl_->waiting.empty();
    impl_->waiting.push_back({std::move(batch), &executor, std::move(done)});
  }
  if (wake) impl_->work.notify_one();
}

void SqliteStore::trim() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->trimming = true;
  }
  impl_->work.notify_one();
}

void SqliteStore::Impl::run_writer() {
  std::vector<Submission> taken, group;
  std::deque<Read> queries;
  for (bool trim = false;;) {
    {
      std::unique_lock lock(mutex);
      work.wait(lock, [this] { return !waiting.empty() || trimming || stopping || (readers.empty() && (!reads.empty() || !scans.empty())); });
      taken.swap(waiting);
      trim = std::exchange(trimming, false);
      if (readers.empty()) {
        queries.swap(reads);
        // One step of a scan, then whatever came meanwhile.
        if (!scans.empty()) {
          queries.push_back(std::move(scans.front()));
          scans.pop_front();
        }
      }
      if (taken.empty() && queries.empty() && !trim) return;  // stopping
    }
    bool sound = !trim || trim_old();
    for (std::size_t at = 0; at < taken.size() && sound;) {
      group.clear();
      std::size_t bytes = 0;
      while (at < taken.size() && group.size() < kMaxGroupBatches && bytes <= kMaxGroupBytes) {
        bytes += taken[at].batch->bytes;
        group.push_back(std::move(taken[at++]));
      }
      sound = commit(group);
    }
    taken.clear();
    if (!sound && readers.empty()) {
      // The last ones: a poisoned store takes no more.
      const std::lock_guard lock(mutex);
      for (std::deque<Read>* lane : {&reads, &scans}) {
        std::move(lane->begin(), lane->end(), std::back_inserter(queries));
        lane->clear();
      }
    }
    for (Read& query : queries) query(database);
    queries.clear();
    if (!sound) return;
  }
}

bool SqliteStore::Impl::commit(std::vector<Submission>& group) {
  bool writes = false;
  blocks.clear();
  for (Submission& submission : group) {
    writes |= !submission.batch->operations.empty();
    for (hub::EventBlock& block : submission.batch->events) {
      if (block.count > 0) blocks.push_back(&block);
    }
  }
  writes |= !blocks.empty();
  if (writes) {
    if (Status begun = database.execute("BEGIN IMMEDIATE"); !begun.ok()) {
      poison(begun.error());
      return false;
    }
    bool sound = true;
    for (Submission& submission : group) {
      hub::WriteBatch& batch = *submission.batch;
      batch.results.resize(batch.operations.size());
      for (std::size_t i = 0; i < batch.operations.size() && sound; ++i) sound = operations->apply(batch.operations[i], batch.results[i]);
    }
    sound = sound && (blocks.empty() || (events->append(blocks) && events->trim(clock.now())));
    Status committed = sound ? database.execute("COMMIT") : Status(database.error("a write"));
    if (!committed.ok()) {
      static_cast<void>(database.execute("ROLLBACK"));
      poison(committed.error());
      return false;
    }
  }
  const bool news = !blocks.empty();
  for (Submission& submission : group) {
    submission.executor->post([done = std::move(submission.done), batch = std::move(submission.batch)]() mutable { done(std::move(batch)); });
  }
  if (news) tell_watches();
  return true;
}

bool SqliteStore::Impl::trim_old() {
  // One that finds nothing to delete writes nothing. Another program may hold the database: nothing is lost, and the next call tries again.
  if (!database.execute("BEGIN IMMEDIATE").ok()) return true;
  const bool sound = events->trim(clock.now()) && operations->trim_feedback(clock.now()) && operations->trim_jobs(clock.now());
  const Status trimmed = sound ? database.execute("COMMIT") : Status(database.error("deleting what is too old"));
  if (trimmed.ok()) return true;
  static_cast<void>(database.execute("ROLLBACK"));
  poison(trimmed.error());
  return false;
}

void SqliteStore::Impl::poison(const Error& error) {
  std::vector<Submission> dropped;
  {
    const std::lock_guard lock(mutex);
    poisoned = true;
    dropped.swap(waiting);
  }
  log::error("store", "a commit failed; nothing is acknowledged from here on reason=\"{}\"", error.detail);
  on_failure(error);
}

// --- Readers ------------------------------------------------------------------------------------------------------------------

void SqliteStore::Impl::run_reader(Database connection) {
  for (;;) {
    Read query;
    bool scan;
    {
      std::unique_lock lock(mutex);
      read_work.wait(lock, [this] { return !reads.empty() || may_scan() || stopping; });
      scan = reads.empty();
      if (scan && scans.empty()) return;
      std::deque<Read>& lane = scan ? scans : reads;
      query = std::move(lane.front());
      lane.pop_front();
      scanning += scan ? 1 : 0;
    }
    query(connection);
    if (!scan) continue;
    const std::lock_guard lock(mutex);
    --scanning;
    if (may_scan()) read_work.notify_one();
  }
}

void SqliteStore::load_device(DeviceId id, Executor& executor, hub::Answer<std::optional<hub::DeviceRecord>> answer) {
  impl_->read(executor, std::move(answer), [id = std::move(id)](Database& db) { return store::load_device(db, id); });
}

void SqliteStore::load_cloud_messages(IdentityId id, std::vector<std::uint64_t> sequences, Executor& executor,
                                      hub::Answer<std::vector<hub::CloudMessage>> answer) {
  impl_->read(executor, std::move(answer),
              [id = std::move(id), sequences = std::move(sequences)](Database& db) { return store::load_cloud_messages(db, id, sequences); });
}

void SqliteStore::list_devices(std::size_t limit, Executor& executor, hub::Answer<std::vector<registry::Identity>> answer) {
  impl_->read(executor, std::move(answer), [limit](Database& db) { return store::list_devices(db, limit); });
}

void SqliteStore::read_identities(hub::IdentityQuery query, Executor& executor, hub::Answer<std::vector<hub::IdentityRecord>> answer) {
  impl_->read(executor, std::move(answer), [query = std::move(query)](Database& db) { return store::read_identities(db, query); });
}

void SqliteStore::list_transfer_jobs(Executor& executor, hub::Answer<std::vector<hub::TransferJob>> answer) {
  impl_->read(executor, std::move(answer), [](Database& db) { return store::list_transfer_jobs(db); });
}

void SqliteStore::read_scheduled_job(std::string id, Executor& executor, hub::Answer<std::optional<hub::ScheduledJob>> answer) {
  impl_->read(executor, std::move(answer), [id = std::move(id)](Database& db) { return store::read_scheduled_job(db, id); });
}

void SqliteStore::list_scheduled_jobs(hub::ScheduledJobQuery query, Executor& executor, hub::Answer<hub::ScheduledJobPage> answer) {
  impl_->read(executor, std::move(answer), [query](Database& db) { return store::list_scheduled_jobs(db, query); });
}

void SqliteStore::read_device_jobs(hub::DeviceJobQuery query, Executor& executor, hub::Answer<hub::DeviceJobPage> answer) {
  impl_->read(executor, std::move(answer), [query = std::move(query)](Database& db) { return store::read_device_jobs(db, query); });
}

void SqliteStore::count_devices(Executor& executor, hub::Answer<hub::DeviceCounts> answer) {
  impl_->read(executor, std::move(answer), [](Database& db) { return store::count_devices(db); });
}

void SqliteStore::find_expired(WallTime now, IdentityId after, std::size_t limit, Executor& executor, hub::Answer<std::vector<IdentityId>> answer) {
  impl_->read(executor, std::move(answer), [now, after = std::move(after), limit](Database& db) { return store::find_expired(db, now, after, limit); });
}

void SqliteStore::find_similar(DeviceId id, Executor& executor, hub::Answer<std::vector<DeviceId>> answer) {
  impl_->read(executor, std::move(answer), [id = std::move(id)](Database& db) { return store::find_similar(db, id); });
}

void SqliteStore::scan_twins(hub::TwinScan scan, std::unique_ptr<hub::TwinVisitor> visitor, Executor& executor, hub::Answer<hub::TwinScanStep> answer) {
  impl_->read(
      executor, std::move(answer),
      [scan = std::move(scan), visitor = std::move(visitor)](Database& db) mutable { return store::scan_twins(db, scan, std::move(visitor)); },
      &Impl::scans);
}

void SqliteStore::read_events(hub::EventQuery query, Executor& executor, hub::Answer<hub::EventPage> answer) {
  impl_->read(executor, std::move(answer), [query](Database& db) { return store::read_events(db, query); });
}

void SqliteStore::seek_events(std::uint32_t partition, WallTime since, Executor& executor, hub::Answer<std::uint64_t> answer) {
  impl_->read(executor, std::move(answer), [partition, since](Database& db) { return store::seek_events(db, partition, since); });
}

void SqliteStore::read_feedback(std::size_t limit, Executor& executor, hub::Answer<std::vector<hub::Feedback>> answer) {
  impl_->read(executor, std::move(answer), [limit](Database& db) { return store::read_feedback(db, limit); });
}

// --- News ---------------------------------------------------------------------------------------------------------------------

std::uint64_t SqliteStore::watch_events(Executor& executor, UniqueFunction<void()> on_news) {
  const std::lock_guard lock(impl_->watch_mutex);
  const std::uint64_t number = impl_->next_watch++;
  auto listener = std::make_shared<Impl::Listener>();
  listener->on_news = std::move(on_news);
  impl_->watches.emplace(number, Impl::Watch{&executor, std::move(listener)});
  return number;
}

void SqliteStore::unwatch_events(std::uint64_t watch) {
  const std::lock_guard lock(impl_->watch_mutex);
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  found->second.listener->ended = true;
  impl_->watches.erase(found);
}

void SqliteStore::Impl::tell_watches() {
  const std::lock_guard lock(watch_mutex);
  for (auto& [number, watch] : watches) {
    if (watch.listener->told.exchange(true)) continue;
    watch.executor->post([listener = watch.listener] {
      listener->told = false;
      if (!listener->ended) listener->on_news();
    });
  }
}

}  // namespace nearhub::store
