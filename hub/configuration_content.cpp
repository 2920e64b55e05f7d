// The content of a configuration: keys with paths of desired properties, as values by twin.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/text.h"
#include "hub/configuration_target.h"
#include "twin/section.h"

namespace nearhub::hub {
namespace {

using twin::Value;

constexpr std::string_view kDesired = "properties.desired";
constexpr std::string_view kEdgeAgent = "$edgeAgent";

// What the cloud says, and why.
Error invalid_content(std::string why) {
  return {ErrorCode::kInvalidConfigurationContent, "The content provided for configuration is invalid. Please check and try again: " + std::move(why)};
}

// Nulls say "no such member".
void drop_nulls(Value& object) {
  auto& members = object.members();
  std::erase_if(members, [](const auto& member) { return member.second.is_null(); });
  for (auto& [name, value] : members) {
    if (value.is_object()) drop_nulls(value);
  }
}

// "properties.desired.a.b": the values stand at a.b. Fails when the path meets another one's value.
Status place(Value& desired, std::string_view where, std::string_view key, Value value) {
  Value* at = &desired;
  std::string_view rest = key.substr(kDesired.size());
  if (rest.empty() && !value.is_object()) return invalid_content(fmt::format("{}.{} is {}; expected an object", where, printable(key), twin::kind_name(value.kind())));
  if (value.is_object()) drop_nulls(value);
  while (!rest.empty()) {
    const auto [name, more] = split_once(rest.substr(1), '.');
    if (name.empty()) return invalid_content(fmt::format("{}: the key \"{}\" has an empty name in it", where, printable(key)));
    rest = more ? rest.substr(1 + name.size()) : std::string_view();
    Value* next = at->find(name);
    if (next == nullptr) next = &at->set(name, rest.empty() ? Value::null() : Value::object());
    at = next;
    if (!rest.empty() && !at->is_object()) return invalid_content(fmt::format("{}: \"{}\" contradicts another key", where, printable(key)));
  }
  if (at->is_null()) {
    *at = std::move(value);
    return {};
  }
  // An object may be said in parts.
  if (!at->is_object() || !value.is_object()) return invalid_content(fmt::format("{}: \"{}\" contradicts another key", where, printable(key)));
  for (auto& [name, member] : value.members()) {
    if (at->find(name) != nullptr) return invalid_content(fmt::format("{}: \"{}\" contradicts another key", where, printable(key)));
    at->set(name, std::move(member));
  }
  return {};
}

// What one twin is to have, of an object of keys with their paths.
Result<TwinContent> parse_twin_content(const Value& keys, const std::string& where) {
  if (!keys.is_object()) return invalid_content(fmt::format("{} is {}; expected an object", where, twin::kind_name(keys.kind())));
  TwinContent content;
  content.desired = Value::object();
  for (const auto& [key, value] : keys.members()) {
    const bool whole = key == kDesired;
    if (!whole && !key.starts_with(std::string(kDesired) + ".")) {
      return invalid_content(fmt::format("{} has the key \"{}\"; keys are {} and paths below it", where, printable(key, 100), kDesired));
    }
    content.whole |= whole;
    if (value.is_null()) continue;
    if (Status placed = place(content.desired, where, key, value); !placed.ok()) return placed.error();
  }
  drop_nulls(content.desired);
  if (const auto legal = twin::Section(twin::SectionKind::kDesired).check_replacement(content.desired); !legal.ok()) return invalid_content(where + ": " + legal.error().detail);
  return content;
}

}  // namespace

const TwinContent* ConfigurationContent::find(std::string_view module) const {
  const auto found = std::find_if(twins.begin(), twins.end(), [module](const TwinContent& each) { return each.module == module; });
  return found == twins.end() ? nullptr : &*found;
}

bool ConfigurationContent::is_base() const {
  const TwinContent* agent = kind == ConfigurationKind::kEdge ? find(kEdgeAgent) : nullptr;
  return agent != nullptr && agent->whole;
}

Result<ConfigurationContent> parse_content(std::string_view text) {
  if (text.empty()) return invalid_content("content is missing");
  if (text.size() > kMaxConfigurationContentBytes) return invalid_content(fmt::format("it has {} bytes; at most {} are allowed", text.size(), kMaxConfigurationContentBytes));
  const auto parsed = twin::parse_value(text);
  if (!parsed.ok()) return invalid_content(parsed.error().detail);
  if (!parsed->is_object()) return invalid_content(fmt::format("content is {}; expected an object", twin::kind_name(parsed->kind())));
  const Value* chosen = nullptr;
  ConfigurationContent content;
  std::string where;
  for (const auto& [name, kind] : {std::pair{"deviceContent", ConfigurationKind::kDevice}, std::pair{"moduleContent", ConfigurationKind::kModule},
                                   std::pair{"modulesContent", ConfigurationKind::kEdge}}) {
    const Value* member = parsed->find(name);
    if (member == nullptr || member->is_null()) continue;
    if (chosen != nullptr) return invalid_content(fmt::format("it has {} and {}; one of them is allowed", where, name));
    chosen = member;
    content.kind = kind;
    where = name;
  }
  if (chosen == nullptr) return invalid_content("it has neither deviceContent nor moduleContent nor modulesContent");
  if (!chosen->is_object()) return invalid_content(fmt::format("{} is {}; expected an object", where, twin::kind_name(chosen->kind())));
  if (content.kind != ConfigurationKind::kEdge) {
    auto twin = parse_twin_content(*chosen, where);
    if (!twin.ok()) return std::move(twin).error();
    twin->whole = false;
    content.twins.push_back(std::move(*twin));
    return content;
  }
  for (const auto& [module, keys] : chosen->members()) {
    if (Status legal = check_id(module, where + ": a module's id"); !legal.ok()) return invalid_content(legal.error().detail);
    auto twin = parse_twin_content(keys, where + "." + module);
    if (!twin.ok()) return std::move(twin).error();
    twin->module = module;
    content.twins.push_back(std::move(*twin));
  }
  if (content.find(kEdgeAgent) == nullptr) return invalid_content("modulesContent has no $edgeAgent");
  return content;
}

}  // namespace nearhub::hub
