// From the text of a query to its tree (reference/service-rest.md 6.1).
//
// Faults are for people: a position and a sentence. The first one counts.
//
// THREAD: any thread.
#pragma once
#include <string_view>
#include <variant>

#include "twin/query_ast.h"

namespace nearhub::twin::query {

inline constexpr std::size_t kMaxQueryBytes = 8192;  // service-rest.md 5.6: characters; of a text that is not ASCII, less
// Bounds of our own.
inline constexpr int kMaxNesting = 64;          // brackets and negations inside of each other
inline constexpr std::size_t kMaxListItems = 1000;  // of one IN, NIN or array
inline constexpr std::size_t kMaxColumns = 64;
inline constexpr std::size_t kMaxGroupPaths = 8;

using Parsed = std::variant<Query, Fault>;

Parsed parse_query(std::string_view text);

// What configurations and jobs have: the condition behind WHERE alone, "*" or nothing for every row. The query selects all of its rows.
Parsed parse_condition(Source source, std::string_view condition);

}  // namespace nearhub::twin::query
