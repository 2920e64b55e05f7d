// What the tests of this room share: one device, one module, the policies of a hub, and a moment.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "auth/access_policy.h"
#include "auth/sas_token.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/url.h"

namespace nearhub::auth {

// Keys of 32 readable bytes: "primary key of the device d1 ...", "secondary key of the device d1 .", "primary key of the module d1/m1.",
// "secondary key of module d1/m1 ..", "primary key of policy named ....".
inline constexpr const char* kDevicePrimary = "cHJpbWFyeSBrZXkgb2YgdGhlIGRldmljZSBkMSAuLi4=";
inline constexpr const char* kDeviceSecondary = "c2Vjb25kYXJ5IGtleSBvZiB0aGUgZGV2aWNlIGQxIC4=";
inline constexpr const char* kModulePrimary = "cHJpbWFyeSBrZXkgb2YgdGhlIG1vZHVsZSBkMS9tMS4=";
inline constexpr const char* kModuleSecondary = "c2Vjb25kYXJ5IGtleSBvZiBtb2R1bGUgZDEvbTEgLi4=";
inline constexpr const char* kPolicyPrimary = "cHJpbWFyeSBrZXkgb2YgcG9saWN5IG5hbWVkIC4uLi4=";

// 2026-01-01T00:00:00Z, and an hour later.
inline constexpr WallTime kNow = WallTime{std::chrono::seconds{1'767'225'600}};
inline constexpr std::int64_t kInAnHour = 1'767'229'200;

inline std::string bytes_of(std::string_view key) {
  const auto bytes = base64_decode(key);
  REQUIRE(bytes.has_value());
  return *bytes;
}

// The base64 of the MAC of `text` under these key bytes.
inline std::string mac(std::string_view key_bytes, std::string_view text) { return base64_encode(hmac_sha256(key_bytes, text)); }

// A token whose signature is whatever is given: what a client with a mistake sends.
inline std::string token_text(std::string_view sr, std::string_view signature, std::string_view se, std::string_view skn = {}) {
  std::string text = "SharedAccessSignature sr=" + std::string(sr) + "&sig=" + percent_encode(signature) + "&se=" + std::string(se);
  if (!skn.empty()) text += "&skn=" + std::string(skn);
  return text;
}

// A right one. `sr` as it is to stand in the token.
inline std::string signed_token(std::string_view sr, std::string_view key, std::int64_t expiry_s = kInAnHour, std::string_view skn = {}) {
  const std::string se = std::to_string(expiry_s);
  return token_text(sr, mac(bytes_of(key), std::string(sr) + "\n" + se), se, skn);
}

inline SasToken parsed(std::string_view text) {
  const SasParse parse = parse_sas_token(text);
  REQUIRE_MESSAGE(parse.ok, parse.denial.sentence());
  return parse.token;
}

// Each policy's keys are those of its own name: "primary iothubowner", padded with dots to 32 bytes.
inline std::string policy_key(std::string_view which, std::string_view policy) {
  std::string bytes = std::string(which) + " " + std::string(policy);
  bytes.resize(32, '.');
  return base64_encode(bytes);
}
inline AccessPolicy policy(std::string_view name, Rights rights) {
  return {std::string(name), policy_key("primary", name), policy_key("secondary", name), rights};
}
inline const std::vector<AccessPolicy>& policies() {
  static const std::vector<AccessPolicy> all = {
      policy("iothubowner", Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect), policy("service", Right::kServiceConnect),
      policy("device", Right::kDeviceConnect), policy("registryRead", Right::kRegistryRead),
      policy("registryReadWrite", Right::kRegistryWrite)};
  return all;
}

}  // namespace nearhub::auth
