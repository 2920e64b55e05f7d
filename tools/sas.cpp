#include "tools/sas.h"

#include <fmt/core.h>

#include "auth/connection_string.h"
#include "auth/host_names.h"
#include "auth/sas_token.h"
#include "base/text.h"
#include "tools/identity.h"
#include "tools/json_text.h"

namespace nearhub::tools {
namespace {

std::string resource_of(std::string_view host, const std::optional<IdentityId>& identity) {
  std::string resource(auth::without_port(host));
  if (!identity) return resource;
  resource += "/devices/" + identity->device.str();
  if (identity->is_module()) resource += "/modules/" + identity->module.str();
  return resource;
}

}  // namespace

bool is_offline(const NewToken& token) { return !token.connection_string.empty() || !token.key.empty(); }

Result<std::string> make_token(const NewToken& token, WallTime now) {
  const std::int64_t expiry = unix_seconds(now) + token.lifetime_s;
  if (token.connection_string.empty()) {
    if (token.resource.empty()) {
      return invalid_setting("--key needs --resource: what the token is for, like hub.local.test/devices/d1");
    }
    return auth::make_sas_token(token.resource, token.key, expiry, token.policy);
  }
  const auto parsed = auth::parse_connection_string(token.connection_string);
  if (!parsed.ok()) return parsed.error();
  const auth::ConnectionString& login = *parsed;
  if (login.key.empty()) return invalid_setting("the connection string has no SharedAccessKey to sign with");
  std::optional<IdentityId> identity = token.identity;
  if (!login.device_id.empty()) {
    const IdentityId own{DeviceId(login.device_id), ModuleId(login.module_id)};
    if (identity && *identity != own) {
      return invalid_setting(fmt::format("the connection string is that of {}: its key signs for nothing else, and not for {}",
                                 describe(own), describe(*identity)));
    }
    identity = own;
  } else if (login.policy_name.empty()) {
    return invalid_setting("the connection string has neither DeviceId nor SharedAccessKeyName");
  }
  return auth::make_sas_token(resource_of(login.host_name, identity), login.key, expiry, login.policy_name);
}

Result<std::string> make_token_with_hub(HubClient& hub, const NewToken& token) {
  const auth::ConnectionString& login = hub.address().login;
  // Before the first answer the hub's time is not known.
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();
  std::string key = login.key, policy = login.policy_name;
  if (token.identity) {
    const auto identity = get_identity(hub, *token.identity);
    if (!identity.ok()) return identity.error();
    key = text_at(*identity, {"authentication", "symmetricKey", kPrimaryKey});
    policy.clear();
    if (key.empty()) {
      return Error{ErrorCode::kOperationNotAllowedInCurrentState,
                   fmt::format("{} has no key: its authentication type is {}", describe(*token.identity),
                               authentication_cell(*identity))};
    }
  } else if (key.empty()) {
    return invalid_setting("the login has no key to sign with");
  }
  return auth::make_sas_token(resource_of(endpoint->host, token.identity), key,
                              unix_seconds(hub.now()) + token.lifetime_s, policy);
}

Status print_token(const HubFlags& flags, const NewToken& token, const Clock& clock, Console& console) {
  Result<std::string> made = Error{};
  if (is_offline(token)) {
    made = make_token(token, clock.now());
  } else {
    auto hub = HubClient::open(flags, clock);
    if (!hub.ok()) return hub.error();
    made = make_token_with_hub(**hub, token);
  }
  if (!made.ok()) return made.error();
  console.print(*made + "\n");
  return {};
}

}  // namespace nearhub::tools
