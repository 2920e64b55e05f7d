// What a service says of a direct method: in a call, in a scheduled job, or as a command of a digital twin (reference/service-rest.md 5.7, 5.11).
//
// THREAD: any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/method.h"
#include "twin/value.h"

namespace nearhub::service {

// {"methodName":..., "payload":..., "responseTimeoutInSeconds":..., "connectTimeoutInSeconds":...}, read as twins are, because the payload's numbers must
// reach the device as they were spelled. Fails with kArgumentInvalid, with kMessageTooLarge for the payload.
Result<hub::MethodRequest> parse_method_request(const twin::Value& method);

// The rules of its parts, for who reads them from elsewhere.

// A name that an MQTT topic can carry, at most hub::kMaxMethodNameBytes long. `what`: how a refusal calls it.
Status check_method_name(std::string_view what, std::string_view name);

// Decimal, a minus sign in front or none; nullopt for any other text and what is too large.
std::optional<int> whole_number(std::string_view text);

// Timeouts in seconds; nullopt: the default. Fails with kArgumentInvalid when one is out of its range, or the device may take longer to connect
// than the whole call. `response_name`: of the parameter.
Status set_timeouts(hub::MethodRequest& request, std::optional<int> response, std::optional<int> connect,
                    std::string_view response_name = "responseTimeoutInSeconds");

// Fails with kMessageTooLarge.
Status check_payload(const std::string& payload);

}  // namespace nearhub::service
