// An entry of a bulk request or import file as an operation of the hub.
#pragma once
#include "base/json.h"
#include "base/result.h"
#include "hub/shard.h"
#include "registry/import_item.h"

namespace nearhub::service {

// `otherwise`: the mode of an entry that names none. Fails with kArgumentInvalid.
Result<hub::ImportOperation> parse_import_operation(const JsonValue& entry, registry::ImportMode otherwise);

}  // namespace nearhub::service
