// Which of two keys a request wants made anew: {"policyKey":"primaryKey"|"secondaryKey"|"both"}.
#pragma once
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "hub/shard.h"

namespace nearhub::service {

struct KeyChoice {
  std::string text;
  hub::SymmetricKey which = hub::SymmetricKey::kBoth;
};
// Fails with kArgumentInvalid, for what is no object too.
Result<KeyChoice> parse_key_choice(const JsonValue& document);

}  // namespace nearhub::service
