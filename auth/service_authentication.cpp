#include "auth/service_authentication.h"

#include <fmt/core.h>

#include <algorithm>

#include "auth/device_authentication.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::auth {
namespace {

Denial deny_service(Check check, std::string expected, std::string received, std::string advice = {}) {
  return {check, ErrorCode::kIotHubUnauthorizedAccess, std::move(expected), std::move(received), std::move(advice)};
}

std::string join(const std::vector<std::string_view>& path) {
  std::string text;
  for (const std::string_view segment : path) text.append("/").append(segment);
  return text;
}

std::string needed_text(const std::vector<Rights>& any_of) {
  std::string text;
  for (const Rights& rights : any_of) {
    if (!text.empty()) text += " or ";
    text += rights.text();
  }
  return text;
}

}  // namespace

std::variant<ServiceGrant, Denial> authorize_service(const ServiceQuestion& q) {
  if (q.authorization == nullptr) {
    return deny_service(Check::kCredential, "an Authorization header with a SAS token of a shared access policy", "none",
                "make one with `nearhub sas make`");
  }
  if (starts_with_ignoring_case(*q.authorization, "Bearer ")) {
    return deny_service(Check::kCredential, "a SAS token of a shared access policy", "a bearer token",
                "use the connection string of a policy: this hub has no Entra ID");
  }
  SasParse parse = parse_sas_token(*q.authorization);
  if (!parse.ok) {
    parse.denial.code = ErrorCode::kIotHubUnauthorizedAccess;
    return parse.denial;
  }
  const SasToken& token = parse.token;
  if (token.policy.empty()) {
    return deny_service(Check::kSasPolicy, "a token signed with a shared access policy (skn)", fmt::format("a token without skn for sr={}", printable(token.resource, 200)),
                "a device's key opens only the device's own endpoints: use the service connection string");
  }
  const AccessPolicy* policy = find_policy(q.policies, token.policy);
  if (policy == nullptr) {
    std::string names;
    for (const AccessPolicy& known : q.policies) names += (names.empty() ? "" : ", ") + known.name;
    return deny_service(Check::kSasPolicy, fmt::format("skn naming one of this hub's policies ({})", names), fmt::format("skn={}", printable(token.policy, 80)));
  }

  const auto segments = resource_segments(token.resource);
  if (segments.empty() || !q.hosts.contains(segments[0])) {
    return deny_service(Check::kHostName, fmt::format("sr that begins with a name of this hub ({})", q.hosts.list()),
                fmt::format("sr={}", printable(token.resource, 200)),
                wrong_host_advice(segments.empty() ? std::string_view() : segments[0]));
  }
  // sr is a prefix of the resource, by whole segments.
  bool covers = segments.size() - 1 <= q.path.size();
  for (std::size_t i = 1; i < segments.size() && covers; ++i) {
    covers = i % 2 == 1 ? equals_ignoring_case(segments[i], q.path[i - 1]) : segments[i] == q.path[i - 1];
  }
  if (!covers) {
    return deny_service(Check::kSasResource, fmt::format("sr that covers {}{}", q.hosts.primary(), join(q.path)),
                fmt::format("sr={}", printable(token.resource, 200)), "sign a token for the host alone");
  }

  const std::string* signed_with = nullptr;
  for (const std::string* key : {&policy->primary_key, &policy->secondary_key}) {
    const auto bytes = base64_decode(*key);
    if (bytes && !bytes->empty() && verify_signature(token, *bytes)) signed_with = key;
  }
  if (signed_with == nullptr) {
    const std::vector<NamedKey> rightful = {{fmt::format("the primary key of policy {}", policy->name), policy->primary_key},
                                            {fmt::format("the secondary key of policy {}", policy->name), policy->secondary_key}};
    std::vector<NamedKey> candidates;
    for (const AccessPolicy& other : q.policies) {
      if (other.name == policy->name) continue;
      candidates.push_back({fmt::format("the primary key of policy {}, but skn says {}", other.name, policy->name), other.primary_key});
      candidates.push_back({fmt::format("the secondary key of policy {}, but skn says {}", other.name, policy->name), other.secondary_key});
    }
    std::string hint = diagnose_signature(token, rightful, candidates);
    return deny_service(Check::kSasSignature, fmt::format("a signature by a key of policy {}", policy->name), "a signature by none of its keys",
                hint.empty() ? "compare the key with the hub's connection string: every data folder has keys of its own" : hint);
  }

  const std::int64_t late_s = unix_seconds(q.now) - token.expiry_s;
  if (late_s > q.times.skew_s) {
    return deny_service(Check::kSasExpiry, fmt::format("a token that is valid now ({}); {} s of skew are forgiven", format_iso8601(q.now), q.times.skew_s),
                fmt::format("se={}, expired {} ago", token.expiry_s, format_duration(late_s)), "make a new token; check the clock");
  }
  const bool allowed = std::any_of(q.any_of.begin(), q.any_of.end(), [policy](Rights needed) { return policy->rights.include(needed); });
  if (!allowed) {
    return deny_service(Check::kPermission, fmt::format("a policy with {}", needed_text(q.any_of)),
                fmt::format("policy {} with {}", policy->name, policy->rights.text()), "use a policy that has the right, for instance iothubowner");
  }
  return ServiceGrant{policy->name, policy->rights, *signed_with};
}

bool still_valid(const ServiceGrant& grant, const std::vector<AccessPolicy>& policies) {
  const AccessPolicy* policy = find_policy(policies, grant.policy);
  return policy != nullptr && policy->rights.include(grant.rights) && (grant.key == policy->primary_key || grant.key == policy->secondary_key);
}

std::string claimed_identity(const std::string* authorization) {
  if (authorization == nullptr) return {};
  const SasParse parse = parse_sas_token(*authorization);
  if (!parse.token.policy.empty()) return "policy:" + printable(parse.token.policy, 80);
  const auto segments = resource_segments(parse.token.resource);
  if (segments.size() < 3) return {};
  std::string identity = printable(segments[2], kMaxIdLength);
  if (segments.size() >= 5 && equals_ignoring_case(segments[3], "modules")) identity += "/" + printable(segments[4], kMaxIdLength);
  return identity;
}

}  // namespace nearhub::auth
