// A token's text, as an MQTT password and as an Authorization header.
//
// Checked: a token that was read is read the same when it is written again; what is refused has a short reason in readable
// characters, without a key; nobody is let in but by a signature of the right key over the literal text, in time and within
// the scope; a mistake that can be recognised in a signature is named.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/device_authentication.h"
#include "auth/sas_token.h"
#include "auth/service_authentication.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"
#include "base/url.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

constexpr const char* kDeviceKey = "cHJpbWFyeSBrZXkgb2YgdGhlIGRldmljZSBkMSAuLi4=";
constexpr const char* kSecondaryKey = "c2Vjb25kYXJ5IGtleSBvZiB0aGUgZGV2aWNlIGQxIC4=";
constexpr const char* kModuleKey = "cHJpbWFyeSBrZXkgb2YgdGhlIG1vZHVsZSBkMS9tMS4=";
constexpr const char* kPolicyKey = "cHJpbWFyeSBrZXkgb2YgcG9saWN5IG5hbWVkIC4uLi4=";
constexpr WallTime kNow = WallTime{std::chrono::seconds{1'767'225'600}};  // 2026-01-01T00:00:00Z

bool is_readable(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

void check_denial(const Denial& denial) {
  const std::string sentence = denial.sentence();
  NEARHUB_CHECK(!denial.received.empty());
  for (const std::string& text : {sentence, denial.advice}) {
    NEARHUB_CHECK(text.size() <= 2000);
    NEARHUB_CHECK(is_readable(text));
  }
}

std::string text_of(const SasToken& token) {
  std::string text = "SharedAccessSignature sr=" + token.resource_text + "&sig=" + percent_encode(base64_encode(token.signature)) +
                     "&se=" + token.expiry_text;
  if (!token.policy.empty()) text += "&skn=" + percent_encode(token.policy);
  return text;
}

bool equal(const SasToken& a, const SasToken& b) {
  return a.resource_text == b.resource_text && a.resource == b.resource && a.signature == b.signature && a.expiry_text == b.expiry_text &&
         a.expiry_s == b.expiry_s && a.policy == b.policy;
}

std::string bytes_of(std::string_view key) { return base64_decode(key).value(); }

void check_token(const SasToken& token) {
  NEARHUB_CHECK(token.signature.size() == 32);
  NEARHUB_CHECK(!token.resource.empty() && token.resource == percent_decode(token.resource_text));
  NEARHUB_CHECK(parse_decimal(token.expiry_text) == static_cast<std::uint64_t>(token.expiry_s));
  NEARHUB_CHECK(token.expiry_s >= 0 && token.expiry_s <= kMaxExpirySeconds);

  // Written again it may be longer than the limit, because its writer encoded less.
  const std::string text = text_of(token);
  const SasParse again = parse_sas_token(text);
  NEARHUB_CHECK(again.ok == (text.size() <= kMaxSasTokenBytes));
  if (again.ok) NEARHUB_CHECK(equal(again.token, token));

  const Result<std::string> made = make_sas_token(token.resource, kDeviceKey, token.expiry_s, token.policy);
  NEARHUB_CHECK(made.ok());
  const SasParse parsed = parse_sas_token(*made);
  NEARHUB_CHECK(parsed.ok == (made->size() <= kMaxSasTokenBytes));
  if (!parsed.ok) return;
  NEARHUB_CHECK(parsed.token.resource == token.resource && parsed.token.expiry_s == token.expiry_s && parsed.token.policy == token.policy);
  NEARHUB_CHECK(verify_signature(parsed.token, bytes_of(kDeviceKey)) && !verify_signature(parsed.token, bytes_of(kSecondaryKey)));
}

// The token as a client with these keys could have signed it: right, or by a mistake that the hub knows.
void check_diagnosis(SasToken token) {
  const std::vector<NamedKey> rightful = {{"the right key", kDeviceKey}}, candidates = {{"another key", kModuleKey}};
  const std::string key = bytes_of(kDeviceKey), literal = token.resource_text + "\n" + token.expiry_text;
  token.signature = hmac_sha256(kDeviceKey, literal);
  NEARHUB_CHECK(diagnose_signature(token, rightful, candidates).find("text of the right key") != std::string::npos);
  token.signature = hmac_sha256(bytes_of(kModuleKey), literal);
  NEARHUB_CHECK(diagnose_signature(token, rightful, candidates) == "it was made with another key");
  for (const std::string& mistaken : {token.resource + "\n" + token.expiry_text, percent_encode(token.resource) + "\n" + token.expiry_text,
                                      to_lower(token.resource_text) + "\n" + token.expiry_text, token.resource_text + token.expiry_text,
                                      literal + "\n", token.resource_text}) {
    token.signature = hmac_sha256(key, mistaken);
    NEARHUB_CHECK(verify_signature(token, key) || !diagnose_signature(token, rightful, candidates).empty());
  }
}

const HostNames& hosts() {
  static const HostNames names({"localhost", "hub.local.test", "127.0.0.1"});
  return names;
}

const std::vector<AccessPolicy>& policies() {
  static const std::vector<AccessPolicy> list = {
      {"iothubowner", kPolicyKey, kModuleKey, Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect},
      {"service", kModuleKey, kPolicyKey, Right::kServiceConnect}};
  return list;
}

void check_door(std::string_view password, const std::optional<SasToken>& token, const IdentityId& identity, const char* key) {
  const Credentials credentials{AuthenticationType::kSas, key, kSecondaryKey, {}, {}};
  DeviceQuestion question{identity, credentials, nullptr, {password, nullptr}, hosts(), policies(), kNow, {}};
  const auto answer = authenticate_device(question);
  if (const auto* denial = std::get_if<Denial>(&answer)) return check_denial(*denial);

  NEARHUB_CHECK(token.has_value());
  const auto& admission = std::get<Admission>(answer);
  NEARHUB_CHECK(verify_signature(*token, bytes_of(admission.credential)));
  NEARHUB_CHECK(admission.expiry == token->expiry() && token->expiry_s + question.times.skew_s >= unix_seconds(kNow));
  NEARHUB_CHECK(still_valid(admission, credentials, policies(), {}));
  const auto segments = resource_segments(token->resource);
  NEARHUB_CHECK(!segments.empty() && hosts().contains(segments[0]));
  if (segments.size() > 2) NEARHUB_CHECK(segments[2] == identity.device.view());
  if (admission.scope == Admission::Scope::kHub) {
    NEARHUB_CHECK(admission.policy == "iothubowner" && token->policy == "iothubowner");
  } else {
    NEARHUB_CHECK(token->policy.empty() && segments.size() >= (identity.is_module() ? 5u : 3u));
    if (identity.is_module()) NEARHUB_CHECK(segments[4] == identity.module.view());
  }
}

void check_service_door(const std::string& header, const std::optional<SasToken>& token) {
  NEARHUB_CHECK(is_readable(claimed_identity(&header)));
  const ServiceQuestion question{&header, {Right::kRegistryRead}, {"devices", "d1"}, hosts(), policies(), kNow, {}};
  const auto answer = authorize_service(question);
  if (const auto* denial = std::get_if<Denial>(&answer)) return check_denial(*denial);
  NEARHUB_CHECK(token.has_value() && token->policy == "iothubowner" && std::get<ServiceGrant>(answer).policy == "iothubowner");
  NEARHUB_CHECK(verify_signature(*token, bytes_of(kPolicyKey)) || verify_signature(*token, bytes_of(kModuleKey)));
  NEARHUB_CHECK(resource_segments(token->resource).size() <= 3);
}

void check_doors(const std::string& text) {
  const SasParse parse = parse_sas_token(text);
  const std::optional<SasToken> token = parse.ok ? std::optional(parse.token) : std::nullopt;
  check_door(text, token, {DeviceId("d1"), {}}, kDeviceKey);
  check_door(text, token, {DeviceId("d1"), ModuleId("m1")}, kModuleKey);
  check_service_door(text, token);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_doors(text);
  SasParse parse = parse_sas_token(text);
  if (!parse.ok) {
    NEARHUB_CHECK(parse.denial.check == Check::kSasFormat && !parse.denial.expected.empty());
    check_denial(parse.denial);
    return 0;
  }
  check_token(parse.token);
  check_diagnosis(parse.token);
  // No fuzzer guesses a signature, so what lies behind it is reached by making one.
  for (const char* key : {kDeviceKey, kModuleKey, kPolicyKey}) {
    parse.token.signature = hmac_sha256(bytes_of(key), parse.token.resource_text + "\n" + parse.token.expiry_text);
    check_doors(text_of(parse.token));
  }
  return 0;
}
