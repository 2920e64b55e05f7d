// Base64 (RFC 4648, standard alphabet) over OpenSSL, which accepts spaces and counts padding as data: both are corrected here.
//
// THREAD: any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace nearhub {

std::string base64_encode(std::string_view bytes);

// Strict: the length is a multiple of four, padding stands only at the end, nothing else is in the text. An empty text is empty bytes.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace nearhub
