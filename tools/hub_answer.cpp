#include "tools/hub_answer.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

// More of a body that is no error of ours (a proxy's page, say) helps nobody.
constexpr std::size_t kShownBody = 200;

ErrorCode code_of(std::string_view name) {
#define NEARHUB_IF_NAMED(number, error) \
  if (name == #error) return ErrorCode::k##error;
  NEARHUB_HUB_ERRORS(NEARHUB_IF_NAMED)
#undef NEARHUB_IF_NAMED
  return ErrorCode::kServerError;
}

// The text of the envelopes: {"Message":"ErrorCode:X;text"}, {"Message":"{\"message\":\"text\"}"}, {"message":"text"}.
std::string text_of(std::string_view body) {
  const auto json = parse_json(body);
  if (!json.ok() || !json->IsObject()) return std::string(trim(body)).substr(0, kShownBody);
  if (std::string text = text_at(*json, {"message"}); !text.empty()) return text;
  const std::string message = text_at(*json, {"Message"});
  if (const auto inner = parse_json(message); inner.ok() && inner->IsObject()) return text_at(*inner, {"message"});
  if (!message.starts_with("ErrorCode:")) return message;
  return std::string(split_once(message, ';').second.value_or(std::string_view()));
}

}  // namespace

std::string HubAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

HubError read_hub_error(const HubAnswer& answer) {
  HubError error;
  error.status = answer.status;
  error.name = terminal_text(answer.header("iothub-errorcode"));
  error.text = terminal_text(trim(text_of(answer.body)));
  return error;
}

Error to_error(const HubError& error) {
  std::string text = error.text;
  // For what is missing the hub gives the id alone, as the cloud does.
  if ((error.name == "DeviceNotFound" || error.name == "ModuleNotFound") && !text.empty() && text.find(' ') == std::string::npos) {
    // Of a module's twin it says DeviceNotFound, too.
    const bool module = error.name == "ModuleNotFound" || text.find('/') != std::string::npos;
    text = (module ? "there is no module " : "there is no device ") + text;
  }
  std::string detail = error.name.empty() ? fmt::format("HTTP status {}", error.status) : error.name;
  // Some texts begin with the name themselves.
  if (!error.name.empty() && text.starts_with(error.name)) return {code_of(error.name), std::move(text)};
  if (!text.empty()) detail += ": " + text;
  return {code_of(error.name), std::move(detail)};
}

}  // namespace nearhub::tools
