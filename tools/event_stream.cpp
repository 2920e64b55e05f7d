#include "tools/event_stream.h"

#include <algorithm>
#include <utility>

#include "base/time_format.h"

namespace nearhub::tools {
namespace {

// A message has 256 KB at most; as base64 or with every byte escaped it is longer in JSON.
constexpr std::size_t kMaxLineBytes = 4 * 1024 * 1024;

// How much later than a newer event an older one of another partition can come to the store. Group commits take
// milliseconds.
constexpr std::chrono::seconds kOverlap{60};

}  // namespace

bool EventStreamParser::feed(std::string_view bytes) {
  while (true) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      line_ += bytes;
      return line_.size() <= kMaxLineBytes;
    }
    bool go_on;
    if (line_.empty()) {
      go_on = take_line(bytes.substr(0, end));
    } else {
      line_ += bytes.substr(0, end);
      go_on = take_line(std::exchange(line_, {}));
    }
    if (!go_on) return false;
    bytes.remove_prefix(end + 1);
  }
}

void EventStreamParser::reset() {
  line_.clear();
  item_ = {};
  has_data_ = false;
}

bool EventStreamParser::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    const Item item = std::exchange(item_, {});
    return !std::exchange(has_data_, false) || handler_(item);
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (has_data_) item_.data += '\n';
    item_.data += value;
    has_data_ = true;
  } else if (name == "event") {
    item_.event = value;
  }
  return true;
}

bool EventCursor::is_new(std::int64_t partition, std::int64_t sequence, WallTime enqueued) {
  const auto [found, first] = by_partition_.try_emplace(partition, Seen{sequence, enqueued});
  Seen& seen = found->second;
  if (!first) {
    if (sequence <= seen.sequence && enqueued <= seen.latest) return false;
    seen.sequence = sequence;
    seen.latest = std::max(seen.latest, enqueued);
  }
  latest_ = std::max(latest_, enqueued);
  return true;
}

std::string EventCursor::since() const {
  const WallTime from = latest_ == kNever ? start_ : std::max(start_, latest_ - kOverlap);
  return from == kNever ? "start" : format_iso8601(from);
}

}  // namespace nearhub::tools
