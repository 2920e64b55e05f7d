// What the hub answers over HTTPS, and what its errors say.
//
// THREAD: value types.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nearhub::tools {

struct HubAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  // The first header of that name, in any case; empty when there is none.
  std::string header(std::string_view name) const;
};

// The name (iothub-errorcode) and text of an error in any of the hub's envelopes (reference/service-rest.md 3.1).
struct HubError {
  int status = 0;
  std::string name;  // "DeviceNotFound"
  std::string text;  // one safe line; may be empty
};
HubError read_hub_error(const HubAnswer& answer);

// The line for the person: "DeviceNotFound: there is no d1". The code is that of the catalogue with the error's name,
// or kServerError.
Error to_error(const HubError& error);

}  // namespace nearhub::tools
