#include "hub/cloud_message.h"

#include "base/time_format.h"
#include "base/url.h"
#include "hub/property_bag.h"

namespace nearhub::hub {

std::string_view ack_text(Ack ack) {
  switch (ack) {
    case Ack::kNone: return "none";
    case Ack::kPositive: return "positive";
    case Ack::kNegative: return "negative";
    case Ack::kFull: return "full";
  }
  return "none";
}

std::optional<Ack> parse_ack(std::string_view text) {
  for (const Ack ack : {Ack::kNone, Ack::kPositive, Ack::kNegative, Ack::kFull}) {
    if (ack_text(ack) == text) return ack;
  }
  return std::nullopt;
}

std::size_t CloudMessage::size_bytes() const {
  std::size_t bytes = body.size() + message_id.size() + correlation_id.size() + user_id.size() + content_type.size() + content_encoding.size();
  for (const auto& [name, value] : properties) bytes += name.size() + value.size();
  return bytes;
}

std::string device_topic_bag(const CloudMessage& message, const IdentityId& to) {
  std::string address = "/devices/" + to.device.str();
  if (to.is_module()) address += "/modules/" + to.module.str();
  address += "/messages/deviceBound";

  std::string bag;
  const auto add = [&bag](std::string_view key, std::string_view value) {
    if (!value.empty()) append_property(bag, key, value);
  };
  // System properties first: the Java client drops what precedes the first %24.
  add("$.mid", message.message_id);
  add("$.to", address);
  add("$.cid", message.correlation_id);
  add("$.uid", message.user_id);
  if (message.expiry_from_sender) add("$.exp", format_iso8601(message.expiry));
  add("$.ct", message.content_type);
  add("$.ce", message.content_encoding);
  if (message.ack != Ack::kNone) add("iothub-ack", ack_text(message.ack));
  // A property without a value would break three clients (5.1); `add` leaves it out.
  for (const auto& [name, value] : message.properties) add(name, value);
  return bag;
}

std::string_view outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess: return "Success";
    case Outcome::kExpired: return "Expired";
    case Outcome::kDeliveryCountExceeded: return "DeliveryCountExceeded";
    case Outcome::kRejected: return "Rejected";
    case Outcome::kPurged: return "Purged";
  }
  return "Success";
}

bool wants_feedback(Ack ack, Outcome outcome) {
  switch (ack) {
    case Ack::kNone: return false;
    case Ack::kPositive: return outcome == Outcome::kSuccess;
    case Ack::kNegative: return outcome != Outcome::kSuccess;
    case Ack::kFull: return true;
  }
  return false;
}

void write_json(JsonWriter& json, const Feedback& feedback) {
  json.object()
      .member("originalMessageId", feedback.original_message_id)
      .member("description", outcome_text(feedback.outcome))
      .member("deviceId", feedback.identity.device.str());
  if (feedback.identity.is_module()) json.member("moduleId", feedback.identity.module.str());
  json.member("deviceGenerationId", feedback.generation_id.str())
      .member("enqueuedTimeUtc", format_iso8601(feedback.enqueued))
      .member("statusCode", outcome_text(feedback.outcome))
      .end_object();
}

}  // namespace nearhub::hub
