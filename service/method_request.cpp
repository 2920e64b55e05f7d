#include "service/method_request.h"

#include <fmt/core.h>

#include <charconv>

#include "base/text.h"

namespace nearhub::service {
namespace {

Status check_range(std::string_view name, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return invalid_argument(fmt::format("{} must be within [{}; {}].", name, least, most));
}

// Seconds; nullopt when absent or null.
Result<std::optional<int>> seconds(const twin::Value& method, std::string_view name) {
  const twin::Value* member = method.find(name);
  if (member == nullptr || member->is_null()) return std::optional<int>();
  const auto value = member->kind() == twin::Value::Kind::kNumber ? whole_number(member->text()) : std::nullopt;
  if (!value) return invalid_argument(fmt::format("{} is {}; expected a whole number of seconds", name, twin::kind_name(member->kind())));
  return value;
}

}  // namespace

Status check_method_name(std::string_view what, std::string_view name) {
  if (name.size() > hub::kMaxMethodNameBytes) {
    return invalid_argument(fmt::format("{} has {} bytes; at most {} are allowed", what, name.size(), hub::kMaxMethodNameBytes));
  }
  for (const char c : name) {
    // These would break the MQTT topic that carries the name.
    if (std::string_view("/?#+%").find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20) {
      return invalid_argument(fmt::format("{} contains '{}'; not allowed are / ? # + % and control characters", what, printable(std::string(1, c))));
    }
  }
  return {};
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

Status set_timeouts(hub::MethodRequest& request, std::optional<int> response, std::optional<int> connect, std::string_view response_name) {
  request.response_timeout_s = response.value_or(hub::kDefaultResponseTimeoutSeconds);
  request.connect_timeout_s = connect.value_or(0);
  if (Status status = check_range(response_name, request.response_timeout_s, hub::kMinResponseTimeoutSeconds, hub::kMaxResponseTimeoutSeconds); !status.ok()) {
    return status;
  }
  if (Status status = check_range("connectTimeoutInSeconds", request.connect_timeout_s, 0, hub::kMaxConnectTimeoutSeconds); !status.ok()) return status;
  if (request.connect_timeout_s > request.response_timeout_s) {
    return invalid_argument(fmt::format("Device connection timeout {} s cannot be longer than an overall call timeout {} s", request.connect_timeout_s,
                                        request.response_timeout_s));
  }
  return {};
}

Status check_payload(const std::string& payload) {
  if (payload.size() <= hub::kMaxMethodBytes) return {};
  return Error{ErrorCode::kMessageTooLarge, fmt::format("payload has {} bytes; at most {} are allowed", payload.size(), hub::kMaxMethodBytes)};
}

Result<hub::MethodRequest> parse_method_request(const twin::Value& method) {
  hub::MethodRequest request;
  const twin::Value* name = method.find("methodName");
  if (name == nullptr || name->kind() != twin::Value::Kind::kString || name->text().empty()) return invalid_argument("methodName is missing; expected a string");
  request.name = name->text();
  if (Status status = check_method_name("methodName", request.name); !status.ok()) return status.error();
  // Old clients say timeoutInSeconds.
  const auto given = [&method](std::string_view member) {
    const twin::Value* value = method.find(member);
    return value != nullptr && !value->is_null();
  };
  const bool old_name = !given("responseTimeoutInSeconds") && given("timeoutInSeconds");
  const std::string_view timeout = old_name ? "timeoutInSeconds" : "responseTimeoutInSeconds";
  const auto response = seconds(method, timeout), connect = seconds(method, "connectTimeoutInSeconds");
  if (!response.ok()) return response.error();
  if (!connect.ok()) return connect.error();
  if (Status status = set_timeouts(request, *response, *connect, timeout); !status.ok()) return status.error();
  if (const twin::Value* payload = method.find("payload")) request.payload = payload->to_json();
  if (Status status = check_payload(request.payload); !status.ok()) return status.error();
  return request;
}

}  // namespace nearhub::service
