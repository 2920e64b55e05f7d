#include "tests/store/store_rig.h"

#include <stdlib.h>

#include <filesystem>

#include "hub/event.h"

namespace nearhub::store {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "nearhub-store-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

IdentityId id_of(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {DeviceId(text), {}};
  return {DeviceId(text.substr(0, slash)), ModuleId(text.substr(slash + 1))};
}

StoreSettings on_disk(const TemporaryFolder& folder) {
  StoreSettings settings;
  settings.path = folder.file("nearhub.db");
  settings.durability = Durability::kNormal;
  return settings;
}

registry::Identity identity_of(std::string_view id, std::int64_t etag) {
  registry::Identity identity;
  identity.id = id_of(id);
  identity.generation_id = GenerationId("639028223987654321");
  identity.etag_counter = etag;
  identity.enabled = false;
  identity.status_reason = "why \"not\"\n\xc3\xa4";
  identity.status_updated = WallTime{Ticks{17'699'039'987'654'321}};
  identity.credentials.type = auth::AuthenticationType::kSelfSigned;
  identity.credentials.primary_key = "primary";
  identity.credentials.secondary_key = "secondary";
  identity.credentials.primary_thumbprint = "AA";
  identity.credentials.secondary_thumbprint = "bb";
  identity.managed_by = "somebody";
  identity.iot_edge = false;
  identity.device_scope = "ms-azure-iot-edge://own-1";
  identity.parent_scope = "ms-azure-iot-edge://above-";
  identity.connection_state_updated = kNever;
  identity.last_activity = WallTime{Ticks{-5}};
  return identity;
}

hub::WriteOperation create(std::string_view id, std::int64_t etag) {
  twin::StoredTwin twin;
  twin.desired = R"({"$version":1})";
  twin.reported = R"({"$version":1})";
  return hub::CreateIdentity{identity_of(id, etag), {twin, ""}};
}

hub::CloudMessage message_of(std::uint64_t sequence, std::string body) {
  hub::CloudMessage message;
  message.sequence = sequence;
  message.enqueued = WallTime{Ticks{17'000'000'000'000'000}};
  message.expiry = WallTime{Ticks{17'000'000'000'000'001}};
  message.body = std::move(body);
  return message;
}

hub::WriteOperation enqueue(std::string_view id, std::uint64_t sequence, WallTime expiry) {
  hub::CloudMessage message = message_of(sequence, "body " + std::to_string(sequence));
  message.expiry = expiry;
  message.message_id = "mid-" + std::to_string(sequence);
  return hub::EnqueueCloudMessage{id_of(id), std::move(message)};
}

hub::WriteOperation put_twin(std::string_view id, std::int64_t expected_etag, std::int64_t expected_reported,
                             std::int64_t etag, std::int64_t reported, std::optional<std::string> section) {
  return hub::PutTwin{id_of(id), expected_etag, expected_reported, etag, reported, {}, std::move(section), {}};
}

hub::EventBlock block_of(std::uint32_t partition, const std::vector<std::string>& bodies, WallTime enqueued) {
  hub::EventBlock block;
  block.partition = partition;
  for (const std::string& body : bodies) {
    hub::Event event;
    event.enqueued = enqueued;
    event.device = "d1";
    event.body = body;
    block.append(event);
  }
  return block;
}

// --- StoreRig

StoreRig::StoreRig(StoreSettings given) : settings(std::move(given)) { reopen(); }

StoreRig::~StoreRig() {
  store_.reset();
  executor.run();
}

void StoreRig::reopen(const std::function<void(StoreSettings&)>& adjust) {
  store_.reset();
  executor.run();
  if (adjust) adjust(settings);
  auto opened = SqliteStore::open(settings, clock, [this](const Error& error) { failures.push_back(error); });
  REQUIRE_MESSAGE(opened.ok(), opened.error().detail);
  store_ = std::move(*opened);
}

std::unique_ptr<hub::WriteBatch> StoreRig::batch(std::vector<hub::WriteOperation> operations) {
  auto made = std::make_unique<hub::WriteBatch>();
  made->ticket = next_ticket_++;
  made->done.resize(operations.size());
  made->operations = std::move(operations);
  return made;
}

void StoreRig::submit(std::unique_ptr<hub::WriteBatch> batch, std::function<void(const hub::WriteBatch&)> done) {
  store_->submit(std::move(batch), executor,
                 [done = std::move(done)](std::unique_ptr<hub::WriteBatch> answered) { done(*answered); });
}

std::vector<Status> StoreRig::write(std::vector<hub::WriteOperation> operations) {
  std::optional<std::vector<Status>> results;
  submit(batch(std::move(operations)), [&](const hub::WriteBatch& answered) { results = answered.results; });
  REQUIRE(executor.run_until([&] { return results.has_value(); }));
  return std::move(*results);
}

Status StoreRig::write(hub::WriteOperation operation) {
  std::vector<hub::WriteOperation> operations;
  operations.push_back(std::move(operation));
  const std::vector<Status> results = write(std::move(operations));
  REQUIRE(results.size() == 1);
  return results[0];
}

void StoreRig::apply(std::vector<hub::WriteOperation> operations) {
  for (const Status& status : write(std::move(operations))) REQUIRE_MESSAGE(status.ok(), status.error().detail);
}

std::uint64_t StoreRig::append(std::uint32_t partition, const std::vector<std::string>& bodies) {
  auto made = batch({});
  made->events.push_back(block_of(partition, bodies, clock.now()));
  made->bytes = made->events[0].bytes.size();
  std::optional<std::uint64_t> first;
  submit(std::move(made), [&](const hub::WriteBatch& answered) { first = answered.events[0].first_sequence; });
  REQUIRE(executor.run_until([&] { return first.has_value(); }));
  return *first;
}

std::optional<hub::DeviceRecord> StoreRig::load(std::string_view device) {
  auto answer = wait_for<std::optional<hub::DeviceRecord>>(
      [&](auto done) { store_->load_device(DeviceId(device), executor, std::move(done)); });
  REQUIRE_MESSAGE(answer.ok(), answer.error().detail);
  return std::move(*answer);
}

hub::IdentityRecord StoreRig::record(std::string_view id) {
  const IdentityId wanted = id_of(id);
  auto device = load(wanted.device.view());
  REQUIRE(device.has_value());
  if (!wanted.is_module()) return std::move(device->device);
  for (hub::IdentityRecord& module : device->modules) {
    if (module.identity.id == wanted) return std::move(module);
  }
  FAIL("no such module: " << std::string(id));
  return {};
}

bool StoreRig::exists(std::string_view id) {
  const IdentityId wanted = id_of(id);
  const auto device = load(wanted.device.view());
  if (!device) return false;
  if (!wanted.is_module()) return true;
  for (const hub::IdentityRecord& module : device->modules) {
    if (module.identity.id == wanted) return true;
  }
  return false;
}

std::vector<hub::CloudMessage> StoreRig::messages(std::string_view id, std::vector<std::uint64_t> sequences) {
  auto answer = wait_for<std::vector<hub::CloudMessage>>(
      [&](auto done) { store_->load_cloud_messages(id_of(id), sequences, executor, std::move(done)); });
  REQUIRE(answer.ok());
  return std::move(*answer);
}

std::vector<std::string> StoreRig::devices(std::size_t limit) {
  auto answer = wait_for<std::vector<registry::Identity>>(
      [&](auto done) { store_->list_devices(limit, executor, std::move(done)); });
  REQUIRE(answer.ok());
  std::vector<std::string> ids;
  for (const registry::Identity& identity : *answer) ids.push_back(identity.id.text());
  return ids;
}

std::vector<hub::Feedback> StoreRig::feedback(std::size_t limit) {
  auto answer =
      wait_for<std::vector<hub::Feedback>>([&](auto done) { store_->read_feedback(limit, executor, std::move(done)); });
  REQUIRE(answer.ok());
  return std::move(*answer);
}

hub::EventPage StoreRig::page(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes) {
  auto answer = wait_for<hub::EventPage>(
      [&](auto done) { store_->read_events({partition, from, max_bytes}, executor, std::move(done)); });
  REQUIRE(answer.ok());
  return std::move(*answer);
}

std::vector<std::string> StoreRig::bodies(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes) {
  std::vector<std::string> all;
  for (;;) {
    const hub::EventPage next = page(partition, from, max_bytes);
    for (const hub::EventBlock& block : next.blocks) {
      CHECK(block.partition == partition);
      hub::EventReader reader(block.bytes);
      hub::Event event;
      std::uint64_t sequence = block.first_sequence;
      for (; reader.next(event); ++sequence) {
        if (sequence >= from) all.emplace_back(event.body);
      }
      CHECK_FALSE(reader.damaged());
      CHECK(sequence == block.first_sequence + block.count);
    }
    if (!next.more) return all;
    REQUIRE(next.next_sequence > from);
    from = next.next_sequence;
  }
}

std::uint64_t StoreRig::seek(std::uint32_t partition, WallTime since) {
  auto answer = wait_for<std::uint64_t>(
      [&](auto done) { store_->seek_events(partition, since, executor, std::move(done)); });
  REQUIRE(answer.ok());
  return *answer;
}

}  // namespace nearhub::store
