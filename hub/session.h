// What an identity is subscribed to. Flags, not filters: a hub has a fixed list of topics (reference/device-mqtt.md 3.1), so a delivery asks one bit.
//
// Kept in the store while the client connects with clean session 0, and restored at its next connect (2.4).
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nearhub::hub {

// One per spelling that a client may use, so that distinct filters can be counted (the cloud allows five).
enum class Topic : std::uint8_t {
  kCloudMessages,          // devices/{id}/messages/devicebound/#
  kCloudMessagesWildcard,  // devices/+/messages/devicebound/#: the own ones all the same
  kTwinResponses,          // $iothub/twin/res/#
  kDesired,                // $iothub/twin/PATCH/properties/desired/#
  kMethods,                // $iothub/methods/POST/#
  kInputs,                 // devices/{d}/modules/{m}/inputs/# or .../#: accepted; the hub never sends to inputs
};
inline constexpr int kTopics = 6;

struct Session {
  std::uint16_t subscribed = 0;  // a bit per Topic
  std::uint16_t at_qos1 = 0;     // the granted QoS of each
  std::vector<std::string> method_names;  // $iothub/methods/POST/{name}/#

  bool has(Topic topic) const { return (subscribed >> static_cast<unsigned>(topic) & 1u) != 0; }
  void add(Topic topic, int qos) {
    const auto bit = static_cast<std::uint16_t>(1u << static_cast<unsigned>(topic));
    subscribed = static_cast<std::uint16_t>(subscribed | bit);
    at_qos1 = static_cast<std::uint16_t>(qos > 0 ? at_qos1 | bit : at_qos1 & ~bit);
  }
  void remove(Topic topic) {
    const auto bit = static_cast<std::uint16_t>(1u << static_cast<unsigned>(topic));
    subscribed = static_cast<std::uint16_t>(subscribed & ~bit);
    at_qos1 = static_cast<std::uint16_t>(at_qos1 & ~bit);
  }

  bool cloud_messages() const { return has(Topic::kCloudMessages) || has(Topic::kCloudMessagesWildcard); }
  int cloud_message_qos() const {
    const unsigned bits = 1u << static_cast<unsigned>(Topic::kCloudMessages) | 1u << static_cast<unsigned>(Topic::kCloudMessagesWildcard);
    return (at_qos1 & bits) != 0 ? 1 : 0;
  }
  bool methods(std::string_view name) const {
    if (has(Topic::kMethods)) return true;
    for (const std::string& known : method_names) {
      if (known == name) return true;
    }
    return false;
  }
  bool empty() const { return subscribed == 0 && method_names.empty(); }

  friend bool operator==(const Session&, const Session&) = default;
};

}  // namespace nearhub::hub
