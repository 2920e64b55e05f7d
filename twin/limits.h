// The limits of a twin (reference/device-mqtt.md 6.6, service-rest.md 4.4). Every breach is kArgumentInvalid with a
// sentence that names the path, the value found and the limit.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace nearhub::twin {

class Value;

inline constexpr std::size_t kMaxKeyBytes = 1024;
inline constexpr std::size_t kMaxStringBytes = 4096;
inline constexpr std::int64_t kMaxInteger = 4503599627370495;   // 2^52 - 1
inline constexpr std::int64_t kMinInteger = -4503599627370496;  // -2^52
inline constexpr int kMaxDepth = 10;                            // levels of objects and arrays below the section
inline constexpr std::size_t kMaxTagsBytes = 8 * 1024;
inline constexpr std::size_t kMaxPropertiesBytes = 32 * 1024;  // desired and reported, each

// A bound of our own on the text of one update, before it is parsed: a legal section of 32 KB can be spelled with six
// bytes a character (\uXXXX), and a service client may send a whole twin back.
inline constexpr std::size_t kMaxUpdateBytes = 1024 * 1024;

// A bound of our own on what a section costs to keep: structure, empty values, control characters and the digits of a
// number are free in the hub's counting, so a device could otherwise fill the memory with `[[],[],...]`. Eight times
// the section's limit: 64 KB of tags, 256 KB of properties. Every value costs its key and text in bytes plus
// kStoredBytesPerValue, an array the bytes of its JSON. Counted strings and booleans never reach this, nor do numbers of
// up to fifty digits.
inline constexpr std::size_t kMaxStoredPerByte = 8;
inline constexpr std::size_t kStoredBytesPerValue = 4;

// Checks what an update may say about one section, apart from sizes: names, strings, numbers, depth and nulls inside
// arrays. `path` begins every sentence: "tags", "properties.desired" or "properties.reported". The update must be an
// object.
//
// The names of members that are deleted (null) are held to the same rules: a name that can never exist is a client's
// mistake.
Status check_update(const Value& update, std::string_view path);

// The hub's size of a string: its characters without control characters.
std::size_t counted_characters(std::string_view utf8);

}  // namespace nearhub::twin
