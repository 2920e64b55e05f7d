#include "broker/board.h"

#include <fmt/core.h>

#include <array>

#include "broker/topics.h"
#include "wire/mqtt/encoder.h"

namespace nearhub::broker {
namespace {

// x509-and-boards.md B: MQTT_PAYLOAD_BUFFER_LEN was 1024 in NCS 1.5 and is 2304 in later versions of the first generation; the second has 2048
// with the modem (and 4096 without, on other chips).
constexpr BoardLibrary kFirstGeneration = {"nRF Connect SDK 1.x",
                                           256,
                                           1024,
                                           2304,
                                           "the board drops the connection at a longer one: shorten the properties, or raise CONFIG_AZURE_IOT_HUB_MQTT_RX_TX_BUFFER_LEN",
                                           "the board hears nothing more on this connection after a longer one: send less, or raise "
                                           "CONFIG_AZURE_IOT_HUB_MQTT_PAYLOAD_BUFFER_LEN (1024 in NCS 1.5, 2304 later)"};
constexpr BoardLibrary kSecondGeneration = {"nRF Connect SDK 2.x",
                                            256,
                                            2048,
                                            2048,
                                            "the board drops the connection at a longer one: shorten the properties, or raise CONFIG_MQTT_HELPER_RX_TX_BUFFER_SIZE",
                                            "the board hears nothing more on this connection after a longer one: send less, or raise CONFIG_MQTT_HELPER_PAYLOAD_BUFFER_LEN"};

constexpr std::size_t kFilters = 4;
using Filters = std::array<hub::Topic, kFilters>;
constexpr Filters kFirstOrder = {hub::Topic::kCloudMessages, hub::Topic::kDesired, hub::Topic::kTwinResponses, hub::Topic::kMethods};
constexpr Filters kSecondOrder = {hub::Topic::kCloudMessagesWildcard, hub::Topic::kMethods, hub::Topic::kDesired, hub::Topic::kTwinResponses};

}  // namespace

bool may_be_board(const UserName& user) {
  return user.api_version == "2020-09-30" && user.client_type.empty() && user.model_id.empty() && !user.identity.is_module();
}

const BoardLibrary* recognise_board(mqtt::SubscriptionList subscriptions, const IdentityId& self) {
  Filters filters{};
  std::size_t count = 0;
  mqtt::Subscription subscription;
  while (subscriptions.next(subscription)) {
    const Filter filter = parse_filter(subscription.filter, self);
    if (count == kFilters || subscription.qos != 0 || !filter.acceptable || !filter.method.empty()) return nullptr;
    filters[count++] = filter.topic;
  }
  if (count != kFilters) return nullptr;
  if (filters == kFirstOrder) return &kFirstGeneration;
  return filters == kSecondOrder ? &kSecondGeneration : nullptr;
}

std::optional<auth::Denial> board_warning(const BoardLibrary& library, const mqtt::Publish& publish) {
  const std::size_t header = mqtt::encoded_size(publish) - publish.payload.size();
  if (header > library.header_bytes) {
    return auth::Denial{auth::Check::kSize, {}, fmt::format("at most {} bytes in front of the payload ({})", library.header_bytes, library.name),
                        fmt::format("{} bytes, {} of them topic", header, publish.topic.size()), std::string(library.header_advice)};
  }
  const std::size_t payload = publish.payload.size();
  if (payload <= library.payload_bytes) return std::nullopt;
  const std::size_t allowed = payload > library.most_payload_bytes ? library.most_payload_bytes : library.payload_bytes;
  return auth::Denial{auth::Check::kSize, {}, fmt::format("a payload of at most {} bytes ({})", allowed, library.name), fmt::format("{} bytes", payload),
                      std::string(library.payload_advice)};
}

}  // namespace nearhub::broker
