#include "tools/query.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"
#include "twin/query.h"

namespace nearhub::tools {
namespace {

using twin::JsonView;
using twin::query::Fault;
using twin::query::Query;
using twin::query::Source;

constexpr std::uint64_t kRowsPerTable = 1000;  // the hub's largest page; a longer answer is several tables
constexpr std::size_t kMaxCellWidth = 60;
constexpr std::chrono::minutes kQueryTime{10};  // an aggregate over millions of twins

struct TableColumn {
  std::string heading;
  std::string member;
};

// Those of the projection; of whole documents a handful that people look for.
std::vector<TableColumn> columns_of(const Query& query) {
  if (!query.selects_all()) {
    std::vector<TableColumn> columns;
    for (const auto& column : query.columns) columns.push_back({column.name, column.name});
    return columns;
  }
  if (query.source == Source::kJobs) {
    return {{"JOB", "jobId"}, {"DEVICE", "deviceId"}, {"TYPE", "jobType"}, {"STATUS", "status"}, {"STARTED", "startTimeUtc"}, {"ENDED", "endTimeUtc"}};
  }
  std::vector<TableColumn> columns = {{"DEVICE", "deviceId"},           {"MODULE", "moduleId"},    {"STATUS", "status"}, {"CONNECTION", "connectionState"},
                                      {"LAST ACTIVITY", "lastActivityTime"}, {"VERSION", "version"}, {"TAGS", "tags"}};
  if (query.source == Source::kDevices) columns.erase(columns.begin() + 1);
  return columns;
}

std::string cell(const JsonView& value, const TableColumn& column) {
  std::string text;
  if (value.is_string()) {
    std::string space;
    text = value.characters(space);
    if (column.heading == "LAST ACTIVITY") text = show_time(text);
  } else if (value.is_defined()) {
    JsonWriter json;
    value.write(json);
    text = std::move(json).take();
  }
  if (text.size() <= kMaxCellWidth) return text;
  std::size_t end = kMaxCellWidth - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // between characters
  return text.substr(0, end) + "...";
}

}  // namespace

std::string fault_picture(std::string_view query, std::size_t at, std::string_view sentence) {
  at = std::min(at, query.size());
  const std::size_t begin = at == 0 ? 0 : query.rfind('\n', at - 1) + 1;  // npos + 1: the first line
  const std::size_t end = std::min(query.find('\n', at), query.size());
  // A long line is shown around the place.
  constexpr std::size_t kAround = 50;
  std::size_t from = at - begin > kAround ? at - kAround : begin;
  std::size_t to = std::min(end, at + kAround);
  const auto between_characters = [query](std::size_t position) {
    return position >= query.size() || (static_cast<unsigned char>(query[position]) & 0xC0) != 0x80;
  };
  while (!between_characters(from)) --from;
  while (!between_characters(to)) ++to;
  const std::string before = (from > begin ? "..." : "") + terminal_text(query.substr(from, at - from));
  const std::string after = terminal_text(query.substr(at, to - at)) + (to < end ? "..." : "");
  return fmt::format("  {}{}\n  {}^ {}", before, after, std::string(terminal_width(before), ' '), sentence);
}

Status run_query(HubClient& hub, const QueryCommand& command, Console& console) {
  const auto parsed = twin::query::parse_query(command.text);
  const Query* query = std::get_if<Query>(&parsed);
  JsonWriter body;
  body.object().member("query", command.text).end_object();
  HubRequest request;
  request.method = "POST";
  request.path = "/devices/query";
  request.body = std::move(body).take();
  request.time_limit = kQueryTime;

  std::uint64_t rows = 0;
  for (std::string continuation;;) {
    const std::uint64_t left = command.top ? *command.top - rows : kRowsPerTable;
    if (left == 0) return {};
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"x-ms-max-item-count", std::to_string(std::min(left, kRowsPerTable))}};
    if (!continuation.empty()) request.headers.emplace_back("x-ms-continuation", continuation);
    const auto answer = hub.call(request);
    if (!answer.ok()) {
      // The hub says as much as the cloud does, which is that something is wrong.
      const auto* fault = std::get_if<Fault>(&parsed);
      if (fault == nullptr || answer.error().code != ErrorCode::kArgumentInvalid) return answer.error();
      return Error{ErrorCode::kInvalidSetting, "the query is wrong\n" + fault_picture(command.text, fault->at, fault->sentence)};
    }
    const JsonView page = JsonView::of(answer->body);
    if (!page.is_array()) return Error{ErrorCode::kMalformed, "the hub's answer is no array of rows"};

    std::optional<Table> table;
    std::vector<TableColumn> columns;
    for (JsonView::Elements rest = page.elements(); const auto row = rest.next();) {
      ++rows;
      // Rows of a query that another hub understood and this program does not have no known columns.
      if (command.json || query == nullptr) {
        if (!console.print(std::string(row->text()) + "\n")) return {};
        continue;
      }
      if (!table) {
        columns = columns_of(*query);
        std::vector<std::string> headings;
        for (const TableColumn& column : columns) headings.push_back(column.heading);
        table.emplace(std::move(headings));
      }
      std::vector<std::string> cells;
      for (const TableColumn& column : columns) cells.push_back(cell(row->member(column.member), column));
      table->add(std::move(cells));
    }
    if (table && !console.print(table->text())) return {};
    continuation = answer->header("x-ms-continuation");
    if (continuation.empty()) break;
  }
  if (rows == 0 && !command.json) console.say("no rows");
  return {};
}

}  // namespace nearhub::tools
