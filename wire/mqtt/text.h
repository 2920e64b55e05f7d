// The text of MQTT ([MQTT-1.5.3-1], [MQTT-1.5.3-2]): well-formed UTF-8, surrogates excluded, without U+0000.
//
// Other control characters and non-characters pass: the standard leaves them to the receiver. A byte order mark is a
// character like any other ([MQTT-1.5.3-3]).
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>

namespace nearhub::mqtt {

// Device topics and user names are ASCII nearly always, so that is the fast case: eight bytes at a time.
bool is_text(std::string_view bytes);

// What is wrong with bytes that are not text: "has a NUL at position 4" (counted from 1) or "is not well-formed UTF-8".
std::string text_fault(std::string_view bytes);

}  // namespace nearhub::mqtt
