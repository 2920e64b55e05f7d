#include "twin/query_functions.h"

#include <fmt/core.h>

#include "base/text.h"

namespace nearhub::twin::query {
namespace {

// reference/service-rest.md 6.2.
constexpr FunctionInfo kFunctions[] = {
    {"IS_DEFINED", Function::kIsDefined, 1},     {"IS_NULL", Function::kIsNull, 1},
    {"IS_BOOL", Function::kIsBool, 1},           {"IS_NUMBER", Function::kIsNumber, 1},
    {"IS_STRING", Function::kIsString, 1},       {"IS_ARRAY", Function::kIsArray, 1},
    {"IS_OBJECT", Function::kIsObject, 1},       {"IS_PRIMITIVE", Function::kIsPrimitive, 1},
    {"STARTSWITH", Function::kStartsWith, 2},    {"ENDSWITH", Function::kEndsWith, 2},
    {"ARRAY_CONTAINS", Function::kArrayContains, 2},
};

constexpr std::string_view kOfRoutes[] = {"ABS",    "EXP",   "POWER", "SQUARE",    "CEILING",  "FLOOR", "SIGN",
                                          "SQRT",   "AS_NUMBER", "CONCAT", "LENGTH", "LOWER", "UPPER", "SUBSTRING", "INDEX_OF"};
constexpr std::string_view kAggregateNames[] = {"COUNT", "AVG", "SUM", "MIN", "MAX"};

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  for (const FunctionInfo& info : kFunctions) {
    if (equals_ignoring_case(info.name, name)) return &info;
  }
  return nullptr;
}

std::string unknown_function(std::string_view name) {
  const auto is = [name](std::string_view other) { return equals_ignoring_case(name, other); };
  if (is("STARTS_WITH")) return "queries spell it STARTSWITH; STARTS_WITH belongs to message routes";
  if (is("ENDS_WITH")) return "queries spell it ENDSWITH; ENDS_WITH belongs to message routes";
  if (is("CONTAINS")) return "queries have no CONTAINS; there are STARTSWITH, ENDSWITH and, for arrays, ARRAY_CONTAINS";
  for (const std::string_view aggregate : kAggregateNames) {
    if (is(aggregate)) return fmt::format("{} is an aggregate: it stands in the SELECT list, not in a condition", aggregate);
  }
  for (const std::string_view route : kOfRoutes) {
    if (is(route)) return fmt::format("{} is a function of message routes; queries do not have it", route);
  }
  std::string_view nearest;
  int fewest = 3;
  const std::string lower = to_lower(name);
  for (const FunctionInfo& info : kFunctions) {
    const int edits = edit_distance(lower, to_lower(info.name), fewest - 1);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = info.name;
  }
  return fmt::format("queries have no function {}{}", printable(name, 60), nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
}

}  // namespace nearhub::twin::query
