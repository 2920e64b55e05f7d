// Reading JSON from outside: RapidJSON without recursion, with a depth limit, UTF-8 validation and no duplicate keys.
//
// THREAD: any thread; a document belongs to one thread at a time.
#pragma once
#include <rapidjson/document.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nearhub {

using JsonDocument = rapidjson::Document;
using JsonValue = rapidjson::Value;

// A bound of our own: deep nesting costs a client nothing and a reader much. Twins have their own, smaller limit (twin/limits.h).
inline constexpr std::size_t kMaxJsonDepth = 64;

// The whole text must be one JSON value. Fails with kArgumentInvalid and the byte position of the fault; an object that names a
// member twice is refused too, because readers disagree about which one counts.
Result<JsonDocument> parse_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

// The texts of an array's elements, as they stand. `array` is an array that parse_json() took.
std::vector<std::string_view> split_elements(std::string_view array);

// The member, or null. `object` must be an object.
const JsonValue* find_member(const JsonValue& object, std::string_view name);

inline std::string_view string_of(const JsonValue& string) { return {string.GetString(), string.GetStringLength()}; }

// Compact text.
std::string to_json(const JsonValue& value);

// "a string", "an object", "null": for sentences in errors.
std::string_view json_kind(const JsonValue& value);

}  // namespace nearhub
