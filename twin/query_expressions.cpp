// The parser's second half: paths and the conditions behind WHERE.
#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "twin/query_functions.h"
#include "twin/query_parser.h"
#include "twin/query_parsing.h"

namespace nearhub::twin::query {
namespace {

constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
    {"=", Comparison::kEqual},       {"!=", Comparison::kNotEqual},     {"<>", Comparison::kNotEqual},      {"<", Comparison::kLess},
    {"<=", Comparison::kLessOrEqual}, {">", Comparison::kGreater}, {">=", Comparison::kGreaterOrEqual},
};

Expression around(Expression::Kind kind, Expression inner) {
  Expression outer;
  outer.kind = kind;
  outer.at = inner.at;
  outer.operands.push_back(std::move(inner));
  return outer;
}

}  // namespace

bool Parser::deeper() {
  if (++depth_ <= kMaxNesting) return true;
  return fail(fmt::format("the condition is nested deeper than {} levels", kMaxNesting));
}

bool Parser::path(Path& path) {
  if (is_symbol("[") && lexer_.follows('[')) {
    Token name;
    if (!lexer_.bracketed_name(token_.at, name)) return fail(lexer_.fault().at, lexer_.fault().sentence);
    return advance() && path_behind(name, path);
  }
  if (!is_free_name()) return expected("a member like deviceId, tags.floor or properties.reported.state");
  const Token name = token_;
  return advance() && path_behind(name, path);
}

bool Parser::path_behind(const Token& root, Path& path) {
  path.name = root.text;
  path.at = root.at;
  for (;;) {
    const bool dot = is_symbol(".");
    if (!dot && !is_symbol("[")) return true;
    if (dot && !advance()) return false;
    Step step;
    if (dot && token_.kind == Token::Kind::kName) {
      step.name = token_.text;
    } else if (is_symbol("[") && lexer_.follows('[')) {
      if (!lexer_.bracketed_name(token_.at, token_)) return fail(lexer_.fault().at, lexer_.fault().sentence);
      step.name = token_.text;
    } else if (dot) {
      return expected("a name behind the dot; one with other characters than letters, digits, _ and $ is written [[name]]");
    } else {
      if (!advance()) return false;
      if (token_.kind == Token::Kind::kString) {
        step.name = token_.text;
      } else if (const auto index = token_.kind == Token::Kind::kNumber ? parse_decimal(token_.text) : std::nullopt) {
        step.is_index = true;
        step.index = static_cast<std::size_t>(*index);
      } else {
        return expected("an index, 'name' or [name] between the brackets");
      }
      if (!advance()) return false;
      if (!is_symbol("]")) return expected("]");
    }
    path.steps.push_back(std::move(step));
    if (!advance()) return false;
  }
}

bool Parser::or_expression(Expression& out) {
  if (!and_expression(out)) return false;
  if (!is_word("OR")) return true;
  out = around(Expression::Kind::kOr, std::move(out));
  while (is_word("OR")) {
    if (!advance() || !and_expression(out.operands.emplace_back())) return false;
  }
  return true;
}

bool Parser::and_expression(Expression& out) {
  if (!not_expression(out)) return false;
  if (!is_word("AND")) return true;
  out = around(Expression::Kind::kAnd, std::move(out));
  while (is_word("AND")) {
    if (!advance() || !not_expression(out.operands.emplace_back())) return false;
  }
  return true;
}

bool Parser::not_expression(Expression& out) {
  if (!is_word("NOT")) return comparison(out);
  out.kind = Expression::Kind::kNot;
  out.at = token_.at;
  if (!deeper() || !advance() || !not_expression(out.operands.emplace_back())) return false;
  --depth_;
  return true;
}

bool Parser::comparison(Expression& out) {
  if (!arithmetic(out, false)) return false;
  if (is_word("IN") || is_word("NIN")) return membership(out);
  if (is_word("NOT")) return fail("\"not in\" is written NIN: deviceId NIN ['a', 'b']");
  if (is_word("LIKE")) return fail("queries have no LIKE; there are STARTSWITH(path, 'text') and ENDSWITH(path, 'text')");
  if (is_word("IS")) return fail("queries have no IS; there are IS_DEFINED(path) and IS_NULL(path)");
  if (is_word("BETWEEN")) return fail("queries have no BETWEEN; write path >= a AND path <= b");
  const auto compares = [this]() -> const std::pair<std::string_view, Comparison>* {
    if (token_.kind != Token::Kind::kSymbol) return nullptr;
    for (const auto& each : kComparisons) {
      if (each.first == token_.text) return &each;
    }
    return nullptr;
  };
  const auto* found = compares();
  if (found == nullptr) return true;
  const std::size_t at = token_.at;
  out = around(Expression::Kind::kCompare, std::move(out));
  out.at = at;
  out.comparison = found->second;
  if (!advance() || !arithmetic(out.operands.emplace_back(), false)) return false;
  if (compares() != nullptr) return fail("comparisons cannot be chained; join them with AND");
  return true;
}

bool Parser::membership(Expression& out) {
  const bool negated = is_word("NIN");
  out = around(Expression::Kind::kIn, std::move(out));
  out.negated = negated;
  if (!advance()) return false;
  if (!is_symbol("[")) return expected(fmt::format("[ behind {}: {} ['a', 'b']", negated ? "NIN" : "IN", negated ? "NIN" : "IN"));
  return list(out.list);
}

bool Parser::arithmetic(Expression& out, bool products) {
  const std::string_view operators = products ? "*/%" : "+-";
  const auto term = [this, products](Expression& to) { return products ? operand(to) : arithmetic(to, true); };
  const auto is_operator = [this, operators] {
    return token_.kind == Token::Kind::kSymbol && token_.text.size() == 1 && operators.find(token_.text[0]) != std::string_view::npos;
  };
  if (!term(out)) return false;
  if (!is_operator()) return true;
  out = around(Expression::Kind::kArithmetic, std::move(out));
  while (is_operator()) {
    out.operators.push_back(token_.text[0]);
    if (!advance() || !term(out.operands.emplace_back())) return false;
  }
  return true;
}

bool Parser::operand(Expression& out) {
  out.at = token_.at;
  if (is_symbol("(")) {
    if (!deeper() || !advance() || !or_expression(out) || !take_symbol(")")) return false;
    --depth_;
    return true;
  }
  if (is_symbol("-") || is_symbol("+")) {
    if (is_symbol("-")) out.kind = Expression::Kind::kNegate;
    Expression& inner = is_symbol("-") ? out.operands.emplace_back() : out;
    if (!deeper() || !advance() || !operand(inner)) return false;
    --depth_;
    return true;
  }
  const bool bracketed = is_symbol("[") && lexer_.follows('[');
  if (is_symbol("[") && !bracketed) {
    out.kind = Expression::Kind::kList;
    return list(out.list);
  }
  const bool literal = token_.kind == Token::Kind::kNumber || token_.kind == Token::Kind::kString || is_word("TRUE") || is_word("FALSE") ||
                       is_word("NULL") || is_word("UNDEFINED");
  if (literal) {
    out.kind = Expression::Kind::kConstant;
    return constant(out.constant);
  }
  if (!bracketed && !is_free_name()) return expected("a member, a constant, a function or (");
  if (!bracketed) {
    const Token name = token_;
    if (!advance()) return false;
    if (is_symbol("(")) return call(out, name);
    out.kind = Expression::Kind::kPath;
    return path_behind(name, out.path);
  }
  out.kind = Expression::Kind::kPath;
  return path(out.path);
}

bool Parser::call(Expression& out, const Token& name) {
  const FunctionInfo* info = find_function(name.text);
  if (info == nullptr) return fail(name.at, unknown_function(name.text));
  out.kind = Expression::Kind::kCall;
  out.function = info->function;
  if (!deeper() || !advance()) return false;
  while (!is_symbol(")")) {
    if (!out.operands.empty() && !take_symbol(",")) return false;
    if (!or_expression(out.operands.emplace_back())) return false;
  }
  --depth_;
  if (out.operands.size() != info->arguments) {
    return fail(name.at, fmt::format("{} takes {} argument{}, not {}", info->name, info->arguments, info->arguments == 1 ? "" : "s", out.operands.size()));
  }
  return advance();
}

bool Parser::list(std::vector<Constant>& items) {
  if (!advance()) return false;
  while (!is_symbol("]")) {
    if (items.size() == kMaxListItems) return fail(fmt::format("the list has more than {} items", kMaxListItems));
    if (!items.empty() && !take_symbol(",")) return false;
    if (!constant(items.emplace_back())) return false;
  }
  return advance();
}

bool Parser::constant(Constant& out) {
  const bool negative = is_symbol("-");
  if (negative && !advance()) return false;
  if (token_.kind == Token::Kind::kNumber) {
    out.kind = JsonView::Kind::kNumber;
    out.number = negative ? -token_.number : token_.number;
    return advance();
  }
  if (negative) return expected("a number behind -");
  if (is_symbol("[")) {
    // An array inside of an array: nothing is equal to it, so its items need not be kept.
    out.kind = JsonView::Kind::kArray;
    std::vector<Constant> items;
    if (!deeper() || !list(items)) return false;
    --depth_;
    return true;
  }
  if (token_.kind == Token::Kind::kString) {
    out.kind = JsonView::Kind::kString;
    out.text = token_.text;
  } else if (is_word("TRUE") || is_word("FALSE")) {
    out.kind = is_word("TRUE") ? JsonView::Kind::kTrue : JsonView::Kind::kFalse;
  } else if (is_word("NULL")) {
    out.kind = JsonView::Kind::kNull;
  } else if (!is_word("UNDEFINED")) {
    return expected("a constant: a number, 'text', true, false or null");
  }
  return advance();
}

}  // namespace nearhub::twin::query
