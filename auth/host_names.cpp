#include "auth/host_names.h"

#include <algorithm>

#include "base/text.h"

namespace nearhub::auth {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  const auto colon = host.find(':');
  const bool has_port = colon != std::string_view::npos && host.find(':', colon + 1) == std::string_view::npos;
  return has_port ? host.substr(0, colon) : host;
}

bool HostNames::contains(std::string_view host_with_optional_port) const {
  const std::string_view host = without_port(host_with_optional_port);
  return std::any_of(names_.begin(), names_.end(), [host](const std::string& name) { return equals_ignoring_case(name, host); });
}

std::string HostNames::list() const {
  std::string text;
  for (const std::string& name : names_) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace nearhub::auth
