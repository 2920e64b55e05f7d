#include "tools/credentials.h"

#include <utility>

#include "tools/identity.h"
#include "tools/json_text.h"

namespace nearhub::tools {

std::string authentication_type(const std::string& text) {
  if (text == "sas") return "sas";
  // As documents of the API spell them, too.
  if (text == "self-signed" || text == "selfSigned") return "selfSigned";
  if (text == "ca" || text == "certificateAuthority") return "certificateAuthority";
  return {};
}

bool CredentialChange::empty() const {
  return type.empty() && !primary_thumbprint && !secondary_thumbprint && primary_key.empty() && !swap_keys;
}

Status change_credentials(JsonDocument& identity, const CredentialChange& change) {
  const std::string current = text_at(identity, {"authentication", "type"});
  const bool thumbprints = change.primary_thumbprint || change.secondary_thumbprint;
  const bool keys = change.swap_keys || !change.primary_key.empty();
  const std::string type = !change.type.empty() ? change.type : thumbprints ? "selfSigned" : keys ? "sas" : current;

  auto& allocator = identity.GetAllocator();
  const auto string = [&allocator](const std::string& text) {
    return JsonValue(text.c_str(), static_cast<rapidjson::SizeType>(text.size()), allocator);
  };
  JsonValue authentication(rapidjson::kObjectType);
  authentication.AddMember("type", string(type), allocator);
  if (type == "selfSigned") {
    JsonValue slots(rapidjson::kObjectType);
    const auto slot = [&](const char* name, const std::optional<std::string>& given) {
      const std::string value = given ? clean_thumbprint(*given) : text_at(identity, {"authentication", "x509Thumbprint", name});
      slots.AddMember(rapidjson::StringRef(name), value.empty() ? JsonValue() : string(value), allocator);
    };
    slot("primaryThumbprint", change.primary_thumbprint);
    slot("secondaryThumbprint", change.secondary_thumbprint);
    authentication.AddMember("x509Thumbprint", slots, allocator);
  } else if (type == "sas" && (keys || current == "sas")) {
    std::string primary = text_at(identity, {"authentication", "symmetricKey", kPrimaryKey});
    std::string secondary = text_at(identity, {"authentication", "symmetricKey", kSecondaryKey});
    if (change.swap_keys) {
      if (primary.empty()) return Error{ErrorCode::kInvalidSetting, "there are no keys to swap"};
      std::swap(primary, secondary);
    } else if (keys) {
      primary = change.primary_key;
      secondary = change.secondary_key;
    }
    JsonValue pair(rapidjson::kObjectType);
    pair.AddMember("primaryKey", string(primary), allocator);
    pair.AddMember("secondaryKey", string(secondary), allocator);
    authentication.AddMember("symmetricKey", pair, allocator);
  }
  identity.RemoveMember("authentication");
  identity.AddMember("authentication", authentication, allocator);
  return {};
}

}  // namespace nearhub::tools
