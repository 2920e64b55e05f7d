// What the checks of certificates say alike. Private to this room.
//
// THREAD: any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "auth/certificate.h"
#include "auth/denial.h"
#include "base/clock.h"

namespace nearhub::auth {

// A name from a certificate, safe to show and not too long for a sentence.
std::string shown(std::string_view name);

// Within its time at that moment, or by how much not. `which`: "the leaf (CN=d1)".
std::optional<Denial> judge_validity(const Certificate& certificate, std::string_view which, WallTime now);

}  // namespace nearhub::auth
