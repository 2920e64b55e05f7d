#include "hub/configuration_merge.h"

#include "base/check.h"
#include "base/json_writer.h"

namespace nearhub::hub {
namespace {

using twin::SectionNode;
using twin::Value;

// Finds members of an object, the one behind the last hit first: what was applied before stands in the order of the content.
class Members {
 public:
  explicit Members(const SectionNode& object) : members_(object.members()) {}
  const SectionNode* find(std::string_view name) {
    if (next_ >= members_.size() || members_[next_].key() != name) {
      next_ = 0;
      while (next_ < members_.size() && members_[next_].key() != name) ++next_;
      if (next_ == members_.size()) return nullptr;
    }
    return &members_[next_++];
  }

 private:
  const std::vector<SectionNode>& members_;
  std::size_t next_ = 0;
};

// Members in any order.
bool same(const SectionNode& node, const Value& value) {
  if (node.kind() != value.kind()) return false;
  if (value.is_array()) return node.text() == value.to_json();
  if (!value.is_object()) return node.text() == value.text();
  if (node.members().size() != value.members().size()) return false;
  Members members(node);
  for (const auto& [name, member] : value.members()) {
    const SectionNode* there = members.find(name);
    if (there == nullptr || !same(*there, member)) return false;
  }
  return true;
}

// What is to be removed of an object; `all`: nothing of it would be left.
Value removal(const SectionNode& current, const Value& content, const Value* wanted, bool& all) {
  Value patch = Value::object();
  std::size_t removed = 0;
  Members members(current);
  for (const auto& [name, value] : content.members()) {
    const SectionNode* there = members.find(name);
    if (there == nullptr) continue;
    const Value* kept = wanted != nullptr && wanted->is_object() ? wanted->find(name) : nullptr;
    if (kept == nullptr && same(*there, value)) {
      patch.set(name, Value::null());
      ++removed;
      continue;
    }
    if (!there->is_object() || !value.is_object() || (kept != nullptr && !kept->is_object())) continue;
    bool inner_all = false;
    Value inner = removal(*there, value, kept, inner_all);
    if (inner.members().empty()) continue;
    if (inner_all && kept == nullptr) {
      inner = Value::null();
      ++removed;
    }
    patch.set(name, std::move(inner));
  }
  all = removed == current.members().size();
  return patch;
}

// What stands in the patch already stays.
void merge_patch(Value& patch, const Value& more) {
  for (const auto& [name, value] : more.members()) {
    Value* there = patch.find(name);
    if (there == nullptr) {
      patch.set(name, value);
    } else if (there->is_object() && value.is_object()) {
      merge_patch(*there, value);
    }
  }
}

}  // namespace

bool merge_below(Value& into, const Value& lower) {
  if (into.members().empty()) {
    into = lower;
    return true;
  }
  bool merged = lower.members().empty();
  for (const auto& [name, value] : lower.members()) {
    Value* there = into.find(name);
    if (there == nullptr) {
      into.set(name, value);
      merged = true;
    } else if (there->is_object() && value.is_object()) {
      merged |= merge_below(*there, value);
    } else {
      merged |= there->kind() == value.kind() && there->to_json() == value.to_json();
    }
  }
  return merged;
}

MergedContent merge_contents(std::span<const Contribution> ranked) {
  MergedContent merged;
  for (const Contribution& each : ranked) {
    bool applied = each.takes_part;
    if (applied && each.desired != nullptr) applied = merge_below(merged.desired, *each.desired);
    merged.states.push_back({std::string(each.id), applied});
  }
  return merged;
}

Value difference(const SectionNode& current, const Value& wanted, bool whole) {
  Value patch = Value::object();
  Members members(current);
  for (const auto& [name, value] : wanted.members()) {
    const SectionNode* there = members.find(name);
    if (there == nullptr || !there->is_object() || !value.is_object()) {
      if (there == nullptr || !same(*there, value)) patch.set(name, value);
      continue;
    }
    Value inner = difference(*there, value, whole);
    if (!inner.members().empty()) patch.set(name, std::move(inner));
  }
  if (!whole) return patch;
  for (const SectionNode& member : current.members()) {
    if (wanted.find(member.key()) == nullptr) patch.set(member.key(), Value::null());
  }
  return patch;
}

void add_removal(Value& patch, const SectionNode& current, const Value& content, const Value& wanted) {
  bool all = false;
  merge_patch(patch, removal(current, content, &wanted, all));
}

std::string states_text(const std::vector<ConfigurationState>& states) {
  if (states.empty()) return {};
  JsonWriter json;
  json.object();
  for (const ConfigurationState& state : states) {
    json.member(state.id).object().member("status", state.applied ? "Applied" : "Targeted").end_object();
  }
  json.end_object();
  return std::move(json).take();
}

std::vector<ConfigurationState> parse_states(std::string_view text) {
  std::vector<ConfigurationState> states;
  if (text.empty()) return states;
  const auto parsed = twin::parse_value(text, text.size());
  if (!parsed.ok()) return states;  // of a damaged file: as if nothing had been applied
  for (const auto& [id, state] : parsed->members()) {
    const Value* status = state.find("status");
    states.push_back({id, status != nullptr && status->text() == "Applied"});
  }
  return states;
}

}  // namespace nearhub::hub
