#include "tools/event_stream.h"

#include <doctest/doctest.h>

#include <vector>

#include "base/time_format.h"

using namespace nearhub;
using namespace nearhub::tools;

namespace {

WallTime at(const char* text) { return *parse_iso8601(text); }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("event stream: items come whole, however the bytes are cut") {
    const std::string stream =
        ": nearhub events\n\nid: 0:7\ndata: {\"a\":1}\n\nevent: error\r\ndata: bad\r\n\r\ndata:x\ndata:y\n\n\n";
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
      std::vector<std::string> items;
      EventStreamParser parser([&items](const EventStreamParser::Item& item) {
        items.push_back(item.event + "|" + item.data);
        return true;
      });
      for (std::size_t from = 0; from < stream.size(); from += piece) {
        CHECK(parser.feed(std::string_view(stream).substr(from, piece)));
      }
      CAPTURE(piece);
      CHECK(items == std::vector<std::string>{"|{\"a\":1}", "error|bad", "|x\ny"});
    }
  }

  TEST_CASE("event stream: an item that was begun before a break is forgotten") {
    std::vector<std::string> items;
    EventStreamParser parser([&items](const EventStreamParser::Item& item) {
      items.push_back(item.data);
      return true;
    });
    CHECK(parser.feed("data: half\nda"));
    parser.reset();
    CHECK(parser.feed("data: new\n\n"));
    CHECK(items == std::vector<std::string>{"new"});
  }

  TEST_CASE("event stream: a reader that wants no more stops it, and so does a line without end") {
    EventStreamParser stops([](const EventStreamParser::Item&) { return false; });
    CHECK_FALSE(stops.feed("data: 1\n\ndata: 2\n\n"));
    EventStreamParser endless([](const EventStreamParser::Item&) { return true; });
    bool taken = true;
    for (int i = 0; i < 5 && taken; ++i) taken = endless.feed(std::string(1024 * 1024, 'x'));
    CHECK_FALSE(taken);
  }

  TEST_CASE("event cursor: an event is new once, in its partition") {
    EventCursor cursor(kNever);
    CHECK(cursor.is_new(0, 1, at("2026-01-01T00:00:00Z")));
    CHECK(cursor.is_new(0, 2, at("2026-01-01T00:00:01Z")));
    CHECK_FALSE(cursor.is_new(0, 1, at("2026-01-01T00:00:00Z")));
    CHECK_FALSE(cursor.is_new(0, 2, at("2026-01-01T00:00:01Z")));
    CHECK(cursor.is_new(1, 1, at("2026-01-01T00:00:00Z")));
    CHECK(cursor.is_new(0, 3, at("2026-01-01T00:00:01Z")));
  }

  TEST_CASE(
      "event cursor: sequence numbers that begin again belong to a hub that forgot, not to events that were seen") {
    EventCursor cursor(kNever);
    CHECK(cursor.is_new(0, 40, at("2026-01-01T00:00:00Z")));
    CHECK(cursor.is_new(0, 1, at("2026-01-01T00:05:00Z")));
    CHECK_FALSE(cursor.is_new(0, 1, at("2026-01-01T00:05:00Z")));
    CHECK(cursor.is_new(0, 2, at("2026-01-01T00:05:00Z")));
  }

  TEST_CASE("event cursor: reading goes on a minute before the newest event, but not before the start") {
    EventCursor all(kNever);
    CHECK(all.since() == "start");
    EventCursor cursor(at("2026-01-01T12:00:00Z"));
    CHECK(cursor.since() == "2026-01-01T12:00:00.0000000Z");
    CHECK(cursor.is_new(3, 1, at("2026-01-01T12:00:30Z")));
    CHECK(cursor.since() == "2026-01-01T12:00:00.0000000Z");
    CHECK(cursor.is_new(3, 2, at("2026-01-01T12:10:00Z")));
    CHECK(cursor.since() == "2026-01-01T12:09:00.0000000Z");
  }
}
