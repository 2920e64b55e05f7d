#include "wire/mqtt/packet_type.h"

#include <fmt/format.h>

#include <algorithm>

namespace nearhub::mqtt {
namespace {

constexpr bool is_valid(std::uint8_t first_byte) {
  if (rules_of(first_byte).name.empty()) return false;
  if (type_of(first_byte) != PacketType::kPublish) return (first_byte & 0x0F) == rules_of(first_byte).flags;
  const std::uint8_t qos = publish_qos(first_byte);
  if (qos == 0 && (first_byte & kDupFlag) != 0) return false;  // [MQTT-3.3.1-2]
  return qos < 3;                                              // [MQTT-3.3.1-4]
}

constexpr auto kValidFirstByte = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = is_valid(static_cast<std::uint8_t>(byte));
  return table;
}();

}  // namespace

FixedHeader read_fixed_header(std::string_view bytes) {
  FixedHeader header;
  if (bytes.empty()) return header;
  header.first_byte = static_cast<std::uint8_t>(bytes[0]);
  if (!kValidFirstByte[header.first_byte]) {
    header.state = FixedHeader::kMalformed;
    return header;
  }
  const std::size_t last = std::min(bytes.size() - 1, kMaxLengthBytes);
  for (std::size_t i = 1; i <= last; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    header.remaining_bytes |= static_cast<std::size_t>(byte & 0x7F) << (7 * (i - 1));
    if ((byte & 0x80) == 0) {
      header.header_bytes = i + 1;
      header.state = FixedHeader::kComplete;
      return header;
    }
  }
  if (last == kMaxLengthBytes) header.state = FixedHeader::kMalformed;
  return header;
}

std::string fixed_header_fault(std::uint8_t first_byte) {
  const PacketRules& rules = rules_of(first_byte);
  if (rules.name.empty()) return fmt::format("packet type {} is reserved", first_byte >> 4);
  if (is_valid(first_byte)) {
    return fmt::format("{} with a remaining length of more than {} bytes", rules.name, kMaxLengthBytes);
  }
  if (type_of(first_byte) != PacketType::kPublish) {
    return fmt::format("{} with fixed-header flags 0x{:X}; 0x{:X} is required", rules.name, first_byte & 0x0F,
                       rules.flags);
  }
  return publish_qos(first_byte) == 3 ? "PUBLISH with QoS 3" : "PUBLISH with DUP and QoS 0";
}

}  // namespace nearhub::mqtt
