// A request taken apart: path segments, query parameters, conditions.
//
// THREAD: value types.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/service_authentication.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "hub/shard.h"
#include "wire/http/message.h"

namespace nearhub::service {

struct Request {
  http::Request http;
  std::string method;                 // after X-HTTP-Method-Override
  std::vector<std::string> path;      // decoded segments, no empty one
  std::vector<std::pair<std::string, std::string>> query;
  std::string peer;
  auth::ServiceGrant grant;  // who asks, where the route wants to know

  const std::string* parameter(std::string_view name) const;
  std::string operation() const;  // "PUT /devices/d1", for the log and the refusal book
};

// The path is percent-decoded before it is split, because Azure IoT Explorer encodes it whole, slashes included (service-rest.md 1); a trailing
// slash is dropped. Fails with kArgumentInvalid for an invalid encoding or an empty segment; `request` is moved from only when it does not.
Result<Request> take_apart(http::Request& request, std::string peer);

// If-Match: absent, * or "*", quoted or not, weak or not (service-rest.md 5.1).
hub::Condition parse_if_match(const http::Request& request);

// YYYY-MM-DD with an optional -preview.
bool is_api_version(std::string_view text);

}  // namespace nearhub::service
