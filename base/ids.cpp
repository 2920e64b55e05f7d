#include "base/ids.h"

#include <fmt/core.h>

#include <array>

namespace nearhub {
namespace {

constexpr auto kIdCharacters = [] {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("-:.+%_#*?!(),=@;$'")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

bool is_id_character(char c) { return kIdCharacters[static_cast<unsigned char>(c)]; }

Status check_id(std::string_view id, std::string_view what) {
  if (id.empty()) return Error{ErrorCode::kArgumentInvalid, fmt::format("{} is empty", what)};
  if (id.size() > kMaxIdLength) {
    return Error{ErrorCode::kArgumentInvalid,
                 fmt::format("{} has {} characters; at most {} are allowed", what, id.size(), kMaxIdLength)};
  }
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (!is_id_character(id[i])) {
      const auto byte = static_cast<unsigned char>(id[i]);
      const std::string shown = byte > 0x20 && byte < 0x7f ? fmt::format("'{}'", id[i]) : fmt::format("byte 0x{:02X}", byte);
      return Error{ErrorCode::kArgumentInvalid,
                   fmt::format("{} contains {} at position {}; allowed are letters, digits, the semicolon and - : . + % _ # * ? ! ( ) , = @ $ '",
                               what, shown, i + 1)};
    }
  }
  return {};
}

std::string IdentityId::text() const {
  if (module.empty()) return device.str();
  std::string text;
  text.reserve(device.str().size() + 1 + module.str().size());
  text.append(device.str()).append(1, '/').append(module.str());
  return text;
}

}  // namespace nearhub
