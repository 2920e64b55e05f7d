// One section of a twin (tags, desired or reported): its values, and for properties the $metadata tree and $version.
//
// $metadata mirrors the values: every node, object and leaf alike, has $lastUpdated and, in `desired` only,
// $lastUpdatedVersion. A patch stamps the nodes that it touches and the objects on the way to them; a deleted member
// vanishes from the metadata. An array is one leaf. A fresh section has only the $lastUpdated of its root.
//
// An update is checked first and applied then, so that several sections change together or not at all.
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "twin/value.h"

namespace nearhub::twin {

enum class SectionKind : std::uint8_t { kTags, kDesired, kReported };

// "tags", "properties.desired", "properties.reported".
std::string_view section_path(SectionKind kind);

// When a node was last written.
struct Stamp {
  WallTime updated{};
  std::int64_t version = 0;  // of the section, in `desired` only; 0: none

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

// How much a section holds.
struct SectionSize {
  std::int64_t counted = 0;  // by the hub's rule: characters of keys and strings, 8 for a number, 4 for a boolean
  std::int64_t stored = 0;   // by kMaxStoredPerByte (twin/limits.h)

  SectionSize& operator+=(const SectionSize& other) {
    counted += other.counted;
    stored += other.stored;
    return *this;
  }
  SectionSize& operator-=(const SectionSize& other) {
    counted -= other.counted;
    stored -= other.stored;
    return *this;
  }
  friend bool operator==(const SectionSize&, const SectionSize&) = default;
};

// One value of a section with its key and stamp. Never null. A hub keeps a hundred thousand twins in memory, so key and
// text share one string (short ones need no allocation) and an array is kept as text: it is only ever replaced as a
// whole.
class SectionNode {
 public:
  std::string_view key() const { return std::string_view(text_).substr(0, key_bytes_); }
  Value::Kind kind() const { return kind_; }
  bool is_object() const { return kind_ == Value::Kind::kObject; }
  // The literal of a number, the characters of a string, the compact JSON of an array.
  std::string_view text() const { return std::string_view(text_).substr(key_bytes_); }
  const std::vector<SectionNode>& members() const { return members_; }  // of an object
  const SectionNode* find(std::string_view key) const;                  // a member of an object, or null
  const Stamp& stamp() const { return stamp_; }

  Value to_value() const;
  void write(JsonWriter& json) const;
  // The values of an object without its braces.
  void write_members(JsonWriter& json) const;

 private:
  friend class Section;

  SectionNode() : kind_(Value::Kind::kObject) {}
  SectionNode(std::string_view key, const Value& value, const Stamp& stamp);

  void assign(const Value& value, const Stamp& stamp);
  void merge(const Value& patch, const Stamp& stamp);
  SectionSize size() const;
  SectionSize growth(const Value& patch) const;
  void write_metadata(JsonWriter& json) const;
  Status restore(std::string_view key, const Value& value, const Value* metadata, bool versioned);

  std::string text_;  // key and text
  std::vector<SectionNode> members_;
  Stamp stamp_;
  std::uint32_t counted_ = 0;  // by the hub's rule, without members
  std::uint16_t key_bytes_ = 0;
  Value::Kind kind_;
};

class Section {
 public:
  explicit Section(SectionKind kind, WallTime now = {});
  // Reads what stored() wrote. Fails with kCorrupt.
  static Result<Section> restore(SectionKind kind, std::string_view stored);
  std::string stored() const;

  // Whether the patch (or the replacement) is legal, and the size that the section would have. Fails with
  // kArgumentInvalid; changes nothing.
  Result<SectionSize> check_patch(const Value& patch) const;
  Result<SectionSize> check_replacement(const Value& replacement) const;

  // Only after the check of the same value, with the size that it gave. A null in a replacement means what its absence
  // would mean.
  void apply_patch(const Value& patch, SectionSize size, WallTime now);
  void apply_replacement(const Value& replacement, SectionSize size, WallTime now);

  SectionKind kind() const { return kind_; }
  // 1 when fresh, one more with every applied update. Tags have none: always 0.
  std::int64_t version() const { return version_; }
  const SectionNode& root() const { return root_; }
  SectionSize size() const { return size_; }

  // What the device sees: {values...,"$version":n}; for tags the values alone.
  void write_device_view(JsonWriter& json) const;
  // What a service sees: {values...,"$metadata":{...},"$version":n}; for tags the values alone. Also the stored form.
  void write_service_view(JsonWriter& json) const;

  // What an update changed, as an object: the patch as sent, nulls included, "$metadata" of what it touched, and "$version". After apply_patch() of the
  // same patch; null stands for a section that was emptied.
  void write_change(JsonWriter& json, const Value& patch) const;

  // Writes into an open object what a device has to merge into its copy of this section to arrive at `replacement`,
  // "$version" apart: the replacement, and null for every member that vanishes, at every level where both sides are
  // objects.
  void write_replacement_patch(JsonWriter& json, const Value& replacement) const;

 private:
  bool is_versioned() const { return kind_ != SectionKind::kTags; }
  Stamp next_stamp(WallTime now);
  Result<SectionSize> check_size(SectionSize size) const;
  static void write_difference(JsonWriter& json, const std::vector<SectionNode>& before, const Value& after);

  SectionKind kind_;
  std::int64_t version_ = 0;
  SectionSize size_;
  SectionNode root_;
};

}  // namespace nearhub::twin
