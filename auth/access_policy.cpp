#include "auth/access_policy.h"

namespace nearhub::auth {

std::string Rights::text() const {
  std::string text;
  const auto add = [&text](std::string_view name) {
    if (!text.empty()) text += ", ";
    text += name;
  };
  if (include(Right::kRegistryWrite)) {
    add("RegistryWrite");
  } else if (include(Right::kRegistryRead)) {
    add("RegistryRead");
  }
  if (include(Right::kServiceConnect)) add("ServiceConnect");
  if (include(Right::kDeviceConnect)) add("DeviceConnect");
  return text.empty() ? "no rights" : text;
}

std::vector<AccessPolicy> make_default_policies(Random& random) {
  const auto policy = [&random](std::string name, Rights rights) {
    std::string primary = random.symmetric_key(), secondary = random.symmetric_key();
    return AccessPolicy{std::move(name), std::move(primary), std::move(secondary), rights};
  };
  std::vector<AccessPolicy> policies;
  policies.push_back(policy("iothubowner", Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect));
  policies.push_back(policy("service", Right::kServiceConnect));
  policies.push_back(policy("device", Right::kDeviceConnect));
  policies.push_back(policy("registryRead", Right::kRegistryRead));
  policies.push_back(policy("registryReadWrite", Right::kRegistryWrite));
  return policies;
}

const AccessPolicy* find_policy(const std::vector<AccessPolicy>& policies, std::string_view name) {
  for (const AccessPolicy& policy : policies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

}  // namespace nearhub::auth
