#include "twin/value.h"

#include <fmt/core.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace nearhub::twin {
namespace {

// Builds a Value from RapidJSON's events. Returning false ends the parse; fault() then says why.
class ValueBuilder {
 public:
  bool Null() { return add(Value()); }
  bool Bool(bool b) { return add(Value::boolean(b)); }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return add(Value::number(std::string(s, n))); }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    std::string text(s, n);
    return is_text(text) && add(Value::string(std::move(text)));
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    std::string name(s, n);
    if (!is_text(name)) return false;
    open_.back()->members().emplace_back(std::move(name), Value());
    return true;
  }
  bool StartObject() { return open(Value::object()); }
  bool StartArray() { return open(Value::array()); }
  bool EndObject(rapidjson::SizeType) {
    const Value& object = *open_.back();
    open_.pop_back();
    return names_are_unique(object);
  }
  bool EndArray(rapidjson::SizeType) {
    open_.pop_back();
    return true;
  }

  // The reader speaks of numbers by these only when it converts them, which kParseNumbersAsStringsFlag turns off.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  const std::optional<std::string>& fault() const { return fault_; }
  bool lone_surrogate() const { return lone_surrogate_; }
  Value take() { return std::move(root_); }

 private:
  // The reader validates bytes, but turns the escape of a lone low surrogate ("\udc00") into bytes that are not UTF-8.
  bool is_text(std::string_view text) {
    lone_surrogate_ = !is_utf8(text);
    return !lone_surrogate_;
  }

  bool add(Value value) {
    place(std::move(value));
    return true;
  }

  bool open(Value container) {
    if (open_.size() == kMaxJsonDepth) {
      fault_ = fmt::format("JSON is nested deeper than {} levels", kMaxJsonDepth);
      return false;
    }
    open_.push_back(&place(std::move(container)));
    return true;
  }

  Value& place(Value value) {
    if (open_.empty()) return root_ = std::move(value);
    Value& container = *open_.back();
    if (container.is_array()) return container.elements().emplace_back(std::move(value));
    return container.members().back().second = std::move(value);
  }

  // Sorted views rather than a comparison of all pairs: an update of a megabyte may have a hundred thousand members.
  bool names_are_unique(const Value& object) {
    names_.clear();
    for (const auto& member : object.members()) names_.push_back(member.first);
    std::sort(names_.begin(), names_.end());
    const auto twice = std::adjacent_find(names_.begin(), names_.end());
    if (twice == names_.end()) return true;
    fault_ = fmt::format("JSON names the member \"{}\" twice in one object", printable(*twice));
    return false;
  }

  Value root_;
  std::vector<Value*> open_;  // each is the last part of the one before, which does not grow meanwhile
  std::vector<std::string_view> names_;
  std::optional<std::string> fault_;
  bool lone_surrogate_ = false;
};

Error malformed(std::size_t at, rapidjson::ParseErrorCode fault) {
  return {ErrorCode::kArgumentInvalid,
          fmt::format("not valid JSON at byte {}: {}", at, rapidjson::GetParseError_En(fault))};
}

}  // namespace

const Value* Value::find(std::string_view name) const { return const_cast<Value*>(this)->find(name); }

Value* Value::find(std::string_view name) {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [name](const auto& member) { return member.first == name; });
  return found == members_.end() ? nullptr : &found->second;
}

Value& Value::set(std::string_view name, Value value) {
  if (Value* member = find(name)) return *member = std::move(value);
  return members_.emplace_back(std::string(name), std::move(value)).second;
}

bool Value::erase(std::string_view name) {
  return std::erase_if(members_, [name](const auto& member) { return member.first == name; }) > 0;
}

void Value::write(JsonWriter& json) const {
  switch (kind_) {
    case Kind::kNull: json.null(); return;
    case Kind::kFalse: json.boolean(false); return;
    case Kind::kTrue: json.boolean(true); return;
    case Kind::kNumber: json.raw(text_); return;
    case Kind::kString: json.string(text_); return;
    case Kind::kArray:
      json.array();
      for (const Value& element : elements_) element.write(json);
      json.end_array();
      return;
    case Kind::kObject:
      json.object();
      for (const auto& [name, value] : members_) {
        json.member(name);
        value.write(json);
      }
      json.end_object();
      return;
  }
}

std::string Value::to_json() const {
  JsonWriter json;
  write(json);
  return std::move(json).take();
}

// Not defaulted in the class: clang 14 would look into std::pair<std::string, Value> before Value is complete.
bool operator==(const Value& a, const Value& b) {
  return a.kind_ == b.kind_ && a.text_ == b.text_ && a.elements_ == b.elements_ && a.members_ == b.members_;
}

std::string_view kind_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kFalse:
    case Value::Kind::kTrue: return "a boolean";
    case Value::Kind::kNumber: return "a number";
    case Value::Kind::kString: return "a string";
    case Value::Kind::kArray: return "an array";
    case Value::Kind::kObject: return "an object";
  }
  return "a value";
}

Result<Value> parse_value(std::string_view json, std::size_t max_bytes) {
  if (json.size() > max_bytes) {
    return Error{ErrorCode::kArgumentInvalid,
                 fmt::format("the JSON text has {} bytes; at most {} are allowed", json.size(), max_bytes)};
  }
  constexpr unsigned kFlags =
      rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  ValueBuilder builder;
  reader.Parse<kFlags>(stream, builder);
  if (builder.fault()) {
    return Error{ErrorCode::kArgumentInvalid,
                 fmt::format("{} (at byte {})", *builder.fault(), reader.GetErrorOffset())};
  }
  if (builder.lone_surrogate()) {
    return malformed(reader.GetErrorOffset(), rapidjson::kParseErrorStringUnicodeSurrogateInvalid);
  }
  if (reader.HasParseError()) return malformed(reader.GetErrorOffset(), reader.GetParseErrorCode());
  // The stream ends its text with a NUL, so the reader takes a NUL of the text for the end.
  if (stream.Tell() != json.size()) return malformed(stream.Tell(), rapidjson::kParseErrorDocumentRootNotSingular);
  return builder.take();
}

}  // namespace nearhub::twin
