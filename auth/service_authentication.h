// May this request use this part of the service API?
//
// Pure: the Authorization header, the needed rights and the resource go in (reference/service-rest.md 2.3, 2.4). A missing permission is 401, as
// in the cloud, because 403 means quota to every SDK.
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/access_policy.h"
#include "auth/denial.h"
#include "auth/host_names.h"
#include "auth/sas_token.h"
#include "base/clock.h"

namespace nearhub::auth {

struct ServiceQuestion {
  const std::string* authorization;            // the header; null when absent
  std::vector<Rights> any_of;                  // one of these is enough
  std::vector<std::string_view> path;          // decoded segments of the resource behind the host: {"devices", "d1"}
  const HostNames& hosts;
  const std::vector<AccessPolicy>& policies;
  WallTime now;
  SasTimes times;
};

struct ServiceGrant {
  std::string policy;  // who: the policy's name
  Rights rights;
  std::string key;  // that signed the token
};
// Whether the key that a grant was given for is still one of its policy's, and the rights are still there.
bool still_valid(const ServiceGrant& grant, const std::vector<AccessPolicy>& policies);

std::variant<ServiceGrant, Denial> authorize_service(const ServiceQuestion& question);

// For the refusal book: the policy that a token claims to be signed by ("policy:service"), or the device or module that it names ("d1",
// "d1/m1"); empty without a token.
std::string claimed_identity(const std::string* authorization);

}  // namespace nearhub::auth
