#include "wire/mqtt/text.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace nearhub::mqtt {
namespace {

// True when each of the eight bytes is in 0x01..0x7F. Taking 1 from every byte sets the high bit of a zero byte, and only a
// zero byte borrows from its neighbour, so a word without zero and without high bits comes out without high bits.
bool is_ascii_word(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kHighBits = 0x8080808080808080u;
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return (((word - kOnes) | word) & kHighBits) == 0;
}

bool is_ascii_byte(char c) { return c != '\0' && static_cast<unsigned char>(c) < 0x80; }

bool is_text_slowly(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos && is_utf8(bytes); }

}  // namespace

bool is_text(std::string_view bytes) {
  const char* const begin = bytes.data();
  const std::size_t size = bytes.size();
  if (size < sizeof(std::uint64_t)) {
    for (std::size_t i = 0; i < size; ++i) {
      if (!is_ascii_byte(begin[i])) return is_text_slowly(bytes.substr(i));
    }
    return true;
  }
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= size; i += sizeof(std::uint64_t)) {
    if (!is_ascii_word(begin + i)) return is_text_slowly(bytes.substr(i));
  }
  // The last word overlaps bytes that were seen to be ASCII, which saves a loop over up to seven single bytes.
  return is_ascii_word(begin + size - sizeof(std::uint64_t)) || is_text_slowly(bytes.substr(i));
}

std::string text_fault(std::string_view bytes) {
  if (!is_utf8(bytes)) return "is not well-formed UTF-8";
  return fmt::format("has a NUL at position {}", bytes.find('\0') + 1);
}

}  // namespace nearhub::mqtt
