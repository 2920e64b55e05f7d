#include "twin/query_lexer.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>

#include "base/text.h"

namespace nearhub::twin::query {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }
bool begins_name(char c) { return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80; }
bool continues_name(char c) { return begins_name(c) || is_digit(c); }

constexpr std::string_view kTwoCharacters[] = {"<=", ">=", "<>", "!="};
constexpr std::string_view kOneCharacter = "()[],.*=<>+-/%";

}  // namespace

bool Lexer::fail(std::size_t at, std::string sentence) {
  fault_ = {at, std::move(sentence)};
  return false;
}

bool Lexer::next(Token& token) {
  while (position_ < text_.size() && (text_[position_] == ' ' || (text_[position_] >= '\t' && text_[position_] <= '\r'))) ++position_;
  token = Token();
  token.at = position_;
  if (position_ == text_.size()) return true;
  const char c = text_[position_];
  if (begins_name(c)) {
    std::size_t end = position_ + 1;
    while (end < text_.size() && continues_name(text_[end])) ++end;
    token.kind = Token::Kind::kName;
    token.text = text_.substr(position_, end - position_);
    position_ = end;
    return true;
  }
  if (is_digit(c)) return number(token);
  if (c == '\'' || c == '"') return string(token);
  token.kind = Token::Kind::kSymbol;
  for (const std::string_view symbol : kTwoCharacters) {
    if (!text_.substr(position_).starts_with(symbol)) continue;
    token.text = symbol;
    position_ += symbol.size();
    return true;
  }
  if (kOneCharacter.find(c) != std::string_view::npos) {
    token.text = c;
    ++position_;
    if (c == '=' && follows('=')) return fail(token.at, "equality is written with one =");
    return true;
  }
  if (c == ';') return fail(token.at, "a query is one statement without a ; at its end");
  if (c == '!') return fail(token.at, "! stands in != alone; negation is written NOT");
  if (c == '&' || c == '|') return fail(token.at, "conditions are joined with AND and OR");
  return fail(token.at, fmt::format("\"{}\" has no meaning here", printable(std::string_view(&text_[position_], 1))));
}

bool Lexer::number(Token& token) {
  token.kind = Token::Kind::kNumber;
  const std::size_t begin = position_;
  if (text_[begin] == '0' && begin + 1 < text_.size() && ascii_lower(text_[begin + 1]) == 'x') {
    position_ += 2;
    while (position_ < text_.size() && is_hex_digit(text_[position_])) ++position_;
    if (position_ == begin + 2) return fail(begin, "hexadecimal digits are missing behind 0x");
    for (const char digit : text_.substr(begin + 2, position_ - begin - 2)) {
      token.number = token.number * 16 + (is_digit(digit) ? digit - '0' : ascii_lower(digit) - 'a' + 10);
    }
  } else {
    const auto digits = [this] {
      const std::size_t from = position_;
      while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
      return position_ > from;
    };
    digits();
    if (follows('.')) {
      ++position_;
      if (!digits()) return fail(begin, "digits are missing behind the decimal point");
    }
    if (position_ < text_.size() && ascii_lower(text_[position_]) == 'e') {
      ++position_;
      if (follows('+') || follows('-')) ++position_;
      if (!digits()) return fail(begin, "the exponent of the number has no digits");
    }
    token.number = std::strtod(std::string(text_.substr(begin, position_ - begin)).c_str(), nullptr);
  }
  if (position_ < text_.size() && continues_name(text_[position_])) {
    return fail(begin, "a number cannot go on with letters; a name that begins with a digit is written [[name]]");
  }
  token.text = text_.substr(begin, position_ - begin);
  return true;
}

bool Lexer::string(Token& token) {
  token.kind = Token::Kind::kString;
  const char quote = text_[position_++];
  for (;;) {
    if (position_ == text_.size()) return fail(token.at, fmt::format("the string that begins here has no closing {}", quote));
    const char c = text_[position_++];
    if (c == quote) break;
    if (c != '\\') {
      token.text.push_back(c);
    } else if (!escape(token.text)) {
      return false;
    }
  }
  if (follows(quote)) return fail(position_, fmt::format("a {0} inside of a string is written \\{0}", quote));
  return true;
}

bool Lexer::escape(std::string& out) {
  const std::size_t at = position_ - 1;
  const char c = position_ < text_.size() ? text_[position_++] : '\0';
  switch (c) {
    case '\'':
    case '"':
    case '\\':
    case '/': out.push_back(c); return true;
    case 'n': out.push_back('\n'); return true;
    case 'r': out.push_back('\r'); return true;
    case 't': out.push_back('\t'); return true;
    case 'b': out.push_back('\b'); return true;
    case 'f': out.push_back('\f'); return true;
    case 'u': break;
    default: return fail(at, "a backslash escapes ' \" \\ / n r t b f or uXXXX");
  }
  const auto unit = [this]() -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    if (text_.size() - position_ < 4) return std::nullopt;
    const char* begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, begin + 4, value, 16);
    if (error != std::errc() || end != begin + 4) return std::nullopt;
    position_ += 4;
    return value;
  };
  const auto first = unit();
  if (!first) return fail(at, "\\u is followed by four hexadecimal digits");
  std::uint32_t code = *first;
  if (code >= 0xD800 && code < 0xE000) {
    const bool high = code < 0xDC00 && text_.substr(position_).starts_with("\\u");
    if (high) position_ += 2;
    const auto second = high ? unit() : std::nullopt;
    if (!second || *second < 0xDC00 || *second >= 0xE000) return fail(at, "this \\u is one half of a surrogate pair without the other");
    code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
  }
  append_utf8(out, code);
  return true;
}

bool Lexer::bracketed_name(std::size_t open, Token& token) {
  const std::size_t begin = open + 2;
  const std::size_t end = text_.find("]]", begin);
  if (end == std::string_view::npos) return fail(open, "the name that begins here has no closing ]]");
  if (end == begin) return fail(open, "the name between [[ and ]] is empty");
  token = Token();
  token.kind = Token::Kind::kName;
  token.at = open;
  token.text = text_.substr(begin, end - begin);
  position_ = end + 2;
  return true;
}

}  // namespace nearhub::twin::query
