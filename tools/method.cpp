#include "tools/method.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_writer.h"
#include "tools/identity.h"
#include "tools/json_text.h"

namespace nearhub::tools {
namespace {

// For the way there and back, beside the time that the device has.
constexpr std::chrono::seconds kSpareTime{10};

int response_timeout(const MethodCall& call) { return call.response_timeout_given ? call.response_timeout_s : std::max(call.response_timeout_s, call.connect_timeout_s); }

}  // namespace

Result<std::string> method_body(const MethodCall& call) {
  JsonWriter json;
  json.object()
      .member("methodName", call.name)
      .member("responseTimeoutInSeconds", response_timeout(call))
      .member("connectTimeoutInSeconds", call.connect_timeout_s);
  if (!call.payload.empty()) {
    const auto payload = parse_json(call.payload);
    if (!payload.ok()) {
      return Error{ErrorCode::kInvalidSetting,
                   fmt::format("the payload: {} (a text goes in quotes: '\"text\"')", payload.error().detail)};
    }
    json.member("payload").raw(call.payload);
  }
  json.end_object();
  return std::move(json).take();
}

Status invoke_method(HubClient& hub, const MethodCall& call, Console& console) {
  auto body = method_body(call);
  if (!body.ok()) return body.error();
  HubRequest request;
  request.method = "POST";
  request.path = twin_path(call.id) + "/methods";
  request.body = std::move(*body);
  request.time_limit = std::chrono::seconds(response_timeout(call) + call.connect_timeout_s) + kSpareTime;
  const auto answer = hub.request(request);
  if (!answer.ok()) return answer.error();
  if (!answer->ok()) {
    return explain_refusal(explain_method_failure(read_hub_error(*answer), call), answer->status, hub.address());
  }
  if (call.json) {
    console.print(answer->body + "\n");
    return {};
  }
  const auto result = parse_object(answer->body);
  if (!result.ok()) return result.error();
  std::string text = fmt::format("status {}\n", text_at(*result, {"status"}));
  if (const JsonValue* payload = find_path(*result, {"payload"}); payload != nullptr && !payload->IsNull()) {
    text += pretty_json(*payload) + "\n";
  }
  console.print(text);
  return {};
}

Error explain_method_failure(const HubError& error, const MethodCall& call) {
  Error explained = to_error(error);
  const std::string code = fmt::format("{} {}", error_number(explained.code), error_name(explained.code));
  if (explained.code == ErrorCode::kDeviceNotOnline) {
    explained.detail = fmt::format("{} is offline, or does not listen for methods ({}); ", describe(call.id), code) +
                       (call.connect_timeout_s == 0 ? "--connect-timeout 30 waits for it"
                                                    : fmt::format("waited {} s for it", call.connect_timeout_s));
  } else if (explained.code == ErrorCode::kGatewayTimeout) {
    explained.detail =
        fmt::format("{} did not answer within {} s ({})", describe(call.id), response_timeout(call), code);
  }
  return explained;
}

}  // namespace nearhub::tools
