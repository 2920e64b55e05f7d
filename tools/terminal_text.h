// Text that others wrote, made safe for a terminal: a device could otherwise move the cursor, change colours, or hide
// what it sent.
//
// Unlike printable() (base/text.h), which is for logs, letters beyond ASCII stay readable.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace nearhub::tools {

// One line: control characters, invisible ones and those that turn the writing direction become \n, \t or \u001b, which
// keeps JSON the same JSON; bytes that are not UTF-8 become \xNN.
std::string terminal_text(std::string_view text);

// The same, but line feeds stay: for text that was laid out in lines by us.
std::string terminal_lines(std::string_view text);

// A property's value or the like: as it is when it is one plain word, else in double quotes.
std::string terminal_word(std::string_view text);

// Columns, taking every character for one wide.
std::size_t terminal_width(std::string_view text);

}  // namespace nearhub::tools
