// Import: lines of a blob as operations on the shards, a wave at a time. An item is carried out as a whole or not at all, and the next wave begins when
// the last one is committed: memory stays bounded, and a cut leaves nothing half done.
#include <fmt/core.h>

#include <deque>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "hub/import_operation.h"
#include "hub/shard.h"
#include "jobs/job_context.h"
#include "jobs/waiting.h"

namespace nearhub::jobs {
namespace {

constexpr std::size_t kWaveItems = 256;
constexpr std::size_t kWaveBytes = 4 * 1024 * 1024;
// An identity and its twin with its metadata need less; see twin/limits.h.
constexpr std::size_t kMaxLineBytes = 1024 * 1024;
// Children whose parent has not come yet wait in memory, so many bytes of them at the most.
constexpr std::size_t kMaxWaitingBytes = 32 * 1024 * 1024;

struct Item {
  hub::ImportOperation operation;
  std::size_t bytes = 0;
};

class Import {
 public:
  Import(const JobContext& context, blob::Writer& errors) : context_(context), errors_(errors) {}

  Status run(blob::Reader& reader);

 private:
  Status take_line(std::string_view line);
  Status add(Item item);
  Status flush();
  Status flush_waiting();
  Status report(const registry::NamedIds& ids, const Error& error);

  const JobContext& context_;
  blob::Writer& errors_;
  std::vector<Item> wave_;
  std::set<IdentityId> in_wave_;
  std::set<DeviceId> children_in_wave_;  // they ask for their parent first, and what follows of them would overtake them
  std::size_t wave_bytes_ = 0;
  std::deque<Item> waiting_;
  std::set<DeviceId> waiting_devices_;
  std::size_t waiting_bytes_ = 0;
  bool last_chance_ = false;  // nobody waits any more
  bool progress_made_ = false;
  std::uint64_t line_number_ = 0;
};

Status Import::report(const registry::NamedIds& ids, const Error& error) {
  JsonWriter json;
  json.object().member("deviceId", ids.device);
  if (!ids.module.empty()) json.member("moduleId", ids.module);
  json.member("errorCode", static_cast<std::int64_t>(error_number(error.code))).member("errorStatus", error.detail).end_object();
  return errors_.write(json.text() + "\n");
}

Status Import::take_line(std::string_view line) {
  ++line_number_;
  if (line_number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  line = trim(line);
  if (!line.starts_with('{')) return {};  // an empty one, or the warning of an export without keys
  const auto document = parse_json(line);
  if (!document.ok()) return report({}, {document.error().code, fmt::format("line {}: {}", line_number_, document.error().detail)});
  auto operation = hub::parse_import_operation(*document, line, registry::ImportMode::kCreateOrUpdate);
  if (!operation.ok()) return report(registry::named_ids(*document), {operation.error().code, fmt::format("line {}: {}", line_number_, operation.error().detail)});
  return add({std::move(*operation), line.size()});
}

// What the file says of an identity happens in the order of the file, and a device before its modules.
Status Import::add(Item item) {
  const IdentityId& id = item.operation.id;
  if (in_wave_.contains(id) || children_in_wave_.contains(id.device)) {
    if (Status flushed = flush(); !flushed.ok()) return flushed;
  }
  in_wave_.insert(id);
  if (!item.operation.request.parent_scope().empty()) children_in_wave_.insert(id.device);
  wave_bytes_ += item.bytes;
  wave_.push_back(std::move(item));
  if (wave_.size() < kWaveItems && wave_bytes_ < kWaveBytes) return {};
  return flush();
}

Status Import::flush() {
  std::vector<Item> wave = std::exchange(wave_, {});
  in_wave_.clear();
  children_in_wave_.clear();
  wave_bytes_ = 0;
  if (context_.cut_off) return Error{ErrorCode::kCancelled, "cut off"};
  std::vector<Waiting<std::monostate>> answers(wave.size());
  for (std::size_t i = 0; i < wave.size(); ++i) {
    hub::Shard& shard = context_.hub.shard(context_.hub.home_of(wave[i].operation.id.device));
    shard.executor().post([&shard, operation = wave[i].operation, answer = answers[i].answer()]() mutable { shard.import(std::move(operation), std::move(answer)); });
  }
  for (std::size_t i = 0; i < wave.size(); ++i) {
    // A cancelled job waits for what it has begun: behind its end it changes nothing.
    const auto done = answers[i].wait(context_.stopping);
    if (done.ok()) {
      progress_made_ = true;
      continue;
    }
    if (done.error().code == ErrorCode::kCancelled) return done.error();
    Item& item = wave[i];
    const IdentityId id = item.operation.id;
    // For its parent, or for the device that waits for its own.
    const bool early = done.error().code == ErrorCode::kInvalidDeviceScope ||
                       (done.error().code == ErrorCode::kDeviceNotFound && waiting_devices_.contains(id.device));
    if (early && !last_chance_ && waiting_bytes_ + item.bytes <= kMaxWaitingBytes) {
      waiting_bytes_ += item.bytes;
      waiting_.push_back(std::move(item));
      waiting_devices_.insert(id.device);
      continue;
    }
    if (Status reported = report({id.device.str(), id.module.str()}, done.error()); !reported.ok()) return reported;
  }
  return {};
}

// As long as one of them finds its parent others may find it in turn.
Status Import::flush_waiting() {
  while (!waiting_.empty()) {
    std::deque<Item> again = std::exchange(waiting_, {});
    waiting_devices_.clear();
    waiting_bytes_ = 0;
    progress_made_ = false;
    for (Item& item : again) {
      if (Status added = add(std::move(item)); !added.ok()) return added;
    }
    if (Status flushed = flush(); !flushed.ok()) return flushed;
    last_chance_ = !progress_made_;
  }
  return {};
}

Status Import::run(blob::Reader& reader) {
  std::string rest;
  bool skipping = false;  // the rest of a line that is too long
  std::uint64_t read = 0;
  for (;;) {
    if (context_.cut_off) return Error{ErrorCode::kCancelled, "cut off"};
    auto chunk = reader.read();
    if (!chunk.ok()) return chunk.error();
    const bool end = chunk->empty();
    read += chunk->size();
    rest += *chunk;
    std::string_view text = rest;
    for (;;) {
      const std::size_t newline = text.find('\n');
      if (newline == std::string_view::npos && !(end && !text.empty())) break;
      const std::string_view line = text.substr(0, newline);
      text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
      if (std::exchange(skipping, false)) continue;
      if (line.size() > kMaxLineBytes) {
        ++line_number_;
        if (Status said = report({}, {ErrorCode::kArgumentInvalid, fmt::format("line {} has {} bytes; at most {} are read", line_number_, line.size(), kMaxLineBytes)}); !said.ok()) {
          return said;
        }
        continue;
      }
      if (Status taken = take_line(line); !taken.ok()) return taken;
    }
    rest.erase(0, rest.size() - text.size());
    if (rest.size() > kMaxLineBytes && !skipping) {
      ++line_number_;
      skipping = true;
      if (Status said = report({}, {ErrorCode::kArgumentInvalid, fmt::format("line {} has more than {} bytes", line_number_, kMaxLineBytes)}); !said.ok()) return said;
    }
    if (skipping) rest.clear();
    context_.progress(read, reader.size());
    if (end) break;
  }
  if (Status flushed = flush(); !flushed.ok()) return flushed;
  return flush_waiting();
}

}  // namespace

Status run_import(const JobContext& context, blob::Container& input, blob::Container& output) {
  auto reader = input.open(context.request.input_blob);
  if (!reader.ok()) return reader.error();
  auto errors = output.create(std::string(kErrorBlob));
  if (!errors.ok()) return errors.error();
  Import import(context, **errors);
  if (Status done = import.run(**reader); !done.ok()) return done;
  return (*errors)->finish();
}

}  // namespace nearhub::jobs
