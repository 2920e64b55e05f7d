#include "service/request.h"

#include <fmt/core.h>

#include "base/text.h"
#include "base/url.h"

namespace nearhub::service {

const std::string* Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (equals_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

std::string Request::operation() const {
  std::string text = method + " ";
  if (path.empty()) return text + "/";
  for (const std::string& segment : path) text.append("/").append(segment);
  return text;
}

Result<Request> take_apart(http::Request& http, std::string peer) {
  Request request;
  request.peer = std::move(peer);
  const auto [raw_path, raw_query] = split_once(http.target, '?');
  if (!raw_path.starts_with('/')) return Error{ErrorCode::kArgumentInvalid, "the request target is not a path"};
  const auto path = percent_decode_strict(raw_path);
  if (!path.ok()) return Error{ErrorCode::kArgumentInvalid, "path: " + path.error().detail};
  std::string_view rest = std::string_view(*path).substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  while (!rest.empty()) {
    const auto [segment, more] = split_once(rest, '/');
    if (segment.empty()) return Error{ErrorCode::kArgumentInvalid, "the path has an empty segment"};
    request.path.emplace_back(segment);
    rest = more.value_or(std::string_view());
    if (more && more->empty()) return Error{ErrorCode::kArgumentInvalid, "the path has an empty segment"};
  }
  std::string_view items = raw_query.value_or(std::string_view());
  while (!items.empty()) {
    const auto [item, more] = split_once(items, '&');
    items = more.value_or(std::string_view());
    if (item.empty()) continue;
    const auto [name, value] = split_once(item, '=');
    request.query.emplace_back(percent_decode(name), percent_decode(value.value_or(std::string_view())));
  }
  request.method = http.method;
  // The Java SDK cannot send PATCH (service-rest.md 1). Only this method is overridden, and only to this one.
  const std::string* override_to = http.header("X-HTTP-Method-Override");
  if (request.method == "POST" && override_to != nullptr && equals_ignoring_case(*override_to, "PATCH")) request.method = "PATCH";
  request.http = std::move(http);
  return request;
}

hub::Condition parse_if_match(const http::Request& request) {
  const std::string* header = request.header("If-Match");
  if (header == nullptr) return {};
  std::string_view text = trim(*header);
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text == "*") return {hub::Condition::kAny, {}};
  return {hub::Condition::kEtag, std::string(text)};
}

bool is_api_version(std::string_view text) {
  if (text.ends_with("-preview")) text.remove_suffix(8);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t at : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u}) {
    if (text[at] < '0' || text[at] > '9') return false;
  }
  return true;
}

}  // namespace nearhub::service
