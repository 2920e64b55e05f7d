#include "tools/monitor.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/url.h"
#include "tools/event_stream.h"
#include "tools/event_text.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::chrono::milliseconds kRetryTime{500};
// For a stream that is to end: silence this long is no pause of the hub any more.
constexpr std::chrono::seconds kSilenceLimit{60};

class Monitor {
 public:
  Monitor(HubClient& hub, const MonitorOptions& options, WallTime start, Console& console)
      : hub_(hub),
        options_(options),
        console_(console),
        cursor_(start),
        parser_([this](const EventStreamParser::Item& item) { return on_item(item); }) {}

  Status run(const Interrupt& interrupt) {
    while (true) {
      parser_.reset();
      auto end = hub_.stream(
          "/_nearhub/events", query(),
          [this](std::string_view bytes) {
            if (std::exchange(lost_, false)) console_.say("the hub is back");
            return parser_.feed(bytes);
          },
          interrupt, options_.follow ? std::chrono::seconds{0} : kSilenceLimit);
      if (!end.ok()) return end.error();
      if (failure_) return *failure_;
      if (end->kind == StreamEnd::kInterrupted || end->kind == StreamEnd::kStopped) return {};
      if (!options_.follow) return end->kind == StreamEnd::kFinished ? Status() : Error{ErrorCode::kIo, end->detail};
      if (!wait_for_hub(end->kind == StreamEnd::kLost ? end->detail : "the hub ended the stream", interrupt)) return {};
    }
  }

 private:
  // False when interrupted. Returns when it is worth trying.
  bool wait_for_hub(const std::string& reason, const Interrupt& interrupt) {
    if (!std::exchange(lost_, true)) console_.say(fmt::format("{}; waiting for the hub (Ctrl-C ends)", reason));
    do {
      if (interrupt.wait(kRetryTime)) return false;
    } while (!hub_.find_again().ok());
    return true;
  }

  std::string query() const {
    std::string text = fmt::format("since={}&follow={}", percent_encode(cursor_.since()), options_.follow);
    if (options_.identity) text += "&device=" + percent_encode(options_.identity->device.view());
    return text;
  }

  bool on_item(const EventStreamParser::Item& item) {
    if (item.event == "error") {
      failure_ = Error{ErrorCode::kIo, "the hub cannot read its events: " + terminal_text(item.data)};
      return false;
    }
    const auto event = parse_json(item.data);
    if (!event.ok() || !event->IsObject()) {
      failure_ = Error{ErrorCode::kMalformed, "the hub's event stream holds something that is no event"};
      return false;
    }
    const WallTime enqueued = parse_iso8601(text_at(*event, {"enqueuedTime"})).value_or(kNever);
    if (!cursor_.is_new(integer_at(*event, {"partition"}), integer_at(*event, {"sequenceNumber"}), enqueued)) {
      return true;
    }
    if (options_.identity && options_.identity->is_module() &&
        text_at(*event, {"moduleId"}) != options_.identity->module.view())
      return true;
    if (options_.json) return console_.print(item.data + "\n");
    return console_.print(options_.pretty ? event_block(*event) : event_line(*event));
  }

  HubClient& hub_;
  const MonitorOptions& options_;
  Console& console_;
  EventCursor cursor_;
  EventStreamParser parser_;
  std::optional<Error> failure_;
  bool lost_ = false;
};

// An id with a slip of the pen would be waited for in silence.
void warn_of_unknown(HubClient& hub, const IdentityId& id, Console& console) {
  const auto found = hub.get(registry_path(id));
  if (found.ok()) return;
  const ErrorCode code = found.error().code;
  if (code == ErrorCode::kDeviceNotFound || code == ErrorCode::kModuleNotFound) {
    console.say(fmt::format("there is no {} at the moment; showing what it sends all the same", describe(id)));
  }
}

}  // namespace

Status monitor(HubClient& hub, const MonitorOptions& options, const Interrupt& interrupt, Console& console) {
  // The hub's time, not ours: events are found by it.
  const auto body = hub.get("/_nearhub/status");
  if (!body.ok()) return body.error();
  const auto status = parse_object(*body);
  if (!status.ok()) return status.error();
  const auto start = parse_since(options.since, parse_iso8601(text_at(*status, {"time"})).value_or(hub.now()));
  if (!start.ok()) return start.error();
  if (options.identity) warn_of_unknown(hub, *options.identity, console);
  if (options.follow) {
    console.say(fmt::format("showing telemetry of {} as it reaches the hub at {}; Ctrl-C ends",
                            options.identity ? describe(*options.identity) : std::string("all devices"),
                            hub.address().endpoint()));
  }
  return Monitor(hub, options, *start, console).run(interrupt);
}

}  // namespace nearhub::tools
