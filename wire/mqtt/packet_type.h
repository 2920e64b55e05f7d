// The fixed header: packet types, the flags that each must carry ([MQTT-2.2.2-1], [MQTT-2.2.2-2]), the remaining length.
//
// THREAD: any thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nearhub::mqtt {

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnack,
  kPublish,
  kPuback,
  kPubrec,
  kPubrel,
  kPubcomp,
  kSubscribe,
  kSuback,
  kUnsubscribe,
  kUnsuback,
  kPingreq,
  kPingresp,
  kDisconnect,
};

inline constexpr int kAnyLength = -1;

struct PacketRules {
  std::string_view name;
  std::uint8_t flags;   // the low four bits of the first byte; PUBLISH has its own meaning for them
  int remaining_bytes;  // the only remaining length that the type can have, or kAnyLength

  constexpr bool allow(std::size_t remaining) const {
    return remaining_bytes == kAnyLength || remaining == static_cast<std::size_t>(remaining_bytes);
  }
};

// Indexed by the high four bits of the first byte. 0 and 15 are reserved.
inline constexpr std::array<PacketRules, 16> kPacketRules = {{{"", 0, kAnyLength},
                                                              {"CONNECT", 0, kAnyLength},
                                                              {"CONNACK", 0, 2},
                                                              {"PUBLISH", 0, kAnyLength},
                                                              {"PUBACK", 0, 2},
                                                              {"PUBREC", 0, 2},
                                                              {"PUBREL", 2, 2},
                                                              {"PUBCOMP", 0, 2},
                                                              {"SUBSCRIBE", 2, kAnyLength},
                                                              {"SUBACK", 0, kAnyLength},
                                                              {"UNSUBSCRIBE", 2, kAnyLength},
                                                              {"UNSUBACK", 0, 2},
                                                              {"PINGREQ", 0, 0},
                                                              {"PINGRESP", 0, 0},
                                                              {"DISCONNECT", 0, 0},
                                                              {"", 0, kAnyLength}}};

constexpr const PacketRules& rules_of(std::uint8_t first_byte) { return kPacketRules[first_byte >> 4]; }
constexpr PacketType type_of(std::uint8_t first_byte) { return static_cast<PacketType>(first_byte >> 4); }
constexpr std::uint8_t first_byte_of(PacketType type) {
  const auto number = static_cast<std::uint8_t>(type);
  return static_cast<std::uint8_t>(number << 4 | kPacketRules[number].flags);
}

// The low four bits of a PUBLISH's first byte.
inline constexpr std::uint8_t kDupFlag = 0x08, kRetainFlag = 0x01;
constexpr std::uint8_t publish_qos(std::uint8_t first_byte) { return first_byte >> 1 & 3; }

// Four bytes of seven bits each.
inline constexpr std::size_t kMaxLengthBytes = 4;
inline constexpr std::size_t kMaxRemainingBytes = 268'435'455;

struct FixedHeader {
  enum State { kComplete, kPartial, kMalformed };

  State state = kPartial;
  std::uint8_t first_byte = 0;
  std::size_t header_bytes = 0;  // set with kComplete, as remaining_bytes
  std::size_t remaining_bytes = 0;

  std::size_t packet_bytes() const { return header_bytes + remaining_bytes; }
};

// Reads what there is of a fixed header. A fault is found at the first byte that shows it, so the outcome does not depend
// on how much has come. A remaining length that is written with more bytes than it needs is read as it stands: 3.1.1 does
// not forbid it, and a small client that reserves room for the length may write it so.
FixedHeader read_fixed_header(std::string_view bytes);

// What is wrong with a malformed one.
std::string fixed_header_fault(std::uint8_t first_byte);

}  // namespace nearhub::mqtt
