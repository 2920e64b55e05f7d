// An entry of a bulk request or a line of an import file as an operation of the hub.
//
// THREAD: any thread.
#pragma once
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "hub/shard.h"
#include "registry/import_item.h"

namespace nearhub::hub {

// `text`: the entry as it came, from which the twin is read: its numbers keep their spelling, which a JsonValue does not. `otherwise`: the mode of an
// entry that names none. Fails with kArgumentInvalid, or kPreconditionFailed for a missing etag.
Result<ImportOperation> parse_import_operation(const JsonValue& entry, std::string_view text, registry::ImportMode otherwise);

}  // namespace nearhub::hub
