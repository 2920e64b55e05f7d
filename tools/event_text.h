// Telemetry for people.
//
// THREAD: any thread.
#pragma once
#include <string>

#include "base/json.h"

namespace nearhub::tools {

// On one line: time, device, properties, [system properties], body.
//   2026-01-31T12:00:00.123Z  d1/m1  alert=true  [content-type=application/json]  {"temperature":21.5}
std::string event_line(const JsonValue& event);

// The same and the annotations, in lines, with the body laid out.
std::string event_block(const JsonValue& event);

}  // namespace nearhub::tools
