// A cloud-to-device message: queued by a service, delivered to one device or module, settled by it (reference/device-mqtt.md section 5).
//
// THREAD: value types.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace nearhub::hub {

enum class Ack : std::uint8_t { kNone, kPositive, kNegative, kFull };
std::string_view ack_text(Ack ack);  // "none", "positive", "negative", "full"
std::optional<Ack> parse_ack(std::string_view text);

struct CloudMessage {
  std::uint64_t sequence = 0;  // rises within an identity's queue; given by the shard
  WallTime enqueued{};
  WallTime expiry{};
  bool expiry_from_sender = false;  // only then the device is told
  Ack ack = Ack::kNone;
  std::uint32_t delivery_count = 0;  // abandoned so often
  std::string message_id;
  std::string correlation_id;
  std::string user_id;
  std::string content_type;
  std::string content_encoding;
  std::vector<std::pair<std::string, std::string>> properties;
  std::string body;

  // What the 64 KB limit counts.
  std::size_t size_bytes() const;
};

// The last part of the topic: "%24.mid=...&%24.to=...&%24.ct=...&iothub-ack=full&key=value" (5.1). `%24.to` is always there.
std::string device_topic_bag(const CloudMessage& message, const IdentityId& to);

// Why a message left its queue, for feedback (5.5).
enum class Outcome : std::uint8_t { kSuccess, kExpired, kDeliveryCountExceeded, kRejected, kPurged };
std::string_view outcome_text(Outcome outcome);  // "Success", "Expired", ...
// Whether a sender that asked for `ack` hears of `outcome`.
bool wants_feedback(Ack ack, Outcome outcome);

struct Feedback {
  std::uint64_t sequence = 0;  // given by the store
  std::string original_message_id;
  IdentityId identity;
  GenerationId generation_id;
  WallTime enqueued{};
  Outcome outcome = Outcome::kSuccess;
};
void write_json(JsonWriter& json, const Feedback& feedback);

}  // namespace nearhub::hub
