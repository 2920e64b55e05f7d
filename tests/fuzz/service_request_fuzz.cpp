// A request of the service API, taken apart.
//
// Input: a line with method and target; then a line for each header.
//
// Checked: path segments are whole and not empty; path and query come out the same of the target that is written from them,
// also with the path's slashes encoded (as Azure IoT Explorer sends it); a request that is refused is left as it was; an
// etag is read the same with quotes around it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "base/url.h"
#include "service/request.h"
#include "wire/http/request_parser.h"

using namespace nearhub;

namespace {

// What the parser makes of it: take_apart() sees nothing else.
bool parse(std::string_view lines, http::Request& request) {
  const auto [first, rest] = split_once(lines, '\n');
  std::string text = std::string(first) + " HTTP/1.1\r\nHost: localhost\r\n";
  std::string_view headers = rest.value_or(std::string_view());
  while (!headers.empty()) {
    const auto [line, more] = split_once(headers, '\n');
    headers = more.value_or(std::string_view());
    text.append(line).append("\r\n");
  }
  http::RequestParser parser({});
  parser.feed(text + "\r\n");
  return parser.next(request) == http::RequestParser::kRequest;
}

void check_reads_as(std::string target, const service::Request& expected) {
  http::Request http;
  http.method = expected.method;
  http.target = std::move(target);
  const auto again = service::take_apart(http, "peer");
  NEARHUB_CHECK(again.ok());
  NEARHUB_CHECK(again->path == expected.path && again->query == expected.query && again->method == expected.method);
}

void check_condition(const http::Request& request) {
  const hub::Condition condition = service::parse_if_match(request);
  NEARHUB_CHECK((request.header("If-Match") == nullptr) == (condition.kind == hub::Condition::kAbsent));
  if (condition.kind != hub::Condition::kEtag) {
    NEARHUB_CHECK(condition.etag.empty() && condition.matches("any"));
    return;
  }
  http::Request quoted;
  quoted.headers.push_back({"if-match", "\"" + condition.etag + "\""});
  const hub::Condition again = service::parse_if_match(quoted);
  NEARHUB_CHECK(again.kind == hub::Condition::kEtag && again.etag == condition.etag && again.matches(condition.etag));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::Request http;
  if (!parse({reinterpret_cast<const char*>(data), size}, http)) return 0;
  check_condition(http);
  const std::string method = http.method, target = http.target;
  const Result<service::Request> request = service::take_apart(http, "peer");
  if (!request.ok()) {
    NEARHUB_CHECK(request.error().code == ErrorCode::kArgumentInvalid && !request.error().detail.empty());
    NEARHUB_CHECK(http.method == method && http.target == target);
    return 0;
  }
  NEARHUB_CHECK(request->http.target == target && request->peer == "peer");
  NEARHUB_CHECK(request->method == method || (method == "POST" && request->method == "PATCH"));

  std::string path, path_text;
  for (const std::string& segment : request->path) {
    NEARHUB_CHECK(!segment.empty() && segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos);
    path += "/" + percent_encode(segment);
    path_text += (path_text.empty() ? "" : "/") + segment;
  }
  NEARHUB_CHECK(request->operation() == request->method + " /" + path_text);
  std::string query = "?";
  for (const auto& [name, value] : request->query) {
    query += percent_encode(name) + "=" + percent_encode(value) + "&";
    NEARHUB_CHECK(request->parameter(name) != nullptr);
    if (equals_ignoring_case(name, "api-version") && service::is_api_version(value)) NEARHUB_CHECK(value.size() == 10 || value.size() == 18);
  }
  check_reads_as((path.empty() ? "/" : path) + query, *request);
  check_reads_as(path + "/" + query, *request);
  check_reads_as("/" + percent_encode(path_text) + query, *request);
  return 0;
}
