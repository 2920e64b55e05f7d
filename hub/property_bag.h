// The property bag: how a message's properties travel in an MQTT topic, and how the hub keeps them (reference/device-mqtt.md 4.2, 4.3, 5.1).
//
//   bag = item *( "&" item );  item = key [ "=" [ value ] ];  both percent-encoded
//
// A device's bag is stored as it came and decoded when somebody reads the message: most telemetry is never read property by property.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nearhub::hub {

// A bound of our own on the items of one bag; a bag with more is refused. MQTT's topic length allows 32,767.
inline constexpr std::size_t kMaxBagItems = 1024;

// The items of a bag, still encoded, without an allocation. One leading '?' and one trailing '/' are stripped; empty items are skipped.
class BagReader {
 public:
  explicit BagReader(std::string_view bag);
  bool next(std::string_view& key, std::optional<std::string_view>& value);

 private:
  std::string_view rest_;
};

struct Properties {
  // By their AMQP/JSON names: "message-id", "content-type", "iothub-creation-time-utc", "dt-subject"...
  std::vector<std::pair<std::string, std::string>> system;
  // A key without '=' has no value, one with nothing behind it an empty one.
  std::vector<std::pair<std::string, std::optional<std::string>>> application;

  const std::string* find_system(std::string_view name) const;
};

// Decodes a device's bag: keys are decoded before the "$." prefix is looked for; the last of two equal keys wins; unknown "$.x" are dropped, and
// so are application properties with names that only the hub may set (4.6), which nobody may spoof.
Properties decode_bag(std::string_view bag);

// What the size limit counts: system property values, application property names and values, decoded.
std::size_t property_bytes(std::string_view bag);

std::size_t count_items(std::string_view bag);

// Appends key=value to a bag, percent-encoded.
void append_property(std::string& bag, std::string_view key, std::string_view value);

}  // namespace nearhub::hub
