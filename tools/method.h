// `nearhub method`: calls a direct method and shows the device's answer.
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "hub/limits.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct MethodCall {
  IdentityId id;
  std::string name;
  std::string payload;  // JSON; empty: none is sent
  // As long as the hub waits for the device at least: it refuses less.
  int response_timeout_s = hub::kDefaultResponseTimeoutSeconds;
  bool response_timeout_given = false;  // otherwise it follows connect_timeout_s
  int connect_timeout_s = 0;
  bool json = false;
};

// The request's body. Fails with kInvalidSetting when the payload is not JSON.
Result<std::string> method_body(const MethodCall& call);

// Fails when the device did not answer: the sentence says whether it was offline or silent. A status of the device's
// own, good or bad, is an answer.
Status invoke_method(HubClient& hub, const MethodCall& call, Console& console);

// What went wrong, for people.
Error explain_method_failure(const HubError& error, const MethodCall& call);

}  // namespace nearhub::tools
