// Twins and updates in the few words that a table of rules needs.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include "twin/twin.h"

namespace nearhub::twin {

// 2026-01-01T00:00:00Z plus `seconds`.
inline WallTime at(int seconds) { return from_unix_milliseconds(1'767'225'600'000) + std::chrono::seconds(seconds); }

inline Value json(std::string_view text) {
  Result<Value> value = parse_value(text);
  REQUIRE_MESSAGE(value.ok(), text);
  return std::move(value).value();
}

inline Update desired(std::string_view text) {
  Update update;
  update.desired = json(text);
  return update;
}

inline Update tags(std::string_view text) {
  Update update;
  update.tags = json(text);
  return update;
}

// A twin with these desired properties, at $version 2 and etag counter 2.
inline Twin twin_with_desired(std::string_view text) {
  Twin twin = Twin::create(at(0));
  REQUIRE(twin.replace(desired(text), at(0)).ok());
  return twin;
}

inline std::string values(const Section& section) { return section.root().to_value().to_json(); }

inline std::string service_json(const Twin& twin) {
  JsonWriter json;
  json.object();
  twin.write_service_members(json);
  json.end_object();
  return std::move(json).take();
}

// The sentence of a refusal; the twin must be as it was.
inline std::string refusal(const Result<Change>& result, const Twin& now, const StoredTwin& before) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kArgumentInvalid);
  CHECK(now.stored() == before);
  return result.error().detail;
}

}  // namespace nearhub::twin
