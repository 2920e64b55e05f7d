// The user name of a CONNECT: {host}/{deviceId}[/{moduleId}]/?api-version=...&DeviceClientType=...&model-id=... (reference/device-mqtt.md 2.2).
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace nearhub::broker {

struct UserName {
  std::string host;
  IdentityId identity;
  std::string api_version;  // empty: not given
  std::string client_type;  // DeviceClientType, decoded
  std::string model_id;
};

// Accepts what real clients send: a query with or without '?', in any order, unknown items, one historic form with a slash in the client type.
// Fails with kIotHubUnauthorized and a sentence.
Result<UserName> parse_username(std::string_view text);

}  // namespace nearhub::broker
