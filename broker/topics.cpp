#include "broker/topics.h"

#include <fmt/core.h>

#include "base/text.h"
#include "hub/limits.h"

namespace nearhub::broker {
namespace {

constexpr std::string_view kDevices = "devices/";
constexpr std::string_view kModules = "/modules/";
constexpr std::string_view kHub = "$iothub/";

// Takes `prefix` off the text when it begins with it.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes "devices/{d}" or "devices/{d}/modules/{m}" off the text: the connection's own identity, whole ids.
bool take_self(std::string_view& text, const IdentityId& self) {
  std::string_view rest = text;
  if (!take(rest, kDevices) || !take(rest, self.device.view())) return false;
  if (self.is_module() && (!take(rest, kModules) || !take(rest, self.module.view()))) return false;
  if (!rest.starts_with('/')) return false;
  text = rest;
  return true;
}

// The part behind a fixed prefix, from "/?$rid=1&$version=2" on. The slash and the question mark may be missing (device-mqtt.md 11, General 4).
void parse_query(std::string_view query, PublishTopic& topic) {
  take(query, "/");
  take(query, "?");
  while (!query.empty()) {
    const auto [item, rest] = split_once(query, '&');
    query = rest.value_or(std::string_view());
    const auto [name, value] = split_once(item, '=');
    if (name == "$rid" && !topic.has_request_id) {
      topic.has_request_id = true;
      topic.request_id = value.value_or(std::string_view());
    } else if (name == "$version") {
      topic.version_given = true;
      const auto number = parse_decimal(value.value_or(std::string_view()));
      if (number && *number <= INT64_MAX) topic.version = static_cast<std::int64_t>(*number);
    }
  }
}

// A fixed resource is followed by nothing, a slash or a question mark: "twin/GETTER" is not "twin/GET".
bool take_resource(std::string_view& text, std::string_view resource) {
  std::string_view rest = text;
  if (!take(rest, resource)) return false;
  if (!rest.empty() && rest.front() != '/' && rest.front() != '?') return false;
  text = rest;
  return true;
}

PublishTopic parse_hub_topic(std::string_view rest) {
  PublishTopic topic;
  if (take_resource(rest, "twin/GET")) {
    topic.kind = PublishTopic::kTwinGet;
  } else if (take_resource(rest, "twin/PATCH/properties/reported")) {
    topic.kind = PublishTopic::kTwinReport;
  } else if (take(rest, "methods/res/")) {
    topic.kind = PublishTopic::kMethodResponse;
    const auto end = rest.find_first_of("/?");
    topic.status = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  } else {
    return topic;
  }
  parse_query(rest, topic);
  return topic;
}

std::string own_topic(const IdentityId& self) {
  std::string topic = std::string(kDevices) + self.device.str();
  if (self.is_module()) topic.append(kModules).append(self.module.str());
  return topic;
}

bool is_in_another_case(std::string_view topic, std::string_view right) {
  return starts_with_ignoring_case(topic, right) && !topic.starts_with(right);
}

// Of a topic that begins with "devices/", in any case: what is wrong with its ids. Empty: nothing.
std::string identity_advice(std::string_view topic, const IdentityId& self) {
  constexpr const char* kIds = "the ids must be those of the connection, byte for byte";
  topic.remove_prefix(kDevices.size());
  const auto [device, behind] = split_once(topic, '/');
  if (device != self.device.view()) return kIds;
  const std::string_view rest = behind.value_or(std::string_view());
  const bool names_module = starts_with_ignoring_case(rest, kModules.substr(1));
  if (!self.is_module()) return names_module ? "that is a module's topic: the module needs a connection of its own" : "";
  if (!names_module) return "that is the device's topic, and this is a module's connection: its topics begin with " + own_topic(self) + "/";
  return split_once(rest.substr(kModules.size() - 1), '/').first == self.module.view() ? "" : kIds;
}

// A filter for everything below a fixed topic: with "/#", "/" or nothing behind it.
bool is_subtree(std::string_view rest) { return rest.empty() || rest == "/" || rest == "/#"; }

}  // namespace

PublishTopic parse_publish_topic(std::string_view topic, const IdentityId& self) {
  PublishTopic parsed;
  std::string_view rest = topic;
  if (take(rest, kHub)) return parse_hub_topic(rest);
  if (!take_self(rest, self) || !take(rest, "/messages/events")) return parsed;
  if (rest.empty() || rest.front() == '/') {
    parsed.kind = PublishTopic::kTelemetry;
    take(rest, "/");
    parsed.bag = rest;
  }
  return parsed;
}

Filter parse_filter(std::string_view filter, const IdentityId& self) {
  const auto accept = [](hub::Topic topic, std::string_view method = {}) { return Filter{true, topic, method}; };
  std::string_view rest = filter;
  if (take(rest, kHub)) {
    if (take(rest, "twin/res")) return is_subtree(rest) ? accept(hub::Topic::kTwinResponses) : Filter();
    if (take(rest, "twin/PATCH/properties/desired")) return is_subtree(rest) ? accept(hub::Topic::kDesired) : Filter();
    if (take(rest, "methods/POST")) {
      if (is_subtree(rest)) return accept(hub::Topic::kMethods);
      if (!take(rest, "/")) return {};
      const auto [name, below] = split_once(rest, '/');
      if (name.empty() || name.size() > hub::kMaxMethodNameBytes || name.find_first_of("+#") != std::string_view::npos) return {};
      return !below || *below == "#" || below->empty() ? accept(hub::Topic::kMethods, name) : Filter();
    }
    return {};
  }
  // "devices/+/messages/devicebound/#": the plus sign stands for the own id only (3.1). A device called "+" means itself, too.
  if (std::string_view wild = filter; !self.is_module() && take(wild, "devices/+/messages/devicebound") && is_subtree(wild)) {
    return accept(hub::Topic::kCloudMessagesWildcard);
  }
  if (!take_self(rest, self)) return {};
  if (std::string_view own = rest; take(own, "/messages/devicebound")) return is_subtree(own) ? accept(hub::Topic::kCloudMessages) : Filter();
  if (!self.is_module()) return {};
  if (rest == "/#") return accept(hub::Topic::kInputs);
  return take(rest, "/inputs") && is_subtree(rest) ? accept(hub::Topic::kInputs) : Filter();
}

std::string telemetry_topic(const IdentityId& self) { return own_topic(self) + "/messages/events/"; }

std::string twin_response_filter() { return std::string(kHub) + "twin/res/#"; }

std::string publish_advice(std::string_view topic, const IdentityId& self) {
  if (topic.starts_with('/')) return "leave out the leading slash";
  if (!starts_with_ignoring_case(topic, kDevices)) return {};
  if (auto advice = identity_advice(topic, self); !advice.empty()) return advice;
  const std::string right = telemetry_topic(self);
  if (is_in_another_case(topic, own_topic(self) + "/messages/events")) return "topics are case-sensitive: " + right;
  return "the ids are right, what follows them is not: " + right + " with the properties behind it";
}

std::string filter_advice(std::string_view filter, const IdentityId& self) {
  if (!starts_with_ignoring_case(filter, kDevices)) return "a hub is no broker: a device receives only what is meant for it";
  if (auto advice = identity_advice(filter, self); !advice.empty()) return advice;
  const std::string right = cloud_message_topic(self, "#");
  if (starts_with_ignoring_case(filter, telemetry_topic(self))) return "that is where a device sends; it receives at " + right;
  if (is_in_another_case(filter, own_topic(self) + "/messages/devicebound")) return "topics are case-sensitive: " + right;
  return "the ids are right, what follows them is not: " + right;
}

std::string cloud_message_topic(const IdentityId& self, std::string_view bag) { return own_topic(self).append("/messages/devicebound/").append(bag); }

std::string twin_response_topic(int status, std::string_view request_id, std::optional<std::int64_t> version) {
  std::string topic = fmt::format("{}twin/res/{}/?$rid={}", kHub, status, request_id);
  if (version) topic += fmt::format("&$version={}", *version);
  return topic;
}

std::string desired_topic(std::int64_t version) { return fmt::format("{}twin/PATCH/properties/desired/?$version={}", kHub, version); }

std::string method_topic(std::string_view name, std::string_view request_id) {
  return fmt::format("{}methods/POST/{}/?$rid={}", kHub, name, request_id);
}

}  // namespace nearhub::broker
