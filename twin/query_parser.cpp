// The parser's first half: the clauses of a query.
#include "twin/query_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "twin/query_parsing.h"

namespace nearhub::twin::query {
namespace {

constexpr std::string_view kWords[] = {"SELECT", "TOP", "FROM", "WHERE", "GROUP", "BY", "AS", "AND", "OR", "NOT", "IN", "NIN", "TRUE", "FALSE", "NULL", "UNDEFINED"};

constexpr std::pair<std::string_view, Aggregate> kAggregates[] = {
    {"COUNT", Aggregate::kCount}, {"SUM", Aggregate::kSum}, {"AVG", Aggregate::kAverage}, {"MIN", Aggregate::kMin}, {"MAX", Aggregate::kMax},
};

void flatten(Expression expression, std::vector<Expression>& conjuncts) {
  if (expression.kind != Expression::Kind::kAnd) {
    conjuncts.push_back(std::move(expression));
    return;
  }
  for (Expression& operand : expression.operands) flatten(std::move(operand), conjuncts);
}

// Whether the text can be read at all.
std::optional<Fault> check_text(std::string_view text) {
  if (text.size() > kMaxQueryBytes) return Fault{kMaxQueryBytes, fmt::format("the query has {} bytes; at most {} are allowed", text.size(), kMaxQueryBytes)};
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || text[at] == '\0') return Fault{at, "the query is not text in UTF-8"};
    at += length;
  }
  return std::nullopt;
}

}  // namespace

// --- Tokens -------------------------------------------------------------------------------------------------------------------

bool Parser::advance() {
  if (lexer_.next(token_)) return true;
  return fail(lexer_.fault().at, lexer_.fault().sentence);
}

bool Parser::fail(std::size_t at, std::string sentence) {
  fault_ = {at, std::move(sentence)};
  return false;
}

bool Parser::expected(std::string_view what) {
  std::string got;
  switch (token_.kind) {
    case Token::Kind::kEnd: got = "the query ends here"; break;
    case Token::Kind::kString: got = fmt::format("here stands the text '{}'", printable(token_.text, 40)); break;
    default: got = fmt::format("here stands {}", printable(token_.text, 40));
  }
  return fail(fmt::format("{}; expected {}", got, what));
}

bool Parser::is_word(std::string_view word) const { return token_.kind == Token::Kind::kName && equals_ignoring_case(token_.text, word); }

bool Parser::is_free_name() const {
  return token_.kind == Token::Kind::kName && std::none_of(std::begin(kWords), std::end(kWords), [this](auto word) { return is_word(word); });
}

bool Parser::take_symbol(std::string_view symbol) { return is_symbol(symbol) ? advance() : expected(symbol); }

// --- Clauses ------------------------------------------------------------------------------------------------------------------

bool Parser::statement(Query& query) {
  if (!advance()) return false;
  if (!is_word("SELECT")) return expected("SELECT");
  if (!advance() || !select_list(query) || !from(query) || !where(query) || !group_by(query)) return false;
  if (is_word("ORDER")) return fail("queries have no ORDER BY: rows come in the order of their ids");
  if (is_word("HAVING") || is_word("LIMIT") || is_word("OFFSET")) return fail(fmt::format("queries have no {}", to_lower(token_.text)));
  if (is_word("WHERE")) return fail("WHERE stands before GROUP BY, and once");
  if (token_.kind != Token::Kind::kEnd) return expected("the end of the query");
  return bind_all(query) && check_columns(query);
}

bool Parser::condition(Query& query) {
  Expression expression;
  if (!advance() || !or_expression(expression)) return false;
  if (token_.kind != Token::Kind::kEnd) return expected("AND, OR or the end of the condition");
  flatten(std::move(expression), query.where);
  return bind_all(query);
}

bool Parser::select_list(Query& query) {
  if (is_word("DISTINCT") || is_word("VALUE")) return fail(fmt::format("queries have no SELECT {}", to_lower(token_.text)));
  if (is_word("TOP")) {
    if (!advance()) return false;
    query.top = token_.kind == Token::Kind::kNumber ? parse_decimal(token_.text) : std::nullopt;
    if (!query.top) return expected("a whole number behind TOP");
    if (!advance()) return false;
  }
  if (is_symbol("*")) {
    if (!advance()) return false;
    return !is_symbol(",") || fail("* is all there is; it stands alone");
  }
  for (;;) {
    if (query.columns.size() == kMaxColumns) return fail(fmt::format("the query selects more than {} columns", kMaxColumns));
    if (!column(query.columns.emplace_back())) return false;
    if (!is_symbol(",")) return true;
    if (!advance()) return false;
    if (is_symbol("*")) return fail("* is all there is; it stands alone");
  }
}

bool Parser::column(Column& column) {
  column.at = token_.at;
  if (!is_free_name()) return path(column.path.emplace()) && alias(column);
  const Token name = token_;
  if (!advance()) return false;
  if (!is_symbol("(")) return path_behind(name, column.path.emplace()) && alias(column);
  const auto found = std::find_if(std::begin(kAggregates), std::end(kAggregates), [&name](const auto& each) { return equals_ignoring_case(each.first, name.text); });
  if (found == std::end(kAggregates)) {
    return fail(name.at, fmt::format("{} is no aggregate; a SELECT list has members and COUNT, SUM, AVG, MIN, MAX", printable(name.text, 60)));
  }
  column.aggregate = found->second;
  if (!advance()) return false;
  if (column.aggregate == Aggregate::kCount && (is_symbol(")") || is_symbol("*"))) {
    if (is_symbol("*") && !advance()) return false;
  } else if (column.aggregate == Aggregate::kCount && token_.kind == Token::Kind::kNumber) {
    if (!advance()) return false;  // COUNT(1)
  } else if (!path(column.path.emplace())) {
    return false;
  }
  return take_symbol(")") && alias(column);
}

bool Parser::alias(Column& column) {
  if (!is_word("AS")) return true;
  if (!advance()) return false;
  if (is_symbol("[") && lexer_.follows('[')) {
    if (!lexer_.bracketed_name(token_.at, token_)) return fail(lexer_.fault().at, lexer_.fault().sentence);
  } else if (token_.kind != Token::Kind::kName) {
    return expected("a name behind AS");
  }
  column.name = token_.text;
  return advance();
}

bool Parser::from(Query& query) {
  if (!is_word("FROM")) return expected(query.selects_all() ? "FROM" : "AS, a comma or FROM");
  if (!advance()) return false;
  if (!is_word("devices")) return expected("devices, devices.modules or devices.jobs behind FROM");
  if (!advance()) return false;
  if (!is_symbol(".")) return true;
  if (!advance()) return false;
  if (is_word("modules")) {
    query.source = Source::kModules;
  } else if (is_word("jobs")) {
    query.source = Source::kJobs;
  } else {
    return expected("modules or jobs behind devices.");
  }
  return advance();
}

bool Parser::where(Query& query) {
  if (!is_word("WHERE")) return true;
  Expression condition;
  if (!advance() || !or_expression(condition)) return false;
  flatten(std::move(condition), query.where);
  return true;
}

bool Parser::group_by(Query& query) {
  if (!is_word("GROUP")) return true;
  if (!advance()) return false;
  if (!is_word("BY")) return expected("BY behind GROUP");
  do {
    if (query.group_by.size() == kMaxGroupPaths) return fail(fmt::format("the query groups by more than {} members", kMaxGroupPaths));
    if (!advance() || !path(query.group_by.emplace_back())) return false;
  } while (is_symbol(","));
  return true;
}

// --- The whole query ----------------------------------------------------------------------------------------------------------

// A path's first name stands in `name` until here; in front of it the source may be named once more.
bool Parser::bind(const Query& query, Path& path) {
  std::string root = path.name;
  if (equals_ignoring_case(root, "devices")) {
    std::size_t dropped = 0;
    const auto next_is = [&](std::string_view word) {
      return dropped < path.steps.size() && !path.steps[dropped].is_index && equals_ignoring_case(path.steps[dropped].name, word);
    };
    if (query.source != Source::kDevices && next_is(query.source == Source::kModules ? "modules" : "jobs")) {
      ++dropped;
    } else if (next_is("modules") || next_is("jobs")) {
      return fail(path.at, fmt::format("the query reads {}, not devices.{}", source_name(query.source), to_lower(path.steps[dropped].name)));
    }
    if (dropped >= path.steps.size() || path.steps[dropped].is_index) return fail(path.at, "a member is missing behind devices");
    root = path.steps[dropped].name;
    path.steps.erase(path.steps.begin(), path.steps.begin() + static_cast<std::ptrdiff_t>(dropped) + 1);
  }
  path.root = find_member(query.source, root);
  if (!path.root && query.source == Source::kJobs && find_member(Source::kModules, root)) {
    return fail(path.at, fmt::format("devices.jobs has no {}: a job's row has deviceId, jobId, jobType, status and times", printable(root, 60)));
  }
  path.name = path.root ? std::string(member_name(query.source, *path.root)) : root;
  if (!path.steps.empty() && !path.steps[0].is_index && path.root) {
    path.steps[0].name = canonical_name(query.source, *path.root, path.steps[0].name);
  }
  for (const Step& step : path.steps) {
    if (!step.is_index) path.name = step.name;
  }
  return true;
}

bool Parser::bind_all(Query& query) {
  const auto bind_one = [this, &query](Path& path) { return bind(query, path); };
  for (Column& column : query.columns) {
    if (column.path && !bind_one(*column.path)) return false;
  }
  for (Expression& condition : query.where) {
    if (!for_each_path(condition, bind_one)) return false;
  }
  return std::all_of(query.group_by.begin(), query.group_by.end(), bind_one);
}

bool Parser::check_columns(Query& query) {
  if (query.source == Source::kJobs && !query.selects_all()) return fail(query.columns.front().at, "devices.jobs is read with SELECT * alone");
  if (query.selects_all()) {
    return query.group_by.empty() || fail(query.group_by.front().at, "SELECT * has no groups: name the member and an aggregate, SELECT status, COUNT() AS count");
  }
  query.aggregates = !query.group_by.empty() ||
                     std::any_of(query.columns.begin(), query.columns.end(), [](const Column& column) { return column.aggregate != Aggregate::kNone; });
  int unnamed = 0;
  for (Column& column : query.columns) {
    if (query.aggregates && column.aggregate == Aggregate::kNone) {
      const bool grouped = std::any_of(query.group_by.begin(), query.group_by.end(), [&column](const Path& path) { return path.same_as(*column.path); });
      if (!grouped) return fail(column.at, fmt::format("{} is neither an aggregate nor in GROUP BY", printable(column.path->name, 60)));
    }
    // As document databases name what has no name.
    if (column.name.empty()) column.name = column.aggregate == Aggregate::kNone ? column.path->name : fmt::format("${}", ++unnamed);
  }
  for (auto column = query.columns.begin(); column != query.columns.end(); ++column) {
    if (std::any_of(query.columns.begin(), column, [&column](const Column& before) { return before.name == column->name; })) {
      return fail(column->at, fmt::format("two columns have the name {}; give one another by AS", printable(column->name, 60)));
    }
  }
  return true;
}

std::string fault_text(std::string_view query, const Fault& fault) {
  const std::string_view before = query.substr(0, fault.at);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1: from the beginning
  // Bytes that continue a character are none of their own.
  const auto column = std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) + 1;
  return lines == 0 ? fmt::format("column {}: {}", column, fault.sentence) : fmt::format("line {}, column {}: {}", lines + 1, column, fault.sentence);
}

// --- Entrances ----------------------------------------------------------------------------------------------------------------

Parsed parse_query(std::string_view text) {
  if (auto fault = check_text(text)) return *std::move(fault);
  Query query;
  query.text = text;
  Parser parser(text);
  if (!parser.statement(query)) return parser.fault();
  return query;
}

Parsed parse_condition(Source source, std::string_view condition) {
  if (auto fault = check_text(condition)) return *std::move(fault);
  Query query;
  query.text = condition;
  query.source = source;
  const std::string_view bare = trim(condition);
  if (bare.empty() || bare == "*") return query;
  Parser parser(condition);
  if (!parser.condition(query)) return parser.fault();
  return query;
}

}  // namespace nearhub::twin::query
