// The event stream: telemetry, and what the hub says itself where it is asked to, in partitions, in the order of arrival.
//
// Events of one loop turn and partition are written one behind the other into an EventBlock, which the store keeps as one row: the
// writer's cost is per block, not per event. An event's sequence number is the block's first sequence number plus its index, so a block is
// final when it leaves its loop.
//
// THREAD: a block belongs to one thread at a time; a committed block is immutable.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/device_authentication.h"
#include "base/clock.h"
#include "base/json_writer.h"

namespace nearhub::hub {

// Stored: numbers are for good.
enum class EventSource : std::uint8_t { kTelemetry = 0, kTwinChange = 1, kDeviceLifecycle = 2, kConnectionState = 3 };
std::string_view event_source_text(EventSource source);  // iothub-message-source: "Telemetry", "twinChangeEvents", ...

struct Event {
  WallTime enqueued{};
  EventSource source = EventSource::kTelemetry;
  bool retain = false;  // sent with RETAIN: property mqtt-retain=true
  bool will = false;    // a will message: property iothub-MessageType=Will
  auth::Admission::Scope auth_scope = auth::Admission::Scope::kDevice;
  auth::AuthenticationType auth_type = auth::AuthenticationType::kSas;
  std::string_view device;
  std::string_view module;
  std::string_view generation_id;
  std::string_view model_id;  // of the connection; empty: none
  std::string_view bag;       // properties as sent
  std::string_view body;
};

// A block that has this much takes no further event: it is a row of the store, and what a reader holds at a time.
inline constexpr std::size_t kMaxBlockBytes = 256 * 1024;

struct EventBlock {
  std::uint32_t partition = 0;
  std::uint32_t count = 0;
  std::uint64_t first_sequence = 0;  // set by the store at commit
  WallTime first_enqueued{};
  WallTime last_enqueued{};
  std::string bytes;

  void append(const Event& event);
  void clear();
};

// Reads a block's events in order. Views are into the block's bytes.
class EventReader {
 public:
  explicit EventReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end; a block that is cut or damaged ends early and damaged() is true.
  bool next(Event& event);
  bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  bool damaged_ = false;
};

// One event for `monitor`: {"partition","sequenceNumber","enqueuedTime","deviceId",["moduleId"],"systemProperties","properties","annotations",
// "body" | "bodyBase64"}. A body is shown as JSON when the content type says so and it parses, as text when it is UTF-8, else as base64.
void write_json(JsonWriter& json, const Event& event, std::uint32_t partition, std::uint64_t sequence);

// {"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}: a JSON text as the cloud stamps it (service-rest.md 9).
std::string auth_method_text(auth::Admission::Scope scope, auth::AuthenticationType type);

}  // namespace nearhub::hub
