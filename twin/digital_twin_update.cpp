#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "twin/component.h"
#include "twin/digital_twin.h"

namespace nearhub::twin {
namespace {

// What has to be merged into `before` to make `after` of it: null for every member that vanishes, where both are objects. Null for one that is
// not there.
Value difference(const Value* before, const Value* after) {
  if (after == nullptr) return {};
  if (before == nullptr || !before->is_object() || !after->is_object()) return *after;
  std::unordered_map<std::string_view, const Value*> rest;
  for (const auto& [name, value] : before->members()) rest.emplace(name, &value);
  Value patch = Value::object();
  for (const auto& [name, value] : after->members()) {
    const auto found = rest.find(name);
    patch.members().emplace_back(name, difference(found == rest.end() ? nullptr : found->second, &value));
    if (found != rest.end()) rest.erase(found);
  }
  for (const auto& [name, value] : before->members()) {
    if (rest.count(name) != 0) patch.members().emplace_back(name, Value());
  }
  return patch;
}

// The desired properties while operations are carried out on a copy of them.
class Patching {
 public:
  explicit Patching(const Twin& twin) : reported_(twin.reported().root()), before_(twin.desired().root().to_value()), after_(before_) {}

  Status apply(const PatchOperation& operation) {
    touched_.emplace_back(operation.component, operation.name);
    return operation.component.empty() ? apply_to_device(operation) : apply_to_component(operation);
  }

  // A component whose last property was removed is none. Behind all operations: one of them may have given it another.
  void drop_emptied_components() {
    for (const std::string& name : removed_from_) {
      const Value* component = after_.find(name);
      if (component != nullptr && component->is_object() && component->members().size() == (is_component(component) ? 1 : 0)) after_.erase(name);
    }
  }

  Update update() const {
    Value patch = Value::object();
    for (const auto& [component, name] : touched_) {
      if (!component.empty()) continue;
      const Value *before = before_.find(name), *after = after_.find(name);
      if (before != nullptr || after != nullptr) patch.set(name, difference(before, after));
    }
    for (const auto& [component, name] : touched_) {
      if (component.empty() || is_touched_whole(component)) continue;
      const Value *before = before_.find(component), *after = after_.find(component);
      if (after == nullptr) {
        if (before != nullptr) patch.set(component, Value());
        continue;
      }
      const Value *old_value = before != nullptr ? before->find(name) : nullptr, *value = after->find(name);
      if (old_value == nullptr && value == nullptr) continue;
      Value* members = patch.find(component);
      if (members == nullptr) members = &patch.set(component, marked());
      members->set(name, difference(old_value, value));
    }
    Update update;
    if (!patch.members().empty()) update.desired = std::move(patch);
    return update;
  }

 private:
  enum class Found { kNothing, kProperty, kComponent };

  static Value marked() {
    Value component = Value::object();
    component.set(kComponentMarker, Value::string(std::string(kComponentMark)));
    return component;
  }

  Found find(std::string_view name) const {
    const Value* desired = after_.find(name);
    const SectionNode* reported = reported_.find(name);
    if (is_component(desired) || is_component(reported)) return Found::kComponent;
    return desired != nullptr || reported != nullptr ? Found::kProperty : Found::kNothing;
  }

  bool is_touched_whole(std::string_view name) const {
    return std::any_of(touched_.begin(), touched_.end(), [name](const auto& each) { return each.first.empty() && each.second == name; });
  }

  // About the latest operation, counted from 1 as people do.
  Error refusal(ErrorCode code, std::string_view what) const {
    const auto& [component, name] = touched_.back();
    return {code, fmt::format("operation {}, path \"{}/{}\": {}", touched_.size(), component.empty() ? "" : "/" + component, name, what)};
  }

  Error nothing_there(std::string_view name) const {
    return refusal(ErrorCode::kInvalidDigitalTwinPatchPath,
                       fmt::format("the digital twin has no {}; what is not there can be added, and neither replaced nor removed", name));
  }

  Error no_component(std::string_view name) const {
    return refusal(ErrorCode::kArgumentInvalid,
                       fmt::format("the device twin has {0}, but it is no component: an object with \"{1}\":\"{2}\"", name, kComponentMarker, kComponentMark));
  }

  Status apply_to_device(const PatchOperation& operation) {
    const std::string& name = operation.name;
    const Found found = find(name);
    if (operation.kind != PatchOperation::kAdd && found == Found::kNothing) return nothing_there(name);
    if (operation.kind == PatchOperation::kRemove) {
      after_.erase(name);
      return {};
    }
    if (operation.whole_component) {
      if (found == Found::kProperty) return no_component(name);
      Value component = marked();
      for (const auto& member : operation.value.members()) component.members().push_back(member);
      after_.set(name, std::move(component));
      return {};
    }
    if (found == Found::kComponent) {
      return refusal(ErrorCode::kInvalidDigitalTwinPayload,
                         fmt::format("{} is a component; its value is an object with its properties and \"$metadata\":{{}}", name));
    }
    after_.set(name, operation.value);
    return {};
  }

  Status apply_to_component(const PatchOperation& operation) {
    const std::string& name = operation.component;
    const Found found = find(name);
    if (found == Found::kProperty) return no_component(name);
    if (found == Found::kNothing) {
      return refusal(ErrorCode::kInvalidDigitalTwinPatchPath,
                         fmt::format("the digital twin has no component {0}; add it first, with \"path\":\"/{0}\" and a value with \"$metadata\":{{}}", name));
    }
    Value* desired = after_.find(name);
    if (desired != nullptr && !desired->is_object()) return no_component(name);
    const SectionNode* reported = reported_.find(name);
    const bool exists = (desired != nullptr && desired->find(operation.name) != nullptr) || (reported != nullptr && reported->find(operation.name) != nullptr);
    if (operation.kind != PatchOperation::kAdd && !exists) return nothing_there(name + "/" + operation.name);
    if (operation.kind == PatchOperation::kRemove) {
      if (desired != nullptr && desired->erase(operation.name)) removed_from_.push_back(name);
      return {};
    }
    if (desired == nullptr) desired = &after_.set(name, marked());
    if (!is_component(desired)) desired->set(kComponentMarker, Value::string(std::string(kComponentMark)));
    desired->set(operation.name, operation.value);
    return {};
  }

  const SectionNode& reported_;
  const Value before_;
  Value after_;
  std::vector<std::pair<std::string, std::string>> touched_;  // component (empty: the device itself) and name, an operation each
  std::vector<std::string> removed_from_;  // components
};

}  // namespace

Result<Update> update_of(const DigitalTwinPatch& patch, const Twin& twin) {
  Patching patching(twin);
  for (const PatchOperation& operation : patch) {
    if (Status applied = patching.apply(operation); !applied.ok()) return applied.error();
  }
  patching.drop_emptied_components();
  return patching.update();
}

}  // namespace nearhub::twin
