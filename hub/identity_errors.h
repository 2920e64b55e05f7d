// What the registry's operations refuse, in the cloud's words (reference/service-rest.md 3.1).
#pragma once
#include <string>

#include "base/result.h"
#include "hub/shard.h"

namespace nearhub::hub {

ErrorCode not_found_code(const IdentityId& id);
Error not_found(const IdentityId& id);
Error already_there(const IdentityId& id, const std::string& hub_name);
Error stale_etag(const registry::Identity& identity, const Condition& condition);

}  // namespace nearhub::hub
