// Sending and purging cloud-to-device messages (reference/service-rest.md 5.2).
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"
#include "base/url.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

constexpr Envelope kMessageEnvelope = Envelope::kE1;
constexpr std::string_view kPropertyPrefix = "iothub-app-";

std::string header_or_empty(const http::Request& request, std::string_view name) {
  const std::string* value = request.header(name);
  return value == nullptr ? std::string() : *value;
}

// ISO 8601, or milliseconds since 1970 as some clients write it.
std::optional<WallTime> parse_expiry(std::string_view text) {
  if (const auto time = parse_iso8601(text)) return time;
  const auto milliseconds = parse_decimal(text);
  constexpr std::uint64_t kYear9999 = 253'402'300'799'000;
  if (!milliseconds || *milliseconds > kYear9999) return std::nullopt;
  return from_unix_milliseconds(static_cast<std::int64_t>(*milliseconds));
}

Result<hub::CloudMessage> parse_message(http::Request& request) {
  hub::CloudMessage message;
  message.message_id = header_or_empty(request, "iothub-messageid");
  message.correlation_id = header_or_empty(request, "iothub-correlationid");
  message.user_id = header_or_empty(request, "iothub-userid");
  // Not Content-Type: every HTTP client sets that one, and a small board has no room for what nobody asked to send.
  message.content_type = header_or_empty(request, "iothub-contenttype");
  message.content_encoding = header_or_empty(request, "iothub-contentencoding");
  if (const std::string ack = header_or_empty(request, "iothub-ack"); !ack.empty()) {
    const auto parsed = hub::parse_ack(to_lower(ack));
    if (!parsed) {
      return Error{ErrorCode::kArgumentInvalid, fmt::format("iothub-ack is \"{}\"; expected none, positive, negative or full", printable(ack, 40))};
    }
    message.ack = *parsed;
  }
  if (const std::string expiry = header_or_empty(request, "iothub-expiry"); !expiry.empty()) {
    const auto parsed = parse_expiry(expiry);
    if (!parsed) {
      return Error{ErrorCode::kInvalidMessageExpiryTime,
                   fmt::format("iothub-expiry is \"{}\"; expected a time like 2026-01-31T12:00:00Z", printable(expiry, 60))};
    }
    message.expiry = *parsed;
    message.expiry_from_sender = true;
  }
  for (const std::string* id : {&message.message_id, &message.correlation_id}) {
    if (id->size() > kMaxIdLength) {
      return Error{ErrorCode::kArgumentInvalid, fmt::format("a message or correlation id has {} characters; at most {} are allowed", id->size(), kMaxIdLength)};
    }
  }
  for (const http::Header& header : request.headers) {
    if (!starts_with_ignoring_case(header.name, kPropertyPrefix)) continue;
    if (header.name.size() == kPropertyPrefix.size()) return Error{ErrorCode::kArgumentInvalid, "a header iothub-app- names no property"};
    message.properties.emplace_back(header.name.substr(kPropertyPrefix.size()), header.value);
  }
  if (!std::all_of(message.properties.begin(), message.properties.end(), [](const auto& property) { return is_utf8(property.second); })) {
    return Error{ErrorCode::kArgumentInvalid, "a property value is not UTF-8"};
  }
  message.body = std::move(request.body);
  return message;
}

// Azure IoT Explorer encodes the id and then the whole path (service-rest.md 1): the id as it would be then; nullopt when there is no such reading.
std::optional<IdentityId> decoded_again(const IdentityId& id) {
  IdentityId again{DeviceId(percent_decode(id.device.view())), ModuleId(percent_decode(id.module.view()))};
  if (again == id || !check_id(again.device.view(), "deviceId").ok()) return std::nullopt;
  if (id.is_module() && !check_id(again.module.view(), "moduleId").ok()) return std::nullopt;
  return again;
}

// `otherwise`: who may be meant when nobody has that id.
void send_to(const Api& api, const IdentityId& id, hub::CloudMessage message, Responder responder, std::optional<IdentityId> otherwise) {
  std::optional<hub::CloudMessage> copy;
  if (otherwise) copy = message;
  api.on_home(id.device, kMessageEnvelope, std::move(responder),
              [&api, id, message = std::move(message), copy = std::move(copy), otherwise = std::move(otherwise)](hub::Shard& shard, Responder answer) mutable {
    std::string message_id = message.message_id;
    shard.send(id, std::move(message),
               [&api, message_id = std::move(message_id), copy = std::move(copy), otherwise = std::move(otherwise),
                answer = std::move(answer)](Result<std::uint64_t> sent) mutable {
      if (!sent.ok() && otherwise && http_status(sent.error().code) == 404) {
        Executor& loop = answer.loop();
        loop.post([&api, id = std::move(*otherwise), copy = std::move(*copy), answer = std::move(answer)]() mutable {
          send_to(api, id, std::move(copy), std::move(answer), std::nullopt);
        });
        return;
      }
      if (!sent.ok()) return answer.respond(api.error(sent.error(), kMessageEnvelope));
      http::Response response = no_content();
      if (!message_id.empty()) response.set("iothub-messageid", message_id);
      answer.respond(std::move(response));
    });
  });
}

void send(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kMessageEnvelope));
  auto message = parse_message(request.http);
  if (!message.ok()) return responder.respond(api.error(message.error(), kMessageEnvelope));
  send_to(api, *id, std::move(*message), std::move(responder), decoded_again(*id));
}

void purge(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kMessageEnvelope));
  api.on_home(id->device, kMessageEnvelope, std::move(responder), [&api, id = *id](hub::Shard& shard, Responder answer) {
    shard.purge(id, [&api, id, answer = std::move(answer)](Result<std::int64_t> purged) mutable {
      if (!purged.ok()) return answer.respond(api.error(purged.error(), kMessageEnvelope));
      JsonWriter json;
      json.object().member("deviceId", id.device.str());
      if (id.is_module()) json.member("moduleId", id.module.str());
      json.member("totalMessagesPurged", *purged).end_object();
      answer.respond(json_response(std::move(json).take()));
    });
  });
}

}  // namespace

void add_cloud_message_routes(std::vector<Route>& routes) {
  using auth::Right;
  for (const std::string_view path : {"devices/{}/messages/deviceBound", "devices/{}/modules/{}/messages/deviceBound"}) {
    routes.push_back({"POST", path, {Right::kServiceConnect}, kMessageEnvelope, send});
  }
  for (const std::string_view path : {"devices/{}/commands", "devices/{}/modules/{}/commands"}) {
    routes.push_back({"DELETE", path, {Right::kServiceConnect}, kMessageEnvelope, purge});
  }
}

}  // namespace nearhub::service
