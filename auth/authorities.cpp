#include "auth/authorities.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace nearhub::auth {

bool Authorities::trusts(std::string_view sha256) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Authority& authority) { return authority.verified && authority.sha256 == sha256; });
}

const Authority* Authorities::find(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Authority& authority) { return authority.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

const Authority* Authorities::find_certificate(const Certificate& certificate) const {
  const std::string sha256 = certificate.thumbprint(Digest::kSha256);
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Authority& authority) { return equals_ignoring_case(authority.sha256, sha256); });
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace nearhub::auth
