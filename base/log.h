// One event per line, `key=value`, to standard error, written by a thread of its own so that no loop waits for a terminal.
//
//   log::info("mqtt", "connected device={} peer={} keep_alive_s={}", id, peer, seconds);
//
// Levels: error = someone must act; warn = refused or degraded; info = lifecycle and connects; debug = packets. Never a key, token,
// signature or body: log the key's name and expiry. Text from a peer goes through printable() (base/text.h).
//
// When the writing thread cannot keep up the oldest lines are dropped, never a loop stopped.
//
// THREAD: any thread.
#pragma once
#include <fmt/core.h>

#include <optional>
#include <string_view>

namespace nearhub::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };

std::optional<Level> parse_level(std::string_view name);  // "debug" "info" "warn" "error" "off"

// Starts the writing thread; before this nothing is written. Call once, before other threads start.
void start(Level level);
// Writes what waits and stops the thread; gives up after a second when nobody takes it.
void stop();

bool enabled(Level level);
void write(Level level, std::string_view component, std::string_view message);

template <typename... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn)) write(Level::kWarn, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError)) write(Level::kError, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace nearhub::log
