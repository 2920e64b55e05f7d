#include "twin/limits.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <locale>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "twin/value.h"

namespace nearhub::twin {
namespace {

constexpr std::size_t kShownCharacters = 40;  // of a name or literal, in a sentence

// U+0000..U+001F (C0), U+007F (delete, which the edge hub's validator counts as one) and U+0080..U+009F (C1).
bool begins_with_control(std::string_view utf8) {
  const auto byte = static_cast<unsigned char>(utf8[0]);
  if (byte == 0xC2) return utf8.size() > 1 && static_cast<unsigned char>(utf8[1]) <= 0x9F;
  return byte < 0x20 || byte == 0x7F;
}

// What is wrong with one character of a name, or null. Names are UTF-8, as every string of a Value.
const char* fault_at(std::string_view rest) {
  if (begins_with_control(rest)) return "a control character";
  switch (rest[0]) {
    case '.': return "'.'";
    case '$': return "'$'";
    case '#': return "'#'";
    case ' ': return "a space";
    default: return nullptr;
  }
}

bool is_double(std::string_view literal) { return literal.find_first_of(".eE") != std::string_view::npos; }

bool is_finite(std::string_view literal) {
  double value = 0;
  const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), value);
  if (error == std::errc()) return std::isfinite(value);
  // from_chars does not tell "too large" from "too small", which reads as zero and is harmless; a stream does.
  std::istringstream stream{std::string(literal)};
  stream.imbue(std::locale::classic());
  stream >> value;
  return !stream.fail();
}

bool is_integer_in_range(std::string_view literal) {
  std::int64_t value = 0;
  return std::from_chars(literal.data(), literal.data() + literal.size(), value).ec == std::errc() &&
         value >= kMinInteger && value <= kMaxInteger;
}

// Walks an update and remembers the way to where it is. Recursion ends at kMaxDepth.
class UpdateCheck {
 public:
  explicit UpdateCheck(std::string_view section) : section_(section) {}

  Status check_members(const Value& object) {
    for (const auto& [name, value] : object.members()) {
      way_.push_back({name, std::nullopt});
      if (Status named = check_name(name); !named) return named;
      if (value.is_null() && in_array_) return refuse("{} is null; objects inside arrays cannot hold null", path());
      if (Status checked = check_value(value); !checked) return checked;
      way_.pop_back();
    }
    return {};
  }

 private:
  struct Step {
    std::string_view name;
    std::optional<std::size_t> index;  // of an array element, which has no name
  };

  template <typename... Args>
  static Error refuse(fmt::format_string<Args...> sentence, Args&&... args) {
    return {ErrorCode::kArgumentInvalid, fmt::format(sentence, std::forward<Args>(args)...)};
  }

  // "properties.reported.sensors[2].name"
  std::string path() const { return path_of(way_.size()); }
  std::string parent_path() const { return path_of(way_.size() - 1); }
  std::string path_of(std::size_t steps) const {
    std::string text(section_);
    for (std::size_t i = 0; i < steps; ++i) {
      text += way_[i].index ? fmt::format("[{}]", *way_[i].index) : "." + printable(way_[i].name, kShownCharacters);
    }
    return text;
  }

  Status check_name(std::string_view name) const {
    if (name.size() > kMaxKeyBytes) {
      return refuse("{}: the name \"{}\" has {} bytes; at most {} are allowed", parent_path(),
                    printable(name, kShownCharacters), name.size(), kMaxKeyBytes);
    }
    if (name.starts_with('$')) {
      return refuse("{}: the name \"{}\" begins with '$', which is reserved for the hub", parent_path(),
                    printable(name, kShownCharacters));
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (const char* fault = fault_at(name.substr(i))) {
        return refuse(
            "{}: the name \"{}\" contains {}; names cannot contain '.', '$', '#', spaces and control characters",
            parent_path(), printable(name, kShownCharacters), fault);
      }
    }
    return {};
  }

  Status check_value(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kNull:
      case Value::Kind::kFalse:
      case Value::Kind::kTrue: return {};
      case Value::Kind::kNumber: return check_number(value.text());
      case Value::Kind::kString:
        if (value.text().size() > kMaxStringBytes) {
          return refuse("{} has {} bytes; a string may have at most {}", path(), value.text().size(), kMaxStringBytes);
        }
        return {};
      case Value::Kind::kArray:
      case Value::Kind::kObject: return check_container(value);
    }
    return {};
  }

  Status check_number(std::string_view literal) const {
    if (is_double(literal)) {
      if (is_finite(literal)) return {};
      return refuse("{} is {}, which is too large for a double", path(), printable(literal, kShownCharacters));
    }
    if (is_integer_in_range(literal)) return {};
    return refuse("{} is {}; integers lie between {} and {}", path(), printable(literal, kShownCharacters), kMinInteger,
                  kMaxInteger);
  }

  Status check_container(const Value& container) {
    // Every step of the way is a container by now, array elements included, so its length is the depth.
    if (way_.size() > kMaxDepth) {
      return refuse("{} is nested {} levels deep; at most {} are allowed", path(), way_.size(), kMaxDepth);
    }
    return container.is_object() ? check_members(container) : check_elements(container);
  }

  Status check_elements(const Value& array) {
    const bool was_in_array = std::exchange(in_array_, true);
    for (std::size_t i = 0; i < array.elements().size(); ++i) {
      const Value& element = array.elements()[i];
      way_.push_back({{}, i});
      if (element.is_null()) return refuse("{} is null; arrays cannot hold null", path());
      if (Status checked = check_value(element); !checked) return checked;
      way_.pop_back();
    }
    in_array_ = was_in_array;
    return {};
  }

  std::string_view section_;
  std::vector<Step> way_;
  bool in_array_ = false;
};

}  // namespace

Status check_update(const Value& update, std::string_view path) {
  if (!update.is_object()) {
    return Error{ErrorCode::kArgumentInvalid,
                 fmt::format("{} is {}; expected an object", path, kind_name(update.kind()))};
  }
  return UpdateCheck(path).check_members(update);
}

// The reference speaks of characters, not bytes: a character is one, however many bytes it takes in UTF-8.
std::size_t counted_characters(std::string_view utf8) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const bool begins_character = (static_cast<unsigned char>(utf8[i]) & 0xC0) != 0x80;
    if (begins_character && !begins_with_control(utf8.substr(i))) ++count;
  }
  return count;
}

}  // namespace nearhub::twin
