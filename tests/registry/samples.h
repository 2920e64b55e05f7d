// What the tests of this room share.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "registry/identity.h"
#include "registry/identity_json.h"

namespace nearhub::registry {

inline const IdentityId kDevice{DeviceId("d1"), ModuleId()};
inline const IdentityId kModule{DeviceId("d1"), ModuleId("m1")};

// Base64 of "primary key of 32 readable bytes" and "secondary key, readable as well.".
inline constexpr const char* kPrimary = "cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=";
inline constexpr const char* kSecondary = "c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4=";
inline constexpr const char* kBothKeys =
    R"({"authentication":{"type":"sas","symmetricKey":{"primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=",)"
    R"("secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="}}})";

// 2023-01-17T17:56:24.1626056Z.
inline constexpr WallTime kNow = WallTime{Ticks{16'739'781'841'626'056}};

inline IdentityRequest request(std::string_view body, const IdentityId& id = kDevice) {
  auto parsed = parse_identity_request(body, id);
  REQUIRE_MESSAGE(parsed.ok(), (parsed.ok() ? "" : parsed.error().detail));
  return std::move(*parsed);
}

}  // namespace nearhub::registry
