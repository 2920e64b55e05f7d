// Percent-encoding as the hub uses it (RFC 3986). A plus sign is a plus sign, never a space, in every hub text: user names, tokens,
// property bags and paths (reference/device-mqtt.md 2.2, 2.3, 4.2).
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub {

// Unreserved characters stay, all others become upper-case %XX.
std::string percent_encode(std::string_view text);
void append_percent_encoded(std::string& out, std::string_view text);

// Invalid sequences ("%zz", a lone "%") are taken literally: device code sends such text.
std::string percent_decode(std::string_view text);

// For paths: an invalid sequence, or one that gives NUL, fails with kArgumentInvalid.
Result<std::string> percent_decode_strict(std::string_view text);

}  // namespace nearhub
