#include "hub/job_condition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"

namespace nearhub::hub {
namespace {

using twin::query::Fault;
using twin::query::Parsed;
using twin::query::Query;
using twin::query::Source;

bool begins_with_word(std::string_view text, std::string_view word) {
  if (!starts_with_ignoring_case(text, word)) return false;
  text.remove_prefix(word.size());
  return text.empty() || std::string_view(" \t\r\n*").find(text.front()) != std::string_view::npos;
}

}  // namespace

Result<SharedQuery> parse_job_condition(std::string_view condition) {
  const std::string_view bare = trim(condition);
  std::string_view before;  // what is put in front of the condition, for the parser
  if (begins_with_word(bare, "FROM")) before = "SELECT * ";
  if (begins_with_word(bare, "WHERE")) before = "SELECT * FROM devices ";
  const bool whole = !before.empty() || begins_with_word(bare, "SELECT");
  Parsed parsed = whole ? twin::query::parse_query(std::string(before) + std::string(condition)) : twin::query::parse_condition(Source::kDevices, condition);
  if (auto* fault = std::get_if<Fault>(&parsed)) {
    fault->at -= std::min(fault->at, before.size());
    return invalid_argument(fault_text(condition, *fault));
  }
  const Query& query = std::get<Query>(parsed);
  if (query.source == Source::kJobs) return invalid_argument("the query reads devices.jobs; a job is for devices or devices.modules");
  if (query.aggregates) return invalid_argument("the query has aggregates or groups; a job is for the twins themselves: SELECT *");
  return std::make_shared<const Query>(std::get<Query>(std::move(parsed)));
}

}  // namespace nearhub::hub
