// Looking into the hub's JSON answers, and showing JSON to people.
//
// THREAD: any thread.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.h"

namespace nearhub::tools {

// An answer of the hub that must be an object, or an array. Fails with kMalformed.
Result<JsonDocument> parse_object(std::string_view body);
Result<JsonDocument> parse_array(std::string_view body);

// Down through objects by names; null when the way ends early.
const JsonValue* find_path(const JsonValue& value, std::initializer_list<std::string_view> names);

// The string there; the JSON text of a value of another kind; empty for null or where nothing is.
std::string text_at(const JsonValue& value, std::initializer_list<std::string_view> names);

// A whole number there; `fallback` when there is none.
std::int64_t integer_at(const JsonValue& value, std::initializer_list<std::string_view> names,
                        std::int64_t fallback = 0);

// In lines, two spaces a level, safe for a terminal; no line feed at the end. Every line begins with `indent` spaces.
std::string pretty_json(const JsonValue& value, std::size_t indent = 0);

}  // namespace nearhub::tools
