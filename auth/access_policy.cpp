#include "auth/access_policy.h"

#include <fmt/core.h>

#include "base/base64.h"
#include "base/text.h"

namespace nearhub::auth {
namespace {

constexpr std::size_t kMaxNameCharacters = 64;
constexpr std::size_t kMinKeyBytes = 16, kMaxKeyBytes = 64;

}  // namespace

Result<Rights> parse_rights(std::string_view text) {
  Rights rights;
  for (std::string_view rest = text; !rest.empty();) {
    const auto [item, more] = split_once(rest, ',');
    rest = more.value_or(std::string_view());
    const std::string_view name = trim(item);
    if (equals_ignoring_case(name, "RegistryRead")) {
      rights = rights | Right::kRegistryRead;
    } else if (equals_ignoring_case(name, "RegistryWrite")) {
      rights = rights | Right::kRegistryWrite;
    } else if (equals_ignoring_case(name, "ServiceConnect")) {
      rights = rights | Right::kServiceConnect;
    } else if (equals_ignoring_case(name, "DeviceConnect")) {
      rights = rights | Right::kDeviceConnect;
    } else {
      return invalid_argument(fmt::format("rights names \"{}\"; expected RegistryRead, RegistryWrite, ServiceConnect or DeviceConnect, with commas between them",
                                 printable(name, 60)));
    }
  }
  if (rights == Rights()) return invalid_argument("rights is empty");
  return rights;
}

Status check_policy_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameCharacters) {
    return invalid_argument(fmt::format("a policy's name has 1 to {} characters, this one has {}", kMaxNameCharacters, name.size()));
  }
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '-' && c != '@' && c != '.') {
      return invalid_argument(fmt::format("a policy's name has letters, digits, '_', '-', '@' and '.' only, not '{}'", printable({&c, 1})));
    }
  }
  return {};
}

Status check_policy_key(std::string_view key, std::string_view what) {
  const auto bytes = base64_decode(key);
  if (!bytes) return invalid_argument(fmt::format("{} is not base64", what));
  if (bytes->size() >= kMinKeyBytes && bytes->size() <= kMaxKeyBytes) return {};
  return invalid_argument(fmt::format("{} has {} bytes; {} to {} are allowed", what, bytes->size(), kMinKeyBytes, kMaxKeyBytes));
}

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
  policies.push_back(policy("iothubowner", kAllRights));
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
