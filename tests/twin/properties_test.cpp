// What holds for every sequence of updates. RC_PARAMS="seed=... max_success=..." in the environment looks elsewhere, or
// longer.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

template <typename Testable>
void check_property(Testable&& testable) {
  // The same cases on every machine and in every run, unless the environment says otherwise.
  setenv("RC_PARAMS", "seed=20260101 max_success=500", /*overwrite=*/0);
  const auto result = rc::detail::checkTestable(std::forward<Testable>(testable));
  std::ostringstream report;
  rc::detail::printResultMessage(result, report);
  INFO(report.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

// Makes JSON from random bytes, so that fewer and smaller bytes are smaller JSON. Four names, so that updates meet each
// other.
class Dice {
 public:
  explicit Dice(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  std::size_t roll(std::size_t sides) { return at_ < bytes_.size() ? bytes_[at_++] % sides : 0; }

  Value object(int levels, bool with_nulls) {
    Value object = Value::object();
    for (std::size_t members = roll(5); members > 0; --members) {
      object.set(name(), value(levels, with_nulls));
    }
    return object;
  }

  // One thing that no section accepts, somewhere in an update that is otherwise fine.
  Value illegal_object() {
    Value object = this->object(2, true);
    const Value values[] = {json("[null]"),           json(R"([{"a":null}])"),
                            json("4503599627370496"), json(R"({"x":{"$y":1}})"),
                            json(R"({"a b":null})"),  Value::string(std::string(kMaxStringBytes + 1, 's'))};
    object.set(name(), values[roll(std::size(values))]);
    return object;
  }

 private:
  std::string_view name() {
    constexpr std::string_view kNames[] = {"a", "b", "ä", "long-name-that-is-not-inline"};
    return kNames[roll(std::size(kNames))];
  }

  Value value(int levels, bool with_nulls) {
    switch (roll(levels > 0 ? 10 : 7)) {
      case 0: return with_nulls ? Value() : Value::number("0");
      case 1: return Value::number("1.0");
      case 2: return Value::number("-25E-1");
      case 3: return Value::boolean(roll(2) == 0);
      case 4: return Value::string("x\n");
      case 5: return Value::string("a text of more than fifteen characters €");
      case 6: return Value::object();
      case 7: {
        Value array = Value::array();
        for (std::size_t elements = roll(3); elements > 0; --elements)
          array.elements().push_back(value(levels - 1, false));
        return array;
      }
      default: return object(levels - 1, with_nulls);
    }
  }

  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

// RFC 7396, word for word.
Value merge_patch(Value target, const Value& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = Value::object();
  for (const auto& [name, value] : patch.members()) {
    if (value.is_null()) {
      target.erase(name);
    } else {
      const Value* member = target.find(name);
      target.set(name, merge_patch(member != nullptr ? *member : Value(), value));
    }
  }
  return target;
}

// With members in alphabetical order, for comparisons that the order does not matter to.
Value sorted(Value value) {
  for (Value& element : value.elements()) element = sorted(std::move(element));
  for (auto& member : value.members()) member.second = sorted(std::move(member.second));
  std::sort(value.members().begin(), value.members().end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return value;
}

// The hub's rule, once more and independently.
std::int64_t count(const Value& value) {
  const auto characters = [](const std::string& text) {
    return std::count_if(text.begin(), text.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x20 && (byte < 0x80 || byte >= 0xC0);
    });
  };
  std::int64_t sum = 0;
  if (value.kind() == Value::Kind::kNumber) sum = 8;
  if (value.kind() == Value::Kind::kTrue || value.kind() == Value::Kind::kFalse) sum = 4;
  if (value.kind() == Value::Kind::kString) sum = characters(value.text());
  for (const Value& element : value.elements()) sum += count(element);
  for (const auto& [name, member] : value.members()) sum += characters(name) + count(member);
  return sum;
}

// Every value has its node in $metadata and every node its value; stamps are what their section has, and parents are
// never older.
void check_mirror(const Value& value, const Value& metadata, const Section& section, const std::string& parent_time) {
  RC_ASSERT(metadata.is_object());
  const Value* time = metadata.find("$lastUpdated");
  RC_ASSERT(time != nullptr);
  RC_ASSERT(parent_time.empty() || time->text() <= parent_time);
  std::size_t own = 1;
  if (const Value* version = metadata.find("$lastUpdatedVersion")) {
    RC_ASSERT(section.kind() == SectionKind::kDesired);
    RC_ASSERT(std::stoll(version->text()) <= section.version());
    ++own;
  }
  RC_ASSERT(metadata.members().size() == own + value.members().size());
  for (const auto& [name, member] : value.members()) {
    const Value* node = metadata.find(name);
    RC_ASSERT(node != nullptr);
    check_mirror(member, *node, section, time->text());
  }
}

void check_section(const Section& section) {
  const Value values = section.root().to_value();
  RC_ASSERT(section.size().counted == count(values));
  if (section.kind() == SectionKind::kTags) return;
  Value view = json(section.stored());
  const Value metadata = *view.find("$metadata");
  RC_ASSERT(view.members().back() ==
            std::pair(std::string("$version"), Value::number(std::to_string(section.version()))));
  view.erase("$metadata");
  view.erase("$version");
  RC_ASSERT(view == values);
  check_mirror(values, metadata, section, "");
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("properties: a merge gives what RFC 7396 gives, order and spelling included") {
    check_property([](const std::vector<std::uint8_t>& before_bytes, const std::vector<std::uint8_t>& patch_bytes) {
      const Value before = Dice(before_bytes).object(4, false), patch = Dice(patch_bytes).object(4, true);
      Twin twin = Twin::create(at(0));
      RC_ASSERT(twin.report(before, at(1)).ok());
      RC_ASSERT(twin.reported().root().to_value() == before);
      RC_ASSERT(twin.report(patch, at(2)).ok());
      RC_ASSERT(twin.reported().root().to_value() == merge_patch(before, patch));
    });
  }

  TEST_CASE("properties: versions grow, metadata mirrors the values, storage is lossless, refusals change nothing") {
    check_property([](const std::vector<std::vector<std::uint8_t>>& updates) {
      Twin twin = Twin::create(at(0));
      int second = 0;
      for (const std::vector<std::uint8_t>& bytes : updates) {
        Dice dice(bytes);
        const StoredTwin before = twin.stored();
        const std::int64_t version = twin.version(), desired = twin.desired_version(),
                           reported = twin.reported_version();
        Update update;
        Result<Change> result = Change{};
        const std::size_t kind = dice.roll(4);
        const bool illegal = dice.roll(5) == 4;
        if (kind == 3) {
          result = twin.report(illegal ? dice.illegal_object() : dice.object(4, true), at(++second));
        } else {
          const std::size_t parts = dice.roll(4);
          if (parts != 1) update.desired = illegal ? dice.illegal_object() : dice.object(4, true);
          if (parts == 1 || parts == 2)
            update.tags = illegal && parts == 1 ? dice.illegal_object() : dice.object(4, true);
          if (parts == 3 && !illegal) update.desired = Value::null();
          result = kind == 0 ? twin.replace(update, at(++second)) : twin.patch(update, at(++second));
        }
        RC_ASSERT(result.ok() == !illegal);
        if (illegal) {
          RC_ASSERT(result.error().code == ErrorCode::kArgumentInvalid);
          RC_ASSERT(twin.stored() == before);
          continue;
        }
        RC_ASSERT(twin.version() == version + 1);
        RC_ASSERT(twin.desired_version() == desired + (result->desired ? 1 : 0));
        RC_ASSERT(twin.reported_version() == reported + (result->reported ? 1 : 0));
        for (const Section* section : {&twin.tags(), &twin.desired(), &twin.reported()}) check_section(*section);

        const Twin again = Twin::restore(twin.stored()).value();
        RC_ASSERT(again.stored() == twin.stored());
        RC_ASSERT(again.desired().size() == twin.desired().size());
        RC_ASSERT(again.device_json() == twin.device_json());
      }
    });
  }

  TEST_CASE("properties: a device that merges every notification has the desired properties of the hub") {
    check_property([](const std::vector<std::vector<std::uint8_t>>& updates) {
      Twin twin = Twin::create(at(0));
      Value device = Value::object();
      for (const std::vector<std::uint8_t>& bytes : updates) {
        Dice dice(bytes);
        const bool replace = dice.roll(2) == 0;
        Update update;
        update.desired = dice.roll(6) == 5 ? Value::null() : dice.object(4, true);
        const Change change = (replace ? twin.replace(update, at(1)) : twin.patch(update, at(1))).value();
        const Value notification = json(change.desired_notification);
        RC_ASSERT(notification.members().back() ==
                  std::pair(std::string("$version"), Value::number(std::to_string(twin.desired_version()))));
        device = merge_patch(std::move(device), notification);
        Value hub = twin.desired().root().to_value();
        hub.set("$version", Value::number(std::to_string(twin.desired_version())));
        RC_ASSERT(sorted(device) == sorted(hub));
      }
    });
  }
}
