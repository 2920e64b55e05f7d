// Small operations on ASCII text that protocols need: comparison without regard to case, trimming, splitting.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nearhub {

char ascii_lower(char c);
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

std::string_view trim(std::string_view text);

// The text before and after the first separator; without one: the whole text and nothing.
std::pair<std::string_view, std::optional<std::string_view>> split_once(std::string_view text, char separator);

// Decimal digits only, no sign, no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

std::string to_hex(std::string_view bytes);  // lower case

// The length in bytes, 1 to 4, of the well-formed UTF-8 character (no surrogates, no overlong forms, at most U+10FFFF)
// that the bytes begin with; 0 when they do not.
std::size_t utf8_length(std::string_view bytes);

// True when the bytes are such characters from beginning to end.
bool is_utf8(std::string_view bytes);

// The number of single-character edits (insert, delete, replace, swap of neighbours) between two ids, or `limit` + 1 when there are
// more than `limit`. For "did you mean".
int edit_distance(std::string_view a, std::string_view b, int limit);

// A form that is safe in a log line or a terminal: control characters and non-ASCII bytes become \xNN; cut after `max` characters.
std::string printable(std::string_view text, std::size_t max = 200);

}  // namespace nearhub
