#include "store/event_log.h"

#include <algorithm>

#include "hub/event.h"

namespace nearhub::store {
namespace {

constexpr int kSequenceBits = 48;
constexpr std::uint64_t kMaxSequence = (std::uint64_t{1} << kSequenceBits) - 1;
// A row of the table; more blocks of one commit start another row.
constexpr std::size_t kMaxRowBytes = 256 * 1024;
// Rows that one commit may delete, so that retention never holds up acknowledgements.
constexpr int kMaxTrimmedRows = 64;

std::uint64_t sequence_of(std::int64_t key) { return static_cast<std::uint64_t>(key) & kMaxSequence; }

// One behind the last event of the partition.
Result<std::uint64_t> end_of(Database& database, std::uint32_t partition) {
  auto last = database.cached("SELECT key, count FROM event WHERE key>=?1 AND key<?2 ORDER BY key DESC LIMIT 1");
  if (!last.ok()) return std::move(last).error();
  (*last)->bind(1, event_key(partition, 0)).bind(2, event_key(partition + 1, 0));
  std::uint64_t end = 0;
  if ((*last)->step()) {
    end = sequence_of((*last)->integer(0)) + static_cast<std::uint64_t>((*last)->integer(1));
    (*last)->reset();
  }
  if (!(*last)->ok()) return database.error("finding the end of the event stream");
  return end;
}

}  // namespace

std::int64_t event_key(std::uint32_t partition, std::uint64_t sequence) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(partition) << kSequenceBits | sequence);
}

Result<std::unique_ptr<EventLog>> EventLog::open(Database& database, std::uint32_t partitions, Retention retention) {
  std::unique_ptr<EventLog> log(new EventLog(database, retention));
  auto last = database.prepare("SELECT key, count, end_offset FROM event WHERE key>=?1 AND key<?2 ORDER BY key DESC LIMIT 1");
  if (!last.ok()) return std::move(last).error();
  auto first = database.prepare("SELECT end_offset, length(bytes) FROM event WHERE key>=?1 AND key<?2 ORDER BY key LIMIT 1");
  if (!first.ok()) return std::move(first).error();
  log->partitions_.resize(partitions);
  for (std::uint32_t i = 0; i < partitions; ++i) {
    Partition& partition = log->partitions_[i];
    last->bind(1, event_key(i, 0)).bind(2, event_key(i + 1, 0));
    if (last->step()) {
      partition.next_sequence = sequence_of(last->integer(0)) + static_cast<std::uint64_t>(last->integer(1));
      partition.end_offset = static_cast<std::uint64_t>(last->integer(2));
      last->reset();
    }
    first->bind(1, event_key(i, 0)).bind(2, event_key(i + 1, 0));
    if (first->step()) {
      partition.start_offset = static_cast<std::uint64_t>(first->integer(0) - first->integer(1));
      first->reset();
    }
    if (!last->ok() || !first->ok()) return database.error("reading the ends of the event stream");
  }
  struct Text {
    Statement& statement;
    const char* sql;
  };
  const Text texts[] = {
      {log->insert_, "INSERT INTO event(key, count, first_enqueued, last_enqueued, end_offset, bytes) VALUES(?1,?2,?3,?4,?5,?6)"},
      {log->oldest_, "SELECT key, count, last_enqueued, end_offset FROM event WHERE key>=?1 AND key<?2 ORDER BY key LIMIT 1"},
      {log->delete_, "DELETE FROM event WHERE key=?1"},
  };
  for (const Text& text : texts) {
    auto prepared = database.prepare(text.sql);
    if (!prepared.ok()) return std::move(prepared).error();
    text.statement = std::move(*prepared);
  }
  return log;
}

bool EventLog::insert(std::uint32_t index, std::uint64_t first_sequence, std::uint32_t count, WallTime first, WallTime last, std::string_view bytes) {
  Partition& partition = partitions_[index];
  partition.end_offset += bytes.size();
  insert_.bind(1, event_key(index, first_sequence)).bind(2, count).bind(3, first).bind(4, last).bind(5, partition.end_offset).bind_blob(6, bytes);
  return insert_.run();
}

bool EventLog::append(std::vector<hub::EventBlock*>& blocks) {
  // By partition, each in the order of submission: commits of many small turns become a few rows.
  std::stable_sort(blocks.begin(), blocks.end(), [](const auto* a, const auto* b) { return a->partition < b->partition; });
  for (std::size_t i = 0; i < blocks.size();) {
    const std::uint32_t index = blocks[i]->partition;
    Partition& partition = partitions_[index];
    const std::uint64_t first_sequence = partition.next_sequence;
    std::size_t end = i, bytes = 0;
    while (end < blocks.size() && blocks[end]->partition == index && (end == i || bytes + blocks[end]->bytes.size() <= kMaxRowBytes)) {
      blocks[end]->first_sequence = partition.next_sequence;
      partition.next_sequence += blocks[end]->count;
      bytes += blocks[end]->bytes.size();
      ++end;
    }
    std::string_view content = blocks[i]->bytes;
    if (end - i > 1) {
      merged_.clear();
      for (std::size_t k = i; k < end; ++k) merged_.append(blocks[k]->bytes);
      content = merged_;
    }
    const auto count = static_cast<std::uint32_t>(partition.next_sequence - first_sequence);
    if (!insert(index, first_sequence, count, blocks[i]->first_enqueued, blocks[end - 1]->last_enqueued, content)) return false;
    i = end;
  }
  return true;
}

bool EventLog::trim(WallTime now) {
  std::uint64_t kept = 0;
  for (const Partition& partition : partitions_) kept += partition.end_offset - partition.start_offset;
  int budget = kMaxTrimmedRows;
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
    Partition& partition = partitions_[i];
    if (partition.end_offset == partition.start_offset) continue;  // nothing in it yet
    while (budget-- > 0) {
      if (!partition.oldest) {
        oldest_.bind(1, event_key(i, 0)).bind(2, event_key(i + 1, 0));
        if (!oldest_.step()) break;
        const std::int64_t key = oldest_.integer(0);
        partition.oldest = {key, sequence_of(key) + static_cast<std::uint64_t>(oldest_.integer(1)), oldest_.time(2),
                            static_cast<std::uint64_t>(oldest_.integer(3))};
        oldest_.reset();
      }
      const Row oldest = *partition.oldest;
      const bool newest = oldest.end_sequence >= partition.next_sequence;
      const bool expired = oldest.last_enqueued + retention_.time < now;
      // A partition gives up what is over its share, so that a loud device does not push out the others' messages first.
      const bool over = kept > retention_.bytes && partition.end_offset - partition.start_offset > retention_.bytes / partitions_.size();
      if (newest || (!expired && !over)) break;
      delete_.bind(1, oldest.key);
      if (!delete_.run()) return false;
      kept -= oldest.end_offset - partition.start_offset;
      partition.start_offset = oldest.end_offset;
      partition.oldest.reset();
    }
    if (!oldest_.ok()) return false;
  }
  return true;
}

Result<hub::EventPage> read_events(Database& database, const hub::EventQuery& query) {
  hub::EventPage page;
  // A number that no event can have must not lead into the next partition.
  const std::uint64_t from_sequence = std::min(query.from_sequence, kMaxSequence);
  // The block that holds from_sequence begins at or before it.
  auto start = database.cached("SELECT key, count FROM event WHERE key>=?1 AND key<=?2 ORDER BY key DESC LIMIT 1");
  if (!start.ok()) return std::move(start).error();
  std::int64_t from = event_key(query.partition, from_sequence);
  (*start)->bind(1, event_key(query.partition, 0)).bind(2, from);
  if ((*start)->step()) {
    const std::int64_t key = (*start)->integer(0);
    if (sequence_of(key) + static_cast<std::uint64_t>((*start)->integer(1)) > from_sequence) from = key;
    (*start)->reset();
  }
  if (!(*start)->ok()) return database.error("finding events");

  auto rows = database.cached("SELECT key, count, first_enqueued, last_enqueued, bytes FROM event WHERE key>=?1 AND key<?2 ORDER BY key");
  if (!rows.ok()) return std::move(rows).error();
  (*rows)->bind(1, from).bind(2, event_key(query.partition + 1, 0));
  std::size_t bytes = 0;
  while ((*rows)->step()) {
    if (!page.blocks.empty() && bytes >= query.max_bytes) {
      page.more = true;
      (*rows)->reset();
      break;
    }
    hub::EventBlock block;
    block.partition = query.partition;
    block.first_sequence = sequence_of((*rows)->integer(0));
    block.count = static_cast<std::uint32_t>((*rows)->integer(1));
    block.first_enqueued = (*rows)->time(2);
    block.last_enqueued = (*rows)->time(3);
    block.bytes = (*rows)->blob_view(4);
    bytes += block.bytes.size();
    page.next_sequence = block.first_sequence + block.count;
    page.blocks.push_back(std::move(block));
  }
  if (!(*rows)->ok()) return database.error("reading events");
  if (!page.blocks.empty()) return page;
  const auto end = end_of(database, query.partition);
  if (!end.ok()) return end.error();
  page.next_sequence = *end;
  return page;
}

Result<std::uint64_t> seek_events(Database& database, std::uint32_t partition, WallTime since) {
  auto at = database.cached("SELECT key, count, last_enqueued FROM event WHERE key>=?1 AND key<?2 ORDER BY key LIMIT 1");
  if (!at.ok()) return std::move(at).error();
  const auto end = end_of(database, partition);
  if (!end.ok()) return end.error();
  const std::int64_t end_key = event_key(partition + 1, 0);
  // Blocks are in the order of their times (a clock that was set back aside), so the first one that ends at or after `since` is found by halving.
  std::uint64_t low = 0, high = *end;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    (*at)->bind(1, event_key(partition, middle)).bind(2, end_key);
    if (!(*at)->step()) {
      if (!(*at)->ok()) return database.error("seeking events");
      high = middle;
      continue;
    }
    const std::uint64_t first = sequence_of((*at)->integer(0)), count = static_cast<std::uint64_t>((*at)->integer(1));
    const bool reaches = (*at)->time(2) >= since;
    (*at)->reset();
    if (reaches) {
      high = middle;
    } else {
      low = first + count;
    }
  }
  // And in it the first event.
  auto block = database.cached("SELECT key, bytes FROM event WHERE key>=?1 AND key<?2 ORDER BY key LIMIT 1");
  if (!block.ok()) return std::move(block).error();
  (*block)->bind(1, event_key(partition, low)).bind(2, end_key);
  if (!(*block)->step()) return (*block)->ok() ? *end : Result<std::uint64_t>(database.error("seeking events"));
  std::uint64_t sequence = sequence_of((*block)->integer(0));
  hub::EventReader events((*block)->blob_view(1));
  hub::Event event;
  while (events.next(event) && event.enqueued < since) ++sequence;
  (*block)->reset();
  return sequence;
}

}  // namespace nearhub::store
