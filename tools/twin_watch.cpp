#include "tools/twin_watch.h"

#include <fmt/core.h>

#include <utility>

#include "base/json_writer.h"
#include "base/time_format.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

// Members that change without an update of the twin itself, and that people wait for.
constexpr std::string_view kStates[] = {"status", "statusReason", "connectionState", "modelId"};

struct Section {
  std::string_view name;
  bool is_property;  // below "properties", with $metadata and $version
};
constexpr Section kSections[] = {{"tags", false}, {"desired", true}, {"reported", true}};

const JsonValue* section_of(const JsonValue& twin, const Section& section) {
  return section.is_property ? find_path(twin, {"properties", section.name}) : find_path(twin, {section.name});
}

const JsonValue* object_or_null(const JsonValue* value) { return value != nullptr && value->IsObject() ? value : nullptr; }

bool is_same(const JsonValue* before, const JsonValue* after) {
  if (before == nullptr || after == nullptr) return before == after;
  return *before == *after;
}

// What has to be merged into `before` to make `after` of it, as an object. Both are objects; null is an empty one.
void write_difference(JsonWriter& json, const JsonValue* before, const JsonValue* after, bool with_version) {
  json.object();
  if (after != nullptr) {
    for (const auto& [key, value] : after->GetObject()) {
      const std::string_view name = string_of(key);
      if (name == "$metadata" || (name == "$version" && !with_version)) continue;
      const JsonValue* old_value = before != nullptr ? find_member(*before, name) : nullptr;
      if (is_same(old_value, &value)) continue;
      json.member(name);
      if (value.IsObject() && old_value != nullptr && old_value->IsObject()) {
        write_difference(json, old_value, &value, with_version);
      } else {
        json.raw(to_json(value));
      }
    }
  }
  if (before != nullptr) {
    for (const auto& [key, value] : before->GetObject()) {
      if (after == nullptr || find_member(*after, string_of(key)) == nullptr) json.member(string_of(key)).null();
    }
  }
  json.end_object();
}

class Watch {
 public:
  Watch(HubClient& hub, const IdentityId& id, bool json, Console& console) : hub_(hub), id_(id), json_(json), console_(console) {}

  Status run(const Interrupt& interrupt) {
    auto first = read();
    if (!first.ok()) return first.error();
    twin_ = std::move(*first);
    console_.say(fmt::format("watching the twin of {} at {}, now of version {}; Ctrl-C ends", describe(id_), hub_.address().endpoint(), text_at(twin_, {"version"})));
    while (!interrupt.wait(kWatchInterval)) {
      auto twin = read();
      if (!twin.ok()) {
        if (Status goes_on = take_failure(twin.error()); !goes_on.ok()) return goes_on;
        continue;
      }
      if (std::exchange(lost_, false)) console_.say("the hub is back");
      if (std::exchange(gone_, false)) console_.say(fmt::format("{} is there again", describe(id_)));
      if (!show(*twin)) return {};
      twin_ = std::move(*twin);
    }
    return {};
  }

 private:
  Result<JsonDocument> read() {
    const auto body = hub_.get(twin_path(id_));
    if (!body.ok()) return body.error();
    return parse_object(*body);
  }

  // Says what is waited for. Fails with what waiting does not mend.
  Status take_failure(const Error& error) {
    if (error.code == ErrorCode::kDeviceNotFound) {
      if (std::exchange(gone_, true)) return {};
      twin_.SetObject();
      console_.say(fmt::format("{} is deleted; waiting for one of that name (Ctrl-C ends)", describe(id_)));
      return {};
    }
    if (http_status(error.code) < 500 && error.code != ErrorCode::kThrottlingException) return error;
    if (!std::exchange(lost_, true)) console_.say(fmt::format("{}; waiting for the hub (Ctrl-C ends)", error.detail));
    static_cast<void>(hub_.find_again());  // it may listen elsewhere after a restart; the next look tells
    return {};
  }

  // False when nobody reads any more.
  bool show(const JsonValue& twin) {
    const std::vector<TwinChange> changes = changes_of(twin_, twin);
    if (changes.empty()) return true;
    const std::string now = format_iso8601(hub_.now());
    if (json_) return console_.print(change_json(twin_, twin, now) + "\n");
    std::string lines;
    for (const TwinChange& change : changes) {
      lines += fmt::format("{}  {}  {}\n", show_time(change.time.empty() ? now : change.time), terminal_text(change.part), terminal_text(change.value));
    }
    return console_.print(lines);
  }

  HubClient& hub_;
  const IdentityId id_;
  const bool json_;
  Console& console_;
  JsonDocument twin_;  // as it was shown; empty while there is none
  bool lost_ = false;
  bool gone_ = false;
};

}  // namespace

Status watch_twin(HubClient& hub, const IdentityId& id, bool json, const Interrupt& interrupt, Console& console) {
  return Watch(hub, id, json, console).run(interrupt);
}

std::vector<TwinChange> changes_of(const JsonValue& before, const JsonValue& after) {
  std::vector<TwinChange> changes;
  for (const std::string_view name : kStates) {
    const JsonValue *old_value = find_member(before, name), *value = find_member(after, name);
    if (is_same(old_value, value)) continue;
    changes.push_back({std::string(name), value == nullptr ? "null" : value->IsString() ? std::string(string_of(*value)) : to_json(*value), {}});
  }
  for (const Section& section : kSections) {
    const JsonValue *old_value = object_or_null(section_of(before, section)), *value = object_or_null(section_of(after, section));
    if (is_same(old_value, value)) continue;
    JsonWriter json;
    write_difference(json, old_value, value, false);
    std::string part(section.name), time;
    if (section.is_property && value != nullptr) {
      part += ", $version " + text_at(*value, {"$version"});
      time = text_at(*value, {"$metadata", "$lastUpdated"});
    }
    changes.push_back({std::move(part), std::move(json).take(), std::move(time)});
  }
  return changes;
}

std::string change_json(const JsonValue& before, const JsonValue& after, std::string_view time) {
  JsonWriter json;
  json.object().member("time", time).member("version", integer_at(after, {"version"}));
  for (const std::string_view name : kStates) {
    const JsonValue* value = find_member(after, name);
    if (is_same(find_member(before, name), value)) continue;
    json.member(name).raw(value != nullptr ? to_json(*value) : "null");
  }
  JsonWriter properties;
  properties.object();
  bool has_properties = false;
  for (const Section& section : kSections) {
    const JsonValue *old_value = object_or_null(section_of(before, section)), *value = object_or_null(section_of(after, section));
    if (is_same(old_value, value)) continue;
    JsonWriter& out = section.is_property ? properties : json;
    has_properties |= section.is_property;
    out.member(section.name);
    write_difference(out, old_value, value, true);
  }
  properties.end_object();
  if (has_properties) json.member("properties").raw(properties.text());
  json.end_object();
  return std::move(json).take();
}

}  // namespace nearhub::tools
