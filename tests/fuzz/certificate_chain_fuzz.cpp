// Presented certificates as DER, leaf first, one behind the other, against the CAs and thumbprints of a hub.
//
// Checked: every verdict is one that the rules allow (a thumbprint admits only its own leaf, a CA only a leaf with the identity's common name), and
// every refusal has a short reason in readable characters.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/certificate.h"
#include "auth/device_authentication.h"
#include "base/check.h"
#include "base/text.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

constexpr WallTime kNow = WallTime{std::chrono::seconds{1'767'225'600}};  // 2026-01-01T00:00:00Z

// The length of the DER value that the bytes begin with; all of them when they begin with none.
std::size_t der_length(std::string_view bytes) {
  const auto byte = [&bytes](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])); };
  if (bytes.size() < 2) return bytes.size();
  std::size_t length = byte(1), head = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 3 || bytes.size() < 2 + count) return bytes.size();
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | byte(2 + i);
    head += count;
  }
  return std::min(bytes.size(), head + length);
}

void check_readable(std::string_view text, std::size_t most) {
  NEARHUB_CHECK(text.size() <= most);
  for (const char c : text) NEARHUB_CHECK(c >= 0x20 && c <= 0x7e);
}

// Returns whether it admitted.
bool check(const Credentials& credentials, const std::vector<std::string>& presented, const Authorities& authorities) {
  static const HostNames hosts({"localhost"});
  static const std::vector<AccessPolicy> policies;
  const IdentityId id{DeviceId("d1"), {}};
  Presented what;
  what.certificates = &presented;
  const auto verdict = authenticate_device({id, credentials, nullptr, what, hosts, policies, kNow, {}, &authorities, {}});
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    NEARHUB_CHECK(!denial->received.empty());
    check_readable(denial->sentence(), 2000);
    return false;
  }
  const auto& admission = std::get<Admission>(verdict);
  const auto leaf = Certificate::from_der(presented.front());
  NEARHUB_CHECK(leaf.ok() && leaf->is_valid_at(kNow));
  NEARHUB_CHECK(still_valid(admission, credentials, policies, authorities));
  if (credentials.type == AuthenticationType::kCertificateAuthority) {
    NEARHUB_CHECK(!leaf->common_names().empty() && leaf->common_names().back() == "d1" && authorities.trusts(admission.credential));
    NEARHUB_CHECK(!leaf->is_self_issued() && !leaf->claims_authority());
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  static_cast<void>(Certificate::from_text(rest));
  std::vector<std::string> presented;
  while (!rest.empty() && presented.size() < 20) {
    const std::size_t length = der_length(rest);
    presented.emplace_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  if (presented.empty()) return 0;
  // Whatever was presented behind the leaf is registered, too, the last one without its proof.
  std::vector<Authority> all;
  for (std::size_t i = 1; i < presented.size() && i < 5; ++i) {
    auto certificate = Certificate::from_der(presented[i]);
    if (!certificate.ok()) continue;
    check_readable(printable(certificate->subject()), 1000);
    std::string sha256 = certificate->thumbprint(Digest::kSha256);
    all.push_back({"ca" + std::to_string(i), i + 1 < presented.size(), std::move(*certificate), std::move(sha256)});
  }
  const Authorities authorities(std::move(all));
  const Authorities none;
  const Credentials by_authority{AuthenticationType::kCertificateAuthority, {}, {}, {}, {}};
  check(by_authority, presented, authorities);
  NEARHUB_CHECK(!check(by_authority, presented, none));
  const Credentials right{AuthenticationType::kSelfSigned, {}, {}, hex_digest(presented.front(), Digest::kSha1), hex_digest(presented.back(), Digest::kSha256)};
  check(right, presented, authorities);
  const Credentials wrong{AuthenticationType::kSelfSigned, {}, {}, std::string(40, '0'), hex_digest("x", Digest::kSha256)};
  NEARHUB_CHECK(!check(wrong, presented, authorities));
  return 0;
}
