// What can be known of a query before a row is read: which rows need not be looked at, and which parts of it need the running hub.
//
// THREAD: immutable; any thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "twin/query_ast.h"

namespace nearhub::twin::query {

struct Plan {
  // Only rows of these devices can match, in order, none twice.
  std::optional<std::vector<std::string>> devices;
  // Of devices.jobs: only rows of this job can; empty: of any.
  std::string job;
  // Only rows of devices whose ids begin with it can.
  std::string device_prefix;
  // The conditions (positions in Query::where) that a stored row decides, and those that need what only the running hub knows.
  std::vector<std::size_t> stored_conditions;
  std::vector<std::size_t> live_conditions;
  // The answer itself shows it.
  bool live_output = false;

  bool is_live() const { return live_output || !live_conditions.empty(); }
};

Plan make_plan(const Query& query);

}  // namespace nearhub::twin::query
