// The words of a query, one after the other.
//
// THREAD: one at a time; the text outlives the lexer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "twin/query_ast.h"

namespace nearhub::twin::query {

struct Token {
  enum class Kind : std::uint8_t { kEnd, kName, kNumber, kString, kSymbol };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;
  std::string text;   // a name as written, a string's characters, a symbol
  double number = 0;  // of a number
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // The next token, kEnd at the end. False after a fault.
  bool next(Token& token);
  // Just behind a "[" comes a second one: reads the name up to "]]". `open` is the first bracket's position.
  bool bracketed_name(std::size_t open, Token& token);
  // Whether a character stands right behind the token that was read last.
  bool follows(char c) const { return position_ < text_.size() && text_[position_] == c; }

  const Fault& fault() const { return fault_; }

 private:
  bool fail(std::size_t at, std::string sentence);
  bool number(Token& token);
  bool string(Token& token);
  bool escape(std::string& out);

  std::string_view text_;
  std::size_t position_ = 0;
  Fault fault_;
};

}  // namespace nearhub::twin::query
