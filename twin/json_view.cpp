#include "twin/json_view.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace nearhub::twin {
namespace {

constexpr auto kNoEnd = std::string_view::npos;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_space(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
}

bool take_char(std::string_view& rest, char c) {
  skip_space(rest);
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

// Where the string that begins behind a quote ends: the position of its closing quote.
std::size_t end_of_string(std::string_view text, bool& escaped) {
  escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') {
      escaped = true;
      ++i;
    }
  }
  return kNoEnd;
}

// The length of the object or array at the beginning of the text, its brackets included.
std::size_t length_of_nested(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) return i + 1;
        break;
      case '"': {
        bool escaped;
        const std::size_t end = end_of_string(text.substr(i + 1), escaped);
        if (end == kNoEnd) return kNoEnd;
        i += end + 1;
        break;
      }
      default: break;
    }
  }
  return kNoEnd;
}

std::uint32_t hex_of(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

void unescape(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    switch (const char c = text[++i]) {
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'u': {
        if (i + 4 >= text.size()) return;
        std::uint32_t code = hex_of(text.substr(i + 1, 4));
        i += 4;
        if (code >= 0xD800 && code < 0xDC00 && i + 6 < text.size() && text.substr(i + 1, 2) == "\\u") {
          code = 0x10000 + ((code - 0xD800) << 10) + ((hex_of(text.substr(i + 3, 4)) - 0xDC00) & 0x3FF);
          i += 6;
        }
        append_utf8(out, code);
        break;
      }
      default: out.push_back(c);
    }
  }
}

}  // namespace

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      byte(0xE0 | code >> 12);
    } else {
      byte(0xF0 | (code >> 18 & 0x07));
      byte(0x80 | (code >> 12 & 0x3F));
    }
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

std::optional<JsonView> JsonView::take(std::string_view& rest) {
  skip_space(rest);
  if (rest.empty()) return std::nullopt;
  const char first = rest.front();
  if (first == '"') {
    bool escaped;
    const std::size_t end = end_of_string(rest.substr(1), escaped);
    if (end == kNoEnd) return std::nullopt;
    const JsonView value(Kind::kString, rest.substr(1, end), escaped);
    rest.remove_prefix(end + 2);
    return value;
  }
  if (first == '{' || first == '[') {
    const std::size_t length = length_of_nested(rest);
    if (length == kNoEnd) return std::nullopt;
    const JsonView value(first == '{' ? Kind::kObject : Kind::kArray, rest.substr(0, length), false);
    rest.remove_prefix(length);
    return value;
  }
  for (const auto& [word, kind] : {std::pair{"true", Kind::kTrue}, std::pair{"false", Kind::kFalse}, std::pair{"null", Kind::kNull}}) {
    if (!rest.starts_with(word)) continue;
    rest.remove_prefix(std::string_view(word).size());
    return JsonView(kind, {}, false);
  }
  const std::size_t length = std::min(rest.find_first_not_of("0123456789+-.eE"), rest.size());
  if (length == 0) return std::nullopt;
  const JsonView value(Kind::kNumber, rest.substr(0, length), false);
  rest.remove_prefix(length);
  return value;
}

JsonView JsonView::of(std::string_view json) { return take(json).value_or(JsonView()); }

JsonView JsonView::member(std::string_view name) const {
  if (kind_ != Kind::kObject) return {};
  std::string_view rest = text_.substr(1);
  std::string space;
  for (;;) {
    skip_space(rest);
    if (rest.empty() || rest.front() != '"') return {};
    const auto key = take(rest);
    if (!key || !take_char(rest, ':')) return {};
    const bool wanted = key->escaped_ ? key->characters(space) == name : key->text_ == name;
    const auto value = take(rest);
    if (!value) return {};
    if (wanted) return *value;
    if (!take_char(rest, ',')) return {};
  }
}

JsonView JsonView::element(std::size_t index) const {
  Elements rest = elements();
  for (; index > 0; --index) {
    if (!rest.next()) return {};
  }
  return rest.next().value_or(JsonView());
}

JsonView::Elements JsonView::elements() const {
  return Elements(kind_ == Kind::kArray ? text_.substr(1) : std::string_view());
}

std::optional<JsonView> JsonView::Elements::next() {
  skip_space(rest_);
  if (rest_.empty() || rest_.front() == ']') return std::nullopt;
  auto value = take(rest_);
  // The end of the array, or a damage, ends the elements.
  if (!value || !take_char(rest_, ',')) rest_ = {};
  return value;
}

double JsonView::to_double() const {
  double value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  // Too large or too small: strtod tells which.
  return std::strtod(std::string(text_).c_str(), nullptr);
}

std::string_view JsonView::characters(std::string& space) const {
  if (!escaped_) return text_;
  unescape(text_, space);
  return space;
}

void JsonView::write(JsonWriter& json) const {
  switch (kind_) {
    case Kind::kUndefined: return;
    case Kind::kNull: json.null(); return;
    case Kind::kFalse: json.boolean(false); return;
    case Kind::kTrue: json.boolean(true); return;
    case Kind::kNumber:
    case Kind::kArray:
    case Kind::kObject: json.raw(text_); return;
    case Kind::kString: {
      std::string space;
      json.string(characters(space));
      return;
    }
  }
}

}  // namespace nearhub::twin
