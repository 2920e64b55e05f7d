#include "service/key_choice.h"

#include <fmt/core.h>

namespace nearhub::service {

Result<KeyChoice> parse_key_choice(const JsonValue& document) {
  if (!document.IsObject()) return Error{ErrorCode::kArgumentInvalid, fmt::format("the body is {}; expected an object", json_kind(document))};
  const JsonValue* key = find_member(document, "policyKey");
  KeyChoice choice;
  if (key != nullptr && key->IsString()) choice.text = string_of(*key);
  if (choice.text == "primaryKey") {
    choice.which = hub::SymmetricKey::kPrimary;
  } else if (choice.text == "secondaryKey") {
    choice.which = hub::SymmetricKey::kSecondary;
  } else if (choice.text != "both") {
    return Error{ErrorCode::kArgumentInvalid, "policyKey must be primaryKey, secondaryKey or both"};
  }
  return choice;
}

}  // namespace nearhub::service
