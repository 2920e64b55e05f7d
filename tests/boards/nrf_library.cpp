#include "tests/boards/nrf_library.h"

#include <algorithm>

#include "base/text.h"

namespace nearhub::test {
namespace {

constexpr std::string_view kDevices = "devices/", kCloudMessages = "/messages/devicebound/";
constexpr std::string_view kDesired = "$iothub/twin/PATCH/properties/desired/", kResponses = "$iothub/twin/res/", kMethods = "$iothub/methods/POST/";

bool fits(const NrfLibrary& library, std::string_view element) { return library.element_bytes == 0 || element.size() <= library.element_bytes; }

NrfProperties parse_bag(const NrfLibrary& library, std::string_view bag) {
  NrfProperties properties;
  if (bag.starts_with('?')) bag.remove_prefix(1);
  while (!bag.empty() && properties.size() < library.properties) {
    const auto [item, rest] = split_once(bag, '&');
    bag = rest.value_or(std::string_view());
    const auto [key, value] = split_once(item, '=');
    if (!fits(library, key) || !fits(library, value.value_or(std::string_view()))) break;
    properties.emplace_back(key, value.value_or(std::string_view()));
  }
  return properties;
}

}  // namespace

std::string nrf_user_name(std::string_view host, std::string_view device) {
  return std::string(host) + "/" + std::string(device) + "/?api-version=2020-09-30";
}

std::vector<std::string> nrf_filters(const NrfLibrary& library, std::string_view device) {
  const std::string own = std::string(kDevices) + std::string(device) + std::string(kCloudMessages) + "#";
  const std::string desired = std::string(kDesired) + "#", responses = std::string(kResponses) + "#", methods = std::string(kMethods) + "#";
  if (library.generation == Generation::kFirst) return {own, desired, responses, methods};
  return {"devices/+/messages/devicebound/#", methods, desired, responses};
}

std::string nrf_telemetry_topic(const NrfLibrary& library, std::string_view device, const NrfProperties& properties) {
  std::string topic = std::string(kDevices) + std::string(device) + "/messages/events/";
  const char* separator = library.generation == Generation::kFirst ? "?" : "";
  for (const auto& [key, value] : properties) {
    topic += separator + key + "=" + value;
    separator = "&";
  }
  return topic;
}

std::string NrfTopic::property(std::string_view key) const {
  const auto found = std::find_if(properties.begin(), properties.end(), [key](const auto& one) { return one.first == key; });
  return found == properties.end() ? std::string() : found->second;
}

NrfTopic nrf_parse_topic(const NrfLibrary& library, std::string_view topic) {
  NrfTopic parsed;
  const auto behind = [topic](std::string_view prefix) { return topic.substr(prefix.size()); };
  if (topic.starts_with(kDesired)) {
    parsed.kind = NrfTopic::kDesired;
    parsed.properties = parse_bag(library, behind(kDesired));
  } else if (topic.starts_with(kResponses)) {
    const auto [status, bag] = split_once(behind(kResponses), '/');
    const auto number = parse_decimal(status);
    if (!number || !bag) return parsed;
    parsed.kind = NrfTopic::kTwinResponse;
    parsed.status = static_cast<int>(*number);
    parsed.properties = parse_bag(library, *bag);
  } else if (topic.starts_with(kMethods)) {
    const auto [name, bag] = split_once(behind(kMethods), '/');
    // A name that is too long is no method: nobody hears of it, and the caller waits in vain.
    if (!bag || !fits(library, name)) return parsed;
    parsed.kind = NrfTopic::kMethod;
    parsed.name = name;
    parsed.properties = parse_bag(library, *bag);
  } else if (const std::size_t at = topic.find(kCloudMessages); topic.starts_with(kDevices) && at != std::string_view::npos) {
    parsed.kind = NrfTopic::kCloudMessage;
    // The first generation copies the device id as an element, too.
    if (fits(library, topic.substr(kDevices.size(), at - kDevices.size()))) parsed.properties = parse_bag(library, topic.substr(at + kCloudMessages.size()));
  }
  return parsed;
}

}  // namespace nearhub::test
