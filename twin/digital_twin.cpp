#include "twin/digital_twin.h"

#include <algorithm>
#include <unordered_map>

#include "base/json_writer.h"
#include "base/time_format.h"
#include "twin/component.h"

namespace nearhub::twin {
namespace {

// A member on both sides of the twin; one of them at least.
struct Sides {
  const SectionNode* desired = nullptr;
  const SectionNode* reported = nullptr;

  std::string_view name() const { return reported != nullptr ? reported->key() : desired->key(); }
};

// What is reported in its order, then what is only desired. Null: no such side.
std::vector<Sides> members_of(const SectionNode* desired, const SectionNode* reported) {
  std::unordered_map<std::string_view, const SectionNode*> waiting;
  if (desired != nullptr) {
    for (const SectionNode& member : desired->members()) waiting.emplace(member.key(), &member);
  }
  std::vector<Sides> all;
  if (reported != nullptr) {
    for (const SectionNode& member : reported->members()) {
      const auto found = waiting.find(member.key());
      all.push_back({found == waiting.end() ? nullptr : found->second, &member});
      if (found != waiting.end()) waiting.erase(found);
    }
  }
  if (desired != nullptr) {
    for (const SectionNode& member : desired->members()) {
      if (waiting.count(member.key()) != 0) all.push_back({&member, nullptr});
    }
  }
  return all;
}

bool is_number(const SectionNode* node) { return node != nullptr && node->kind() == Value::Kind::kNumber; }

// A device that gives a property up reports an acknowledgement whose value is null, which the twin then does not have.
bool is_acknowledgement(const SectionNode& node) {
  return is_number(node.find("ac")) && (node.find("value") != nullptr || is_number(node.find("av"))) &&
         std::all_of(node.members().begin(), node.members().end(), [](const SectionNode& member) {
           return member.key() == "value" || member.key() == "ac" || member.key() == "av" || member.key() == "ad";
         });
}

void write_member(JsonWriter& json, std::string_view name, const SectionNode* node) {
  if (node == nullptr) return;
  json.member(name);
  node->write(json);
}

void write_property(JsonWriter& json, JsonWriter& metadata, const Sides& property) {
  const std::string_view name = property.name();
  metadata.member(name).object();
  if (property.desired != nullptr) {
    write_member(metadata, "desiredValue", property.desired);
    metadata.member("desiredVersion", property.desired->stamp().version);
  }
  if (property.reported != nullptr) {
    if (is_acknowledgement(*property.reported)) {
      write_member(json, name, property.reported->find("value"));
      write_member(metadata, "ackVersion", property.reported->find("av"));
      write_member(metadata, "ackCode", property.reported->find("ac"));
      write_member(metadata, "ackDescription", property.reported->find("ad"));
    } else {
      write_member(json, name, property.reported);
    }
    metadata.member("lastUpdateTime", format_iso8601(property.reported->stamp().updated));
  }
  metadata.end_object();
}

void write_component(JsonWriter& json, const Sides& component) {
  const auto side = [](const SectionNode* node) { return node != nullptr && node->is_object() ? node : nullptr; };
  JsonWriter metadata;
  metadata.object();
  json.member(component.name()).object();
  for (const Sides& property : members_of(side(component.desired), side(component.reported))) {
    if (property.name() != kComponentMarker) write_property(json, metadata, property);
  }
  metadata.end_object();
  json.member("$metadata").raw(metadata.text()).end_object();
}

}  // namespace

std::string digital_twin_json(std::string_view id, std::string_view model_id, const Twin& twin) {
  JsonWriter json;
  JsonWriter metadata;
  metadata.object().member("$model", model_id);
  json.object().member("$dtId", id);
  for (const Sides& member : members_of(&twin.desired().root(), &twin.reported().root())) {
    if (is_component(member.desired) || is_component(member.reported)) {
      write_component(json, member);
    } else {
      write_property(json, metadata, member);
    }
  }
  metadata.end_object();
  json.member("$metadata").raw(metadata.text()).end_object();
  return std::move(json).take();
}

}  // namespace nearhub::twin
