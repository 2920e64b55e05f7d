// `nearhub query`: the query language over twins and jobs, as a table for people or row by row for scripts.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct QueryCommand {
  std::string text;
  std::optional<std::uint64_t> top;  // rows at the most; all without it
  bool json = false;                 // one row a line, as the hub spelled it
};

// Asks for page after page. Fails with kInvalidSetting when the query itself is wrong, and shows where.
Status run_query(HubClient& hub, const QueryCommand& command, Console& console);

// The line of the query that is wrong with a mark below the place, then the sentence.
std::string fault_picture(std::string_view query, std::size_t at, std::string_view sentence);

}  // namespace nearhub::tools
