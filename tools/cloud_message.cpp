#include "tools/cloud_message.h"

#include <fmt/core.h>

#include "base/random.h"
#include "base/text.h"
#include "base/time_format.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

// A header name of HTTP (RFC 9110, token).
bool is_header_name(std::string_view text) {
  for (const char c : text) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> cloud_message_headers(const NewCloudMessage& message,
                                                                               WallTime now) {
  const auto invalid = [](std::string detail) { return Error{ErrorCode::kInvalidSetting, std::move(detail)}; };
  std::vector<std::pair<std::string, std::string>> headers = {{"iothub-ack", message.ack},
                                                              {"iothub-messageid", message.message_id},
                                                              {"iothub-correlationid", message.correlation_id},
                                                              {"iothub-userid", message.user_id},
                                                              {"iothub-contenttype", message.content_type},
                                                              {"iothub-contentencoding", message.content_encoding}};
  std::erase_if(headers, [](const auto& header) { return header.second.empty(); });
  if (!message.expiry.empty()) {
    const auto expiry = parse_expiry(message.expiry, now);
    if (!expiry.ok()) return expiry.error();
    headers.emplace_back("iothub-expiry", format_iso8601(*expiry));
  }
  for (const std::string& property : message.properties) {
    const auto [name, value] = split_once(property, '=');
    if (!value) return invalid(fmt::format("--prop {}: expected NAME=VALUE", terminal_text(property)));
    if (!is_header_name(name)) {
      return invalid(fmt::format(
          "--prop {}: a property's name travels as an HTTP header: letters, digits and !#$%&'*+-.^_`|~ only",
          terminal_text(property)));
    }
    if (value->empty()) {
      return invalid(fmt::format("--prop {}: the hub does not tell devices of a property without a value",
                                 terminal_text(property)));
    }
    if (trim(*value) != *value) {
      return invalid(fmt::format("--prop {}: HTTP takes spaces at the ends of a value off", terminal_text(property)));
    }
    headers.emplace_back(fmt::format("iothub-app-{}", name), *value);
  }
  for (const auto& [name, value] : headers) {
    for (const char c : value) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        return invalid(fmt::format("{}: a value contains a control character", name));
      }
    }
  }
  return headers;
}

Status send_cloud_message(HubClient& hub, const NewCloudMessage& message, Console& console) {
  auto headers = cloud_message_headers(message, hub.now());
  if (!headers.ok()) return headers.error();
  // Feedback names the message.
  const bool wants_feedback = !message.ack.empty() && message.ack != "none";
  if (wants_feedback && message.message_id.empty()) headers->emplace_back("iothub-messageid", SystemRandom().uuid());
  HubRequest request;
  request.method = "POST";
  request.path = registry_path(message.id) + "/messages/deviceBound";
  request.headers = std::move(*headers);
  request.body = message.body;
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  const std::string message_id = answer->header("iothub-messageid");
  console.print(fmt::format("queued for {}{}\n", describe(message.id),
                            message_id.empty() ? "" : ", message id " + terminal_text(message_id)));
  return {};
}

Status purge_cloud_messages(HubClient& hub, const IdentityId& id, bool json, Console& console) {
  HubRequest request;
  request.method = "DELETE";
  request.path = registry_path(id) + "/commands";
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  if (json) {
    console.print(answer->body + "\n");
    return {};
  }
  const auto result = parse_object(answer->body);
  if (!result.ok()) return result.error();
  const std::int64_t purged = integer_at(*result, {"totalMessagesPurged"});
  console.print(fmt::format("purged {} message{} of {}\n", purged, purged == 1 ? "" : "s", describe(id)));
  return {};
}

}  // namespace nearhub::tools
