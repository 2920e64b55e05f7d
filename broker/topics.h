// The hub's MQTT topics: what a device may publish to and subscribe to, and where the hub publishes (reference/device-mqtt.md sections 3 to 7).
//
// Ids are compared as they are: they may hold characters that mean something in MQTT or URLs. Matching is by literal prefix; nothing is
// allocated.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "hub/session.h"

namespace nearhub::broker {

// It comes back in the topic of the answer, which is longer than that of the request; clients send 36 bytes at the most.
inline constexpr std::size_t kMaxRequestIdBytes = 1024;

// What a PUBLISH of a device is for. Views are into the topic.
struct PublishTopic {
  enum Kind { kTelemetry, kTwinGet, kTwinReport, kMethodResponse, kUnknown };
  Kind kind = kUnknown;
  std::string_view bag;         // telemetry
  std::string_view request_id;  // the text of $rid, verbatim
  bool has_request_id = false;
  bool version_given = false;   // report: $version was there...
  std::optional<std::int64_t> version;  // ...and a number
  std::string_view status;      // method response: between res/ and the next slash
};
PublishTopic parse_publish_topic(std::string_view topic, const IdentityId& self);

// What a filter asks for. The wildcard filter of cloud-to-device messages means the own ones.
struct Filter {
  bool acceptable = false;
  hub::Topic topic = hub::Topic::kCloudMessages;
  std::string_view method;  // not empty: one method only
};
Filter parse_filter(std::string_view filter, const IdentityId& self);

// What the device could have published or subscribed to, for reasons: "devices/d/messages/events/", "$iothub/twin/res/#".
std::string telemetry_topic(const IdentityId& self);
std::string twin_response_filter();
// How to mend a topic or filter that means nothing to the hub; may be empty.
std::string publish_advice(std::string_view topic, const IdentityId& self);
std::string filter_advice(std::string_view filter, const IdentityId& self);

// The hub's own topics.
std::string cloud_message_topic(const IdentityId& self, std::string_view bag);
std::string twin_response_topic(int status, std::string_view request_id, std::optional<std::int64_t> version);
std::string desired_topic(std::int64_t version);
std::string method_topic(std::string_view name, std::string_view request_id);

}  // namespace nearhub::broker
