#include "twin/section.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "base/time_format.h"
#include "twin/limits.h"

namespace nearhub::twin {
namespace {

constexpr std::string_view kMetadata = "$metadata";
constexpr std::string_view kVersion = "$version";
constexpr std::string_view kLastUpdated = "$lastUpdated";
constexpr std::string_view kLastUpdatedVersion = "$lastUpdatedVersion";

constexpr auto kNowhere = static_cast<std::size_t>(-1);

// Finds many members of one object. Patches mostly name members in the order in which they stand, so the one behind the
// last hit is tried first; many searches in any other order sort the names once, for a patch may name a hundred
// thousand members.
//
// The members must not move meanwhile.
class MemberFinder {
 public:
  explicit MemberFinder(const std::vector<SectionNode>& members) : members_(members) {}

  // The position, or kNowhere.
  std::size_t find(std::string_view key) {
    if (next_ < members_.size() && members_[next_].key() == key) return next_++;
    const std::size_t at = members_.size() <= kFew || scans_++ < kFew ? scan(key) : look_up(key);
    if (at != kNowhere) next_ = at + 1;
    return at;
  }

 private:
  static constexpr std::size_t kFew = 16;

  std::size_t scan(std::string_view key) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [key](const SectionNode& member) { return member.key() == key; });
    return found == members_.end() ? kNowhere : static_cast<std::size_t>(found - members_.begin());
  }

  std::size_t look_up(std::string_view key) {
    if (sorted_.empty()) {
      for (const SectionNode& member : members_) sorted_.push_back(&member);
      std::sort(sorted_.begin(), sorted_.end(), [](auto* a, auto* b) { return a->key() < b->key(); });
    }
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), key,
                                        [](auto* member, auto wanted) { return member->key() < wanted; });
    if (found == sorted_.end() || (*found)->key() != key) return kNowhere;
    return static_cast<std::size_t>(*found - members_.data());
  }

  const std::vector<SectionNode>& members_;
  std::size_t next_ = 0;
  std::size_t scans_ = 0;
  std::vector<const SectionNode*> sorted_;
};

// The hub's size of a value with everything in it.
std::size_t counted(const Value& value) {
  std::size_t sum = 0;
  switch (value.kind()) {
    case Value::Kind::kNull: return 0;
    case Value::Kind::kFalse:
    case Value::Kind::kTrue: return 4;
    case Value::Kind::kNumber: return 8;
    case Value::Kind::kString: return counted_characters(value.text());
    case Value::Kind::kArray:
      for (const Value& element : value.elements()) sum += counted(element);
      return sum;
    case Value::Kind::kObject:
      for (const auto& [name, member] : value.members()) sum += counted_characters(name) + counted(member);
      return sum;
  }
  return sum;
}

// The part of it that belongs to one node: an object's members are nodes of their own, an array is one with all that is
// in it.
std::size_t counted_of_node(std::string_view key, const Value& value) {
  return counted_characters(key) + (value.is_object() ? 0 : counted(value));
}

// What `value` would add to a section as the member `key`. Nulls in objects say "no such member" and add nothing.
SectionSize size_of_new(std::string_view key, const Value& value) {
  const std::size_t text_bytes = value.is_array() ? value.to_json().size() : value.text().size();
  SectionSize size{static_cast<std::int64_t>(counted_of_node(key, value)),
                   static_cast<std::int64_t>(key.size() + text_bytes + kStoredBytesPerValue)};
  for (const auto& [name, member] : value.members()) {
    if (!member.is_null()) size += size_of_new(name, member);
  }
  return size;
}

// Many nodes carry the same stamp, and formatting one costs more than everything else about a node.
class StampWriter {
 public:
  explicit StampWriter(JsonWriter& json) : json_(json) {}

  void write(const Stamp& stamp) {
    if (text_.empty() || stamp.updated != time_) {
      time_ = stamp.updated;
      text_ = format_iso8601(time_);
    }
    json_.member(kLastUpdated, text_);
    if (stamp.version != 0) json_.member(kLastUpdatedVersion, stamp.version);
  }

 private:
  JsonWriter& json_;
  WallTime time_{};
  std::string text_;
};

void write_metadata_of(JsonWriter& json, StampWriter& stamps, const SectionNode& node) {
  json.object();
  stamps.write(node.stamp());
  for (const SectionNode& member : node.members()) {
    json.member(member.key());
    write_metadata_of(json, stamps, member);
  }
  json.end_object();
}

// The part of $metadata that a patch touched.
void write_metadata_of(JsonWriter& json, StampWriter& stamps, const SectionNode& node, const Value& patch) {
  json.object();
  stamps.write(node.stamp());
  for (const auto& [name, value] : patch.members()) {
    const SectionNode* member = node.find(name);
    if (member == nullptr) continue;  // deleted
    json.member(name);
    if (value.is_object() && member->is_object()) {
      write_metadata_of(json, stamps, *member, value);
    } else {
      write_metadata_of(json, stamps, *member);
    }
  }
  json.end_object();
}

std::optional<std::int64_t> read_version(const Value* value) {
  if (value == nullptr || value->kind() != Value::Kind::kNumber) return std::nullopt;
  const std::string& literal = value->text();
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), version);
  if (error != std::errc() || end != literal.data() + literal.size() || version < 1) return std::nullopt;
  return version;
}

Error corrupt(std::string_view key, std::string_view what) {
  return {ErrorCode::kCorrupt, fmt::format("stored twin: \"{}\" {}", printable(key), what)};
}

}  // namespace

std::string_view section_path(SectionKind kind) {
  switch (kind) {
    case SectionKind::kTags: return "tags";
    case SectionKind::kDesired: return "properties.desired";
    case SectionKind::kReported: return "properties.reported";
  }
  return "section";
}

SectionNode::SectionNode(std::string_view key, const Value& value, const Stamp& stamp)
    : text_(key), key_bytes_(static_cast<std::uint16_t>(key.size())), kind_(value.kind()) {
  assign(value, stamp);
}

const SectionNode* SectionNode::find(std::string_view key) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [key](const SectionNode& member) { return member.key() == key; });
  return found == members_.end() ? nullptr : &*found;
}

// Becomes `value`, whatever it was. The key stays.
void SectionNode::assign(const Value& value, const Stamp& stamp) {
  const std::string array_text = value.is_array() ? value.to_json() : std::string();
  const std::string& value_text = value.is_array() ? array_text : value.text();
  std::string text;
  text.reserve(key_bytes_ + value_text.size());
  text.append(key()).append(value_text);
  text_ = std::move(text);
  kind_ = value.kind();
  counted_ = static_cast<std::uint32_t>(counted_of_node(key(), value));
  stamp_ = stamp;
  const auto& members = value.members();
  std::vector<SectionNode> nodes;
  nodes.reserve(members.size() -
                static_cast<std::size_t>(std::count_if(members.begin(), members.end(),
                                                       [](const auto& member) { return member.second.is_null(); })));
  for (const auto& [name, member] : members) {
    if (!member.is_null()) nodes.push_back(SectionNode(name, member, stamp));
  }
  members_ = std::move(nodes);
}

// RFC 7396 for a node that is an object. Recursion ends at kMaxDepth, which the check has seen to.
void SectionNode::merge(const Value& patch, const Stamp& stamp) {
  stamp_ = stamp;
  std::vector<SectionNode> added;
  bool deleted = false;
  MemberFinder finder(members_);
  for (const auto& [name, value] : patch.members()) {
    const std::size_t at = finder.find(name);
    if (at == kNowhere) {
      if (!value.is_null()) added.push_back(SectionNode(name, value, stamp));
      continue;
    }
    SectionNode& member = members_[at];
    if (value.is_null()) {
      member.kind_ = Value::Kind::kNull;  // a mark, removed below in one pass
      deleted = true;
    } else if (value.is_object() && member.is_object()) {
      member.merge(value, stamp);
    } else {
      member.assign(value, stamp);
    }
  }
  // No slack in either direction: most twins are written a few times and kept for years.
  if (deleted) {
    std::erase_if(members_, [](const SectionNode& node) { return node.kind_ == Value::Kind::kNull; });
    members_.shrink_to_fit();
  }
  if (!added.empty()) {
    members_.reserve(members_.size() + added.size());
    std::move(added.begin(), added.end(), std::back_inserter(members_));
  }
}

SectionSize SectionNode::size() const {
  SectionSize size{counted_, static_cast<std::int64_t>(text_.size() + kStoredBytesPerValue)};
  for (const SectionNode& member : members_) size += member.size();
  return size;
}

// How much larger this object is (or smaller, below zero) once `patch` is merged into it.
SectionSize SectionNode::growth(const Value& patch) const {
  SectionSize growth;
  MemberFinder finder(members_);
  for (const auto& [name, value] : patch.members()) {
    const std::size_t at = finder.find(name);
    if (at != kNowhere && value.is_object() && members_[at].is_object()) {
      growth += members_[at].growth(value);
      continue;
    }
    if (at != kNowhere) growth -= members_[at].size();
    if (!value.is_null()) growth += size_of_new(name, value);
  }
  return growth;
}

Value SectionNode::to_value() const {
  switch (kind_) {
    case Value::Kind::kNull: break;
    case Value::Kind::kFalse: return Value::boolean(false);
    case Value::Kind::kTrue: return Value::boolean(true);
    case Value::Kind::kNumber: return Value::number(std::string(text()));
    case Value::Kind::kString: return Value::string(std::string(text()));
    case Value::Kind::kArray: {
      Result<Value> array = parse_value(text(), text().size());
      NEARHUB_CHECK(array.ok());  // written by Value::to_json()
      return std::move(array).value();
    }
    case Value::Kind::kObject: {
      Value object = Value::object();
      object.members().reserve(members_.size());
      for (const SectionNode& member : members_)
        object.members().emplace_back(std::string(member.key()), member.to_value());
      return object;
    }
  }
  return {};
}

void SectionNode::write(JsonWriter& json) const {
  switch (kind_) {
    case Value::Kind::kNull: json.null(); return;
    case Value::Kind::kFalse: json.boolean(false); return;
    case Value::Kind::kTrue: json.boolean(true); return;
    case Value::Kind::kNumber:
    case Value::Kind::kArray: json.raw(text()); return;
    case Value::Kind::kString: json.string(text()); return;
    case Value::Kind::kObject:
      json.object();
      write_members(json);
      json.end_object();
      return;
  }
}

void SectionNode::write_members(JsonWriter& json) const {
  for (const SectionNode& member : members_) {
    json.member(member.key());
    member.write(json);
  }
}

void SectionNode::write_metadata(JsonWriter& json) const {
  StampWriter stamps(json);
  write_metadata_of(json, stamps, *this);
}

// Becomes the stored value. `metadata` is the node's own part of the $metadata tree, null for tags.
Status SectionNode::restore(std::string_view key, const Value& value, const Value* metadata, bool versioned) {
  if (key.size() > kMaxKeyBytes) return corrupt(key, "is too long for a name");
  if (value.is_null()) return corrupt(key, "is null");
  text_ = key;
  key_bytes_ = static_cast<std::uint16_t>(key.size());

  const std::vector<std::pair<std::string, Value>>* stamps = nullptr;  // of the members, in their order
  std::size_t own = 0;  // leading members of `metadata` that are the node's own
  Stamp stamp;
  if (metadata != nullptr) {
    if (!metadata->is_object()) return corrupt(key, "has no $metadata");
    stamps = &metadata->members();
    const Value* updated = metadata->find(kLastUpdated);
    const std::optional<WallTime> time = updated != nullptr ? parse_iso8601(updated->text()) : std::nullopt;
    if (!time) return corrupt(key, "has no $lastUpdated");
    stamp.updated = *time;
    own = 1;
    if (const Value* written = metadata->find(kLastUpdatedVersion)) {
      const std::optional<std::int64_t> version = read_version(written);
      if (!version || !versioned) return corrupt(key, "has a $lastUpdatedVersion that makes no sense");
      stamp.version = *version;
      own = 2;
    }
    if (stamps->size() != own + value.members().size()) {
      return corrupt(key, "has $metadata for other members than its own");
    }
  }

  if (!value.is_object()) {
    assign(value, stamp);
    return {};
  }
  assign(Value::object(), stamp);
  members_.reserve(value.members().size());
  for (std::size_t i = 0; i < value.members().size(); ++i) {
    const auto& [name, member] = value.members()[i];
    const Value* member_metadata = nullptr;
    if (stamps != nullptr) {
      const auto& entry = (*stamps)[own + i];
      if (entry.first != name) return corrupt(name, "is out of step with its $metadata");
      member_metadata = &entry.second;
    }
    members_.push_back(SectionNode());
    if (Status restored = members_.back().restore(name, member, member_metadata, versioned); !restored) return restored;
  }
  return {};
}

Section::Section(SectionKind kind, WallTime now) : kind_(kind) {
  if (is_versioned()) {
    version_ = 1;
    root_.stamp_.updated = now;
  }
  size_ = root_.size();
}

Result<Section> Section::restore(SectionKind kind, std::string_view stored) {
  // What is stored was within the limits when it was accepted, and may be longer than any update: $metadata takes most
  // of it.
  Result<Value> parsed = parse_value(stored, stored.size());
  if (!parsed)
    return Error{ErrorCode::kCorrupt, fmt::format("stored {}: {}", section_path(kind), parsed.error().detail)};
  if (!parsed->is_object()) return corrupt(section_path(kind), "is not an object");

  Section section(kind);
  Value metadata;
  if (section.is_versioned()) {
    auto& members = parsed->members();
    const std::size_t count = members.size();
    if (count < 2 || members[count - 2].first != kMetadata || members[count - 1].first != kVersion) {
      return corrupt(section_path(kind), "does not end with $metadata and $version");
    }
    const std::optional<std::int64_t> version = read_version(&members[count - 1].second);
    if (!version) return corrupt(section_path(kind), "has a $version that is no positive integer");
    section.version_ = *version;
    metadata = std::move(members[count - 2].second);
    members.resize(count - 2);
  }
  Status restored =
      section.root_.restore("", *parsed, section.is_versioned() ? &metadata : nullptr, kind == SectionKind::kDesired);
  if (!restored) return restored.error();
  section.size_ = section.root_.size();
  return section;
}

std::string Section::stored() const {
  JsonWriter json;
  write_service_view(json);
  return std::move(json).take();
}

Result<SectionSize> Section::check_patch(const Value& patch) const {
  if (Status checked = check_update(patch, section_path(kind_)); !checked) return checked.error();
  SectionSize size = size_;
  size += root_.growth(patch);
  return check_size(size);
}

Result<SectionSize> Section::check_replacement(const Value& replacement) const {
  if (Status checked = check_update(replacement, section_path(kind_)); !checked) return checked.error();
  return check_size(size_of_new("", replacement));
}

Result<SectionSize> Section::check_size(SectionSize size) const {
  const auto limit = static_cast<std::int64_t>(kind_ == SectionKind::kTags ? kMaxTagsBytes : kMaxPropertiesBytes);
  if (size.counted > limit) {
    return Error{ErrorCode::kArgumentInvalid, fmt::format("{} would have {} bytes; at most {} are allowed",
                                                          section_path(kind_), size.counted, limit)};
  }
  const auto stored_limit = limit * static_cast<std::int64_t>(kMaxStoredPerByte);
  if (size.stored > stored_limit) {
    return Error{
        ErrorCode::kArgumentInvalid,
        fmt::format("{} would take {} bytes with its structure, control characters and digits; at most {} are allowed",
                    section_path(kind_), size.stored, stored_limit)};
  }
  return size;
}

Stamp Section::next_stamp(WallTime now) {
  if (!is_versioned()) return {};
  ++version_;
  return {now, kind_ == SectionKind::kDesired ? version_ : 0};
}

void Section::apply_patch(const Value& patch, SectionSize size, WallTime now) {
  root_.merge(patch, next_stamp(now));
  size_ = size;
  NEARHUB_DCHECK(size_ == root_.size());
}

void Section::apply_replacement(const Value& replacement, SectionSize size, WallTime now) {
  root_.assign(replacement, next_stamp(now));
  size_ = size;
  NEARHUB_DCHECK(size_ == root_.size());
}

void Section::write_device_view(JsonWriter& json) const {
  json.object();
  root_.write_members(json);
  if (is_versioned()) json.member(kVersion, version_);
  json.end_object();
}

void Section::write_service_view(JsonWriter& json) const {
  json.object();
  root_.write_members(json);
  if (is_versioned()) {
    json.member(kMetadata);
    root_.write_metadata(json);
    json.member(kVersion, version_);
  }
  json.end_object();
}

void Section::write_replacement_patch(JsonWriter& json, const Value& replacement) const {
  write_difference(json, root_.members(), replacement);
}

void Section::write_difference(JsonWriter& json, const std::vector<SectionNode>& before, const Value& after) {
  static const std::vector<SectionNode> kNothing;
  MemberFinder finder(before);
  std::vector<bool> stays(before.size(), false);
  for (const auto& [name, value] : after.members()) {
    if (value.is_null()) continue;
    const std::size_t at = finder.find(name);
    if (at != kNowhere) stays[at] = true;
    json.member(name);
    if (value.is_object()) {
      json.object();
      write_difference(json, at != kNowhere ? before[at].members() : kNothing, value);
      json.end_object();
    } else {
      value.write(json);
    }
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!stays[i]) json.member(before[i].key()).null();
  }
}

void Section::write_change(JsonWriter& json, const Value& patch) const {
  json.object();
  for (const auto& [name, value] : patch.members()) {
    json.member(name);
    value.write(json);
  }
  StampWriter stamps(json);
  json.member(kMetadata);
  write_metadata_of(json, stamps, root_, patch);
  json.member(kVersion, version_).end_object();
}

}  // namespace nearhub::twin
