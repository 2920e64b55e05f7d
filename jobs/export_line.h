// One identity and its twin as a line of an export file, which an import takes back (reference/service-rest.md 8).
//
// THREAD: any thread.
#pragma once
#include <string>

#include "hub/store.h"

namespace nearhub::jobs {

// Appends the line with its line break. Without keys they are null.
void append_export_line(std::string& out, const hub::IdentityRecord& record, bool exclude_keys);

}  // namespace nearhub::jobs
