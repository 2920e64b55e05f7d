// POST /twins/{d}[/modules/{m}]/methods (reference/service-rest.md 5.7).
#include <fmt/core.h>

#include <charconv>

#include "base/text.h"
#include "service/api.h"
#include "service/method_request.h"
#include "twin/value.h"

namespace nearhub::service {
namespace {

constexpr Envelope kMethodEnvelope = Envelope::kE3;

// A whole number of seconds within [least; most]; `fallback` when absent or null.
Result<int> seconds(const twin::Value& body, std::string_view name, int least, int most, int fallback) {
  const twin::Value* member = body.find(name);
  if (member == nullptr || member->is_null()) return fallback;
  const std::string& text = member->text();
  const char* const end = text.data() + text.size();
  int value = 0;
  const auto read = std::from_chars(text.data(), end, value);
  if (member->kind() != twin::Value::Kind::kNumber || read.ec != std::errc() || read.ptr != end) {
    return invalid_argument(fmt::format("{} is {}; expected a whole number of seconds", name, twin::kind_name(member->kind())));
  }
  if (value < least || value > most) return invalid_argument(fmt::format("{} must be within [{}; {}].", name, least, most));
  return value;
}

}  // namespace

Result<hub::MethodRequest> parse_method_request(const twin::Value& body) {
  hub::MethodRequest request;
  const twin::Value* name = body.find("methodName");
  if (name == nullptr || name->kind() != twin::Value::Kind::kString || name->text().empty()) return invalid_argument("methodName is missing; expected a string");
  request.name = name->text();
  if (request.name.size() > hub::kMaxMethodNameBytes) {
    return invalid_argument(fmt::format("methodName has {} bytes; at most {} are allowed", request.name.size(), hub::kMaxMethodNameBytes));
  }
  for (const char c : request.name) {
    // These would break the MQTT topic that carries the name.
    if (std::string_view("/?#+%").find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20) {
      return invalid_argument(fmt::format("methodName contains '{}'; not allowed are / ? # + % and control characters", printable(std::string(1, c))));
    }
  }
  // Old clients say timeoutInSeconds.
  const auto given = [&body](std::string_view member) {
    const twin::Value* value = body.find(member);
    return value != nullptr && !value->is_null();
  };
  const bool old_name = !given("responseTimeoutInSeconds") && given("timeoutInSeconds");
  const std::string_view timeout = old_name ? "timeoutInSeconds" : "responseTimeoutInSeconds";
  const auto response = seconds(body, timeout, hub::kMinResponseTimeoutSeconds, hub::kMaxResponseTimeoutSeconds, hub::kDefaultResponseTimeoutSeconds);
  if (!response.ok()) return response.error();
  const auto connect = seconds(body, "connectTimeoutInSeconds", 0, hub::kMaxConnectTimeoutSeconds, 0);
  if (!connect.ok()) return connect.error();
  if (*connect > *response) {
    return invalid_argument(fmt::format("Device connection timeout {} s cannot be longer than an overall call timeout {} s", *connect, *response));
  }
  request.response_timeout_s = *response;
  request.connect_timeout_s = *connect;
  if (const twin::Value* payload = body.find("payload")) request.payload = payload->to_json();
  if (request.payload.size() > hub::kMaxMethodBytes) {
    return Error{ErrorCode::kMessageTooLarge, fmt::format("payload has {} bytes; at most {} are allowed", request.payload.size(), hub::kMaxMethodBytes)};
  }
  return request;
}

namespace {

Result<hub::MethodRequest> parse_body(std::string_view text) {
  const auto body = twin::parse_value(text, text.size());
  if (!body.ok()) return body.error();
  if (!body->is_object()) return invalid_argument(fmt::format("the body is {}; expected an object", twin::kind_name(body->kind())));
  return parse_method_request(*body);
}

void invoke(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kMethodEnvelope));
  auto method = parse_body(request.http.body);
  if (!method.ok()) return responder.respond(api.error(method.error(), kMethodEnvelope));
  api.on_home(id->device, kMethodEnvelope, std::move(responder), [&api, id = *id, method = std::move(*method)](hub::Shard& shard, Responder answer) mutable {
    shard.invoke_method(id, std::move(method), [&api, answer = std::move(answer)](Result<hub::MethodResult> result) mutable {
      if (!result.ok()) return answer.respond(api.error(result.error(), kMethodEnvelope));
      JsonWriter json;
      json.object().member("status", static_cast<std::int64_t>(result->status)).member("payload").raw(result->payload).end_object();
      answer.respond(json_response(std::move(json).take()));
    });
  });
}

}  // namespace

void add_method_routes(std::vector<Route>& routes) {
  routes.push_back({"POST", "twins/{}/methods", {auth::Right::kServiceConnect}, kMethodEnvelope, invoke});
  routes.push_back({"POST", "twins/{}/modules/{}/methods", {auth::Right::kServiceConnect}, kMethodEnvelope, invoke});
}

}  // namespace nearhub::service
