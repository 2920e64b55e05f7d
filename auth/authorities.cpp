#include "auth/authorities.h"

#include <algorithm>

namespace nearhub::auth {

bool Authorities::trusts(std::string_view sha256) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Authority& authority) { return authority.verified && authority.sha256 == sha256; });
}

const Authority* Authorities::find(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Authority& authority) { return authority.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace nearhub::auth
