// Shared access policies: a name, two keys, rights (reference/service-rest.md 2.2).
//
// THREAD: value types.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace nearhub::auth {

// Bits. RegistryWrite implies RegistryRead, as in the cloud.
enum class Right : std::uint8_t {
  kRegistryRead = 1,
  kRegistryWrite = 2 | 1,
  kServiceConnect = 4,
  kDeviceConnect = 8,
};

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(static_cast<std::uint8_t>(right)) {}  // NOLINT(google-explicit-constructor)
  static constexpr Rights from_bits(std::uint8_t bits) { return Rights(bits, 0); }

  constexpr Rights operator|(Rights other) const { return Rights(static_cast<std::uint8_t>(bits_ | other.bits_), 0); }
  constexpr bool include(Rights needed) const { return (bits_ & needed.bits_) == needed.bits_; }
  constexpr std::uint8_t bits() const { return bits_; }
  friend constexpr bool operator==(Rights, Rights) = default;

  std::string text() const;  // "RegistryWrite, ServiceConnect"

 private:
  constexpr Rights(std::uint8_t bits, int) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

inline constexpr Rights operator|(Right a, Right b) { return Rights(a) | Rights(b); }

inline constexpr Rights kAllRights = Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect;

// "RegistryWrite, ServiceConnect", as the cloud's management API writes them; names in any case, at least one. Fails with kArgumentInvalid.
Result<Rights> parse_rights(std::string_view text);

// The policy of the hub's owner, which can be neither deleted nor weakened.
inline constexpr std::string_view kOwnerPolicy = "iothubowner";

// ^[a-zA-Z0-9_\-@\.]+$, at most 64 characters: what every SDK's connection string parser takes. Fails with kArgumentInvalid.
Status check_policy_name(std::string_view name);
// Base64 of 16 to 64 bytes, like a device's. Fails with kArgumentInvalid.
Status check_policy_key(std::string_view key, std::string_view what);

struct AccessPolicy {
  std::string name;
  std::string primary_key;    // base64
  std::string secondary_key;  // base64
  Rights rights;
};

// The five policies of a new hub, with random keys: iothubowner, service, device, registryRead, registryReadWrite.
std::vector<AccessPolicy> make_default_policies(Random& random);

const AccessPolicy* find_policy(const std::vector<AccessPolicy>& policies, std::string_view name);

}  // namespace nearhub::auth
