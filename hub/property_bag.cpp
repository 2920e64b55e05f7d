#include "hub/property_bag.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/url.h"

namespace nearhub::hub {
namespace {

struct SystemName {
  std::string_view in_bag;
  std::string_view name;
};

// device-mqtt.md 4.3.
constexpr std::array kSystemNames = {
    SystemName{"$.mid", "message-id"},
    SystemName{"$.cid", "correlation-id"},
    SystemName{"$.uid", "user-id"},
    SystemName{"$.to", "to"},
    SystemName{"$.ct", "content-type"},
    SystemName{"$.ce", "content-encoding"},
    SystemName{"$.exp", "absolute-expiry-time"},
    SystemName{"$.ctime", "iothub-creation-time-utc"},
    SystemName{"$.on", "iothub-outputname"},
    SystemName{"$.schema", "iothub-message-schema"},
    SystemName{"$.ifid", "iothub-interface-id"},
    SystemName{"$.sub", "dt-subject"},
    SystemName{"$.diagid", "iothub-diagid"},
    SystemName{"$.diagctx", "iothub-diagctx"},
    SystemName{"iothub-ack", "iothub-ack"},
    SystemName{"iothub-operation", "iothub-operation"},
};

// Set by the hub alone (4.6): a device that sends one as its own property would lie to the reader.
constexpr std::array<std::string_view, 9> kStampedNames = {
    "iothub-connection-device-id",   "iothub-connection-module-id", "iothub-connection-auth-generation-id",
    "iothub-connection-auth-method", "iothub-enqueuedtime",         "iothub-message-source",
    "dt-dataschema",                 "iothub-MessageType",          "mqtt-retain",
};

const SystemName* find_system_name(std::string_view key) {
  for (const SystemName& name : kSystemNames) {
    if (name.in_bag == key) return &name;
  }
  return nullptr;
}

template <typename Items, typename Value>
void set_last(Items& items, std::string key, Value value) {
  const auto found = std::find_if(items.begin(), items.end(), [&key](const auto& item) { return item.first == key; });
  if (found != items.end()) {
    found->second = std::move(value);
  } else {
    items.emplace_back(std::move(key), std::move(value));
  }
}

}  // namespace

BagReader::BagReader(std::string_view bag) : rest_(bag) {
  if (rest_.starts_with('?')) rest_.remove_prefix(1);
  if (rest_.ends_with('/')) rest_.remove_suffix(1);
}

bool BagReader::next(std::string_view& key, std::optional<std::string_view>& value) {
  while (!rest_.empty()) {
    const auto [item, more] = split_once(rest_, '&');
    rest_ = more.value_or(std::string_view());
    if (item.empty()) continue;
    const auto [name, content] = split_once(item, '=');
    key = name;
    value = content;
    return true;
  }
  return false;
}

const std::string* Properties::find_system(std::string_view name) const {
  for (const auto& [key, value] : system) {
    if (key == name) return &value;
  }
  return nullptr;
}

Properties decode_bag(std::string_view bag) {
  Properties properties;
  BagReader reader(bag);
  std::string_view raw_key;
  std::optional<std::string_view> raw_value;
  while (reader.next(raw_key, raw_value)) {
    std::string key = percent_decode(raw_key);
    if (key.empty()) continue;
    if (const SystemName* system = find_system_name(key)) {
      set_last(properties.system, std::string(system->name), percent_decode(raw_value.value_or(std::string_view())));
    } else if (key.starts_with("$.")) {
      continue;
    } else if (std::find(kStampedNames.begin(), kStampedNames.end(), key) == kStampedNames.end()) {
      std::optional<std::string> value;
      if (raw_value) value = percent_decode(*raw_value);
      set_last(properties.application, std::move(key), std::move(value));
    }
  }
  return properties;
}

std::size_t property_bytes(std::string_view bag) {
  const Properties properties = decode_bag(bag);
  std::size_t bytes = 0;
  for (const auto& [name, value] : properties.system) bytes += value.size();
  for (const auto& [name, value] : properties.application) bytes += name.size() + (value ? value->size() : 0);
  return bytes;
}

std::size_t count_items(std::string_view bag) {
  if (bag.empty()) return 0;
  return static_cast<std::size_t>(std::count(bag.begin(), bag.end(), '&')) + 1;
}

void append_property(std::string& bag, std::string_view key, std::string_view value) {
  if (!bag.empty()) bag += '&';
  append_percent_encoded(bag, key);
  bag += '=';
  append_percent_encoded(bag, value);
}

}  // namespace nearhub::hub
