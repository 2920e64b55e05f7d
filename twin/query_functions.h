// The functions of conditions: their names, how many arguments they take, and what they give.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "twin/query_ast.h"

namespace nearhub::twin::query {

struct FunctionInfo {
  std::string_view name;
  Function function;
  std::size_t arguments;
};

// By its name in any case; null when queries have no such function.
const FunctionInfo* find_function(std::string_view name);

// Why a name is no function here: what it is elsewhere, or what is near it.
std::string unknown_function(std::string_view name);

}  // namespace nearhub::twin::query
