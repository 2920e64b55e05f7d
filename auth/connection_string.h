// "HostName=h;DeviceId=d;SharedAccessKey=k": what users paste (reference/service-rest.md 2.1).
//
// THREAD: value type.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub::auth {

struct ConnectionString {
  std::string host_name;  // as given, with a port if it has one
  std::string gateway_host_name;
  std::string device_id;
  std::string module_id;
  std::string policy_name;  // SharedAccessKeyName
  std::string key;          // SharedAccessKey, base64
  std::string signature;    // SharedAccessSignature, a ready token
  bool x509 = false;

  std::string text() const;
};

// Keys in any case; values run to the next ';' and may contain '='. Fails with kInvalidSetting and the part that is wrong or missing.
Result<ConnectionString> parse_connection_string(std::string_view text);

}  // namespace nearhub::auth
