#include "tools/credentials.h"

#include "tools/identity.h"
#include "tools/json_text.h"

namespace nearhub::tools {

std::string authentication_type(const std::string& text) {
  if (text == "sas") return "sas";
  if (text == "self-signed") return "selfSigned";
  if (text == "ca") return "certificateAuthority";
  return {};
}

Status update_credentials(HubClient& hub, const CredentialChange& change, Console& console) {
  if (change.type.empty() && !change.primary_thumbprint && !change.secondary_thumbprint) {
    return Error{ErrorCode::kInvalidSetting, "nothing to change: give --auth, --thumbprint or --secondary-thumbprint"};
  }
  auto identity = get_identity(hub, change.id);
  if (!identity.ok()) return identity.error();
  const std::string current = text_at(*identity, {"authentication", "type"});
  const bool thumbprints = change.primary_thumbprint || change.secondary_thumbprint;
  const std::string type = !change.type.empty() ? change.type : thumbprints ? "selfSigned" : current;

  auto& allocator = identity->GetAllocator();
  const auto string = [&allocator](const std::string& text) {
    return JsonValue(text.c_str(), static_cast<rapidjson::SizeType>(text.size()), allocator);
  };
  JsonValue authentication(rapidjson::kObjectType);
  authentication.AddMember("type", string(type), allocator);
  if (type == "selfSigned") {
    JsonValue slots(rapidjson::kObjectType);
    const auto slot = [&](const char* name, const std::optional<std::string>& given) {
      const std::string value = given ? clean_thumbprint(*given) : text_at(*identity, {"authentication", "x509Thumbprint", name});
      slots.AddMember(rapidjson::StringRef(name), value.empty() ? JsonValue() : string(value), allocator);
    };
    slot("primaryThumbprint", change.primary_thumbprint);
    slot("secondaryThumbprint", change.secondary_thumbprint);
    authentication.AddMember("x509Thumbprint", slots, allocator);
  } else if (type == "sas" && current == "sas") {
    authentication.AddMember("symmetricKey", (*identity)["authentication"]["symmetricKey"], allocator);
  }
  identity->RemoveMember("authentication");
  identity->AddMember("authentication", authentication, allocator);

  const auto updated = put_identity(hub, change.id, *identity);
  if (!updated.ok()) return updated.error();
  console.print(identity_text(*updated, false));
  return {};
}

}  // namespace nearhub::tools
