#include "blob/container.h"

#include <fmt/core.h>

#include "base/text.h"
#include "base/url.h"

namespace nearhub::blob {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

Error invalid(std::string detail) { return {ErrorCode::kBlobContainerValidationError, std::move(detail)}; }

}  // namespace

Status check_blob_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return invalid(fmt::format("a name has 1 to {} characters, this one has {}", kMaxNameBytes, name.size()));
  if (name == "." || name == "..") return invalid(fmt::format("\"{}\" is no name", name));
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '-') {
      return invalid(fmt::format("the name \"{}\" has '{}'; letters, digits, '.', '_' and '-' are allowed", printable(name, 100), printable({&c, 1})));
    }
  }
  return {};
}

Result<std::unique_ptr<Container>> open_container(const std::string& uri, const Settings& settings, const std::atomic<bool>& cancelled) {
  if (uri.empty()) return invalid("the URI of the blob container is missing");
  if (uri.size() > kMaxUriBytes) return invalid(fmt::format("the URI of the blob container has {} bytes; at most {} are allowed", uri.size(), kMaxUriBytes));
  if (starts_with_ignoring_case(uri, "https://") || starts_with_ignoring_case(uri, "http://")) return open_azure(uri, settings, cancelled);
  if (starts_with_ignoring_case(uri, "file://")) {
    std::string_view rest = std::string_view(uri).substr(7);
    if (starts_with_ignoring_case(rest, "localhost/")) rest.remove_prefix(9);
    if (!rest.starts_with('/')) return invalid("a file:// URI names no host: write file:///NAME");
    if (rest.find_first_of("?#") != std::string_view::npos) return invalid("a file:// URI has no query");
    const auto path = percent_decode_strict(rest.substr(1));
    if (!path.ok()) return invalid("file:// URI: " + path.error().detail);
    return open_folder(*path, settings);
  }
  return invalid(fmt::format("\"{}\" is no URI of a blob container: expected https://ACCOUNT/CONTAINER?SAS or file:///NAME", printable(split_once(uri, '?').first, 100)));
}

}  // namespace nearhub::blob
