// What makes a component of an object in a twin, by the conventions of IoT Plug and Play: the member "__t":"c".
//
// THREAD: any thread.
#pragma once
#include <string_view>

#include "twin/section.h"
#include "twin/value.h"

namespace nearhub::twin {

inline constexpr std::string_view kComponentMarker = "__t";
inline constexpr std::string_view kComponentMark = "c";

// Null is none.
inline bool is_component(const SectionNode* node) {
  const SectionNode* marker = node != nullptr ? node->find(kComponentMarker) : nullptr;
  return marker != nullptr && marker->kind() == Value::Kind::kString && marker->text() == kComponentMark;
}
inline bool is_component(const Value* value) {
  const Value* marker = value != nullptr ? value->find(kComponentMarker) : nullptr;
  return marker != nullptr && marker->kind() == Value::Kind::kString && marker->text() == kComponentMark;
}

}  // namespace nearhub::twin
