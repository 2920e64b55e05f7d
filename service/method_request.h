// What a service says of a direct method, in a call or in a scheduled job (reference/service-rest.md 5.7).
//
// THREAD: any thread.
#pragma once
#include "base/result.h"
#include "hub/method.h"
#include "twin/value.h"

namespace nearhub::service {

// {"methodName":..., "payload":..., "responseTimeoutInSeconds":..., "connectTimeoutInSeconds":...}, read as twins are, because the payload's numbers must
// reach the device as they were spelled. Fails with kArgumentInvalid, with kMessageTooLarge for the payload.
Result<hub::MethodRequest> parse_method_request(const twin::Value& method);

}  // namespace nearhub::service
