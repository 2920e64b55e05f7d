// A topic that a device publishes to, and a filter that it subscribes to.
//
// Input: a line with the device id, or device id/module id; the rest is the topic and the filter. What the MQTT decoder would
// not let through goes no further.
//
// Checked: a bag, request id and version come back from the topic that is made of them; the hub's topics match the filter
// that asked for them, as MQTT matches; and each of them is one that an MQTT client can decode.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "base/text.h"
#include "broker/topics.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"

using namespace nearhub;
using namespace nearhub::broker;

namespace {

// The packet with this one field: the type's first byte, what stands before the field, the field, what stands behind it.
bool decodes(char type, std::string_view before, std::string_view field, std::string_view behind) {
  if (field.size() > mqtt::kMaxFieldBytes) return false;
  std::string body(before);
  body.push_back(static_cast<char>(field.size() >> 8));
  body.push_back(static_cast<char>(field.size() & 0xff));
  body.append(field).append(behind);
  std::string bytes(1, type);
  std::size_t length = body.size();
  do {
    bytes.push_back(static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
    length >>= 7;
  } while (length > 0);
  bytes += body;
  mqtt::Decoder decoder(1 << 20);
  decoder.feed(bytes);
  mqtt::Packet packet;
  return decoder.next(packet) == mqtt::Decoder::kPacket;
}
bool is_topic(std::string_view text) { return decodes('\x30', "", text, ""); }
bool is_filter(std::string_view text) { return decodes('\x82', std::string_view("\0\1", 2), text, std::string_view("\0", 1)); }

// MQTT 3.1.1, 4.7.1. An id may hold what is a wildcard elsewhere; here it stands in both, and '+' matches itself.
bool matches(std::string_view filter, std::string_view topic) {
  for (;;) {
    if (filter == "#") return true;
    const auto [level, more] = split_once(filter, '/');
    const auto [name, deeper] = split_once(topic, '/');
    if (level != "+" && level != name) return false;
    if (!more) return !deeper;
    if (!deeper) return *more == "#";
    filter = *more;
    topic = *deeper;
  }
}

void check_answer(const PublishTopic& topic) {
  if (topic.request_id.size() > kMaxRequestIdBytes) return;  // refused by the session
  const std::string answer = twin_response_topic(204, topic.request_id, topic.version);
  NEARHUB_CHECK(is_topic(answer));
  // The client finds in it what it had sent.
  constexpr std::string_view kAnswer = "$iothub/twin/res/204/";
  NEARHUB_CHECK(answer.starts_with(kAnswer));
  const std::string report = "$iothub/twin/PATCH/properties/reported/" + answer.substr(kAnswer.size());
  const PublishTopic again = parse_publish_topic(report, {DeviceId("d"), {}});
  NEARHUB_CHECK(again.kind == PublishTopic::kTwinReport && again.has_request_id && again.request_id == topic.request_id);
  NEARHUB_CHECK(again.version == topic.version);
}

void check_publish(std::string_view text, const IdentityId& self) {
  const PublishTopic topic = parse_publish_topic(text, self);
  switch (topic.kind) {
    case PublishTopic::kTelemetry: {
      const std::string full = telemetry_topic(self) + std::string(topic.bag);
      NEARHUB_CHECK(full == text || full == std::string(text) + "/");
      const PublishTopic again = parse_publish_topic(full, self);
      NEARHUB_CHECK(again.kind == PublishTopic::kTelemetry && again.bag == topic.bag);
      return;
    }
    case PublishTopic::kTwinGet:
    case PublishTopic::kTwinReport: break;
    case PublishTopic::kMethodResponse: NEARHUB_CHECK(topic.status.find_first_of("/?") == std::string_view::npos); break;
    case PublishTopic::kUnknown: NEARHUB_CHECK(topic.bag.empty() && topic.request_id.empty() && !topic.version_given); return;
  }
  NEARHUB_CHECK(topic.bag.empty() && (topic.has_request_id || topic.request_id.empty()));
  if (topic.version) NEARHUB_CHECK(topic.version_given && *topic.version >= 0);
  if (topic.has_request_id) check_answer(topic);
}

void check_filter(std::string_view text, const IdentityId& self) {
  const Filter filter = parse_filter(text, self);
  if (!filter.acceptable) return;
  std::string topic;
  switch (filter.topic) {
    case hub::Topic::kCloudMessages:
    case hub::Topic::kCloudMessagesWildcard: topic = cloud_message_topic(self, "%24.mid=1&a=b"); break;
    case hub::Topic::kTwinResponses: topic = twin_response_topic(200, "1", 2); break;
    case hub::Topic::kDesired: topic = desired_topic(3); break;
    case hub::Topic::kMethods: topic = method_topic(filter.method.empty() ? "reboot" : filter.method, "16"); break;
    case hub::Topic::kInputs: NEARHUB_CHECK(self.is_module()); return;  // the hub sends nothing there
  }
  NEARHUB_CHECK(filter.method.empty() || filter.topic == hub::Topic::kMethods);
  // The forms without a wildcard are forgiven, though MQTT would match nothing with them.
  if (text.ends_with("/#")) NEARHUB_CHECK(matches(text, topic));
  // An id with a wildcard character cannot stand in a topic name: its owner is not reachable with a strict client.
  if (self.text().find_first_of("+#") == std::string::npos) NEARHUB_CHECK(is_topic(topic));
}

IdentityId identity_of(std::string_view line) {
  const auto [device, module] = split_once(line, '/');
  if (!check_id(device, "device").ok() || (module && !check_id(*module, "module").ok())) return {DeviceId("dev"), {}};
  return {DeviceId(device), ModuleId(module.value_or(std::string_view()))};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [line, rest] = split_once({reinterpret_cast<const char*>(data), size}, '\n');
  const IdentityId self = identity_of(line);
  const std::string_view text = rest.value_or(std::string_view());
  if (is_topic(text)) check_publish(text, self);
  if (is_filter(text)) check_filter(text, self);
  return 0;
}
