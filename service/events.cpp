// GET /_nearhub/events: the event stream as server-sent events. What `nearhub monitor` shows.
//
//   ?device=ID  ?since=now|start|ISO 8601 time (default now)  ?follow=true|false (default true)
//
// Live and past events come the same way, from the store: a slow reader holds up nobody and costs no memory, it reads later.
#include <fmt/core.h>

#include <memory>

#include "base/lifetime.h"
#include "base/text.h"
#include "base/time_format.h"
#include "hub/event.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

class EventStream final : public StreamSource {
 public:
  EventStream(hub::Store& store, Executor& loop, std::string device, std::optional<WallTime> since, bool follow, std::uint32_t partitions, auth::PolicyTable policies,
              auth::ServiceGrant grant)
      : store_(store), loop_(loop), policies_(std::move(policies)), grant_(std::move(grant)), device_(std::move(device)), since_(since), follow_(follow), positions_(partitions) {}

  ~EventStream() override {
    if (watch_ != 0) store_.unwatch_events(watch_);
  }

  void start(StreamSink& sink) override {
    sink_ = &sink;
    sink.write(": nearhub events\n\n");
    // Watch first, read then: nothing falls between.
    watch_ = store_.watch_events(loop_, lifetime_.guard([this] {
      news_ = true;
      if (!reading_) read_next();
    }));
    seek(0);
  }

  void on_silence() override {
    if (still_granted()) sink_->write(": ping\n\n");
  }

  void on_room() override {
    if (stalled_) {
      stalled_ = false;
      read_next();
    }
  }

 private:
  void seek(std::uint32_t partition) {
    if (partition == positions_.size()) {
      read_next();
      return;
    }
    reading_ = true;
    // "Now" is behind the last event there is.
    const WallTime since = since_.value_or(WallTime{Ticks{INT64_MAX}});
    store_.seek_events(partition, since, loop_, lifetime_.guard([this, partition](Result<std::uint64_t> position) {
      if (!position.ok()) return fail(position.error());
      positions_[partition] = *position;
      seek(partition + 1);
    }));
  }

  // Reads the partitions in turn; after a round without news waits for the watch.
  void read_next() {
    if (sink_->backlog() > kMaxStreamBacklog) {
      stalled_ = true;
      reading_ = false;
      return;
    }
    reading_ = true;
    if (at_ == 0) {
      found_ = false;
      news_ = false;
    }
    store_.read_events({at_, positions_[at_]}, loop_, lifetime_.guard([this](Result<hub::EventPage> page) {
      if (!page.ok()) return fail(page.error());
      write(*page);
      positions_[at_] = page->next_sequence;
      found_ |= !page->blocks.empty();
      if (!page->more) at_ = (at_ + 1) % static_cast<std::uint32_t>(positions_.size());
      if (at_ != 0 || page->more || found_ || news_) return read_next();
      reading_ = false;
      if (!follow_) sink_->finish();
    }));
  }

  // A policy that is changed or removed ends what it had opened.
  bool still_granted() {
    if (auth::still_valid(grant_, *policies_.current())) return true;
    sink_->write("event: error\ndata: the policy " + grant_.policy + ", whose key opened this stream, was changed or removed\n\n");
    sink_->finish();
    return false;
  }

  void write(const hub::EventPage& page) {
    if (!page.blocks.empty() && !still_granted()) return;
    std::string text;
    for (const hub::EventBlock& block : page.blocks) {
      hub::EventReader reader(block.bytes);
      hub::Event event;
      for (std::uint64_t sequence = block.first_sequence; reader.next(event); ++sequence) {
        if (sequence < positions_[block.partition]) continue;
        if (since_ && event.enqueued < *since_) continue;
        if (!device_.empty() && event.device != device_) continue;
        JsonWriter json;
        hub::write_json(json, event, block.partition, sequence);
        text.append("id: ").append(std::to_string(block.partition)).append(":").append(std::to_string(sequence));
        text.append("\ndata: ").append(json.text()).append("\n\n");
      }
    }
    if (!text.empty()) sink_->write(text);
  }

  void fail(const Error& error) {
    sink_->write("event: error\ndata: " + printable(error.detail, 400) + "\n\n");
    sink_->finish();
  }

  hub::Store& store_;
  Executor& loop_;
  const auth::PolicyTable policies_;
  const auth::ServiceGrant grant_;
  const std::string device_;
  const std::optional<WallTime> since_;  // nullopt: from now on
  const bool follow_;
  std::vector<std::uint64_t> positions_;  // by partition: the next sequence number
  StreamSink* sink_ = nullptr;
  std::uint64_t watch_ = 0;
  std::uint32_t at_ = 0;   // the partition being read
  bool reading_ = false;
  bool news_ = false;      // the watch spoke during this round
  bool found_ = false;     // this round brought events
  bool stalled_ = false;   // the peer must take what was written first
  Lifetime lifetime_;  // of answers of the store
};

void stream_events(const Api& api, Request request, Responder responder) {
  const hub::Hub::Shared& shared = api.hub().shared();
  std::optional<WallTime> since;
  if (const std::string* given = request.parameter("since"); given != nullptr && *given != "now") {
    since = *given == "start" ? kNever : parse_iso8601(*given);
    if (!since) {
      return responder.respond(api.error(
          {ErrorCode::kArgumentInvalid, fmt::format("since is \"{}\"; expected now, start, or a time like 2026-01-31T12:00:00Z", printable(*given, 60))},
          Envelope::kE1));
    }
  }
  const std::string* follow = request.parameter("follow");
  if (follow != nullptr && *follow != "true" && *follow != "false") {
    return responder.respond(api.error({ErrorCode::kArgumentInvalid, "follow must be true or false"}, Envelope::kE1));
  }
  const std::string* device = request.parameter("device");
  http::Response head;
  head.set("Content-Type", "text/event-stream").set("Cache-Control", "no-store");
  if (request.method == "HEAD") return responder.respond(std::move(head));
  Executor& loop = responder.loop();
  responder.stream(std::move(head), std::make_unique<EventStream>(shared.store, loop, device == nullptr ? std::string() : *device, since,
                                                                  follow == nullptr || *follow == "true", shared.partitions, shared.policies,
                                                                  std::move(request.grant)));
}

}  // namespace

void add_event_routes(std::vector<Route>& routes) {
  routes.push_back({"GET", "_nearhub/events", {auth::Right::kServiceConnect}, Envelope::kE1, stream_events, false});
}

}  // namespace nearhub::service
