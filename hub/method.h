// A direct method call: what a service asks and what a device answers (reference/device-mqtt.md section 7, service-rest.md 5.7).
//
// THREAD: value types.
#pragma once
#include <string>

#include "hub/limits.h"

namespace nearhub::hub {

struct MethodRequest {
  std::string name;
  std::string payload;  // JSON, or empty when the caller left it out
  int response_timeout_s = kDefaultResponseTimeoutSeconds;
  int connect_timeout_s = 0;
};

struct MethodResult {
  int status = 0;
  std::string payload;  // JSON
};

}  // namespace nearhub::hub
