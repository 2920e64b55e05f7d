// Shared access signature tokens (reference/device-mqtt.md 2.3, service-rest.md 2.3).
//
//   SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]
//
// The signature is HMAC-SHA256 over the `sr` text exactly as it stands in the token, LF, and the `se` text; it is never re-encoded, because
// every SDK encodes differently.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/denial.h"
#include "base/clock.h"
#include "base/result.h"

namespace nearhub::auth {

// Long enough for three ids of 128 characters, all percent-encoded, and room to spare.
inline constexpr std::size_t kMaxSasTokenBytes = 4096;

// `se` beyond the year 9999 is not a time in seconds: it is milliseconds (or worse). The cloud's own clock type ends there.
inline constexpr std::int64_t kMaxExpirySeconds = 253'402'300'799;

struct SasToken {
  std::string resource_text;  // sr as sent: what was signed
  std::string resource;       // sr, percent-decoded once: for the scope
  std::string signature;      // the raw MAC, 32 bytes when it is well-formed
  std::string expiry_text;    // se as sent: what was signed
  std::int64_t expiry_s = 0;  // seconds since 1970
  std::string policy;         // skn; empty: a device or module key

  WallTime expiry() const { return WallTime{std::chrono::seconds{expiry_s}}; }
};

// Fields in any order; an empty skn counts as none; unknown fields are ignored. Fails with a denial (kSasFormat) that names the field.
struct SasParse {
  SasToken token;
  bool ok = false;
  Denial denial;  // when not ok
};
SasParse parse_sas_token(std::string_view text);

// True when `signature` is the MAC of the token's literal text under these key bytes. Constant time in the signature.
bool verify_signature(const SasToken& token, std::string_view key_bytes);

std::string hmac_sha256(std::string_view key_bytes, std::string_view text);

// A token as the SDKs make it. `resource` is not yet encoded; `key` is base64. Fails with kInvalidSetting when it is not.
Result<std::string> make_sas_token(std::string_view resource, std::string_view key, std::int64_t expiry_s, std::string_view policy = {});

// Whether a token is within its time. `skew_s` forgives clocks that run late (device-mqtt.md 2.3).
struct SasTimes {
  std::int64_t skew_s = 300;   // accepted until se + skew, on every door
  std::int64_t grace_s = 600;  // a live connection ends at se + grace
};

// Hints why a signature did not match, tried only after a mismatch. `candidates` are keys that the caller holds and that people mix up
// ("the key of device d1" for a module's token, ...), in base64. The answer names what would have matched, or is empty.
struct NamedKey {
  std::string name;
  std::string key;  // base64
};
std::string diagnose_signature(const SasToken& token, const std::vector<NamedKey>& rightful, const std::vector<NamedKey>& candidates);

}  // namespace nearhub::auth
