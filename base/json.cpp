#include "base/json.h"

#include <fmt/core.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace nearhub {
namespace {

// Passes RapidJSON's events on until the nesting is too deep, or a string holds what is not UTF-8.
//
// RapidJSON validates the bytes of a text, but turns the escape of a lone low surrogate (U+DC00) into bytes that are not
// UTF-8. Strings are looked at again only where the text has \u escapes at all.
template <typename Handler>
class Guard {
 public:
  Guard(Handler& next, std::size_t max_depth, bool check_strings)
      : next_(next), max_depth_(max_depth), check_strings_(check_strings) {}

  bool Null() { return next_.Null(); }
  bool Bool(bool b) { return next_.Bool(b); }
  bool Int(int i) { return next_.Int(i); }
  bool Uint(unsigned i) { return next_.Uint(i); }
  bool Int64(std::int64_t i) { return next_.Int64(i); }
  bool Uint64(std::uint64_t i) { return next_.Uint64(i); }
  bool Double(double d) { return next_.Double(d); }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool copy) { return next_.RawNumber(s, n, copy); }
  bool String(const char* s, rapidjson::SizeType n, bool copy) { return is_sound({s, n}) && next_.String(s, n, copy); }
  bool Key(const char* s, rapidjson::SizeType n, bool copy) { return is_sound({s, n}) && next_.Key(s, n, copy); }
  bool StartObject() { return enter() && next_.StartObject(); }
  bool StartArray() { return enter() && next_.StartArray(); }
  bool EndObject(rapidjson::SizeType n) {
    --depth_;
    return next_.EndObject(n);
  }
  bool EndArray(rapidjson::SizeType n) {
    --depth_;
    return next_.EndArray(n);
  }
  bool too_deep() const { return too_deep_; }
  bool lone_surrogate() const { return lone_surrogate_; }

 private:
  bool is_sound(std::string_view text) {
    lone_surrogate_ = check_strings_ && !is_utf8(text);
    return !lone_surrogate_;
  }
  bool enter() {
    too_deep_ = ++depth_ > max_depth_;
    return !too_deep_;
  }
  Handler& next_;
  const std::size_t max_depth_;
  const bool check_strings_;
  std::size_t depth_ = 0;
  bool too_deep_ = false;
  bool lone_surrogate_ = false;
};

// The first member name that stands twice in one object, anywhere below `value` (whose depth is bounded by the parse).
const JsonValue* find_duplicate(const JsonValue& value) {
  if (value.IsArray()) {
    for (const JsonValue& element : value.GetArray()) {
      if (const JsonValue* found = find_duplicate(element)) return found;
    }
  } else if (value.IsObject()) {
    std::vector<const JsonValue*> names;
    names.reserve(value.MemberCount());
    for (const auto& member : value.GetObject()) {
      names.push_back(&member.name);
      if (const JsonValue* found = find_duplicate(member.value)) return found;
    }
    std::sort(names.begin(), names.end(), [](auto* a, auto* b) { return string_of(*a) < string_of(*b); });
    const auto twice = std::adjacent_find(names.begin(), names.end(), [](auto* a, auto* b) { return string_of(*a) == string_of(*b); });
    if (twice != names.end()) return *twice;
  }
  return nullptr;
}

Error malformed(std::size_t at, rapidjson::ParseErrorCode fault) {
  return {ErrorCode::kArgumentInvalid,
          fmt::format("not valid JSON at byte {}: {}", at, rapidjson::GetParseError_En(fault))};
}

}  // namespace

Result<JsonDocument> parse_json(std::string_view text, std::size_t max_depth) {
  // Not kParseFullPrecisionFlag: for "0.0E83" it shifts by the leading zeros of zero (rapidjson/internal/diyfp.h), which is undefined. Where the spelling
  // of numbers matters they are not read as doubles (twin/value.h).
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  JsonDocument document;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  bool too_deep = false, lone_surrogate = false;
  auto generate = [&](JsonDocument& handler) {
    Guard<JsonDocument> guard(handler, max_depth, text.find("\\u") != std::string_view::npos);
    const bool parsed = !reader.Parse<kFlags>(stream, guard).IsError();
    too_deep = guard.too_deep();
    lone_surrogate = guard.lone_surrogate();
    return parsed;
  };
  document.Populate(generate);
  if (too_deep) {
    return Error{ErrorCode::kArgumentInvalid, fmt::format("JSON is nested deeper than {} levels", max_depth)};
  }
  if (lone_surrogate) return malformed(reader.GetErrorOffset(), rapidjson::kParseErrorStringUnicodeSurrogateInvalid);
  if (reader.HasParseError()) return malformed(reader.GetErrorOffset(), reader.GetParseErrorCode());
  // The stream ends its text with a NUL, so the reader takes a NUL of the text for the end.
  if (stream.Tell() != text.size()) return malformed(stream.Tell(), rapidjson::kParseErrorDocumentRootNotSingular);
  if (const JsonValue* name = find_duplicate(document)) {
    return Error{ErrorCode::kArgumentInvalid,
                 fmt::format("JSON names the member \"{}\" twice in one object", printable(string_of(*name)))};
  }
  return document;
}

std::vector<std::string_view> split_elements(std::string_view array) {
  std::vector<std::string_view> elements;
  std::size_t begin = 0, depth = 0;
  bool in_string = false;
  const auto add = [&](std::size_t end) {
    const std::string_view element = trim(array.substr(begin, end - begin));
    if (!element.empty()) elements.push_back(element);  // nothing at all: the array is empty
    begin = end + 1;
  };
  for (std::size_t i = 0; i < array.size(); ++i) {
    const char c = array[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (depth++ == 0) begin = i + 1;
    } else if (c == ']' || c == '}') {
      if (--depth == 0) add(i);
    } else if (c == ',' && depth == 1) {
      add(i);
    }
  }
  return elements;
}

const JsonValue* find_member(const JsonValue& object, std::string_view name) {
  // As a value: a StringRef alone would turn into a C string, and lose where the name ends.
  const JsonValue key(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size())));
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string to_json(const JsonValue& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string_view json_kind(const JsonValue& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType: return "null";
    case rapidjson::kFalseType:
    case rapidjson::kTrueType: return "a boolean";
    case rapidjson::kObjectType: return "an object";
    case rapidjson::kArrayType: return "an array";
    case rapidjson::kStringType: return "a string";
    case rapidjson::kNumberType: return "a number";
  }
  return "a value";
}

}  // namespace nearhub
