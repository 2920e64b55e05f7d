// The parser's inside, shared by its two halves: clauses (query_parser.cpp) and expressions (query_expressions.cpp).
//
// Every rule returns false after the first fault, which fault() then tells.
//
// THREAD: one at a time.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "twin/query_ast.h"
#include "twin/query_lexer.h"

namespace nearhub::twin::query {

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  bool statement(Query& query);
  bool condition(Query& query);  // the whole text
  const Fault& fault() const { return fault_; }

 private:
  // --- Tokens
  bool advance();
  bool fail(std::string sentence) { return fail(token_.at, std::move(sentence)); }
  bool fail(std::size_t at, std::string sentence);
  bool expected(std::string_view what);  // instead of the token that is there
  bool is_symbol(std::string_view symbol) const { return token_.kind == Token::Kind::kSymbol && token_.text == symbol; }
  bool is_word(std::string_view word) const;
  // A name that is none of the language's own words.
  bool is_free_name() const;
  bool take_symbol(std::string_view symbol);

  // --- Clauses
  bool select_list(Query& query);
  bool column(Column& column);
  bool alias(Column& column);
  bool from(Query& query);
  bool where(Query& query);
  bool group_by(Query& query);
  // What can be judged only when all of the query is read.
  bool bind(const Query& query, Path& path);
  bool bind_all(Query& query);
  bool check_columns(Query& query);

  // --- Expressions
  bool path(Path& path);
  bool path_behind(const Token& root, Path& path);
  bool or_expression(Expression& out);
  bool and_expression(Expression& out);
  bool not_expression(Expression& out);
  bool comparison(Expression& out);
  bool membership(Expression& out);
  bool arithmetic(Expression& out, bool products);
  bool operand(Expression& out);
  bool call(Expression& out, const Token& name);
  bool list(std::vector<Constant>& items);
  bool constant(Constant& out);
  bool deeper();

  Lexer lexer_;
  Token token_;
  Fault fault_;
  int depth_ = 0;
};

// Puts the members' numbers into the paths of an expression: only when the whole query is read is its source known.
template <typename Bind>
bool for_each_path(Expression& expression, const Bind& bind) {
  if (expression.kind == Expression::Kind::kPath) return bind(expression.path);
  for (Expression& operand : expression.operands) {
    if (!for_each_path(operand, bind)) return false;
  }
  return true;
}

}  // namespace nearhub::twin::query
