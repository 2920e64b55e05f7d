#include "tools/terminal_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace nearhub::tools {
namespace {

// The character that a well-formed sequence stands for.
char32_t decode(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t character = first & (0x7Fu >> sequence.size());
  for (const char c : sequence.substr(1)) character = character << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return character;
}

bool is_unsafe(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kUnsafe[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},      // control characters, among them the one-byte forms of ESC sequences
      {0xAD, 0xAD},     {0x61C, 0x61C},    // soft hyphen; Arabic letter mark
      {0x200B, 0x200F}, {0x2028, 0x202E},  // zero width, direction marks, separators of lines, embeddings
      {0x2060, 0x206F}, {0xFEFF, 0xFEFF},  // isolates; byte order mark
      {0xFFF9, 0xFFFB},                    // annotations
  };
  return std::any_of(std::begin(kUnsafe), std::end(kUnsafe),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

std::string safe(std::string_view text, bool keep_line_feeds) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, length);
    text.remove_prefix(length);
    const char32_t c = decode(sequence);
    if (!is_unsafe(c) || (c == '\n' && keep_line_feeds)) {
      out += sequence;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    }
  }
  return out;
}

}  // namespace

std::string terminal_text(std::string_view text) { return safe(text, false); }

std::string terminal_lines(std::string_view text) { return safe(text, true); }

std::string terminal_word(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \"=[]{},\\") == std::string_view::npos;
  std::string shown = terminal_text(text);
  if (plain && shown == text) return shown;
  if (!plain) {
    for (std::size_t at = 0; (at = shown.find('"', at)) != std::string::npos; at += 2) shown.insert(at, 1, '\\');
  }
  return "\"" + shown + "\"";
}

std::size_t terminal_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace nearhub::tools
