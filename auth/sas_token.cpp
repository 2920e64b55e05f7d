#include "auth/sas_token.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"
#include "base/url.h"

namespace nearhub::auth {
namespace {

constexpr std::string_view kScheme = "SharedAccessSignature";

Denial format_denial(std::string expected, std::string received, std::string advice = {}) {
  return {Check::kSasFormat, ErrorCode::kIotHubUnauthorized, std::move(expected), std::move(received), std::move(advice)};
}

}  // namespace

std::string hmac_sha256(std::string_view key_bytes, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // OpenSSL takes a null key for "the previous key", so an empty one needs an address.
  const char* key = key_bytes.empty() ? "" : key_bytes.data();
  NEARHUB_CHECK(HMAC(EVP_sha256(), key, static_cast<int>(key_bytes.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     mac, &size) != nullptr);
  return {reinterpret_cast<const char*>(mac), size};
}

SasParse parse_sas_token(std::string_view text) {
  SasParse result;
  const auto refuse = [&result](std::string expected, std::string received, std::string advice = {}) {
    result.denial = format_denial(std::move(expected), std::move(received), std::move(advice));
    return result;
  };
  if (text.size() > kMaxSasTokenBytes) {
    return refuse(fmt::format("a SAS token of at most {} bytes", kMaxSasTokenBytes), fmt::format("{} bytes", text.size()));
  }
  if (!text.starts_with(kScheme)) {
    if (text.starts_with("HostName=")) {
      return refuse("a SAS token", "a connection string", "make a token from it: `nearhub sas make`");
    }
    if (base64_decode(text) && text.size() >= 24) {
      return refuse("a SAS token", "a text that looks like the key itself", "sign a token with the key instead of sending it: `nearhub sas make`");
    }
    return refuse("a token that begins with \"SharedAccessSignature \"", fmt::format("a text of {} bytes that begins otherwise", text.size()),
                  "make one with `nearhub sas make` and compare");
  }
  std::string_view rest = text.substr(kScheme.size());
  if (!rest.starts_with(' ') || rest.starts_with("  ")) {
    return refuse("exactly one space behind \"SharedAccessSignature\"", rest.starts_with("  ") ? "more than one" : "none");
  }
  rest.remove_prefix(1);

  bool has_resource = false, has_signature = false, has_expiry = false;
  std::string signature_text;
  while (!rest.empty()) {
    const auto [item, more] = split_once(rest, '&');
    rest = more.value_or(std::string_view());
    // Only the first '=': base64 may end in one.
    const auto [name, value] = split_once(item, '=');
    const std::string_view content = value.value_or(std::string_view());
    if (name == "sr") {
      if (has_resource) return refuse("one sr", "two");
      has_resource = true;
      result.token.resource_text = content;
      result.token.resource = percent_decode(content);
    } else if (name == "sig") {
      if (has_signature) return refuse("one sig", "two");
      has_signature = true;
      signature_text = percent_decode(content);
    } else if (name == "se") {
      if (has_expiry) return refuse("one se", "two");
      has_expiry = true;
      result.token.expiry_text = content;
    } else if (name == "skn") {
      result.token.policy = percent_decode(content);
    }
  }
  if (!has_resource || result.token.resource.empty()) return refuse("sr, the resource", "a token without it");
  if (!has_signature) return refuse("sig, the signature", "a token without it", "an '&' inside the signature must be sent as %26");
  if (!has_expiry) return refuse("se, the expiry in seconds since 1970", "a token without it");

  const auto seconds = parse_decimal(result.token.expiry_text);
  if (!seconds) {
    return refuse("se in whole seconds since 1970", fmt::format("\"{}\"", printable(result.token.expiry_text, 40)),
                  "round it down: floor(now) + lifetime");
  }
  if (*seconds > static_cast<std::uint64_t>(kMaxExpirySeconds)) {
    return refuse("se in seconds since 1970", fmt::format("{}, beyond the year 9999", printable(result.token.expiry_text, 40)),
                  "it looks like milliseconds: divide by 1000");
  }
  result.token.expiry_s = static_cast<std::int64_t>(*seconds);

  const auto signature = base64_decode(signature_text);
  if (!signature || signature->size() != 32) {
    std::string advice = "sign with HMAC-SHA256, encode as base64, then percent-encode";
    if (signature_text.find(' ') != std::string::npos) {
      advice = "it holds a space where base64 has '+': percent-encode the signature ('+' as %2B)";
    } else if (signature_text.find('%') != std::string::npos) {
      advice = "it is percent-encoded twice: encode it once";
    } else if (signature_text.size() == 64 && signature_text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) {
      advice = "it is hexadecimal: encode the 32 bytes as base64";
    }
    return refuse("sig: base64 of 32 bytes", fmt::format("a text of {} characters that is not", signature_text.size()), advice);
  }
  result.token.signature = *signature;
  result.ok = true;
  return result;
}

bool verify_signature(const SasToken& token, std::string_view key_bytes) {
  const std::string mac = hmac_sha256(key_bytes, token.resource_text + "\n" + token.expiry_text);
  return token.signature.size() == mac.size() && CRYPTO_memcmp(token.signature.data(), mac.data(), mac.size()) == 0;
}

Result<std::string> make_sas_token(std::string_view resource, std::string_view key, std::int64_t expiry_s, std::string_view policy) {
  const auto key_bytes = base64_decode(key);
  if (!key_bytes || key_bytes->empty()) return Error{ErrorCode::kInvalidSetting, "the key is not base64"};
  const std::string encoded = percent_encode(resource);
  const std::string mac = hmac_sha256(*key_bytes, fmt::format("{}\n{}", encoded, expiry_s));
  std::string token = fmt::format("{} sr={}&sig={}&se={}", kScheme, encoded, percent_encode(base64_encode(mac)), expiry_s);
  if (!policy.empty()) token += "&skn=" + percent_encode(policy);
  return token;
}

}  // namespace nearhub::auth
