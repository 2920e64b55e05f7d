// The schema and its versions.
//
// THREAD: the caller's, before the store's threads run.
#pragma once
#include "base/result.h"
#include "store/sqlite.h"

namespace nearhub::store {

// Marks a file as nearhub's: "nhub" in the header's application id.
inline constexpr std::int64_t kApplicationId = 0x6e687562;
inline constexpr std::int64_t kSchemaVersion = 7;

// Creates the schema in an empty file, brings an older one up to date, and refuses a foreign (kCorrupt), damaged (kCorrupt) or newer
// (kInvalidSetting) file with a sentence that says what to do.
Status migrate(Database& database, const std::string& path);

}  // namespace nearhub::store
