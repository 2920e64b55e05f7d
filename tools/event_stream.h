// The hub's live event stream, taken apart, and the memory that lets `monitor` go on after a break without gaps and
// without showing an event twice.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/unique_function.h"

namespace nearhub::tools {

// Server-sent events as GET /_nearhub/events writes them: blocks of "id:", "event:" and "data:" lines, ended by an
// empty line; comments begin with ':'.
class EventStreamParser {
 public:
  struct Item {
    std::string event;  // "error", or empty for an ordinary one
    std::string data;
  };
  // Called for every whole item. False: wants no more.
  using Handler = UniqueFunction<bool(const Item&)>;
  explicit EventStreamParser(Handler handler) : handler_(std::move(handler)) {}

  // Any piece of the stream. False when the handler wanted no more, or a line is longer than any event can be.
  bool feed(std::string_view bytes);
  // After a break: what was begun will not be continued.
  void reset();

 private:
  bool take_line(std::string_view line);

  Handler handler_;
  std::string line_;  // of the last piece, not ended yet
  Item item_;
  bool has_data_ = false;
};

// Where a reader of the stream is. Partitions are independent of each other, and an event of one may be stored a little
// after a later one of another: so after a break the reader asks for a while before the newest event, and leaves out
// what it has seen.
class EventCursor {
 public:
  // `start`: kNever for all there is.
  explicit EventCursor(WallTime start) : start_(start) {}

  // True once for every event. A hub without memory begins again at sequence number 1 when it restarts; its times tell.
  bool is_new(std::int64_t partition, std::int64_t sequence, WallTime enqueued);
  // Where to begin reading: a time of the API's `since`, or "start".
  std::string since() const;

 private:
  struct Seen {
    std::int64_t sequence;
    WallTime latest;
  };
  const WallTime start_;
  WallTime latest_ = kNever;
  std::map<std::int64_t, Seen> by_partition_;
};

}  // namespace nearhub::tools
