#include "hub/event.h"

#include <bit>
#include <cstring>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"
#include "hub/property_bag.h"

namespace nearhub::hub {
namespace {

// One event on disk: this header, little-endian, then device, module, generation id, model id, bag, body. `version` is the first byte, so
// that a later layout can live beside this one.
constexpr std::uint8_t kLayoutVersion = 1;
constexpr std::uint8_t kRetain = 1, kWill = 2;

struct Header {
  std::uint8_t version;
  std::uint8_t source;
  std::uint8_t flags;
  std::uint8_t auth;  // scope in the high, type in the low four bits
  std::uint8_t device_size;
  std::uint8_t module_size;
  std::uint8_t generation_size;
  std::uint8_t reserved;
  std::uint16_t model_size;
  std::uint16_t bag_size;
  std::uint32_t body_size;
  std::int64_t enqueued;  // Ticks since 1970
};
static_assert(sizeof(Header) == 24);
static_assert(std::endian::native == std::endian::little, "the block layout is written in memory order");

std::string_view take(std::string_view& rest, std::size_t size) {
  const std::string_view part = rest.substr(0, size);
  rest.remove_prefix(size);
  return part;
}

bool says_json(const Properties& properties) {
  const std::string* type = properties.find_system("content-type");
  return type != nullptr && starts_with_ignoring_case(*type, "application/json");
}

void write_body(JsonWriter& json, const Properties& properties, std::string_view body) {
  if (says_json(properties) && !body.empty()) {
    if (const auto document = parse_json(body); document.ok()) {
      // On one line: between tokens a line break is a space, and inside a JSON string it cannot stand raw.
      std::string line(body);
      for (char& c : line) {
        if (c == '\n' || c == '\r') c = ' ';
      }
      json.member("body").raw(line);
      return;
    }
  }
  if (is_utf8(body)) {
    json.member("body", body);
  } else {
    json.member("bodyBase64", base64_encode(body));
  }
}

}  // namespace

std::string_view event_source_text(EventSource source) {
  switch (source) {
    case EventSource::kTelemetry: return "Telemetry";
    case EventSource::kTwinChange: return "twinChangeEvents";
    case EventSource::kDeviceLifecycle: return "deviceLifecycleEvents";
    case EventSource::kConnectionState: return "deviceConnectionStateEvents";
  }
  return "unknown";
}

void EventBlock::append(const Event& event) {
  const Header header{kLayoutVersion,
                      static_cast<std::uint8_t>(event.source),
                      static_cast<std::uint8_t>((event.retain ? kRetain : 0) | (event.will ? kWill : 0)),
                      static_cast<std::uint8_t>(static_cast<unsigned>(event.auth_scope) << 4 | static_cast<unsigned>(event.auth_type)),
                      static_cast<std::uint8_t>(event.device.size()),
                      static_cast<std::uint8_t>(event.module.size()),
                      static_cast<std::uint8_t>(event.generation_id.size()),
                      0,
                      static_cast<std::uint16_t>(event.model_id.size()),
                      static_cast<std::uint16_t>(event.bag.size()),
                      static_cast<std::uint32_t>(event.body.size()),
                      event.enqueued.time_since_epoch().count()};
  bytes.append(reinterpret_cast<const char*>(&header), sizeof header)
      .append(event.device)
      .append(event.module)
      .append(event.generation_id)
      .append(event.model_id)
      .append(event.bag)
      .append(event.body);
  if (count++ == 0) first_enqueued = event.enqueued;
  last_enqueued = event.enqueued;
}

void EventBlock::clear() {
  count = 0;
  first_sequence = 0;
  bytes.clear();
}

bool EventReader::next(Event& event) {
  if (rest_.empty() || damaged_) return false;
  Header header;
  if (rest_.size() < sizeof header) {
    damaged_ = true;
    return false;
  }
  std::memcpy(&header, rest_.data(), sizeof header);
  const std::size_t total = sizeof header + std::size_t{header.device_size} + header.module_size + header.generation_size + header.model_size +
                            header.bag_size + header.body_size;
  if (header.version != kLayoutVersion || total > rest_.size()) {
    damaged_ = true;
    return false;
  }
  rest_.remove_prefix(sizeof header);
  event.enqueued = WallTime{Ticks{header.enqueued}};
  event.source = static_cast<EventSource>(header.source);
  event.retain = (header.flags & kRetain) != 0;
  event.will = (header.flags & kWill) != 0;
  event.auth_scope = static_cast<auth::Admission::Scope>(header.auth >> 4);
  event.auth_type = static_cast<auth::AuthenticationType>(header.auth & 15);
  event.device = take(rest_, header.device_size);
  event.module = take(rest_, header.module_size);
  event.generation_id = take(rest_, header.generation_size);
  event.model_id = take(rest_, header.model_size);
  event.bag = take(rest_, header.bag_size);
  event.body = take(rest_, header.body_size);
  return true;
}

std::string auth_method_text(auth::Admission::Scope scope, auth::AuthenticationType type) {
  const char* scope_text = scope == auth::Admission::Scope::kHub      ? "hub"
                           : scope == auth::Admission::Scope::kModule ? "module"
                                                                      : "device";
  const bool sas = type == auth::AuthenticationType::kSas;
  JsonWriter json;
  json.object().member("scope", scope_text).member("type", sas ? "sas" : "x509Certificate").member("issuer", sas ? "iothub" : "external");
  json.member("acceptingIpFilterRule").null().end_object();
  return std::move(json).take();
}

void write_json(JsonWriter& json, const Event& event, std::uint32_t partition, std::uint64_t sequence) {
  const Properties properties = decode_bag(event.bag);
  json.object()
      .member("partition", static_cast<std::int64_t>(partition))
      .member("sequenceNumber", static_cast<std::int64_t>(sequence))
      .member("enqueuedTime", format_iso8601(event.enqueued))
      .member("deviceId", event.device);
  if (!event.module.empty()) json.member("moduleId", event.module);

  json.member("systemProperties").object();
  for (const auto& [name, value] : properties.system) json.member(name, value);
  json.end_object();

  json.member("properties").object();
  for (const auto& [name, value] : properties.application) {
    json.member(name);
    value ? json.string(*value) : json.null();
  }
  if (event.retain) json.member("mqtt-retain", "true");
  if (event.will) json.member("iothub-MessageType", "Will");
  json.end_object();

  json.member("annotations").object().member("iothub-connection-device-id", event.device);
  if (!event.module.empty()) json.member("iothub-connection-module-id", event.module);
  // What the hub says itself nobody was admitted for.
  if (event.source == EventSource::kTelemetry) {
    json.member("iothub-connection-auth-generation-id", event.generation_id)
        .member("iothub-connection-auth-method", auth_method_text(event.auth_scope, event.auth_type));
  }
  json.member("iothub-enqueuedtime", unix_milliseconds(event.enqueued)).member("iothub-message-source", event_source_text(event.source));
  if (!event.model_id.empty()) json.member("dt-dataschema", event.model_id);
  if (const std::string* subject = properties.find_system("dt-subject")) json.member("dt-subject", *subject);
  json.end_object();
  write_body(json, properties, event.body);
  json.end_object();
}

}  // namespace nearhub::hub
