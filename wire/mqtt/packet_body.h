// What follows the fixed header: variable header and payload of one whole packet, checked and decoded in place.
//
// THREAD: any thread. ERRORS: false, and a sentence in `error`; `packet` is then unspecified.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/mqtt/packet.h"

namespace nearhub::mqtt {

// `first_byte` is valid, and `body` has the length that its type requires (kPacketRules). The views of `packet` point into
// `body`.
bool decode_body(std::uint8_t first_byte, std::string_view body, Packet& packet, std::string& error);

}  // namespace nearhub::mqtt
