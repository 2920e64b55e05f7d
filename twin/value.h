// A JSON value as a twin keeps it: the spelling of numbers is kept ("1.0" stays "1.0"), members keep the order in which they came.
//
// THREAD: a value type; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "twin/limits.h"

namespace nearhub::twin {

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  Value() = default;  // null
  static Value null() { return {}; }
  static Value boolean(bool b) { return Value(b ? Kind::kTrue : Kind::kFalse); }
  static Value number(std::string literal) { return Value(Kind::kNumber, std::move(literal)); }  // a JSON number as spelled
  static Value string(std::string text) { return Value(Kind::kString, std::move(text)); }
  static Value array() { return Value(Kind::kArray); }
  static Value object() { return Value(Kind::kObject); }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_array() const { return kind_ == Kind::kArray; }

  const std::string& text() const { return text_; }  // the literal of a number, the characters of a string
  const std::vector<Value>& elements() const { return elements_; }
  std::vector<Value>& elements() { return elements_; }
  const std::vector<std::pair<std::string, Value>>& members() const { return members_; }
  std::vector<std::pair<std::string, Value>>& members() { return members_; }

  const Value* find(std::string_view name) const;  // a member of an object, or null
  Value* find(std::string_view name);
  Value& set(std::string_view name, Value value);  // adds or replaces
  bool erase(std::string_view name);

  void write(JsonWriter& json) const;
  std::string to_json() const;  // compact

  // The order of members counts: {"a":1,"b":2} and {"b":2,"a":1} are not equal.
  friend bool operator==(const Value& a, const Value& b);

 private:
  explicit Value(Kind kind, std::string text = {}) : kind_(kind), text_(std::move(text)) {}

  Kind kind_ = Kind::kNull;
  std::string text_;
  std::vector<Value> elements_;
  std::vector<std::pair<std::string, Value>> members_;
};

// "a string", "an object", "null": for sentences in errors.
std::string_view kind_name(Value::Kind kind);

// The whole text must be one JSON value: UTF-8, at most kMaxJsonDepth levels (base/json.h), at most `max_bytes`, no member named twice in an
// object. Fails with kArgumentInvalid and the byte position.
Result<Value> parse_value(std::string_view json, std::size_t max_bytes = kMaxUpdateBytes);

}  // namespace nearhub::twin
